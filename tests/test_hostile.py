"""Hostile folders and surroundings: one line, or nothing that anybody notices."""

import json
import os
import shutil
import signal
import subprocess
import sys

import filelock
import numpy as np
import pytest

from lab import signals
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, SMALL, bytes_of, line_of, rows

JOINTS = f'--env {OURS}ThreeJoints-v0'

# ---------------------------------------------------------------- folders from anywhere


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The folder of a run with a best policy; copy it before changing it."""
    folder = tmp_path_factory.mktemp('trained')
    done = Forks(PROJECT / 'ddpg.py', folder).run(f'--episodes 9 --run here {SMALL} HIDDEN_UNITS=9')
    assert done.returncode == 0
    return folder / 'here'


class Evil(object):
    def __reduce__(self):
        return os.mkdir, ('ran',)


def config(**changes):
    """Return a change of config.json."""

    def change(folder):
        place = folder / 'config.json'
        place.write_text(json.dumps(dict(json.loads(place.read_text()), **changes)))

    return change


def checkpoint(**changes):
    """Return a change of arrays in checkpoint.npz; None takes one out."""

    def change(folder):
        with np.load(str(folder / 'checkpoint.npz')) as arrays:
            arrays = {**arrays, **{name.replace('_in_', ':'): v for name, v in changes.items()}}
        arrays = {name: value for name, value in arrays.items() if value is not None}
        np.savez(str(folder / 'checkpoint.npz'), **arrays)

    return change


def flip(folder):
    place = folder / 'checkpoint.npz'
    whole = bytearray(place.read_bytes())
    whole[len(whole) // 2] ^= 1
    place.write_bytes(whole)


def shell(command):
    return lambda folder: subprocess.run(['bash', '-c', command], cwd=str(folder), check=True)


RESUME, DAMAGED = '--resume here', 'checkpoint.npz is damaged, or no file of ours ('
HOSTILE = {  # what was made of a run's folder: the words of the command line, and the line
    'another environment': (None, f'{RESUME} {JOINTS}', 'here is a run in Pendulum-v0, not in te'),
    'fewer episodes': (None, f'{RESUME} --episodes 8', 'here has 9 episodes already: ask for more'),
    'an import': (config(env='evil:X-v0'), RESUME, 'say so with --env evil:X-v0'),
    'a command': (config(env='x\nrm -r ~'), RESUME, 'config.json is damaged, or of another'),
    'a far seed': (config(seed=-1), RESUME, 'seed = -1 in here/config.json must be a whole number'),
    'a flipped bit': (flip, RESUME, DAMAGED),
    'a pickle': (checkpoint(x=np.array([Evil()], object)), RESUME, DAMAGED),
    'no position': (checkpoint(run_in_episode=None), RESUME, 'is no checkpoint of this program'),
    'a position': (checkpoint(run_in_episode=-1), RESUME, 'is no checkpoint of this program'),
    'a memory': (checkpoint(memory_in_data=np.zeros(3)), RESUME, 'is whole, but of another memory'),
    'fewer rows': (shell('sed -i 5,9d rewards.csv'), RESUME, 'rewards.csv cannot be used ('),
    'other rows': (shell('echo my notes > rewards.csv'), RESUME, 'rewards.csv cannot be used ('),
    'a link': (shell('ln -sf /tmp rewards.csv'), RESUME, 'rewards.csv is a link or a special file'),
    'a lock': (
        shell('rm -f .lock; mkdir .lock'),
        RESUME,
        'here cannot be written (Is a directory)',
    ),
    'nothing': (shell('rm config.json'), RESUME, 'here holds no run: it has no config.json'),
}


@pytest.mark.parametrize('what', HOSTILE)
def test_a_refusal_is_one_line_and_nothing_changes(forks, trained, tmp_path, what):
    """It never says to delete what is whole, and nothing in a folder is code."""
    change, words, says = HOSTILE[what]
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    if change:
        change(tmp_path / 'here')
    before = bytes_of(tmp_path)
    line = line_of(forks.run(words), 2)
    assert (
        says in line and 'delete' not in line and 'remove' not in line.replace('remove it, r', '')
    )
    assert bytes_of(tmp_path) == before


def test_a_folder_has_one_writer(forks, trained, tmp_path):
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    with filelock.FileLock(str(tmp_path / 'here' / '.lock')):
        line = line_of(forks.run('--resume here --episodes 50'), 2)
    assert 'another process is writing in here: wait for its end, or stop it' in line.replace(
        str(tmp_path / 'here'), 'here'
    )


# ---------------------------------------------------------------- the world around


@pytest.fixture
def python(tmp_path):
    """Run ddpg.py in a fresh interpreter; `start` is what it does before anything else."""

    def run(words, start='', shell='exec "$@"', options=(), **environ):
        (tmp_path / 'start').mkdir()
        (tmp_path / 'start' / 'sitecustomize.py').write_text(start)
        path = os.pathsep.join([str(tmp_path / 'start'), str(PROJECT)])
        words = [sys.executable, *options, str(PROJECT / 'ddpg.py'), *words.split()]
        return subprocess.run(
            ['bash', '-c', shell, 'bash', *words],
            cwd=str(tmp_path),
            env=dict(os.environ, PYTHONPATH=path, **environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )

    return run


FEW = f'--episodes 6 --run here {JOINTS} {SMALL}'


def test_a_notebooks_backend_no_temporary_folder_and_closed_descriptors_are_no_matter(
    python, tmp_path
):
    """All at once; what is printed gets into no file."""
    backend = 'module://matplotlib_inline.backend_inline'
    nowhere = 'import tempfile; tempfile.tempdir = "/proc/nowhere"'
    done = python(FEW, nowhere, 'exec "$@" <&- >&- 2>&-', MPLBACKEND=backend)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    text = (tmp_path / 'here' / 'rewards.csv').read_text()
    assert text.startswith('episode,reward,explore\n0,-') and len(rows(tmp_path / 'here')) == 6
    assert (tmp_path / 'here' / 'curve.png').exists()


def test_an_unreadable_matplotlibrc_costs_the_picture_alone(python, tmp_path):
    """Under a profiler, as `python -m cProfile ddpg.py`, and into a pipe that is closed."""
    (tmp_path / 'rc').write_bytes(b'\xff\xfe')
    profiled = ['-m', 'cProfile', '-o', str(tmp_path / 'profile')]
    done = python(FEW, options=profiled, MATPLOTLIBRC=str(tmp_path / 'rc'))
    assert done.returncode == 0
    assert done.stderr.startswith('curve.png could not be written: UnicodeDecodeError')
    assert done.stderr.count('\n') == 1 and len(rows(tmp_path / 'here')) == 6


def test_a_reader_that_has_gone_is_one_line(python):
    """As `python ddpg.py | head -1`."""
    done = python(FEW, shell='set -o pipefail; "$@" | head -1')
    assert done.returncode == 1 and done.stdout.count('\n') == 1
    lost = 'ddpg.py: the output could not be written (Broken pipe), after episode '
    assert done.stderr.startswith(lost) and done.stderr.count('\n') == 1


BLOCKS = """
import sys
class Blocker(object):
    def find_spec(self, name, path=None, target=None):
        if name == {!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.parametrize('name', ['gym', 'matplotlib', 'filelock'])
def test_a_missing_package_is_one_line_before_anything_is_written(python, tmp_path, name):
    """Also one that is imported at the end only, and one that the command line alone needs."""
    done = python(FEW, BLOCKS.format(name))
    assert done.returncode == 2
    assert f"No module named '{name}'" in done.stderr and done.stderr.count('\n') == 1
    assert 'pip install -r requirements.txt' in done.stderr
    assert not (tmp_path / 'here').exists()


def test_the_program_runs_in_a_thread_and_from_a_reloaded_module(python, tmp_path):
    (tmp_path / 'own.py').write_text(
        'import importlib, threading\n'
        'import ddpg\n'
        'from lab.program import run_program\n'
        'path = importlib.reload(ddpg).__file__\n'
        f'thread = threading.Thread(target=run_program, args=(path, {FEW.split()}))\n'
        'thread.start()\n'
        'thread.join()\n'
    )
    done = subprocess.run(
        [sys.executable, 'own.py'],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stderr=subprocess.PIPE,
    )
    assert (done.returncode, done.stderr) == (0, b'')
    assert len(rows(tmp_path / 'here')) == 6


def test_a_hangup_that_nohup_has_let_be_ignored_stays_ignored():
    of_term, before = signal.getsignal(signal.SIGTERM), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.deferred_signals() as stop_requested:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop_requested() is None
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop_requested() == signal.SIGTERM
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) == of_term
    finally:
        signal.signal(signal.SIGHUP, before)
