"""The command line: what a run prints and leaves, and the line for everything that goes wrong."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios

import pytest

from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, SMALL, line_of, rewards, rows

FULL = '--set MEMORY_CAPACITY=200'  # the memory is full after the first episode


def test_a_run_prints_a_line_an_episode_and_leaves_a_folder(forks, tmp_path):
    done = forks.run(*f'--episodes 3 {FULL}'.split())
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    assert len(lines) == 4
    folder = tmp_path / 'runs' / 'ddpg-1'
    recorded = rows(folder)
    for i, (line, row) in enumerate(zip(lines, recorded)):
        match = re.match(r'Episode: (\d+)  Reward: (-?\d+)  Explore: (\d\.\d\d)$', line)
        assert match, line
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
    forks = Forks(PROJECT / f'{program}.py', tmp_path)
    done = forks.run(*f'--episodes 12 --run here {SMALL} LR_C=0.003'.split())
    assert (done.returncode, done.err) == (0, '')
    assert len(rows(tmp_path / 'here')) == 12
    assert float(rows(tmp_path / 'here')[11]['explore']) == pytest.approx(3 * 0.9998**280)
    config = json.loads((tmp_path / 'here' / 'config.json').read_text())
    assert (config['program'], config['hyperparameters']['LR_C']) == (program, 0.003)
    assert {path.name.split('.')[0] for path in (tmp_path / 'here').iterdir()} == {
        'best', 'checkpoints', 'config', 'curve', 'events', 'rewards', '',
    } or os.name == 'nt'  # fmt: skip
    assert forks.run('--play', 'here', '--episodes', '1').returncode == 0
    assert forks.run('--resume', 'here', '--episodes', '14').returncode == 0
    done = forks.run('--replacement', 'hard')
    assert "invalid choice: 'hard'" in line_of(done, 2, f'{program}.py')
    forks.close()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(forks, tmp_path):
    for name, seed in (('one', 1), ('two', 1), ('other', 2)):
        words = f'--episodes 8 --run {name} --seed {seed} {SMALL}'
        assert forks.run(*words.split()).returncode == 0
    assert rewards(tmp_path / 'one') == rewards(tmp_path / 'two')
    pairs = zip(rows(tmp_path / 'one'), rows(tmp_path / 'other'))
    assert all(a['reward'] != b['reward'] for a, b in pairs)


def test_set_changes_what_the_lesson_does(forks, tmp_path):
    """Also the length of an episode beyond gym's own limit, and numbers of 0."""
    words = '--episodes 2 --run long --set MAX_EP_STEPS=400 MEMORY_CAPACITY=300 VAR=0 GAMMA=0'
    assert forks.run(*words.split(), 'LR_A=0', 'tau=1').returncode == 0
    config = json.loads((tmp_path / 'long' / 'config.json').read_text())
    assert config['replacement'] == {'name': 'soft', 'tau': 1}
    assert [row['explore'] for row in rows(tmp_path / 'long')] == ['0.0', '0.0']
    (checkpoint,) = (tmp_path / 'long' / 'checkpoints').iterdir()
    assert checkpoint.name == 'step-800'


def test_an_environment_of_ones_own_with_three_different_ranges(forks):
    words = f'--episodes 8 --env {OURS}ThreeJoints-v0 {SMALL}'
    done = forks.run(*words.split())
    assert (done.returncode, done.err) == (0, '')


def test_quiet_prints_the_closing_line_only(forks):
    done = forks.run('--episodes', '2', '--quiet')
    assert (done.returncode, done.err) == (0, '')
    assert re.match(r'Trained 2 episodes in .+ see its last policy with: .+\n$', done.out)


def test_a_progress_bar_on_a_terminal_only(tmp_path):
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / 'ddpg.py'), '--episodes', '3'],
        cwd=str(tmp_path),
        stdout=subprocess.PIPE,
        stderr=end,
        universal_newlines=True,
    )
    os.close(end)
    shown = b''
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux's way to say that the other end is closed
            part = b''
        if not part:
            break
        shown += part
    os.close(terminal)
    out, _ = process.communicate()
    assert process.returncode == 0
    assert b'0/3' in shown and re.search(rb'-\d+, mean of 10 -\d+\]', shown)
    assert '/3' not in out


# ---------------------------------------------------------------- bad input

