"""Runs that are stopped, killed, damaged, resumed and played, through the real command line."""

import json
import os
import re
import shutil
import subprocess

import filelock
import numpy as np
import pytest

import ddpg
from experiment.play import load_policy
from support.messages import BadInput
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

OBEYS = f'--env {OURS}Obeys-v0'
NEWEST = 'checkpoints/step-1800'


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The folder of a run of 45 episodes; copy it before changing it."""
    folder = tmp_path_factory.mktemp('trained')
    done = Forks(PROJECT / 'ddpg.py', folder).run(f'--episodes 45 --run here {SMALL}')
    assert (done.returncode, done.err) == (0, '')
    return folder / 'here'


@pytest.fixture
def here(trained, tmp_path):
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    return tmp_path / 'here'


def newest_step(folder):
    return max([int(path.name[5:]) for path in (folder / 'checkpoints').glob('*')], default=0)


# ---------------------------------------------------------------- exactly the same

AFTER, AT_ONCE = 'stopped after episode {}; resume', 'stopped at once; resume what was saved before'
ENDS = [  # what a process is sent, in which of its steps; its exit code and line, what it has saved
    ('3:9', -9, '', 0),
    ('150:9', -9, '', 0),
    ('399:2', 130, AFTER.format(9), 400),
    ('401:15', 143, AFTER.format(20), 840),
    ('45:1', 129, AFTER.format(22), 920),
    ('415:2 417:2', 130, AT_ONCE, 1200),
    ('420:9', -9, '', 1600),
]


def test_a_run_that_is_ended_often_is_that_of_one_that_never_was(forks, tmp_path, monkeypatch):
    """Killed between checkpoints; test_checkpoints.py kills a save at each of its calls."""
    words = f'--episodes 60 {OBEYS} {SMALL} --run'
    assert forks.run(f'{words} whole').returncode == 0
    words = f'{words} here'
    for orders, code, says, steps in ENDS:
        monkeypatch.setenv('ORDERS', orders)
        done = forks.run(words)
        words = f'--resume here {OBEYS}'
        assert done.returncode == code
        assert newest_step(tmp_path / 'here') == steps
        assert done.err == (f'ddpg.py: {says} with: python ddpg.py {words}\n' if says else '')
    monkeypatch.delenv('ORDERS')
    assert forks.run(words).returncode == 0
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')
    assert bytes_of(tmp_path / 'here' / 'best') == bytes_of(tmp_path / 'whole' / 'best')


@pytest.mark.parametrize('program, env', [
    ('ddpg', ''), ('ddpg', f'--env {OURS}DrawsFromEverywhere-v0'), ('robot_arm', ''),
    ('ddpg', '--env robot_arm:Arm-v0'),
])  # fmt: skip
def test_a_finished_run_is_trained_further_and_played(tmp_path, program, env):
    """With every random generator, and whatever somebody has made of the table meanwhile."""
    forks = Forks(PROJECT / f'{program}.py', tmp_path)
    for name, episodes in (('whole', 22), ('here', 12)):
        run = f'--episodes {episodes} --run {name} {env} {SMALL} HIDDEN_UNITS=10'
        assert forks.run(run).returncode == 0
    (tmp_path / 'here' / 'rewards.csv').write_text('my notes\n')
    done = forks.run(f'--resume here --episodes 22 {env}')
    assert (done.returncode, done.err) == (0, '')
    assert done.out.splitlines()[-1].startswith('Trained 10 episodes in 0:')
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')
    assert json.loads((tmp_path / 'here' / 'config.json').read_text())['episodes'] == 22
    assert forks.run(f'--play here --episodes 1 {env}').returncode == 0
    done = forks.run(f'--resume here {env}')
    assert re.match(r'Trained 0 episodes in 0:\d\d:\d\d, mean return of the last 20: -', done.out)
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')


def test_the_tries_of_the_policy_leave_the_rewards_alone(forks, tmp_path):
    """In an environment that uses the global generators too."""
    words = f'--episodes 25 --env {OURS}DrawsFromEverywhere-v0 {SMALL} --run'
    assert forks.run(f'{words} with').returncode == 0
    (tmp_path / 'ddpg.py').write_text(
        'import experiment.best\n'
        'experiment.best.Best.try_policy = lambda self: None\n'
        f'exec(open({str(PROJECT / "ddpg.py")!r}, encoding="utf-8").read())\n'
    )
    assert Forks(tmp_path / 'ddpg.py', tmp_path).run(f'{words} without').returncode == 0
    assert (tmp_path / 'with' / 'best').exists() and not (tmp_path / 'without' / 'best').exists()
    assert rewards(tmp_path / 'with') == rewards(tmp_path / 'without')


OTHER = os.environ.get('OTHER_PYTHON')  # one with the other TensorFlow


@pytest.mark.skipif(not OTHER, reason='OTHER_PYTHON names no Python with the other TensorFlow')
def test_a_run_is_resumed_under_the_other_tensorflow(forks, tmp_path):
    words = f'{PROJECT / "ddpg.py"} --episodes 25 --run here {SMALL}'
    assert subprocess.run([OTHER, *words.split()], cwd=str(tmp_path)).returncode == 0
    before = rewards(tmp_path / 'here')
    done = forks.run('--resume here --episodes 40')
    assert (done.returncode, done.err) == (0, '')
    assert rewards(tmp_path / 'here').startswith(before)
    assert len(rows(tmp_path / 'here')) == 40
    assert forks.run('--play here --episodes 2').returncode == 0


# ---------------------------------------------------------------- what is refused


class Evil(object):
    def __reduce__(self):
        return os.mkdir, ('ran',)


def sealed(change):
    """Return the shell's commands for a change of the newest checkpoint, and of its sums."""
    return f'cd here/{NEWEST}; {change}; sha256sum [!S]* > SHA256SUMS'


