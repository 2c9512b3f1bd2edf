"""`python ddpg.py` as a user runs it: a process of its own, in a folder of its own."""

import csv
import fcntl
import json
import os
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
OURS = 'tests.environments:'


def start(folder, *words, program=PROJECT / 'ddpg.py', **kwargs):
    """Start `python ddpg.py *words` in `folder`."""
    return subprocess.Popen(
        [sys.executable, str(program), *words],
        cwd=str(folder),
        stdout=kwargs.pop('stdout', subprocess.PIPE),
        stderr=kwargs.pop('stderr', subprocess.PIPE),
        stdin=subprocess.DEVNULL,
        universal_newlines=True,
        **kwargs,
    )


def finish(process):
    """Wait for a process; return it with its whole output in `out` and `err`."""
    process.out, process.err = process.communicate(timeout=170)
    return process


def run(folder, *words, **kwargs):
    return finish(start(folder, *words, **kwargs))


def edited(folder, **numbers):
    """Copy the lesson into `folder`, change numbers at the top of ddpg.py, return its path."""
    copy = folder / 'lesson'
    shutil.copytree(str(PROJECT / 'experiment'), str(copy / 'experiment'))
    shutil.copytree(str(PROJECT / 'tests'), str(copy / 'tests'))
    shutil.copy(str(PROJECT / 'memory.py'), str(copy))
    code = (PROJECT / 'ddpg.py').read_text(encoding='utf-8')
    for name, number in numbers.items():
        code, count = re.subn(rf'(?m)^{name} = \S+', f'{name} = {number}', code)
        assert count == 1, name
    (copy / 'ddpg.py').write_text(code, encoding='utf-8')
    return copy / 'ddpg.py'


@pytest.fixture(scope='module')
def quick(tmp_path_factory):
    """The lesson with a memory that is full after the first episode, so that it soon learns."""
    return edited(tmp_path_factory.mktemp('quick'), MEMORY_CAPACITY=200)


def rows(folder):
    with open(str(folder / 'rewards.csv'), newline='') as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------- a run


def test_a_run_prints_a_line_an_episode_and_leaves_a_folder(quick, tmp_path):
    done = run(tmp_path, '--episodes', '3', program=quick)
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    assert len(lines) == 4
    recorded = rows(tmp_path / 'runs' / 'ddpg-1')
    for i, (line, row) in enumerate(zip(lines, recorded)):
        match = re.match(r'Episode: (\d+)  Reward: (-?\d+)  Explore: (\d\.\d\d)$', line)
        assert match, line
        assert (int(match[1]), int(row['episode'])) == (i, i)
        assert float(match[2]) == pytest.approx(float(row['reward']), abs=0.51)
        assert float(match[3]) == pytest.approx(float(row['explore']), abs=0.0051)
    mean = sum(float(row['reward']) for row in recorded) / 3
    assert re.match(
        rf'Trained 3 episodes in 0:00:\d\d, mean return of the last 3: {mean:.1f}\. '
        r'The run is in runs.ddpg-1; see it with: tensorboard --logdir runs$',
        lines[3],
    )
    assert float(recorded[2]['explore']) == pytest.approx(3 * 0.9998**400)

    config = json.loads((tmp_path / 'runs' / 'ddpg-1' / 'config.json').read_text())
    assert config['hyperparameters']['MEMORY_CAPACITY'] == 200
    assert config['hyperparameters']['LR_A'] == 0.001
    assert {k: config[k] for k in ('program', 'env', 'seed', 'episodes')} == {
        **{'program': 'ddpg', 'env': 'Pendulum-v0', 'seed': 1, 'episodes': 3}
    }
    assert config['replacement'] == {'name': 'soft', 'tau': 0.01}
    assert set(config['versions']) == {'python', 'tensorflow', 'numpy', 'gym'}