WRONG = {
    '--episodes 0': "--episodes: needs a whole number from 1 to 1000000000, got '0'",
    '--seed 4294967296': '--seed: needs a whole number from 0 to 4294967295',
    '--threads 100000': '--threads: needs a whole number from 1 to 256',
    '--env Nonesuch-v0': "knows no environment 'Nonesuch-v0'",
    '--env CartPole-v0': 'takes the actions Discrete(2)',
    f'--env {OURS}Unbounded-v0': 'make them finite',
    f'--env {OURS}ImageObservation-v0': 'take a vector',
    '--run taken': 'taken already holds config.json',
    '--run curve': 'curve already holds curve.png',
    '--run best': 'best already holds best',
    '--run linked': 'linked/rewards.csv.part is a link or a special file',
    '--run file': 'file cannot be written',
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
    (tmp_path / 'file').write_text('')
    for folder, name in (('taken', 'config.json'), ('curve', 'curve.png'), ('best', 'best')):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text('{}')
    (tmp_path / 'linked').mkdir()
    (tmp_path / 'linked' / 'rewards.csv.part').symlink_to(tmp_path / 'file')
    before = {path for path in tmp_path.rglob('*') if not path.name.startswith('process-')}
    done = forks.run(*words.split())
    assert WRONG[words] in line_of(done, 2)
    assert done.out == ''
    after = {path for path in tmp_path.rglob('*') if not path.name.startswith('process-')}
    assert after == before


@pytest.mark.parametrize('option', ['--run', '--resume', '--play', '--env'])
def test_an_empty_name_is_none(forks, tmp_path, option):
    assert 'needs a name in UTF-8, got ' in line_of(forks.run(option, ''), 2)
    assert not (tmp_path / 'runs').exists()


@pytest.mark.parametrize(
    'number, says',
    [
        ('MEMORY_CAPACITY = 0.5', 'MEMORY_CAPACITY = 0.5 at the top of the file must be a whole'),
        ('GAMMA = 0,9', 'GAMMA = (0, 9) at the top of the file must be a number from 0 to 1'),
        ('BATCH_SIZE = 0', 'BATCH_SIZE = 0 at the top of the file must be a whole number'),
        ("SOFT = dict(name='soft', tau=2)", 'tau = 2 in SOFT must be a number from 0 to 1'),
    ],
)
def test_an_edit_at_the_top_that_cannot_work_is_one_line(tmp_path, number, says):
    name = number.split()[0]
    code = (PROJECT / 'ddpg.py').read_text(encoding='utf-8')
    code, count = re.subn(rf'(?m)^{name} = .+$', number, code)
    assert count == 1
    (tmp_path / 'ddpg.py').write_text(code, encoding='utf-8')
    done = subprocess.run(
        [sys.executable, 'ddpg.py'],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr.startswith(f'ddpg.py: {says}') and done.stderr.count('\n') == 1
    assert not (tmp_path / 'runs').exists()


def test_a_mistake_within_the_lesson_keeps_its_traceback(tmp_path):
    code = (PROJECT / 'ddpg.py').read_text(encoding='utf-8')
    wrong = code.replace('self.R + self.gamma', 'R + self.gama').replace('R + self.gamma', 'R + g')
    assert wrong != code
    (tmp_path / 'ddpg.py').write_text(wrong, encoding='utf-8')
    done = subprocess.run(
        [sys.executable, 'ddpg.py'],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert done.returncode == 1
    assert 'Traceback' in done.stderr and "name 'g' is not defined" in done.stderr


# ---------------------------------------------------------------- what goes wrong on the way


@pytest.mark.parametrize(
    'words, says',
    [
        (f'--env {OURS}NanReward-v0', 'the environment gave the reward nan'),
        (f'--env {OURS}BadObservation-v0', 'the environment gave the observation ['),
        (f'--env {OURS}Raises-v0', 'ValueError: the joint came off (environments.py'),
        ('--set MEMORY_CAPACITY=200 LR_C=1e30 LR_A=1e30', "the actor's output became [nan]"),
    ],
)
def test_a_failure_on_the_way_names_the_episode_and_how_to_resume(forks, tmp_path, words, says):
    line = line_of(forks.run('--run', 'here', *words.split()), 1)
    assert says in line
    assert 'in episode 1; resume what was saved before with: python ddpg.py --resume here' in line
    assert [row['episode'] for row in rows(tmp_path / 'here')] == ['0']


def test_a_full_disk_keeps_whole_rows_and_says_so(forks, tmp_path):
    """A limit on a file's size stands for the disk; the event file is the first to reach it."""
    words = f'--episodes 60 {SMALL} --run'.split()
    assert forks.run(*words, 'one').returncode == 0
    (events,) = (tmp_path / 'one').glob('events.*')
    line = line_of(forks.run(*words, 'here', file_size=events.stat().st_size - 1000), 1)
    assert re.search(
        r'what follows episode \d+ could not be written \(File too large\): mend', line
    )
    assert rewards(tmp_path / 'here').endswith(b'\n')
    assert rewards(tmp_path / 'one').startswith(rewards(tmp_path / 'here'))
    assert forks.run('--resume', 'here').returncode == 0
    assert rewards(tmp_path / 'one') == rewards(tmp_path / 'here')


@pytest.mark.parametrize(
    'words, says',
    [
        ('--help', ''),
        ('--episodes 2 --run here', ' after episode 0; resume with: python ddpg.py --resume here'),
        (
            '--episodes 2 --run here --quiet',
            ' after episode 1; resume with: python ddpg.py --resume here',
        ),
    ],
)
def test_an_output_that_cannot_be_written_is_one_line(forks, words, says):
    done = forks.run(*words.split(), out='/dev/full')
    lost = 'ddpg.py: the output could not be written (No space left on device)'
    assert line_of(done, 1) == f'{lost}{says}\n'


def test_a_name_that_cannot_be_printed_is_written_otherwise(tmp_path):
    done = subprocess.run(
        [sys.executable, str(PROJECT / 'ddpg.py'), '--episodes', '1', '--run', '跑 1'],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONIOENCODING='ascii'),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert r'The run is in \u8dd1 1;' in done.stdout
    assert len(rows(tmp_path / '跑 1')) == 1


def test_lines_are_printed_as_they_come(forks):
    """This environment ends the process in the second episode, as a power cut would."""
    done = forks.run('--env', OURS + 'Kills-v0', '--run', 'here')
    assert done.returncode == -signal.SIGKILL
    assert re.match(r'Episode: 0  Reward: -\d+  Explore: 3.00\n$', done.out)
