"""Runs that are stopped, killed, damaged, resumed and played, through the real command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from experiment import checkpoints
from tests.helpers.forks import Forks
from tests.helpers.program import (
    OURS,
    PROJECT,
    SMALL,
    bytes_of,
    line_of,
    python_blocks,
    rewards,
    rows,
)

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs os.fork')
OBEYS = f'--env {OURS}Obeys-v0'


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The folder of a run of 45 episodes; copy it before changing it."""
    folder = tmp_path_factory.mktemp('trained')
    forks = Forks(PROJECT / 'ddpg.py', folder)
    done = forks.run(*f'--episodes 45 --run here {SMALL}'.split())
    forks.close()
    assert (done.returncode, done.err) == (0, '')
    return folder / 'here'


@pytest.fixture
def here(trained, tmp_path):
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    return tmp_path / 'here'


def steps(folder):
    return sorted(int(path.name[5:]) for path in folder.iterdir())


def newest(folder):
    return folder / 'checkpoints' / f'step-{steps(folder / "checkpoints")[-1]}'


def sign(folder):
    """Make the sums of the newest checkpoint right for what it holds now."""
    (newest(folder) / 'SHA256SUMS').write_text(checkpoints._sums(str(newest(folder))))


def best(folder):
    """Return the name and the files of the best policy that the run has kept."""
    (kept,) = (folder / 'best').iterdir()
    return kept.name, {path.name: path.read_bytes() for path in kept.iterdir()}


@pytest.fixture
def whole(forks, tmp_path):
    """The folder of a run in the environment Obeys that nothing has stopped."""
    words = f'--episodes 60 --run whole {OBEYS} {SMALL}'
    assert forks.run(*words.split()).returncode == 0
    return tmp_path / 'whole'


# ---------------------------------------------------------------- exactly the same


def test_a_run_that_is_killed_again_and_again_is_that_of_one_that_never_was(forks, tmp_path, whole):
    """Killed between checkpoints; test_checkpoints.py kills a save at each of its calls."""
    words = f'--episodes 60 --run here {OBEYS} {SMALL}'
    for step in (3, 150, 399, 401, 650, 801, 420, 399):
        (tmp_path / 'orders').write_text(f'{step} {int(signal.SIGKILL)}\n')
        done = forks.run(*words.split())
        assert done.returncode == -signal.SIGKILL
        words = f'--resume here {OBEYS}'
    assert forks.run(*words.split()).returncode == 0
    assert rewards(tmp_path / 'here') == rewards(whole)
    assert best(tmp_path / 'here') == best(whole)


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP'])
def test_a_signal_ends_the_run_after_the_episode_and_it_resumes_exactly(
    forks, tmp_path, whole, name
):
    signum = int(getattr(signal, name))
    words = f'--episodes 60 --run here {OBEYS} {SMALL}'
    before = 0
    for step in (45, 40, 3, 444):
        (tmp_path / 'orders').write_text(f'{step} {signum}\n')
        done = forks.run(*words.split())
        done_so_far = len(rows(tmp_path / 'here'))
        assert line_of(done, 128 + signum) == (
            f'ddpg.py: stopped after episode {done_so_far - 1}; resume with: '
            f'python ddpg.py --resume here {OBEYS}\n'
        )
        position = json.loads((newest(tmp_path / 'here') / 'position.json').read_text())
        assert position['episode'] == done_so_far > before
        before = done_so_far
        words = f'--resume here {OBEYS}'
    assert forks.run(*words.split()).returncode == 0
    assert rewards(tmp_path / 'here') == rewards(whole)
    assert best(tmp_path / 'here') == best(whole)


def test_a_second_signal_ends_it_at_once_and_it_resumes_from_the_last_checkpoint(
    forks, tmp_path, whole
):
    (tmp_path / 'orders').write_text('415 2\n417 2\n')
    done = forks.run(*f'--episodes 60 --run here {OBEYS} {SMALL}'.split())
    line = line_of(done, 130)
    assert 'stopped at once; resume what was saved before with: python ddpg.py --resume' in line
    assert steps(tmp_path / 'here' / 'checkpoints') == [400]
    assert forks.run(*f'--resume here {OBEYS}'.split()).returncode == 0
    assert rewards(tmp_path / 'here') == rewards(whole)


def test_every_generator_is_resumed(forks, tmp_path):
    words = f'--env {OURS}DrawsFromEverywhere-v0'
    for name, episodes in (('whole', 22), ('here', 12)):
        run = f'--episodes {episodes} --run {name} {words} {SMALL}'
        assert forks.run(*run.split()).returncode == 0
    assert forks.run(*f'--resume here --episodes 22 {words}'.split()).returncode == 0
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')