def config(change):
    return f"sed -i 's/{change}/' here/config.json"


RESUME, PLAY, BOTH = '--resume here', '--play here', '--resume here|--play here'
UNUSABLE, LINK = f'here/{NEWEST} cannot be used (', 'is a link or a special file'
FLIP = "printf '\\377' | dd conv=notrunc bs=1 seek=100 2> /dev/null of="
REFUSED = [  # the shell's commands, what is run then, and what it says
    ('', f'{RESUME} --env MountainCarContinuous-v0', 'here is a run in Pendulum-v0, not in M'),
    ('', f'{PLAY} --env MountainCarContinuous-v0', 'here is a run in Pendulum-v0, not in M'),
    ('', f'{RESUME} --seed 7', 'its seed was 1, not 7'),
    ('', f'{RESUME} --replacement hard', 'its replacement was soft, not hard'),
    ('', f'{RESUME} --threads 2', 'its threads was 1, not 2'),
    ('', f'{RESUME} --set GAMMA=0.5 LR_A=0.001', 'its GAMMA was 0.9, not 0.5'),
    ('', f'{RESUME} --set tau=0.5', 'its tau was 0.01, not 0.5'),
    ('', f'{RESUME} --episodes 30', 'here has 45 episodes already'),
    ('', '--resume nowhere|--play nowhere', 'there is no folder nowhere'),
    ('rm here/config.json', BOTH, 'here holds no run: it has no config.json'),
    ('rm -r here/checkpoints here/best', PLAY, 'here holds no policy yet'),
    (config('"seed": 1/"seed": -1'), BOTH, 'here/config.json is damaged, or of another program'),
    (config('"state": 3/"state": 4'), BOTH, "in an environment with the sizes {'state': 4, "),
    (config('"ddpg"/"ddpg_update"'), BOTH, 'here is a run of ddpg_update.py: use that'),
    (config('Pendulum-v0/evil:Arm-v0'), BOTH, 'say so with --env evil:Arm-v0'),
    (sealed('echo \'{"episode": 45}\' > position.json'), RESUME, UNUSABLE),
    (sealed('printf %0100000d 0 | tr 0 [ > position.json'), RESUME, UNUSABLE),
    (sealed('head -n 3 rewards.csv > x; mv x rewards.csv'), RESUME, UNUSABLE),
    (sealed('echo no array > memory.npy'), RESUME, UNUSABLE),
    (sealed('mv ../../../evil.npy memory.npy'), RESUME, 'Object arrays cannot be loaded'),
    (sealed('echo no index > variables.index'), f'{RESUME}|{PLAY} --last', UNUSABLE),
    (
        f'cd here/best/*; {FLIP}variables.index',
        PLAY,
        '(damaged: variables.index): play the last policy',
    ),
    ('ln -sf /tmp here/rewards.csv', BOTH, f'here/rewards.csv {LINK}'),
    ('ln -s . here/curve.png.part', BOTH, f'here/curve.png.part {LINK}'),
    ('mv here/checkpoints x; ln -s ../x here/checkpoints', BOTH, f'here/checkpoints {LINK}'),
    ('mkfifo here/pipe', BOTH, f'here/pipe {LINK}'),
    ('rm -f here/.lock; mkdir here/.lock', RESUME, 'here cannot be written (Is a directory)'),
]