def test_the_simplified_version_leaves_the_same_kind_of_folder(tmp_path):
    program = PROJECT / 'ddpg_update.py'
    done = run(tmp_path, '--episodes', '52', program=program)  # it learns in the last two
    assert (done.returncode, done.err) == (0, '')
    assert 'The run is in runs' in done.out.splitlines()[52]
    folder = tmp_path / 'runs' / 'ddpg_update-1'
    assert len(rows(folder)) == 52
    assert float(rows(folder)[51]['explore']) == pytest.approx(3 * 0.9998**400)
    config = json.loads((folder / 'config.json').read_text())
    assert (config['program'], config['hyperparameters']['LR_C']) == ('ddpg_update', 0.002)
    assert config['hyperparameters']['MEMORY_CAPACITY'] == 10000
    assert len(list(folder.glob('events.out.tfevents.*'))) == 1

    done = run(tmp_path, '--replacement', 'hard', program=program)
    assert done.returncode == 2
    assert re.match(r"ddpg_update\.py: .*invalid choice: 'hard'.+\n$", done.err)


def test_tensorboard_finds_the_graph_and_all_scalars(quick, tmp_path):
    done = run(tmp_path, '--episodes', '2', '--run', 'here', '--replacement', 'hard', program=quick)
    assert (done.returncode, done.err) == (0, '')
    (events,) = (tmp_path / 'here').glob('events.out.tfevents.*')
    code = (
        'import sys, experiment.quiet, tensorflow.compat.v1 as tf\n'
        'for e in tf.train.summary_iterator(sys.argv[1]):\n'
        '    for v in e.summary.value: print(e.step, v.tag)\n'
        '    for n in tf.GraphDef.FromString(e.graph_def).node: print("node", n.name)\n'
    )
    read = subprocess.run(
        [sys.executable, '-c', code, str(events)],
        cwd=str(PROJECT),
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    )
    lines = set(read.stdout.splitlines())
    assert {line for line in lines if not line.startswith('node')} == {
        *('0 reward', '0 explore', '1 reward', '1 explore', '1 loss/critic', '1 loss/actor')
    }
    for name in ('S/s', 'R/r', 'S_/s_', 'Actor/eval_net/scaled_a', 'C_replace/t_replace_counter'):
        assert f'node {name}' in lines


def test_the_same_seed_gives_the_same_bytes_alone_and_side_by_side(quick, tmp_path):
    words = ('--episodes', '4', '--run')
    alone = run(tmp_path, *words, 'alone', program=quick)
    both = [start(tmp_path, *words, name, program=quick) for name in ('left', 'right')]
    other = run(tmp_path, *words, 'other', '--seed', '2', program=quick)
    for done in (alone, other, *map(finish, both)):
        assert done.returncode == 0, done.err
    expected = (tmp_path / 'alone' / 'rewards.csv').read_bytes()
    assert len(expected.splitlines()) == 5
    for name in ('left', 'right'):
        assert (tmp_path / name / 'rewards.csv').read_bytes() == expected
    different = zip(rows(tmp_path / 'alone'), rows(tmp_path / 'other'))
    assert all(a['reward'] != b['reward'] for a, b in different)


def test_two_runs_at_once_take_two_folders(quick, tmp_path):
    runs = [start(tmp_path, '--episodes', '1', program=quick) for _ in range(2)]
    assert [finish(done).returncode for done in runs] == [0, 0]
    assert {path.name for path in (tmp_path / 'runs').iterdir()} == {'ddpg-1', 'ddpg-2'}
    assert len(rows(tmp_path / 'runs' / 'ddpg-1')) == len(rows(tmp_path / 'runs' / 'ddpg-2')) == 1


def test_an_environment_of_ones_own_with_three_different_ranges(quick, tmp_path):
    done = run(tmp_path, '--episodes', '3', '--env', OURS + 'ThreeJoints-v0', program=quick)
    assert (done.returncode, done.err) == (0, '')


def test_a_progress_bar_on_a_terminal_only(quick, tmp_path):
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    process = start(tmp_path, '--episodes', '3', program=quick, stderr=end)
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
    assert finish(process).returncode == 0
    assert b'0/3' in shown
    assert re.search(rb'[123]/3', shown)
    assert re.search(rb'\d\d:\d\d<\d\d:\d\d', shown)  # time gone, time left
    assert re.search(rb'-\d+, mean of 10 -\d+\]', shown)
    assert '/3' not in process.out


