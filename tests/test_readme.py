"""README.md: its links lead to the lines that they name, its commands are those that work."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
README = (PROJECT / 'README.md').read_text(encoding='utf-8')
LINKS = re.findall(r'\[`([^`]+)`\]\((\w+\.py)#L(\d+)\)', README)


@pytest.mark.parametrize('text, file, number', LINKS)
def test_a_link_leads_to_the_line_that_it_names(text, file, number):
    lines = (PROJECT / file).read_text(encoding='utf-8').splitlines()
    right = [i for i, line in enumerate(lines, 1) if text in line]
    assert text in lines[int(number) - 1], f'{text} is at {right}'


def test_every_section_of_the_tutorial_leads_to_code_under_its_heading():
    names = ('ddpg.py', 'memory.py', 'ddpg_update.py')
    code = ''.join((PROJECT / name).read_text(encoding='utf-8') for name in names)
    for heading in ('算法', '主结构', 'Actor Critic', '记忆库 Memory', '每回合算法', '简化版代码'):
        assert re.search(rf'(?m)^\| {heading} \|.*\.py#L', README), heading
        assert re.search(rf'(?m)^(#####.*|""".*){heading}', code), heading
    assert code.count('要点') == 1
