"""Hostile folders, words and surroundings: one line, or nothing that anybody notices."""

import json
import os
import shutil
import signal
import subprocess

import filelock
import numpy as np
import pytest

from lab import signals
from tests.helpers.forks import Forks, train_here
from tests.helpers.program import OURS, PROJECT, SMALL, bytes_of, line_of, rows, run_python

JOINTS = f'--env {OURS}ThreeJoints-v0'

# ---------------------------------------------------------------- folders and words from anywhere


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The folder of a run with a best policy; copy it before changing it."""
    return train_here(tmp_path_factory.mktemp('trained'))


class Evil(object):
    def __reduce__(self):
        return os.open, ('ran', os.O_CREAT)


def config(**changes):
    """Return a change of config.json."""

    def change(folder):
        place = folder / 'config.json'
        place.write_text(json.dumps(dict(json.loads(place.read_text()), **changes)))

    return change


def checkpoint(name, value):
    """Return a change of an array in checkpoint.npz; None takes it out."""

    def change(folder):
        with np.load(str(folder / 'checkpoint.npz')) as arrays:
            arrays = {**arrays, name: value}
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


RESUME, PLAY = 'ddpg.py --resume here', 'ddpg.py --play here'
DAMAGED, STRANGE = 'npz is damaged, or no file of ours (', 'is no checkpoint of this program'
WEIGHTS, MEMORY = 'is whole, but of other networks than', 'is whole, but of another memory than'
CONFIG, ROWS = 'config.json is damaged, or of another', 'rewards.csv cannot be used ('
HOSTILE = {  # what was made of the run in the folder `here`; a command; what its line says
    # a command that asks for what cannot be
    'an option': (None, 'ddpg.py --episodes 0', '--episodes: needs a whole number from 1 to 1000'),
    'a number': (None, 'ddpg.py --set GAMA=0.9', '--set GAMA=0.9: needs NAME=VALUE, with a NAME'),
    'no environment': (None, 'ddpg.py --env None-v0', "gym registers no environment 'None-v0'"),
    'a run there': (None, 'ddpg.py --run here', 'here already holds config.json'),
    'no folder': (None, 'ddpg.py --resume nowhere', 'there is no folder nowhere'),
    'another environment': (None, f'{RESUME} {JOINTS}', 'here is a run in Pendulum-v0, not in te'),
    'fewer episodes': (None, f'{RESUME} --episodes 8', 'here has 9 episodes already: ask for more'),
    'another program': (None, 'robot_arm.py --resume here', 'here is a run of ddpg.py: use that'),
    'no replacement': (None, 'ddpg_update.py --replacement hard', 'unrecognized arguments: --repl'),
    'no seeds': (None, 'compare.py --seeds 5-1', "needs seeds like '1-5'"),
    'no values': (None, 'compare.py --vary GAMMA', '--vary GAMMA: needs NAME=VALUE,VALUE'),
    'the same value': (None, 'compare.py --versions soft --vary GAMMA=0.9,.90', ' are the same'),
    'no version': (None, 'compare.py --versions soft,nobody.py', 'needs some of soft,hard,simpli'),
    'no lesson': (shell('touch ../a.py'), 'compare.py --versions a.py', 'a.py is no lesson: it'),
    'two actions': (None, 'compare.py --env CartPole-v0', 'takes the actions Discrete(2)'),
    'no cluster': (None, 'compare.py --backend ray --address 127.0.0.1:1', '--backend ray: '),
    'no comparison': (None, 'compare.py --run here', 'here already holds config.json: name an'),
    # config.json
    'nothing': (shell('rm config.json'), RESUME, 'here holds no run: it has no config.json'),
    'an import': (config(env='evil:X-v0'), PLAY, 'say so with --env evil:X-v0'),
    'lines': (config(env='x\nrm -r ~'), RESUME, CONFIG),
    'no list': (config(resumed=[3]), RESUME, CONFIG),
    'depth': (shell("printf '[%.0s' {1..99999} > config.json"), PLAY, CONFIG),
    'a far seed': (config(seed=-1), RESUME, 'seed = -1 in here/config.json must be a whole number'),
    'a number gone': (config(hyperparameters={'GONE': 3.0}), RESUME, 'here has a GONE that'),
    'no tau': (config(replacement={'name': 'soft'}), RESUME, "ddpg.py as it is now has not"),
    # checkpoint.npz, best.npz
    'no policy': (shell('rm *.npz'), PLAY, 'here holds no policy yet'),
    'a best': (shell('echo > best.npz'), PLAY, f'best.{DAMAGED}'),
    'a last': (shell('echo > checkpoint.npz'), f'{PLAY} --last', f'checkpoint.{DAMAGED}'),
    'a flipped bit': (flip, RESUME, f'checkpoint.{DAMAGED}'),
    'a pickle': (checkpoint('x', np.array([Evil()], object)), RESUME, f'checkpoint.{DAMAGED}'),
    'a layer': (checkpoint('Actor/eval_net/l1/b', np.zeros(3, np.float32)), RESUME, WEIGHTS),
    'a layer more': (checkpoint('Actor/eval_net/l2/b', np.zeros(3)), RESUME, WEIGHTS),
    'a memory': (checkpoint('memory:data', np.zeros(3)), RESUME, MEMORY),
    'no position': (checkpoint('run:episode', None), RESUME, STRANGE),
    'a position': (checkpoint('run:episode', -1), RESUME, STRANGE),
    'no best': (checkpoint('best:run:episode', None), RESUME, STRANGE),
    'another best': (checkpoint('best:Actor/eval_net/l1/b', np.zeros(3)), RESUME, WEIGHTS),
    'no numbers': (checkpoint('Actor/eval_net/a/b', np.float32([np.nan])), RESUME, STRANGE),
    'no checkpoint': (
        shell('rm checkpoint.npz; for i in 9 10 11; do echo $i,-1.0,3.0 >> rewards.csv; done'),
        RESUME,
        'checkpoint.npz is missing: bring back a copy of it',
    ),
    'moments': (checkpoint('moments:episodes', np.array([0])), RESUME, STRANGE),
    # rewards.csv and what else may lie there
    'fewer rows': (shell('sed -i 5,9d rewards.csv'), RESUME, ROWS),
    'other rows': (shell('echo my notes > rewards.csv'), RESUME, ROWS),
    'no number': (shell('sed -i s/^3,[^,]*/3,nan/ rewards.csv'), RESUME, ROWS),
    'a link': (shell('ln -sf /tmp rewards.csv'), RESUME, 'rewards.csv is a link or a special file'),
    'a pipe': (shell('rm *.npz; mkfifo best.npz'), PLAY, 'best.npz is a link or a special file'),
    'a lock': (shell('rm -f .lock; mkdir .lock'), RESUME, 'here cannot be written (Is a'),
}  # fmt: skip


@pytest.mark.parametrize('what', HOSTILE)
def test_a_refusal_is_one_line_and_nothing_changes(trained, tmp_path, what):
    """It never says to delete anything, and nothing in a folder is code."""
    change, command, says = HOSTILE[what]
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    if change:
        change(tmp_path / 'here')
    before = bytes_of(tmp_path)
    program, words = command.split(' ', 1)
    done = Forks(PROJECT / program, tmp_path).run(words)
    line = line_of(done, 2, program)
    assert says in line and 'delete' not in line
    assert (done.out, bytes_of(tmp_path)) == ('', before)


def test_a_folder_has_one_writer(forks, trained, tmp_path):
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    with filelock.FileLock(str(tmp_path / 'here' / '.lock')):
        line = line_of(forks.run('--resume here --episodes 50'), 2)
    assert 'another process is writing in ' in line and 'here: wait for its end, or stop' in line


# ---------------------------------------------------------------- the world around


@pytest.fixture
def python(tmp_path):
    """Run ddpg.py in a fresh interpreter; `start` is what it does before anything else."""

    def run(start='', shell='exec "$@"', **environ):
        (tmp_path / 'start').mkdir()
        (tmp_path / 'start' / 'sitecustomize.py').write_text(start)
        words = f'{PROJECT / "ddpg.py"} --episodes 6 --run here {JOINTS} {SMALL}'.split()
        how = dict(folder=tmp_path, path=[tmp_path / 'start'], shell=shell)
        return run_python(*words, **how, **environ)

    return run


def test_a_notebooks_backend_no_temporary_folder_and_closed_descriptors_are_no_matter(
    python, tmp_path
):
    """All at once; what is printed gets into no file."""
    backend = 'module://matplotlib_inline.backend_inline'
    nowhere = 'import tempfile; tempfile.tempdir = "/proc/nowhere"'
    done = python(nowhere, 'exec "$@" <&- >&- 2>&-', MPLBACKEND=backend)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    text = (tmp_path / 'here' / 'rewards.csv').read_text()
    assert text.startswith('episode,reward,explore\n0,-') and len(rows(tmp_path / 'here')) == 6
    assert (tmp_path / 'here' / 'curve.png').exists()


def test_a_reader_that_has_gone_is_one_line(python):
    """As `python ddpg.py | head -1`."""
    done = python(shell='set -o pipefail; "$@" | head -1')
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


@pytest.mark.parametrize('name', ['gym', 'matplotlib'])
def test_a_missing_package_is_one_line_before_anything_is_written(python, tmp_path, name):
    """Also one that is imported at the end only."""
    done = python(BLOCKS.format(name))
    assert done.returncode == 2
    assert f"No module named '{name}'" in done.stderr and done.stderr.count('\n') == 1
    assert 'pip install -r requirements.txt' in done.stderr
    assert not (tmp_path / 'here').exists()


def test_a_hangup_that_nohup_has_let_be_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.deferred_signals() as stop_requested:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop_requested() is None
    finally:
        signal.signal(signal.SIGHUP, before)
