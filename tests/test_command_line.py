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

from lab import messages
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, SMALL, bytes_of, line_of, rewards, rows

JOINTS = f'--env {OURS}ThreeJoints-v0'


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
        r'The run is in runs.ddpg-1 \(open runs.ddpg-1.run.html in a browser\); '
        r'see its best policy with: python ddpg\.py --play runs.ddpg-1$',
        lines[3],
    )
    assert float(recorded[2]['explore']) == pytest.approx(3 * 0.9998**400)
    config = json.loads((folder / 'config.json').read_text())
    assert config['hyperparameters']['MEMORY_CAPACITY'] == 200
    assert config['hyperparameters']['LR_A'] == 0.001
    assert (config['program'], config['env'], config['seed']) == ('ddpg', 'Pendulum-v0', 1)
    assert (config['episodes'], config['eval_episodes']) == (3, None)
    assert config['replacement'] == {'name': 'soft', 'tau': 0.01}
    assert set(config['versions']) == {'python', 'tensorflow', 'numpy', 'gym'}


@pytest.mark.parametrize('program', ['ddpg_update', 'ddpg_update2'])
def test_the_other_versions_take_the_same_options_and_leave_the_same_folder(tmp_path, program):
    forks, here = Forks(PROJECT / f'{program}.py', tmp_path), tmp_path / 'here'
    assert forks.run(f'--episodes 12 --run here {SMALL} LR_C=0.003 TAU=0.05').returncode == 0
    assert float(rows(here)[11]['explore']) == pytest.approx(3 * 0.9998**280)
    config = json.loads((here / 'config.json').read_text())
    assert (config['program'], config['hyperparameters']['TAU']) == (program, 0.05)
    assert {'best.npz', 'checkpoint.npz', 'curve.png', 'run.html'} <= set(os.listdir(str(here)))
    assert forks.run('--play here --episodes 1').returncode == 0
    line = line_of(forks.run('--replacement hard'), 2, f'{program}.py')
    assert 'unrecognized arguments: --replacement hard' in line


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(forks, tmp_path):
    for name, seed in (('one', 1), ('two', 1), ('other', 2)):
        words = f'--episodes 8 --run {name} --seed {seed} {JOINTS} {SMALL}'
        assert forks.run(words).returncode == 0
    assert rewards(tmp_path / 'one') == rewards(tmp_path / 'two')
    pairs = zip(rows(tmp_path / 'one'), rows(tmp_path / 'other'))
    assert all(a['reward'] != b['reward'] for a, b in pairs)


def test_set_changes_what_the_lesson_does(forks, tmp_path):
    """Also the length of an episode beyond gym's own limit, the smallest numbers, and 0."""
    words = '--episodes 2 --run long --set MAX_EP_STEPS=400 MEMORY_CAPACITY=300 VAR=0 GAMMA=0'
    done = forks.run(f'{words} LR_A=0 tau=1 HIDDEN_UNITS=1 BATCH_SIZE=1 REWARD_SCALE=0.5')
    assert done.returncode == 0
    config = json.loads((tmp_path / 'long' / 'config.json').read_text())
    assert config['replacement'] == {'name': 'soft', 'tau': 1}
    assert [row['explore'] for row in rows(tmp_path / 'long')] == ['0.0', '0.0']


def test_where_nothing_was_learned_it_is_said_and_what_to_change(forks):
    done = forks.run(f'--episodes 2 --quiet {JOINTS}')
    trained, nothing = done.out.splitlines()
    assert 'see its last policy with' in trained
    assert nothing.startswith('Nothing was learned: no weight has changed. ')
    done = forks.run(f'--episodes 8 --quiet {JOINTS} {SMALL}')
    assert re.match(r'Trained 8 episodes in .+ see its best policy with: .+\n$', done.out)


def test_a_progress_bar_on_a_terminal_only(forks):
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    done = forks.run(f'--episodes 3 {JOINTS}', err=os.ttyname(its))
    assert (done.returncode, done.err) == (0, '')
    shown = os.read(ours, 65536)
    assert b'0/3' in shown and re.search(rb'-\d+, mean of 10 -\d+\]', shown)
    assert '/3' not in done.out
    os.close(ours)
    os.close(its)


# ---------------------------------------------------------------- bad input

WRONG = {
    '--episodes 0': "--episodes: needs a whole number from 1 to 1000000000, got '0'",
    '--env Nonesuch-v0': "gym registers no environment 'Nonesuch-v0'",
    '--run taken': 'taken already holds best.npz',
    '--run linked': 'linked/mine is a link or a special file',
    '--set GAMA=0.9': '--set GAMA=0.9: needs NAME=VALUE, with a NAME among MAX_EPISODES',
    '--resume nowhere': 'there is no folder nowhere',
}


@pytest.mark.parametrize('words', WRONG)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(forks, tmp_path, words):
    for folder in ('taken/best.npz', 'linked'):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / 'linked' / 'mine').symlink_to(tmp_path / 'nowhere')
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


# ---------------------------------------------------------------- what goes wrong on the way


FIRST = 'the error above ended the run, in the first episode; what was saved before is kept; once'


