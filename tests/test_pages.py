"""The pages, in both languages: the same in both, and what they name is there and works."""

import os
import re
import shlex

import pytest

import compare
from lab.hyperparameters import capitals, hyperparameters, load, parse_overrides, replacements
from lab.job import make_columns
from lab.options import parse
from tests.helpers.program import PROJECT, output

ENGLISH = [PROJECT / 'README.md', *sorted((PROJECT / 'docs').glob('*.md'))]
ENGLISH = [path for path in ENGLISH if 'zh' not in path.name]
CHINESE = [path.with_name(f'{path.stem}.zh-CN.md') for path in ENGLISH]
PAGES = [path for path in ENGLISH + CHINESE if path.exists()]
FENCE = re.compile(r'(?ms)^```(\w*)\n(.*?)^```$')

pages = pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
pairs = pytest.mark.parametrize('page, other', list(zip(ENGLISH, CHINESE)))


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


def anchors(page):
    """Return the names that GitHub gives to the headings of a page, and those given in it."""
    found = [
        re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for _, title in headings(page)
    ]
    return found + re.findall(r'<a id="(.+?)">', text_of(page))


@pairs
def test_both_languages_have_the_same_and_lead_to_each_other(page, other):
    """The same headings, code, tables and pictures."""
    assert [level for level, _ in headings(page)] == [level for level, _ in headings(other)]
    assert FENCE.findall(text_of(page)) == FENCE.findall(text_of(other))
    assert tables(page) == tables(other)
    pictures = [re.findall(r'src="([^"]+)"', prose(each)) for each in (page, other)]
    assert pictures[0] == [name.replace('.zh-CN', '') for name in pictures[1]]
    captions = [re.findall(r'(?m)^\*(?:Figure|图) (\d+)', prose(each)) for each in (page, other)]
    assert captions[0] == captions[1] == [str(i + 1) for i in range(len(captions[0]))]
    for one, two in ((page, other), (other, page)):
        assert f']({two.name})' in text_of(one).split('\n\n')[1]


@pages
def test_every_link_leads_somewhere(page):
    for target in re.findall(r'(?:src="|\]\()([^")]+)[")]', prose(page)):
        if not target.startswith('https://'):
            path, _, heading = target.partition('#')
            place = page.parent / path if path else page
            assert place.exists(), target
            assert not heading or heading in anchors(place), target


@pages
def test_what_one_is_to_search_for_stands_in_the_file(page):
    file = r'\[`[\w./]+`\]\(([\w./]+)\)'
    found = re.findall(rf'search\s+{file}\s+for\s+`(.+?)`|在 {file} 里搜 `(.+?)`', prose(page))
    found = [(one or two, words or more) for one, words, two, more in found]
    found += [row[::-1] for row in re.findall(rf'(?m)^\| `([^`]+)` \| {file} \|', prose(page))]
    for path, words in found:
        assert words in text_of(page.parent / path), words
    tests = ''.join(map(text_of, (PROJECT / 'tests').glob('test_*.py')))
    for name in re.findall(r'`(test_\w+)`', prose(page)):
        assert f'def {name}(' in tests, name


def commands(page):
    """Return the words of every `python ...` in a page, in code blocks and in the text."""
    blocks = ''.join(code for language, code in FENCE.findall(text_of(page)) if not language)
    found = re.findall(r'(?:^|&& )(python .+)$', blocks, re.M)
    found += re.findall(r'`(python [^`]+)`', prose(page))
    return [shlex.split(line, comments=True) for line in found]


@pages
def test_every_command_and_option_is_one_that_works(page, tmp_path, monkeypatch):
    """As far as its options go; a change of a page is made."""
    here, made = tmp_path / 'here', ['my_ddpg.py', 'no_var_list.py', 'stop_gradient.py']
    changes = ['second-layer', 'ou-noise', 'prioritised', 'done', 'early', 'no-var-list']
    for folder in ('here', *changes):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(here)
    for name in made + [f'../{change}/ddpg.py' for change in changes]:  # what a reader makes
        (here / name).write_text(text_of(PROJECT / 'ddpg.py') + f'# {name}\n', 'utf-8')
    for _, module, *words in commands(page):
        if module == '-m':
            module, *words = words
            path = PROJECT.joinpath(*module.split('.'))
            assert module in ('pytest', 'venv') or path.with_suffix('.py').exists(), module
            if module == 'docs.patch':
                output('-m', module, *words[:2], tmp_path / str(len(os.listdir('..'))))
        elif module == 'compare.py':
            options = compare.parse(words)
            make_columns(options.versions, options.set, options.vary, options.env, options.episodes)
        elif (PROJECT / module).exists() and '--help' not in words:
            lesson = load(str(PROJECT / module))
            ways = replacements(lesson)
            options = parse(module[:-3], capitals(lesson)['ENV_NAME'], list(ways), words)
            way = ways[options.replacement or next(iter(ways))] if ways else None
            parse_overrides(options.set, hyperparameters(lesson), way)
    names = {*vars(parse('ddpg', 'X-v0', ['soft'], [])), *vars(compare.parse([]))}
    known = {f'--{name.replace("_", "-")}' for name in names} | {'--help', '--rounds', '--logdir'}
    assert set(re.findall(r'`[^`\n]*?(--[a-z-]+)', prose(page))) <= known


SECTIONS = '算法', '主结构', 'Actor Critic', '记忆库 Memory', '每回合算法', '简化版代码'


def test_the_readme_is_short_and_leads_to_every_section_of_the_tutorial():
    programs = [f'{name}.py' for name in ('ddpg', 'memory', 'ddpg_update', 'robot_arm')]
    code = ''.join(text_of(PROJECT / name) for name in programs)
    for name in ('README.md', 'README.zh-CN.md'):
        page = text_of(PROJECT / name)
        assert len(page.splitlines()) <= 180
        for heading in SECTIONS:
            (row,) = re.findall(rf'(?m)^\| {heading} \|(.*)\|$', page)
            for words in re.findall(r'`([^`]+)`', row):
                assert words in programs or words in code, words
            assert re.search(rf'(?m)^ *(#####.*|""".*){heading}', code), heading