def test_a_finished_run_is_trained_further(forks, tmp_path, here):
    assert forks.run(*f'--episodes 63 --run whole {SMALL}'.split()).returncode == 0
    done = forks.run('--resume', 'here', '--episodes', '63')
    assert (done.returncode, done.err) == (0, '')
    assert done.out.splitlines()[-1].startswith('Trained 18 episodes in 0:')
    assert rewards(here) == rewards(tmp_path / 'whole')
    assert json.loads((here / 'config.json').read_text())['episodes'] == 63
    done = forks.run('--resume', 'here')
    assert re.match(r'Trained 0 episodes in 0:\d\d:\d\d, mean return of the last 20: -', done.out)
    assert rewards(here) == rewards(tmp_path / 'whole')


def test_the_tries_of_the_policy_leave_the_rewards_alone(forks, tmp_path):
    """In an environment that uses numpy's global generator too."""
    words = f'--episodes 25 --env {OURS}GlobalRandom-v0 --run with {SMALL}'
    assert forks.run(*words.split()).returncode == 0
    assert steps(tmp_path / 'with' / 'best')
    code = (
        'import sys, support.quiet\n'
        'from experiment import best, program, training\n'
        'import ddpg\n'
        'training.Best.try_policy = lambda self: None\n'
        'program.main(ddpg, sys.argv[1:])\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, *words.replace('with', 'without').split()],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stdout=subprocess.DEVNULL,
    )
    assert done.returncode == 0
    assert not (tmp_path / 'without' / 'best').exists()
    assert rewards(tmp_path / 'with') == rewards(tmp_path / 'without')


# ---------------------------------------------------------------- what contradicts a run


@pytest.mark.parametrize(
    'words, says',
    [
        ('--env MountainCarContinuous-v0', 'here is a run in Pendulum-v0, not in Mountain'),
        ('--seed 7', 'its seed was 1, not 7'),
        ('--replacement hard', 'its replacement was soft, not hard'),
        ('--threads 2', 'its threads was 1, not 2'),
        ('--set GAMMA=0.5 LR_A=0.001', 'its GAMMA was 0.9, not 0.5'),
        ('--set tau=0.5', 'its tau was 0.01, not 0.5'),
        ('--episodes 30', 'here has 45 episodes already'),
        ('--run there', '--resume takes no --run'),
    ],
)
def test_a_run_is_not_resumed_by_options_that_contradict_it(forks, here, words, says):
    before = bytes_of(here)
    assert says in line_of(forks.run('--resume', 'here', *words.split()), 2)
    assert bytes_of(here) == before


def test_a_run_keeps_its_numbers_whatever_stands_at_the_top_now(tmp_path, here, trained):
    """MEMORY_CAPACITY and MAX_EP_STEPS there are not those of the run anyway."""
    assert json.loads((here / 'config.json').read_text())['hyperparameters']['MAX_EP_STEPS'] == 40
    forks = Forks(PROJECT / 'ddpg.py', tmp_path)
    assert forks.run('--resume', 'here', '--episodes', '46').returncode == 0
    assert steps(here / 'checkpoints')[-1] == 46 * 40
    forks.close()
    forks = Forks(PROJECT / 'ddpg_update.py', tmp_path)
    done = forks.run('--resume', 'here')
    assert line_of(done, 2, 'ddpg_update.py').endswith('here is a run of ddpg.py: use that\n')
    forks.close()


# ---------------------------------------------------------------- damage


DAMAGE = {
    'position.json': lambda content: content[:50] + b'!' + content[51:],
    'memory.npy': lambda content: content[:-9],
    'variables.index': lambda content: b'something else',
    'variables.data-00000-of-00001': lambda content: b'',
    'SHA256SUMS': lambda content: content[1:],
    'rewards.csv': None,
}


@pytest.mark.parametrize('name', DAMAGE)
def test_a_damaged_checkpoint_is_named_and_the_older_one_offered(forks, here, trained, name):
    path = newest(here) / name
    if DAMAGE[name]:
        path.write_bytes(DAMAGE[name](path.read_bytes()))
    else:
        path.unlink()
    before = bytes_of(here)
    line = line_of(forks.run('--resume', 'here', '--episodes', '50'), 2)
    assert 'here/checkpoints/step-1800 cannot be used (damaged: ' in line
    assert 'delete that folder, and --resume resumes from step-1600' in line
    assert bytes_of(here) == before
    shutil.rmtree(str(newest(here)))
    assert forks.run('--resume', 'here').returncode == 0
    assert rewards(here) == rewards(trained)


def test_a_damaged_best_policy_is_named_too(forks, here):
    (kept,) = (here / 'best').iterdir()
    with open(str(kept / 'variables.data-00000-of-00001'), 'r+b') as file:
        file.seek(100)
        file.write(b'xyz')
    line = line_of(forks.run('--play', 'here'), 2)
    assert f'{kept.name} cannot be used (damaged: variables.data-00000-of-00001)' in line
    assert 'play the last policy with --last' in line
    assert forks.run('--play', 'here', '--last', '--episodes', '1').returncode == 0