def test_quiet_prints_the_closing_line_only(quick, tmp_path):
    done = run(tmp_path, '--episodes', '3', '--quiet', program=quick)
    assert (done.returncode, done.err) == (0, '')
    assert re.match(r'Trained 3 episodes in .+\n$', done.out)


# ---------------------------------------------------------------- bad input

WRONG = {
    '--episodes 0': "--episodes: needs a whole number of at least 1, got '0'",
    '--seed 4294967296': '--seed: needs a whole number from 0 to 4294967295',
    '--env Nonesuch-v0': "knows no environment 'Nonesuch-v0'",
    '--env CartPole-v0': 'takes the actions Discrete(2)',
    f'--env {OURS}Unbounded-v0': 'make them finite',
    f'--env {OURS}ImageObservation-v0': 'take a vector',
    '--run taken': 'taken already holds a run',
    '--run file': 'file cannot be written',
}


@pytest.mark.parametrize('words', WRONG)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(tmp_path, words):
    (tmp_path / 'file').write_text('')
    (tmp_path / 'taken').mkdir()
    (tmp_path / 'taken' / 'config.json').write_text('{}')
    before = sorted(tmp_path.rglob('*'))
    done = run(tmp_path, *words.split())
    assert (done.returncode, done.out) == (2, '')
    assert re.match(r'ddpg\.py: .+\n$', done.err), done.err  # one line: `.` matches no newline
    assert WRONG[words] in done.err
    assert sorted(tmp_path.rglob('*')) == before


def test_a_hyperparameter_of_zero_is_one_line_too(tmp_path):
    done = run(tmp_path, program=edited(tmp_path, MEMORY_CAPACITY=0))
    assert (done.returncode, done.out) == (2, '')
    assert done.err == 'ddpg.py: MEMORY_CAPACITY = 0 at the top of the file must be at least 1\n'
    assert not (tmp_path / 'runs').exists()


def test_a_gym_without_pendulum_v0_is_told_which_has_it(tmp_path):
    (tmp_path / 'newer_gym.py').write_text(
        'import gym, runpy, sys\n'
        'del gym.envs.registry.env_specs["Pendulum-v0"]\n'
        'sys.argv = sys.argv[1:]\n'
        'sys.path[0] = sys.argv[0].rpartition("/")[0]\n'
        'runpy.run_path(sys.argv[0], run_name="__main__")\n'
    )
    done = run(tmp_path, str(PROJECT / 'ddpg.py'), program=tmp_path / 'newer_gym.py')
    assert done.returncode == 2
    assert done.err.count('\n') == 1
    assert 'has no Pendulum-v0' in done.err
    assert 'pip install gym==0.17.3' in done.err
    assert not (tmp_path / 'runs').exists()


# ---------------------------------------------------------------- what goes wrong on the way


def assert_stopped_in_the_second_episode(done, folder, says, code=1):
    assert done.returncode == code, done.err
    assert re.match(r'ddpg\.py: .+\n$', done.err), done.err
    assert says in done.err
    assert 'in episode 1; what was saved before goes on with: python ddpg.py' in done.err
    assert [row['episode'] for row in rows(folder / 'here')] == ['0']


@pytest.mark.parametrize(
    'env, says',
    [
        ('NanReward-v0', 'gave the reward nan'),
        ('BadObservation-v0', 'gave the observation ['),
        ('Raises-v0', 'ValueError: the joint came off (environments.py'),
    ],
)
def test_an_environment_that_fails_on_the_way_names_the_episode(tmp_path, env, says):
    done = run(tmp_path, '--env', OURS + env, '--run', 'here')
    assert_stopped_in_the_second_episode(done, tmp_path, says)


def test_networks_that_diverge_name_the_episode(tmp_path):
    program = edited(tmp_path, MEMORY_CAPACITY=200, LR_C='1e38')
    done = run(tmp_path, '--run', 'here', program=program)
    assert_stopped_in_the_second_episode(done, tmp_path, "the actor's output became [nan]")


