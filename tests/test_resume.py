"""Runs that are stopped, killed, damaged and gone on with, through the real command line."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.forks import Forks
from tests.test_command_line import OURS, PROJECT, edited

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs os.fork')


@pytest.fixture(scope='module')
def lesson(tmp_path_factory):
    """The lesson with a small memory and short episodes: it soon learns, and often saves."""
    return edited(tmp_path_factory.mktemp('lesson'), MEMORY_CAPACITY=200, MAX_EP_STEPS=40)


@pytest.fixture
def forks(lesson, tmp_path):
    forks = Forks(lesson, tmp_path)
    yield forks
    forks.close()


@pytest.fixture(scope='module')
def trained(lesson, tmp_path_factory):
    """The folder of a run of 45 episodes; copy it before changing it."""
    folder = tmp_path_factory.mktemp('trained')
    forks = Forks(lesson, folder)
    done = forks.run('--episodes', '45', '--run', 'here')
    forks.close()
    assert (done.returncode, done.err) == (0, '')
    return folder / 'here'


@pytest.fixture
def here(trained, tmp_path):
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    return tmp_path / 'here'


def rewards(folder):
    return (folder / 'rewards.csv').read_bytes()


def steps(folder):
    return sorted(int(path.name[5:]) for path in folder.iterdir())


def one_line(done, code):
    assert done.returncode == code, (done.returncode, done.err)
    assert done.err.startswith('ddpg.py: '), done.err
    assert done.err.count('\n') == 1 and done.err.endswith('\n'), done.err
    return done.err


def bytes_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}


# ---------------------------------------------------------------- exactly the same


def test_a_run_killed_twenty_times_leaves_the_rewards_of_one_that_never_was(forks, tmp_path):
    episodes = '300'
    assert forks.run('--episodes', episodes, '--run', 'whole').returncode == 0
    chance, kills, folder = random.Random(4), 0, tmp_path / 'here'
    while kills < 24:
        if (folder / 'config.json').exists():
            process = forks.start('--resume', 'here')
        else:
            process = forks.start('--episodes', episodes, '--run', 'here')
        moment = chance.choice(['soon', 'saving', 'training', 'training'])
        limit = time.time() + 60
        while moment != 'soon' and not process.shown() and time.time() < limit:
            time.sleep(0.001)
        if moment == 'saving':  # between two of a checkpoint's files, or of its names
            while not list(folder.glob('*/*.part')) and time.time() < limit:
                pass
        else:
            time.sleep(chance.uniform(0, 0.6 if moment == 'soon' else 0.3))
        process.send_signal(signal.SIGKILL)
        if process.wait().returncode == -signal.SIGKILL:
            kills += 1
        else:
            assert (process.returncode, process.err) == (0, '')
            break
        if (folder / 'checkpoints').exists():
            assert len(steps_of_complete(folder)) <= 2
    done = forks.run('--resume', 'here')
    assert (done.returncode, done.err) == (0, '')
    assert kills >= 20
    assert rewards(folder) == rewards(tmp_path / 'whole')
    assert bytes_of_best(folder) == bytes_of_best(tmp_path / 'whole')
    print(f'{kills} kills')


def steps_of_complete(folder):
    return [p for p in (folder / 'checkpoints').iterdir() if not p.name.endswith('.part')]


def bytes_of_best(folder):
    (best,) = (folder / 'best').iterdir()
    return best.name, {path.name: path.read_bytes() for path in best.iterdir()}


@pytest.mark.parametrize('signum, code', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_how_to_go_on_and_goes_on_exactly(forks, tmp_path, signum, code):
    assert forks.run('--episodes', '60', '--run', 'whole').returncode == 0
    words, chance = ('--episodes', '60', '--run', 'here'), random.Random(5)
    for _ in range(4):
        process = forks.start(*words)
        while not process.shown():
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.1))
        process.send_signal(signum)
        done = process.wait()
        episode = len(rewards(tmp_path / 'here').splitlines()) - 1
        assert one_line(done, code) == (
            f'ddpg.py: stopped in episode {episode}; go on with: python ddpg.py --resume here\n'
        )
        position = json.loads((newest(tmp_path / 'here') / 'position.json').read_text())
        assert position['episode'] == episode
        words = ('--resume', 'here')
    assert forks.run(*words).returncode == 0
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')
    assert bytes_of_best(tmp_path / 'here') == bytes_of_best(tmp_path / 'whole')


def newest(folder):
    return folder / 'checkpoints' / f'step-{steps(folder / "checkpoints")[-1]}'


def test_a_stop_in_the_middle_of_an_episode_is_gone_on_with_from_that_step(forks, tmp_path, lesson):
    """The environment sends the signal, each time after another number of steps."""
    words = ('--env', OURS + 'InterruptsNow-v0')
    assert forks.run('--episodes', '12', '--run', 'whole', *words).returncode == 130
    within = set()
    for _ in range(200):
        position = json.loads((newest(tmp_path / 'whole') / 'position.json').read_text())
        within.add(len(position['answers']))
        done = forks.run('--resume', 'whole', *words)
        if done.returncode == 0:
            break
    assert done.returncode == 0
    assert len(within - {0}) > 2
    assert forks.run('--episodes', '12', '--run', 'calm', '--env', OURS + 'Calm-v0').returncode == 0
    assert rewards(tmp_path / 'whole') == rewards(tmp_path / 'calm')


def test_a_finished_run_is_trained_on(forks, tmp_path, here):
    assert forks.run('--episodes', '63', '--run', 'whole').returncode == 0
    done = forks.run('--resume', 'here', '--episodes', '63')
    assert (done.returncode, done.err) == (0, '')
    assert done.out.splitlines()[-1].startswith('Trained 18 episodes in 0:')
    assert rewards(here) == rewards(tmp_path / 'whole')
    assert json.loads((here / 'config.json').read_text())['episodes'] == 63
    assert bytes_of_best(here) == bytes_of_best(tmp_path / 'whole')

    done = forks.run('--resume', 'here')
    assert (done.returncode, done.err) == (0, '')
    assert re.match(r'Trained 0 episodes in 0:00:\d\d, mean return of the last 20: -', done.out)
    assert rewards(here) == rewards(tmp_path / 'whole')


def test_the_tries_of_the_policy_leave_the_rewards_alone(forks, tmp_path, lesson, here):
    """Without them the same rewards, in an environment that uses numpy's global generator too."""
    for env in ('Pendulum-v0', OURS + 'GlobalRandom-v0'):
        name = env.rpartition(':')[2]
        words = ('--episodes', '25', '--env', env, '--run')
        done = forks.run(*words, 'with-' + name)
        assert (done.returncode, done.err) == (0, '')
        assert steps(tmp_path / ('with-' + name) / 'best')
    never = edited(tmp_path, MEMORY_CAPACITY=200, MAX_EP_STEPS=40)
    best = never.parent / 'experiment' / 'best.py'
    text = best.read_text(encoding='utf-8')
    best.write_text(text.replace('EVERY = 10 ', 'EVERY = 10**9 '), encoding='utf-8')
    others = Forks(never, tmp_path)
    for env in ('Pendulum-v0', OURS + 'GlobalRandom-v0'):
        name = env.rpartition(':')[2]
        words = ('--episodes', '25', '--env', env, '--run')
        assert others.run(*words, 'without-' + name).returncode == 0
        assert not (tmp_path / ('without-' + name) / 'best').exists()
        same = [rewards(tmp_path / (with_ + name)) for with_ in ('with-', 'without-')]
        assert same[0] == same[1]
    others.close()


