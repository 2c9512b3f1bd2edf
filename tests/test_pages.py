"""The pages, in both languages: the same in both, and nothing in them leads nowhere."""

import re
import shlex

import pytest

import compare
import ddpg
import ddpg_update
import ddpg_update2
import robot_arm
from comparison.versions import columns
from experiment.options import parse
from support import settings
from tests.helpers.program import PROJECT

ENGLISH = sorted(
    path
    for path in [PROJECT / 'README.md', *(PROJECT / 'docs').glob('*.md')]
    if 'zh' not in path.name
)
CHINESE = [path.with_name(f'{path.stem}.zh-CN.md') for path in ENGLISH]
PAGES = ENGLISH + CHINESE
LESSONS = dict(ddpg=ddpg, ddpg_update=ddpg_update, ddpg_update2=ddpg_update2, robot_arm=robot_arm)
FENCE = re.compile(r'(?ms)^```(\w*)\n(.*?)^```$')

pages = pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
pairs = pytest.mark.parametrize(
    'page, other', list(zip(ENGLISH, CHINESE)), ids=lambda page: page.stem
)


def text_of(page):
    return page.read_text(encoding='utf-8')


def prose(page):
    """Return a page without its code blocks."""
    return FENCE.sub('', text_of(page))


def headings(page):
    return re.findall(r'(?m)^(#+) (.+)$', prose(page))


def tables(page):
    """Return the numbers in each cell of each row of a page's tables."""
    rows = re.findall(r'(?m)^\|(.+)\|$', prose(page))
    return [[sorted(re.findall(r'\d+(?:\.\d+)?', cell)) for cell in row.split('|')] for row in rows]


def targets(page):
    return re.findall(r'(?:src="|\]\()([^")]+)[")]', prose(page))


def slug(heading):
    """Return the name that GitHub gives to a heading."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


# ---------------------------------------------------------------- two languages


def test_every_page_is_there_in_both():
    assert [page for page in PAGES if not page.exists()] == []
    names = {path.stem for path in ENGLISH}
    assert names == {'README', 'lesson', 'traps', 'numbers', 'seeing', 'running', 'speed'}
    assert len(list((PROJECT / 'docs').glob('*.md'))) == 2 * (len(names) - 1)


@pairs
def test_both_have_the_same_headings_code_tables_and_pictures(page, other):
    assert [level for level, _ in headings(page)] == [level for level, _ in headings(other)]
    assert FENCE.findall(text_of(page)) == FENCE.findall(text_of(other))
    for one, two in zip(tables(page), tables(other)):
        assert one == two
    assert len(tables(page)) == len(tables(other))
    pictures = [re.findall(r'src="([^"]+)"|!\[.*?\]\((.+?)\)', prose(p)) for p in (page, other)]
    assert pictures[0] == pictures[1]
    captions = [re.findall(r'(?m)^\*(?:Figure|图) (\d+)', prose(p)) for p in (page, other)]
    assert captions[0] == captions[1] == [str(i + 1) for i in range(len(captions[0]))]


@pages
def test_its_first_lines_lead_to_the_other_language(page):
    other = f'{page.stem}.zh-CN.md' if page in ENGLISH else page.name.replace('.zh-CN', '')
    assert f']({other})' in text_of(page).split('\n\n')[1]


def test_the_door_is_short():
    for name in ('README.md', 'README.zh-CN.md'):
        assert len(text_of(PROJECT / name).splitlines()) <= 180


# ---------------------------------------------------------------- links and anchors


@pages
def test_every_link_leads_somewhere(page):
    for target in targets(page):
        if target.startswith('https://'):
            continue
        path, _, heading = target.partition('#')
        place = page.parent / path if path else page
        assert place.exists(), target
        if heading:
            assert heading in [slug(title) for _, title in headings(place)], target


@pages
def test_an_anchor_names_text_that_stands_in_the_file(page):
    for text, path in re.findall(r'\[`([^`]+)`\]\(([\w./]+\.py)\)', prose(page)):
        place = page.parent / path
        assert place.name == text.split('/')[-1] or text in text_of(place), text


@pytest.mark.parametrize('page', [PROJECT / 'README.md', PROJECT / 'README.zh-CN.md'])
def test_every_section_of_the_tutorial_leads_to_code_under_its_heading(page):
    code = ''.join(text_of(PROJECT / f'{name}.py') for name in ('ddpg', 'memory', 'ddpg_update'))
    for heading in ('算法', '主结构', 'Actor Critic', '记忆库 Memory', '每回合算法', '简化版代码'):
        assert re.search(rf'(?m)^\| {heading} \|.*\.py\)', text_of(page)), heading
        assert re.search(rf'(?m)^(#####.*|""".*){heading}', code), heading
    assert code.count('要点') == 1


# ---------------------------------------------------------------- commands


def commands(page):
    """Return the words of every `python ...` in a page, in code blocks and in the text."""
    text = text_of(page)
    blocks = ''.join(code for language, code in FENCE.findall(text) if language in ('', 'bash'))
    found = re.findall(r'(?:^|&& )(python .+)$', blocks, re.M)
    found += re.findall(r'`(python [^`]+)`', prose(page))
    return [shlex.split(line, comments=True) for line in found]


def check(words):
    """Parse a command with the options of its program; an error if it takes no such words."""
    if words[1] == '-m':
        module, *_ = words[2:]
        path = PROJECT.joinpath(*module.split('.')).with_suffix('.py')
        assert module == 'pytest' or path.exists(), module
        return
    program = words[1].rpartition('/')[2]
    if program == 'compare.py':
        options = compare.parse(words[2:])
        columns(options.versions, options.set, options.vary)
        return
    lesson = LESSONS[program[: -len('.py')]]
    replacements = settings.replacements_of(lesson)
    options = parse(program[:-3], settings.env_of(lesson), list(replacements), words[2:])
    chosen = replacements[options.replacement or next(iter(replacements))]
    settings.changed(settings.numbers_of(lesson), chosen, options.set)


@pages
def test_every_command_is_one_that_works(page):
    for words in commands(page):
        if '--help' not in words:
            check(words)


@pages
def test_every_option_that_is_named_is_one(page):
    known = {'--seeds', '--versions', '--vary', '--backend', '--address', '--scaling', '--rounds'}
    known |= {'--logdir', '--help'}
    known |= {f'--{name}' for name in vars(parse('ddpg', 'X-v0', ['soft', 'hard'], []))}
    named = {word for words in re.findall(r'`([^`\n]+)`', prose(page)) for word in words.split()}
    assert {word for word in named if re.match('--[a-z]', word)} <= known