WRONG_CONTENT = [
    ('position.json', b'{"episode": 45}'),
    ('position.json', b'[' * 100000),
    ('rewards.csv', b'episode,reward,explore\n0,1.0,3.0\n'),
    ('rewards.csv', b'something else'),
    ('memory.npy', b'no array'),
    ('variables.index', b'no index'),
]


@pytest.mark.parametrize('name, content', WRONG_CONTENT)
def test_a_whole_checkpoint_of_something_else_is_refused(forks, here, name, content):
    (newest(here) / name).write_bytes(content)
    sign(here)
    line = line_of(forks.run('--resume', 'here', '--episodes', '50'), 2)
    assert 'here/checkpoints/step-1800 cannot be used (' in line


def test_nothing_in_a_folder_can_run_code(forks, here, tmp_path):
    """Neither a pickle in place of the memory, nor a module that config.json names."""

    class Evil(object):
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / 'ran'),))

    np.save(str(newest(here) / 'memory.npy'), np.array([Evil()], object), allow_pickle=True)
    shutil.rmtree(str(tmp_path / 'ran'), ignore_errors=True)
    sign(here)
    assert 'Object arrays cannot be loaded' in line_of(forks.run('--resume', 'here'), 2)
    (here / 'evil.py').write_text(f'import os\nos.mkdir({str(tmp_path / "ran")!r})')
    config = json.loads((here / 'config.json').read_text())
    for change in ({'env': 'here.evil:Arm-v0'}, {'program': 'here.evil'}):
        (here / 'config.json').write_text(json.dumps(dict(config, **change)))
        for words in (('--resume', 'here'), ('--play', 'here')):
            line_of(forks.run(*words), 2)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('name', ['.lock', 'rewards.csv', 'curve.png.part', 'checkpoints', 'pipe'])
def test_links_and_pipes_in_a_folder_are_refused_by_name(forks, here, tmp_path, name):
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside' / 'step-1').mkdir()
    if (here / name).is_dir():
        shutil.rmtree(str(here / name))
    elif (here / name).exists():
        (here / name).unlink()
    if name == 'pipe':
        os.mkfifo(str(here / name))
    else:
        (here / name).symlink_to(tmp_path / 'outside')
    for words in (('--resume', 'here', '--episodes', '50'), ('--play', 'here')):
        assert f'here/{name} is a link or a special file' in line_of(forks.run(*words), 2)
    assert [path.name for path in (tmp_path / 'outside').iterdir()] == ['step-1']


CONFIGS = [
    '{"program": "ddpg"',
    '[]',
    'null',
    '[' * 100000,
    {'seed': -1},
    {'seed': True},
    {'episodes': 10**30},
    {'threads': 10**9},
    {'replacement': {}},
    {'replacement': {'name': 'soft', 'tau': 'x'}},
    {'hyperparameters': {'GAMMA': 7}},
    {'hyperparameters': {'HIDDEN_UNITS': 1e9}},
    {'env': None},
    {'sizes': 3},
]


@pytest.mark.parametrize('change', CONFIGS, ids=repr)
def test_a_config_that_makes_no_sense_is_one_line(forks, here, change):
    config = json.loads((here / 'config.json').read_text())
    text = change if isinstance(change, str) else json.dumps(dict(config, **change))
    (here / 'config.json').write_text(text)
    for words in (('--resume', 'here'), ('--play', 'here')):
        says = 'here/config.json is damaged, or of another program'
        assert says in line_of(forks.run(*words), 2)


def test_an_environment_whose_sizes_have_changed_is_named(forks, here):
    config = json.loads((here / 'config.json').read_text())
    config['sizes'] = {'state': 4, 'action': 1}
    (here / 'config.json').write_text(json.dumps(config))
    for words in (('--resume', 'here'), ('--play', 'here')):
        line = line_of(forks.run(*words), 2)
        assert "was trained in an environment with the sizes {'state': 4, 'action': 1}" in line


@pytest.mark.parametrize(
    'words, says',
    [
        ('--resume nowhere', 'there is no folder nowhere'),
        ('--play nowhere', 'there is no folder nowhere'),
        ('--resume empty', 'empty holds no run: it has no config.json'),
        ('--last', '--last goes with --play'),
        ('--play here --resume here', '--play takes no --resume'),
        ('--play here --set GAMMA=1', '--play takes no --set'),
        ('--play here --env MountainCarContinuous-v0', 'here is a run in Pendulum-v0, not in Moun'),
        ('--play young', 'young holds no policy yet'),
    ],
)
def test_a_folder_that_is_none_of_ours_is_one_line(forks, tmp_path, here, words, says):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'young').mkdir()
    shutil.copy(str(here / 'config.json'), str(tmp_path / 'young'))
    before = bytes_of(here)
    assert says in line_of(forks.run(*words.split()), 2)
    assert bytes_of(here) == before


