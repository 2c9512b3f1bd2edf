"""The house: imports go down only, and nothing that is shipped leans on the tests."""

import ast

import pytest

from tests.helpers.program import PROJECT

LESSON = ('ddpg', 'ddpg_update', 'ddpg_update2', 'robot_arm')
# where code lives -> what of this project it may import
MAY_IMPORT = dict.fromkeys(LESSON, ('fast_tf', 'memory', 'lab'))
MAY_IMPORT.update(
    memory=(),
    fast_tf=(),
    lab=('fast_tf', 'lab'),
    compare=('lab',),
    benchmarks=('benchmarks', 'compare', *LESSON, 'memory', 'fast_tf', 'lab'),
    docs=('docs', 'benchmarks', 'compare', *LESSON, 'memory', 'fast_tf', 'lab'),
    tests=('tests', 'docs', 'benchmarks', 'compare', *LESSON, 'memory', 'fast_tf', 'lab'),
)


def place(path):
    """Return the top-level name of a file in this project, such as 'lab' or 'ddpg'."""
    return path.relative_to(PROJECT).with_suffix('').parts[0]


FILES = [path for path in sorted(PROJECT.rglob('*.py')) if place(path) in MAY_IMPORT]


def imports(path):
    """Return the top-level names of what a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.partition('.')[0])
    return found


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_go_down_only(path):
    of_this_project = imports(path) & set(MAY_IMPORT)
    assert of_this_project <= set(MAY_IMPORT[place(path)])


def test_the_memory_imports_numpy_alone():
    assert imports(PROJECT / 'memory.py') == {'numpy'}