def test_ctrl_c_keeps_what_was_recorded(quick, tmp_path):
    process = start(tmp_path, '--run', 'here', program=quick)
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.returncode == 130
    count = len(rows(tmp_path / 'here'))
    assert 3 <= count < 200
    assert done.err == (
        f'ddpg.py: stopped in episode {count}; go on with: python ddpg.py --resume here\n'
    )


def test_ctrl_c_before_the_first_step_is_one_line_too(tmp_path):
    done = run(tmp_path, '--env', OURS + 'Interrupts-v0', '--run', 'here')
    assert (done.returncode, done.out) == (130, '')
    env = OURS + 'Interrupts-v0'
    go_on = f'python ddpg.py --resume here --env {env}'
    assert done.err == f'ddpg.py: stopped in episode 0; go on with: {go_on}\n'
    assert rows(tmp_path / 'here') == []


def test_a_full_disk_keeps_whole_rows_and_says_so(quick, tmp_path):
    """A limit on a file's size stands for the disk; the event file is the first to reach it."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    size = 10**9
    assert run(tmp_path, '--episodes', '1', '--run', 'one', program=quick).returncode == 0
    (events,) = (tmp_path / 'one').glob('events.*')
    size = events.stat().st_size + 1000
    done = run(tmp_path, '--run', 'here', program=quick, preexec_fn=limit)
    assert done.returncode == 1
    says = r'ddpg\.py: what follows episode \d+ could not be written \(File too large\).+\n$'
    assert re.match(says, done.err)
    content = (tmp_path / 'here' / 'rewards.csv').read_bytes()
    assert content.endswith(b'\n')
    assert len(rows(tmp_path / 'here')) > 1

    size = 1000
    done = run(tmp_path, '--run', 'there', program=quick, preexec_fn=limit)
    assert done.returncode == 1
    assert re.match(r'ddpg\.py: there cannot be written \(File too large\).+\n$', done.err)
    assert not (tmp_path / 'there').exists()


def test_a_reader_that_stops_reading_ends_the_run_in_one_line(quick, tmp_path):
    process = start(tmp_path, '--run', 'here', program=quick)
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    done = finish(process)
    assert done.returncode == 1
    says = (
        r'ddpg\.py: the output could not be written \(Broken pipe\) after episode \d+; '
        r'go on with: python ddpg\.py --resume here\n$'
    )
    assert re.match(says, done.err)
    assert rows(tmp_path / 'here')


@pytest.mark.parametrize(
    'words, says',
    [
        ('--help', ''),
        ('--episodes 2 --run here', ' after episode 0; go on with: python ddpg.py --resume here'),
        ('--episodes 2 --run here --quiet', '; the run is complete in here'),
        ('--play short --last --episodes 1', ''),
    ],
)
def test_an_output_that_cannot_be_written_is_one_line(quick, tmp_path, words, says):
    if 'short' in words:
        run(tmp_path, '--episodes', '1', '--run', 'short', program=quick)
    with open('/dev/full', 'w') as full:
        done = run(tmp_path, *words.split(), program=quick, stdout=full)
    lost = 'ddpg.py: the output could not be written (No space left on device)'
    assert (done.returncode, done.err) == (1, f'{lost}{says}\n')


def test_a_name_that_cannot_be_printed_is_written_otherwise(quick, tmp_path):
    ascii_only = dict(os.environ, PYTHONIOENCODING='ascii')
    done = run(tmp_path, '--episodes', '1', '--run', '跑 1', program=quick, env=ascii_only)
    assert (done.returncode, done.err) == (0, '')
    assert r'The run is in \u8dd1 1;' in done.out
    assert len(rows(tmp_path / '跑 1')) == 1


def test_lines_are_printed_as_they_come(tmp_path):
    """This environment ends the process in the second episode, as a power cut would."""
    done = run(tmp_path, '--env', OURS + 'Kills-v0', '--run', 'here')
    assert done.returncode == -signal.SIGKILL
    assert re.match(r'Episode: 0  Reward: -\d+  Explore: 3.00\n$', done.out)
