"""The command line: what a run prints and leaves, and the line for everything that goes wrong."""

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import sys
import termios

import pytest

from support import messages
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, SMALL, bytes_of, line_of, rewards, rows


def test_a_run_prints_a_line_an_episode_and_leaves_a_folder(forks, tmp_path):
    done = forks.run('--episodes 3 --set MEMORY_CAPACITY=200')  # full after the first episode
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    assert len(lines) == 4
    folder = tmp_path / 'runs' / 'ddpg-1'
    recorded = rows(folder)
    for i, (line, row) in enumerate(zip(lines, recorded)):
        match = re.match(r'Episode: (\d+)  Reward: (-?\d+)  Explore: (\d\.\d\d)$', line)
        assert (int(match[1]), int(row['episode'])) == (i, i)
        assert float(match[2]) == pytest.approx(float(row['reward']), abs=0.51)
        assert float(match[3]) == pytest.approx(float(row['explore']), abs=0.0051)
    mean = sum(float(row['reward']) for row in recorded) / 3
    assert re.match(
        rf'Trained 3 episodes in 0:\d\d:\d\d, mean return of the last 3: {mean:.1f}\. '
        r'The run is in runs.ddpg-1; see its best policy with: python ddpg\.py --play runs.ddpg-1$',
        lines[3],
    )
    assert float(recorded[2]['explore']) == pytest.approx(3 * 0.9998**400)
    config = json.loads((folder / 'config.json').read_text())
    assert config['hyperparameters']['MEMORY_CAPACITY'] == 200
    assert config['hyperparameters']['LR_A'] == 0.001
    assert (config['program'], config['env'], config['seed']) == ('ddpg', 'Pendulum-v0', 1)
    assert (config['episodes'], config['sizes']) == (3, {'state': 3, 'action': 1})
    assert config['replacement'] == {'name': 'soft', 'tau': 0.01}
    assert set(config['versions']) == {'python', 'tensorflow', 'numpy', 'gym'}


@pytest.mark.parametrize('program', ['ddpg_update', 'ddpg_update2'])
def test_the_other_versions_take_the_same_options_and_leave_the_same_folder(tmp_path, program):
    forks, here = Forks(PROJECT / f'{program}.py', tmp_path), tmp_path / 'here'
    done = forks.run(f'--episodes 12 --run here {SMALL} LR_C=0.003')
    assert (done.returncode, done.err) == (0, '')
    assert float(rows(here)[11]['explore']) == pytest.approx(3 * 0.9998**280)
    config = json.loads((here / 'config.json').read_text())
    assert (config['program'], config['hyperparameters']['LR_C']) == (program, 0.003)
    assert {'best', 'checkpoints', 'curve.png'} <= set(os.listdir(str(here)))
    assert forks.run('--play here --episodes 1').returncode == 0
    assert forks.run('--resume here --episodes 14').returncode == 0
    line = line_of(forks.run('--replacement hard'), 2, f'{program}.py')
    assert "invalid choice: 'hard'" in line


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(forks, tmp_path):
    for name, seed in (('one', 1), ('two', 1), ('other', 2)):
        assert forks.run(f'--episodes 8 --run {name} --seed {seed} {SMALL}').returncode == 0
    assert rewards(tmp_path / 'one') == rewards(tmp_path / 'two')
    pairs = zip(rows(tmp_path / 'one'), rows(tmp_path / 'other'))
    assert all(a['reward'] != b['reward'] for a, b in pairs)


def test_set_changes_what_the_lesson_does(forks, tmp_path):
    """Also the length of an episode beyond gym's own limit, the smallest numbers, and 0."""
    words = '--episodes 2 --run long --set MAX_EP_STEPS=400 MEMORY_CAPACITY=300 VAR=0 GAMMA=0'
    done = forks.run(f'{words} LR_A=0 tau=1 HIDDEN_UNITS=1 BATCH_SIZE=1 REWARD_SCALE=0.5')
    assert (done.returncode, done.err) == (0, '')
    config = json.loads((tmp_path / 'long' / 'config.json').read_text())
    assert config['replacement'] == {'name': 'soft', 'tau': 1}
    assert [row['explore'] for row in rows(tmp_path / 'long')] == ['0.0', '0.0']
    assert os.listdir(str(tmp_path / 'long' / 'checkpoints')) == ['step-800']


def test_an_environment_of_ones_own_with_three_different_ranges_and_quiet(forks):
    done = forks.run(f'--episodes 8 --env {OURS}ThreeJoints-v0 --quiet {SMALL}')
    assert (done.returncode, done.err) == (0, '')
    assert re.match(r'Trained 8 episodes in .+ see its best policy with: .+\n$', done.out)


def test_a_progress_bar_on_a_terminal_only(forks):
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    done = forks.run('--episodes 3', err=os.ttyname(its))
    assert (done.returncode, done.err) == (0, '')
    shown = os.read(ours, 65536)
    assert b'0/3' in shown and re.search(rb'-\d+, mean of 10 -\d+\]', shown)
    assert '/3' not in done.out
    os.close(ours)
    os.close(its)


# ---------------------------------------------------------------- bad input

