"""The house: imports go down only, and nothing that is shipped leans on the tests."""

import ast

from tests.helpers.program import PROJECT

LESSON = ('ddpg', 'ddpg_update', 'ddpg_update2', 'robot_arm')
SHIPPED = ('benchmarks', 'compare', *LESSON, 'memory', 'fast_tf', 'lab')
# where code lives -> what of this project it may import
MAY_IMPORT = dict.fromkeys(LESSON, ('fast_tf', 'memory', 'lab'))
MAY_IMPORT.update(
    memory=(), fast_tf=(), lab=('fast_tf', 'lab'), compare=('lab',), benchmarks=SHIPPED,
    docs=('docs', *SHIPPED), tests=('tests', 'docs', *SHIPPED),
)  # fmt: skip


def imports(path):
    """Return the top-level names of what a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.partition('.')[0])
    return found


def test_imports_go_down_only():
    for path in PROJECT.rglob('*.py'):
        place = path.relative_to(PROJECT).with_suffix('').parts[0]
        if place in MAY_IMPORT:
            of_this_project = imports(path) & set(MAY_IMPORT)
            assert of_this_project <= set(MAY_IMPORT[place]), path
    assert imports(PROJECT / 'memory.py') == {'numpy'}
