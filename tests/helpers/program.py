"""The programs as a user starts them, for the price of one import of TensorFlow."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
OURS = 'tests.helpers.environments:'
SMALL = '--set MEMORY_CAPACITY=200 MAX_EP_STEPS=40'  # it soon learns, and often saves


def output(*words, folder=PROJECT):
    """Return what Python prints, started with `words` in `folder`; the project can be imported."""
    how = dict(cwd=str(folder), env=dict(os.environ, PYTHONPATH=str(PROJECT)))
    return subprocess.check_output([sys.executable, *map(str, words)], **how).decode()


def python_blocks(page):
    """Return the blocks of Python code in the page docs/`page`.md."""
    text = (PROJECT / 'docs' / f'{page}.md').read_text(encoding='utf-8')
    return re.findall(r'(?ms)^```python\n(.*?)^```$', text)


def edited(folder, changes, name='ddpg.py'):
    """Write the project's file `name` into `folder`, with {old: new} changed; return its path."""
    text = (PROJECT / name).read_text(encoding='utf-8')
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding='utf-8')
    return str(folder / name)


def run_python(*words, folder, path=(), shell='exec "$@"', **environ):
    """Run Python in `folder`, by the command `shell` of bash; return what subprocess.run does.

    What is in the folders of `path`, and in the project, can be imported.
    """
    environ['PYTHONPATH'] = os.pathsep.join(map(str, [*path, PROJECT]))
    return subprocess.run(
        ['bash', '-c', shell, 'bash', sys.executable, *map(str, words)],
        cwd=str(folder),
        env=dict(os.environ, **environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )


def rows(folder):
    """Return the rows of a run's rewards.csv as dicts."""
    with open(str(folder / 'rewards.csv'), newline='') as file:
        return list(csv.DictReader(file))


def rewards(folder):
    """Return the bytes of a run's rewards.csv."""
    return (folder / 'rewards.csv').read_bytes()


def line_of(done, code, program='ddpg.py'):
    """Return the one line that a program printed to standard error before it ended with `code`."""
    assert done.returncode == code, (done.returncode, done.out, done.err)
    assert done.err.startswith(f'{program}: '), done.err
    assert done.err.count('\n') == 1 and done.err.endswith('\n'), done.err
    return done.err


def bytes_of(folder):
    """Return {path: bytes} of all files in `folder` but the lock, and Python's own."""
    files = [path for path in folder.rglob('*') if path.is_file()]
    files = [path for path in files if path.name != '.lock' and path.suffix != '.pyc']
    return {path.relative_to(folder): path.read_bytes() for path in files}