WRONG = {
    '--episodes 0': "--episodes: needs a whole number from 1 to 1000000000, got '0'",
    '--env Nonesuch-v0': "knows no environment 'Nonesuch-v0'",
    '--run taken': 'taken already holds best',
    '--run linked': 'linked/rewards.csv.part is a link or a special file',
    '--set GAMA=0.9': '--set GAMA=0.9: needs NAME=VALUE, with a NAME among MAX_EPISODES',
    '--set GAMMA': '--set GAMMA: needs NAME=VALUE',
    '--set GAMMA=1.5': 'GAMMA = 1.5 must be a number from 0 to 1',
    '--set GAMMA=0,9': 'GAMMA must be a number from 0 to 1',
    '--set HIDDEN_UNITS=30.0': 'HIDDEN_UNITS must be a whole number from 1 to 100000',
    '--set LR_A=nan': 'LR_A = nan must be a number of at least 0',
    '--set rep_iter_a=7': '--set rep_iter_a=7: needs NAME=VALUE',
    '--set name=7': '--set name=7: needs NAME=VALUE',
}


@pytest.mark.parametrize('words', WRONG)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(forks, tmp_path, words):
    for folder in ('taken/best', 'linked'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / 'linked' / 'rewards.csv.part').symlink_to(tmp_path / 'nowhere')
    before = bytes_of(tmp_path)
    done = forks.run(words)
    assert WRONG[words] in line_of(done, 2)
    assert (done.out, bytes_of(tmp_path)) == ('', before)


def edited(folder, pattern, code):
    """Return what runs a copy of ddpg.py with another line in place of the one of `pattern`."""
    text, count = re.subn(pattern, code, (PROJECT / 'ddpg.py').read_text(encoding='utf-8'))
    assert count == 1
    (folder / 'ddpg.py').write_text(text, encoding='utf-8')
    return Forks(folder / 'ddpg.py', folder)


@pytest.mark.parametrize('number, says', [
    ('MEMORY_CAPACITY = 0.5', 'MEMORY_CAPACITY = 0.5 at the top of the file must be a whole'),
    ('GAMMA = 0,9', 'GAMMA = (0, 9) at the top of the file must be a number from 0 to 1'),
    ("SOFT = dict(name='soft', tau=2)", 'tau = 2 in SOFT must be a number from 0 to 1'),
])  # fmt: skip
def test_an_edit_at_the_top_that_cannot_work_is_one_line(tmp_path, number, says):
    done = edited(tmp_path, rf'(?m)^{number.split()[0]} = .+$', number).run('--run here')
    assert line_of(done, 2).startswith(f'ddpg.py: {says}')
    assert not (tmp_path / 'here').exists()


def test_a_mistake_within_the_lesson_keeps_its_traceback(tmp_path):
    done = edited(tmp_path, 'self.target_q = R', 'self.target_q = g').run('--run here')
    assert done.returncode == 1
    assert done.err.startswith('Traceback') and done.err.endswith("name 'g' is not defined\n")


# ---------------------------------------------------------------- what goes wrong on the way


@pytest.mark.parametrize('words, says', [
    (f'--env {OURS}NanReward-v0', 'the environment gave the reward nan'),
    (f'--env {OURS}Raises-v0', 'ValueError: the joint came off (environments.py'),
    ('--set MEMORY_CAPACITY=200 LR_C=1e30 LR_A=1e30', "the actor's output became [nan]"),
])  # fmt: skip
def test_a_failure_on_the_way_names_the_episode_and_how_to_resume(forks, tmp_path, words, says):
    line = line_of(forks.run(f'--run here {words}'), 1)
    assert says in line
    assert 'in episode 1; resume what was saved before with: python ddpg.py --resume here' in line
    assert [row['episode'] for row in rows(tmp_path / 'here')] == ['0']


def test_lines_are_printed_as_they_come(forks):
    """This environment ends the process in the second episode, as a power cut would."""
    done = forks.run(f'--run here --env {OURS}Kills-v0')
    assert done.returncode == -signal.SIGKILL
    assert re.match(r'Episode: 0  Reward: -\d+  Explore: 3.00\n$', done.out)


def test_a_full_disk_keeps_whole_rows_and_says_so(forks, tmp_path):
    """A limit on a file's size stands for the disk; the event file is the first to reach it."""
    words = f'--episodes 60 {SMALL} --run'
    assert forks.run(f'{words} one').returncode == 0
    (events,) = (tmp_path / 'one').glob('events.*')
    line = line_of(forks.run(f'{words} here', file_size=events.stat().st_size - 1000), 1)
    says = r'what follows episode \d+ could not be written \(File too large\): mend'
    assert re.search(says, line)
    assert rewards(tmp_path / 'here').endswith(b'\n')
    assert rewards(tmp_path / 'one').startswith(rewards(tmp_path / 'here'))
    assert forks.run('--resume here').returncode == 0
    assert rewards(tmp_path / 'one') == rewards(tmp_path / 'here')


@pytest.mark.parametrize('words, says', [
    ('--help', ''),
    ('--episodes 2 --run here', ' after episode 0; resume with: python ddpg.py --resume here'),
    (
        '--episodes 2 --run here --quiet',
        ' after episode 1; resume with: python ddpg.py --resume here',
    ),
])  # fmt: skip
def test_an_output_that_cannot_be_written_is_one_line(forks, words, says):
    done = forks.run(words, out='/dev/full')
    lost = 'ddpg.py: the output could not be written (No space left on device)'
    assert line_of(done, 1) == f'{lost}{says}\n'


@pytest.mark.parametrize('speak, stream', [(messages.say, 'stdout'), (messages.complain, 'stderr')])
def test_a_name_that_cannot_be_printed_is_written_otherwise(monkeypatch, speak, stream):
    written = io.BytesIO()
    monkeypatch.setattr(sys, stream, io.TextIOWrapper(written, 'ascii'))
    speak('The run is in 跑 1')
    assert written.getvalue() == b'The run is in \\u8dd1 1\n'
