"""README.md: what it names stands in the code, and its commands are those that work."""

import re
import shlex
from pathlib import Path

import pytest

import ddpg
from experiment.options import parse
from support import settings

PROJECT = Path(__file__).parent.parent
README = (PROJECT / 'README.md').read_text(encoding='utf-8')
ANCHORS = re.findall(r'\[`([^`]+)`\]\((\w+\.py)\)', README)


@pytest.mark.parametrize('text, file', ANCHORS)
def test_an_anchor_names_text_that_stands_in_the_file(text, file):
    assert text == file or text in (PROJECT / file).read_text(encoding='utf-8')


def test_every_section_of_the_tutorial_leads_to_code_under_its_heading():
    names = ('ddpg.py', 'memory.py', 'ddpg_update.py')
    code = ''.join((PROJECT / name).read_text(encoding='utf-8') for name in names)
    for heading in ('算法', '主结构', 'Actor Critic', '记忆库 Memory', '每回合算法', '简化版代码'):
        assert re.search(rf'(?m)^\| {heading} \|.*\.py\)', README), heading
        assert re.search(rf'(?m)^(#####.*|""".*){heading}', code), heading
    assert code.count('要点') == 1


@pytest.mark.parametrize('target', re.findall(r'(?:src="|\]\()([\w./]+)["#)]', README))
def test_every_picture_and_file_is_there(target):
    assert (PROJECT / target).exists()


def test_every_option_that_is_named_is_one():
    of_compare = ('--vary',)
    for words in re.findall(r'`(--[a-z][^`]*)`', README):
        if words.startswith(of_compare):
            continue
        words = words.replace(' N', ' 3')
        if words not in ('--help', '--last', '--env', '--versions'):
            options = parse('ddpg', 'Pendulum-v0', ['soft', 'hard'], shlex.split(words))
            settings.changed(settings.numbers_of(ddpg), ddpg.SOFT, options.set)


def test_it_is_short():
    assert len(README.splitlines()) <= 180