def test_a_folder_that_cannot_be_written_is_one_line(forks, here):
    for path in (here, *here.rglob('*')):
        path.chmod(0o555 if path.is_dir() else 0o444)
    line = line_of(forks.run('--resume', 'here', '--episodes', '50', obeys=True), 2)
    assert 'here cannot be written (Permission denied)' in line
    assert forks.run('--play', 'here', '--episodes', '1', obeys=True).returncode == 0
    for path in (here, *here.rglob('*')):
        path.chmod(0o755)


def test_a_folder_has_one_writer(forks, here):
    import filelock

    with filelock.FileLock(str(here / '.lock')):
        line = line_of(forks.run('--resume', 'here', '--episodes', '50'), 2)
    assert 'another process is writing in here: wait for its end, or stop it' in line
    assert forks.run('--resume', 'here', '--episodes', '46').returncode == 0


def test_rewards_that_somebody_edits_while_training_spoil_no_checkpoint(here, tmp_path, forks):
    (here / 'rewards.csv').write_text('my notes\n')
    assert forks.run('--resume', 'here', '--episodes', '50').returncode == 0
    assert forks.run('--resume', 'here', '--episodes', '55').returncode == 0
    assert len(rows(here)) == 55


OTHER = os.environ.get('OTHER_PYTHON')  # one with the other TensorFlow


@pytest.mark.skipif(not OTHER, reason='OTHER_PYTHON names no Python with the other TensorFlow')
def test_a_run_is_resumed_under_the_other_tensorflow(forks, tmp_path):
    words = f'{PROJECT / "ddpg.py"} --episodes 25 --run here {SMALL}'
    assert subprocess.run([OTHER, *words.split()], cwd=str(tmp_path)).returncode == 0
    before = rewards(tmp_path / 'here')
    was = json.loads((tmp_path / 'here' / 'config.json').read_text())['versions']
    done = forks.run('--resume', 'here', '--episodes', '40')
    assert (done.returncode, done.err) == (0, '')
    assert rewards(tmp_path / 'here').startswith(before)
    assert len(rows(tmp_path / 'here')) == 40
    now = json.loads((tmp_path / 'here' / 'config.json').read_text())['versions']
    assert was['tensorflow'] != now['tensorflow']
    assert forks.run('--play', 'here', '--episodes', '2').returncode == 0


# ---------------------------------------------------------------- playing


def test_play_prints_ten_returns_and_changes_nothing(forks, here):
    before = bytes_of(here)
    done = forks.run('--play', 'here', '--seed', '5')
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    returns = [float(line.split()[-1]) for line in lines[:10]]
    assert lines[10].startswith('Played the best policy of here for 10 episodes: mean return -')
    mean, deviation = (float(word) for word in lines[10].replace(',', '').split()[-4::3])
    assert mean == pytest.approx(np.mean(returns), abs=0.6)
    assert deviation == pytest.approx(np.std(returns), abs=0.6)
    assert forks.run('--play', 'here', '--seed', '5').out == done.out
    assert forks.run('--play', 'here').out != done.out  # fresh starts
    last = forks.run('--play', 'here', '--seed', '5', '--last')
    assert last.out.splitlines()[10].startswith('Played the last policy of here for 10')
    assert bytes_of(here) == before


def test_a_run_too_short_to_keep_a_best_policy_plays_its_last_and_says_so(forks):
    assert forks.run('--episodes', '1', '--run', 'short').returncode == 0
    done = forks.run('--play', 'short', '--episodes', '1')
    assert done.returncode == 0
    says = 'Played the last policy of short (too short a run to keep a best one) for 1 episodes'
    assert says in done.out


def test_the_pages_lines_load_the_policy_and_ask_it(here):
    code = python_blocks('running')[0].replace('runs/ddpg-1', str(here))
    code = 'import numpy as np; s = np.array([1.0, 0.0, 0.5])\n' + code + 'print(a.shape, a)\n'
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=str(PROJECT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('(1,) [')


def test_a_policy_loads_with_the_runs_numbers_and_leaves_the_lessons_alone(here):
    import ddpg
    from experiment.play import load_policy
    from support.messages import BadInput

    a = load_policy(ddpg, str(here))(np.array([1.0, 0.0, 0.5]))
    assert a.shape == (1,)
    assert (ddpg.MEMORY_CAPACITY, ddpg.MAX_EP_STEPS) == (10000, 200)
    with pytest.raises(BadInput, match='there is no folder'):
        load_policy(ddpg, 'nowhere')