@pytest.mark.parametrize('change, words, says', REFUSED)
def test_a_refusal_is_one_line_and_nothing_changes(forks, here, tmp_path, change, words, says):
    np.save(str(tmp_path / 'evil.npy'), np.array([Evil()], object), allow_pickle=True)
    subprocess.run(['bash', '-c', change], cwd=str(tmp_path), check=True)
    before = bytes_of(tmp_path)
    for each in words.split('|'):
        assert says in line_of(forks.run(each), 2)
    assert bytes_of(tmp_path) == before
    assert not (tmp_path / 'ran').exists()


def test_a_damaged_checkpoint_is_named_and_the_older_one_offered(forks, here, trained):
    subprocess.run(['bash', '-c', f'{FLIP}{here / NEWEST}/memory.npy'], check=True)
    before = bytes_of(here)
    line = line_of(forks.run('--resume here --episodes 50'), 2)
    assert f'here/{NEWEST} cannot be used (damaged: memory.npy): delete that folder, and' in line
    assert line.endswith('--resume resumes from step-1600\n')
    assert bytes_of(here) == before
    shutil.rmtree(str(here / NEWEST))
    assert forks.run('--resume here').returncode == 0
    assert rewards(here) == rewards(trained)


def test_a_folder_has_one_writer(forks, here):
    with filelock.FileLock(str(here / '.lock')):
        line = line_of(forks.run('--resume here --episodes 50'), 2)
    assert 'another process is writing in here: wait for its end, or stop it' in line
    assert forks.run('--resume here --episodes 46').returncode == 0
    assert newest_step(here) == 46 * 40  # as long as the run's episodes, not as those of the file


# ---------------------------------------------------------------- playing


def test_play_prints_ten_returns_and_changes_nothing(forks, here):
    before = bytes_of(here)
    done = forks.run('--play here --seed 5')
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    returns = [float(line.split()[-1]) for line in lines[:10]]
    assert lines[10].startswith('Played the best policy of here for 10 episodes: mean return -')
    mean, deviation = (float(word) for word in lines[10].replace(',', '').split()[-4::3])
    assert mean == pytest.approx(np.mean(returns), abs=0.6)
    assert deviation == pytest.approx(np.std(returns), abs=0.6)
    assert forks.run('--play here --seed 5').out == done.out
    assert forks.run('--play here').out != done.out  # fresh starts
    last = forks.run('--play here --seed 5 --last')
    assert last.out.splitlines()[10].startswith('Played the last policy of here for 10')
    assert bytes_of(here) == before


def test_a_run_too_short_to_keep_a_best_policy_plays_its_last_and_says_so(forks):
    assert forks.run('--episodes 1 --run short').returncode == 0
    done = forks.run('--play short --episodes 1')
    assert done.returncode == 0
    says = 'Played the last policy of short (too short a run to keep a best one) for 1 episodes'
    assert says in done.out


def test_the_pages_lines_load_the_policy_with_the_runs_numbers_and_ask_it(here):
    names = dict(s=np.array([1.0, 0.0, 0.5]))
    exec(python_blocks('running')[0].replace('runs/ddpg-1', str(here)), names)
    assert names['a'].shape == (1,) and abs(names['a']) <= 2
    assert (ddpg.MEMORY_CAPACITY, ddpg.MAX_EP_STEPS) == (10000, 200)
    with pytest.raises(BadInput, match='there is no folder'):
        load_policy(ddpg, 'nowhere')