@pytest.mark.parametrize('pattern, code, error, says', [
    (r'self\.target_q = R', 'self.target_q = g', "name 'g' is", 'the run; nothing was written'),
    (r'ep_reward \+= r\b', 'ep_reward += q', "name 'q' is not", FIRST),
    (r'Episode\(i, ep_reward', "Episode(i, 'x'", 'TypeError', FIRST),
])  # fmt: skip
def test_a_mistake_within_the_lesson_keeps_its_traceback(tmp_path, pattern, code, error, says):
    done = edited(tmp_path, pattern, code).run(f'--run here {JOINTS}')
    assert done.returncode == 1
    *trace, line = done.err.splitlines()
    assert trace[0].startswith('Traceback') and error in trace[-1], done.err
    assert line.startswith('ddpg.py: ') and says in line


@pytest.mark.parametrize('words, says, resumed', [
    (f'--env {OURS}NanReward-v0', 'the environment gave the reward nan', True),
    ('--set MEMORY_CAPACITY=200 LR_C=1e30 LR_A=1e30', "the actor's output became [nan]", False),
])  # fmt: skip
def test_a_failure_says_after_which_episode_and_whether_to_resume(
    forks, tmp_path, words, says, resumed
):
    line = line_of(forks.run(f'--run here {words}'), 1)
    assert f'{says}' in line and ', after episode 0; ' in line
    assert ('once it is mended, resume with: python ddpg.py --resume here' in line) == resumed
    assert ('train anew with smaller LR_A and LR_C' in line) != resumed
    assert [row['episode'] for row in rows(tmp_path / 'here')] == ['0']


@pytest.mark.parametrize('name', ['Raises', 'Exits'])
def test_what_an_environment_raises_keeps_its_traceback(forks, name):
    done = forks.run(f'--run here --env {OURS}{name}-v0')
    assert done.returncode == 1
    assert done.err.startswith('Traceback') and 'helpers/environments.py", line' in done.err
    says = FIRST.replace('in the first episode', 'after episode 0')
    resume = f'--resume here --env {OURS}{name}-v0'
    last = f'ddpg.py: {says} it is mended, resume with: python ddpg.py {resume}'
    assert done.err.splitlines()[-1] == last


@pytest.mark.parametrize('pattern, code, says', [
    (r'yield Episode\(i, ep_reward', 'yield Episode(i, np.nan', 'train gave the return nan and'),
    (r'r / REWARD_SCALE, s_', '-np.float32(1e38) * 100, s_', 'memory:data is not finite any more'),
])  # fmt: skip
def test_what_could_not_be_resumed_or_played_is_no_success(tmp_path, pattern, code, says):
    done = edited(tmp_path, pattern, code).run(f'--episodes 2 --run here --quiet {JOINTS}')
    assert done.returncode == 1
    assert done.err.splitlines()[-1].startswith(f'ddpg.py: {says}')
    assert done.out == ''


def test_too_little_memory_for_legal_numbers_is_a_line(forks, tmp_path):
    done = forks.run('--run here --set MEMORY_CAPACITY=100000000', memory=10**9)
    assert 'not enough memory (' in line_of(done, 1)
    assert not (tmp_path / 'here').exists()


def test_lines_are_printed_as_they_come(forks):
    """This environment ends the process in the second episode, as a power cut would."""
    done = forks.run(f'--run here --env {OURS}Kills-v0')
    assert done.returncode == -signal.SIGKILL
    assert re.match(r'Episode: 0  Reward: -\d+  Explore: 3.00\n$', done.out)


@pytest.mark.parametrize('room', [1500, 30000])
def test_a_full_disk_keeps_whole_rows_and_says_so(forks, tmp_path, room):
    """A limit on a file's size stands for the disk; which file reaches it first is not the same."""
    words = f'--episodes 40 --quiet {JOINTS} {SMALL} --run'
    assert forks.run(f'{words} one').returncode == 0
    (events,) = (tmp_path / 'one').glob('events.*')
    done = forks.run(f'{words} here', file_size=events.stat().st_size - room)
    says = r'could not be written \(.*File too large\), (after|in the first) episode.*; mend that'
    assert done.returncode == 1 and re.search(says, done.err.splitlines()[-1]), done.err
    assert rewards(tmp_path / 'here').endswith(b'\n')
    assert rewards(tmp_path / 'one').startswith(rewards(tmp_path / 'here'))
    assert not list((tmp_path / 'here').glob('*.part'))
    assert forks.run(f'--resume here {JOINTS}').returncode == 0
    assert rewards(tmp_path / 'one') == rewards(tmp_path / 'here')


@pytest.mark.parametrize('words, says', [
    ('--help', ''),
    (f'--episodes 2 --run here {JOINTS}', ', after episode 0; mend that, then resume with: '),
    (f'--episodes 2 --run here --quiet {JOINTS}', ', after episode 1; mend that, then resume'),
])  # fmt: skip
def test_an_output_that_cannot_be_written_is_one_line(forks, words, says):
    line = line_of(forks.run(words, out='/dev/full'), 1)
    lost = 'ddpg.py: the output could not be written (No space left on device)'
    assert line.startswith(f'{lost}{says}')


@pytest.mark.parametrize('speak, stream', [
    (messages.echo, 'stdout'), (messages.print_error, 'stderr')
])  # fmt: skip
def test_a_name_that_cannot_be_printed_is_written_otherwise(monkeypatch, speak, stream):
    written = io.BytesIO()
    monkeypatch.setattr(sys, stream, io.TextIOWrapper(written, 'ascii'))
    speak('The run is in 跑 1')
    assert written.getvalue() == b'The run is in \\u8dd1 1\n'
