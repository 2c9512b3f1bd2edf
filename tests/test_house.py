"""The house: imports go down only, and what draws never loads TensorFlow."""

import ast
import subprocess
import sys
import tokenize

import pytest

from tests.helpers.program import PROJECT

LESSON = ('ddpg', 'ddpg_update', 'ddpg_update2', 'memory', 'robot_arm')
FLOORS = (('compare',), ('comparison',), LESSON, ('experiment',), ('pictures',), ('support',))


def module_of(path):
    return '.'.join(path.relative_to(PROJECT).with_suffix('').parts)


def floor(module):
    """Return the number of the floor that a module lives on, None for one from outside."""
    return next((i for i, names in enumerate(FLOORS) if module.split('.')[0] in names), None)


FILES = [path for path in sorted(PROJECT.rglob('*.py')) if floor(module_of(path)) is not None]


def imports(path):
    """Return the modules of this project that a file imports, anywhere in it."""
    known, found = {module_of(other) for other in FILES}, set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = {f'{node.module}.{alias.name}' for alias in node.names}
            found |= (inside & known) or {node.module}
    return {name for name in found if floor(name) is not None}


@pytest.mark.parametrize('path', FILES, ids=module_of)
def test_imports_go_down_only(path):
    for name in imports(path):
        assert floor(name) >= floor(module_of(path)), f'{module_of(path)} imports {name}'


def test_there_is_no_circle():
    below = {module_of(path): imports(path) for path in FILES}

    def look(name, above=()):
        assert name not in above, f'a circle: {" -> ".join((*above, name))}'
        for inner in below.get(name, ()):
            look(inner, (*above, name))

    for name in below:
        look(name)


def test_nothing_finds_a_module_by_its_name_at_run_time():
    for path in FILES:
        text = path.read_text(encoding='utf-8')
        assert 'import_module' not in text and '__import__' not in text, path


def test_pictures_never_load_tensorflow():
    modules = [module_of(path) for path in FILES if 'pictures' in path.parts]
    assert len(modules) > 3
    code = f'import sys, {", ".join(modules)}; print("tensorflow" in sys.modules)'
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=str(PROJECT), stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.decode().strip() == 'False'


def test_no_file_is_longer_than_its_limit():
    limits = dict(ddpg=300, ddpg_update=170, ddpg_update2=130, memory=55, compare=80, robot_arm=170)
    for path in (*FILES, *PROJECT.glob('benchmarks/*.py'), *PROJECT.glob('docs/*.py')):
        count = len(path.read_text(encoding='utf-8').splitlines())
        assert count <= limits.get(module_of(path), 250), path


def code_lines(path):
    """Return how many lines of a file hold code: none that is blank, a comment or a docstring."""
    lines, statement = set(), []
    with open(str(path), 'rb') as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.NEWLINE:
                if [each.type for each in statement] != [tokenize.STRING]:
                    lines.update(n for t in statement for n in range(t.start[0], t.end[0] + 1))
                statement = []
            elif token.type not in SILENT:
                statement.append(token)
    return len(lines)


SILENT = tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT


@pytest.mark.parametrize('places, most', [
    (['compare.py', 'comparison/*.py', 'experiment/*.py', 'pictures/*.py', 'support/*.py'], 2000),
    (['tests/*.py', 'tests/helpers/*.py'], 3000),
])  # fmt: skip
def test_the_whole_stays_light(places, most):
    assert sum(code_lines(path) for place in places for path in PROJECT.glob(place)) <= most