# ---------------------------------------------------------------- what differs is refused


@pytest.mark.parametrize(
    'words, says',
    [
        ('--env MountainCarContinuous-v0', 'env is MountainCarContinuous-v0 now and was Pendulum'),
        ('--seed 7', 'seed is 7 now and was 1'),
        ('--replacement hard', "replacement is {'name': 'hard', 'rep_iter_a': 600"),
        ('--threads 2', 'threads is 2 now and was 1'),
        ('--episodes 30', 'here has 45 episodes already'),
        ('--run there', '--resume takes no --run'),
    ],
)
def test_a_run_is_not_gone_on_with_by_other_options(forks, here, words, says):
    before = bytes_of(here)
    assert says in one_line(forks.run('--resume', 'here', *words.split()), 2)
    assert {k: v for k, v in bytes_of(here).items() if k.name != '.lock'} == {
        k: v for k, v in before.items() if k.name != '.lock'
    }


def test_nor_with_other_hyperparameters_nor_by_the_other_program(tmp_path, here):
    other = edited(tmp_path, MEMORY_CAPACITY=200, MAX_EP_STEPS=40, LR_C=0.002, GAMMA=0.8)
    forks = Forks(other, tmp_path)
    line = one_line(forks.run('--resume', 'here'), 2)
    assert line == (
        'ddpg.py: here cannot be gone on with: GAMMA is 0.8 now and was 0.9; '
        'LR_C is 0.002 now and was 0.001\n'
    )
    forks.close()
    forks = Forks(PROJECT / 'ddpg_update.py', tmp_path)
    done = forks.run('--resume', 'here')
    assert (done.returncode, done.err) == (
        2,
        'ddpg_update.py: here is a run of ddpg.py, so go on with that\n',
    )
    forks.close()


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(
    'damage, name',
    [
        ('flipped', 'position.json'),
        ('flipped', 'memory.npy'),
        ('flipped', 'variables.index'),
        ('flipped', 'variables.data-00000-of-00001'),
        ('flipped', 'SHA256SUMS'),
        ('truncated', 'memory.npy'),
        ('empty', 'variables.data-00000-of-00001'),
        ('foreign', 'variables.index'),
        ('missing', 'position.json'),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_older_one_offered(
    forks, tmp_path, here, trained, damage, name
):
    path = newest(here) / name
    content = bytearray(path.read_bytes())
    if damage == 'flipped':
        content[random.Random(name).randrange(len(content))] ^= 1
    content = dict(truncated=content[:-9], empty=b'', foreign=b'something else').get(
        damage, content
    )
    path.unlink() if damage == 'missing' else path.write_bytes(content)
    before = bytes_of(here)
    line = one_line(forks.run('--resume', 'here', '--episodes', '50'), 2)
    assert 'here/checkpoints/step-1800 cannot be used (damaged: ' in line
    assert name in line or name == 'SHA256SUMS' or damage == 'missing'
    assert 'delete that folder, and --resume goes on from step-1600' in line
    assert bytes_of(here) == before
    assert 'delete that folder, and the one before it is played' in one_line(
        forks.run('--play', 'here', '--last'), 2
    )
    assert forks.run('--play', 'here', '--episodes', '1').returncode == 0  # the best is whole

    shutil.rmtree(str(newest(here)))
    assert forks.run('--resume', 'here').returncode == 0
    assert rewards(here) == rewards(trained)


def test_a_damaged_best_policy_is_named_too(forks, here):
    (best,) = (here / 'best').iterdir()
    with open(str(best / 'variables.data-00000-of-00001'), 'r+b') as file:
        file.seek(100)
        file.write(b'xyz')
    line = one_line(forks.run('--play', 'here'), 2)
    assert f'{best.name} cannot be used (damaged: variables.data-00000-of-00001)' in line
    assert 'play the last policy with --last' in line
    assert 'delete that folder, and --resume keeps the best from there on' in one_line(
        forks.run('--resume', 'here', '--episodes', '50'), 2
    )


def test_a_whole_checkpoint_of_something_else_is_refused(forks, here, lesson, tmp_path):
    """Its sums are right, and nothing in it fits: variables, memory, position."""
    from experiment import checkpoints

    def sign():
        with open(str(newest(here) / 'SHA256SUMS'), 'w') as file:
            file.write(checkpoints._sums(str(newest(here))))

    for name, content in (
        ('position.json', b'{"episode": 45}'),
        ('position.json', b'[]'),
        ('rewards.csv', b'episode,reward,explore\n0,1.0,3.0\n'),
        ('memory.npy', b'no array'),
        ('variables.index', b'no index'),
    ):
        path = newest(here) / name
        whole = path.read_bytes()
        path.write_bytes(content)
        sign()
        line = one_line(forks.run('--resume', 'here', '--episodes', '50'), 2)
        assert 'here/checkpoints/step-1800 cannot be used (' in line
        path.write_bytes(whole)
        sign()
    assert forks.run('--resume', 'here', '--episodes', '46').returncode == 0


def test_nothing_in_a_folder_can_run_code(forks, here, tmp_path):
    """Neither a pickle in place of the memory, nor a module that config.json names."""
    import numpy as np

    from experiment import checkpoints

    class Evil(object):
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / 'ran'),))

    np.save(str(newest(here) / 'memory.npy'), np.array([Evil()], object), allow_pickle=True)
    shutil.rmtree(str(tmp_path / 'ran'), ignore_errors=True)
    with open(str(newest(here) / 'SHA256SUMS'), 'w') as file:
        file.write(checkpoints._sums(str(newest(here))))
    assert 'Object arrays cannot be loaded' in one_line(forks.run('--resume', 'here'), 2)

    (here / 'evil.py').write_text(f'import os\nos.mkdir({str(tmp_path / "ran")!r})')
    config = json.loads((here / 'config.json').read_text())
    for change in ({'env': 'here.evil:Arm-v0'}, {'program': 'here.evil'}):
        (here / 'config.json').write_text(json.dumps(dict(config, **change)))
        for words in (('--resume', 'here'), ('--play', 'here')):
            one_line(forks.run(*words), 2)
        code = 'from experiment.play import load_policy; load_policy("here")'
        loaded = subprocess.run(
            [sys.executable, '-c', code],
            cwd=str(tmp_path),
            env=dict(os.environ, PYTHONPATH=str(PROJECT)),
            stderr=subprocess.PIPE,
        )
        assert b'BadInput' in loaded.stderr
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    'words, says',
    [
        ('--resume nowhere', 'there is no folder nowhere'),
        ('--play nowhere', 'there is no folder nowhere'),
        ('--resume empty', 'empty holds no run: it has no config.json'),
        ('--resume begun', 'begun/config.json is damaged, or of another program'),
        ('--last', '--last goes with --play'),
        ('--play here --resume here', '--play takes no --resume'),
        ('--play here --env MountainCarContinuous-v0', 'here is a run in Pendulum-v0, not in Moun'),
        ('--play young', 'young holds no best policy yet: play the last policy with --last'),
        ('--play young --last', 'young holds no checkpoint yet'),
    ],
)
def test_a_folder_that_is_none_of_ours_is_one_line(forks, tmp_path, here, words, says):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'begun').mkdir()
    (tmp_path / 'begun' / 'config.json').write_text('{"program": "ddpg"')
    (tmp_path / 'young').mkdir()
    shutil.copy(str(here / 'config.json'), str(tmp_path / 'young'))
    before = bytes_of(here)
    assert says in one_line(forks.run(*words.split()), 2)
    assert bytes_of(here) == before


def test_a_folder_that_cannot_be_written_is_one_line(forks, here):
    for path in (here, *here.rglob('*')):
        path.chmod(0o555 if path.is_dir() else 0o444)
    line = one_line(forks.run('--resume', 'here', '--episodes', '50', obeys=True), 2)
    assert line == 'ddpg.py: here cannot be written (Permission denied)\n'
    assert forks.run('--play', 'here', '--episodes', '1', obeys=True).returncode == 0
    for path in (here, *here.rglob('*')):
        path.chmod(0o755)


def test_a_second_process_is_refused_while_the_first_lives(forks, lesson, tmp_path):
    others = Forks(lesson, tmp_path, own=True)
    assert others.run('--help').returncode == 0  # its server is ready
    others.folder = tmp_path / 'elsewhere'
    others.folder.mkdir()
    process = forks.start('--run', 'here')
    while not process.shown():
        time.sleep(0.001)
    done = others.run('--resume', '../here')
    assert one_line(done, 2) == (
        'ddpg.py: another process is training in ../here: wait for its end, or stop it\n'
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert others.run('--resume', '../here').returncode == 0
    others.close()


def test_a_disk_that_is_full_leaves_the_older_checkpoints(tmp_path):
    """A limit on a file's size stands for the disk; the memory is the file that grows."""
    lesson = edited(tmp_path, MEMORY_CAPACITY=20000)
    forks = Forks(lesson, tmp_path)
    done = forks.run('--episodes', '80', '--run', 'here', file_size=440000)
    line = one_line(done, 1)
    assert line == (
        'ddpg.py: what follows episode 69 could not be written (File too large): free some space, '
        'then go on with: python ddpg.py --resume here\n'
    )
    assert steps(tmp_path / 'here' / 'checkpoints') == [10000, 12000]
    assert len(rewards(tmp_path / 'here').splitlines()) == 71
    assert forks.run('--resume', 'here').returncode == 0
    assert forks.run('--episodes', '80', '--run', 'whole').returncode == 0
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')
    forks.close()


def test_an_environment_that_raises_costs_no_more_than_its_episode(forks, tmp_path):
    done = forks.run('--run', 'here', '--env', OURS + 'RaisesAtEpisode12-v0', '--episodes', '15')
    line = one_line(done, 1)
    assert 'the environment failed with ValueError: the joint came off' in line
    assert (
        'in episode 12; what was saved before goes on with: python ddpg.py --resume here --e'
        in line
    )
    assert len(rewards(tmp_path / 'here').splitlines()) == 13
    assert steps(tmp_path / 'here' / 'checkpoints') == [400]


OTHER = os.environ.get('OTHER_PYTHON')  # one with the other TensorFlow


@pytest.mark.skipif(not OTHER, reason='OTHER_PYTHON names no Python with the other TensorFlow')
def test_a_run_is_gone_on_with_under_the_other_tensorflow(forks, lesson, tmp_path):
    first = subprocess.run(
        [OTHER, str(lesson), '--episodes', '25', '--run', 'here'], cwd=str(tmp_path)
    )
    assert first.returncode == 0
    before = rewards(tmp_path / 'here')
    was = json.loads((tmp_path / 'here' / 'config.json').read_text())['versions']
    done = forks.run('--resume', 'here', '--episodes', '40')
    assert (done.returncode, done.err) == (0, '')
    assert rewards(tmp_path / 'here').startswith(before)
    assert len(rewards(tmp_path / 'here').splitlines()) == 41
    now = json.loads((tmp_path / 'here' / 'config.json').read_text())['versions']
    assert was['tensorflow'] != now['tensorflow']
    assert forks.run('--play', 'here', '--episodes', '2').returncode == 0


# ---------------------------------------------------------------- playing


def test_play_prints_ten_returns_and_changes_nothing(forks, here):
    before = bytes_of(here)
    done = forks.run('--play', 'here', '--seed', '5')
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    assert len(lines) == 11
    returns = [float(line.split()[-1]) for line in lines[:10]]
    assert lines[10].startswith('Played the best policy of here for 10 episodes: mean return -')
    mean, deviation = (float(word) for word in lines[10].replace(',', '').split()[-4::3])
    assert mean == pytest.approx(sum(returns) / 10, abs=0.6)
    assert deviation == pytest.approx(np_std(returns), abs=0.6)
    assert forks.run('--play', 'here', '--seed', '5').out == done.out
    others = {forks.run('--play', 'here').out for _ in range(2)}
    assert len(others | {done.out}) == 3  # fresh starts
    last = forks.run('--play', 'here', '--seed', '5', '--last')
    assert last.out.splitlines()[10].startswith('Played the last policy of here for 10')
    assert bytes_of(here) == before


def np_std(values):
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5


def test_the_readmes_lines_load_the_policy_and_ask_it(here, lesson):
    text = (PROJECT / 'README.md').read_text(encoding='utf-8')
    code = text[text.index('```python\n') + 10 :]
    code = code[: code.index('```')]
    assert len([line for line in code.splitlines() if line]) == 3
    code = code.replace('runs/ddpg-1', str(here))
    code = 'import numpy as np; s = np.array([1.0, 0.0, 0.5])\n' + code + 'print(a.shape, a)\n'
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=str(lesson.parent),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('(1,) [')
