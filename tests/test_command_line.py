"""The command line: what a run prints and leaves, and the line for everything that goes wrong."""

import io
import json
import re
import signal
import sys

import numpy as np
import pytest

from lab import messages
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, SMALL, edited, line_of, rewards, rows

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
        r'see its kept policy with: python ddpg\.py --play runs.ddpg-1$',
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


def test_where_nothing_was_learned_it_is_said_and_the_last_policy_is_played(forks, tmp_path):
    done = forks.run('--episodes 1 --quiet --run here --set VAR=0 tau=1 MAX_EP_STEPS=300')
    trained, nothing = done.out.splitlines()
    assert 'see its last policy with' in trained
    assert nothing.startswith('Nothing was learned: no weight has changed. ')
    assert [row['explore'] for row in rows(tmp_path / 'here')] == ['0.0']
    done = forks.run('--play here --episodes 1')
    assert done.returncode == 0
    assert 'Played the last policy of here (none was kept) for 1 episodes' in done.out


# ---------------------------------------------------------------- what goes wrong on the way

MENDED = 'what was saved before is kept; once it is mended, resume with: python ddpg.py --resume h'
FIRST, LATER = f', in the first episode; {MENDED}', f', after episode 0; {MENDED}'
ERROR = 'the error above ended the run'
RAISES, EXITS, NAN = (f'--env {OURS}{name}-v0' for name in ('Raises', 'Exits', 'NanReward'))
WRONG = {  # a line of the lesson, what it is changed to; options, the error, and the line after it
    'a loss': ('self.target_q = R', 'self.target_q = g', JOINTS, "NameError: name 'g' is not",
               f'{ERROR}; nothing was written'),
    'a loop': ('ep_reward += r', 'ep_reward += q', JOINTS, "NameError: name 'q' is not",
               f'{ERROR}{FIRST}'),
    'a return': ('Episode(i, ep_reward', 'Episode(i, np.nan', JOINTS, '',
                 'train gave the return nan and var 3.0, which must be finite, in the first'),
    'a memory': ('r / REWARD_SCALE, s_', '-np.inf, s_', f'--episodes 2 {JOINTS}', '',
                 'memory:data is not finite any more, after episode 1; that cannot be resumed'),
    'divergence': ('', '', '--set MEMORY_CAPACITY=200 LR_C=1e30 LR_A=1e30', '',
                   "the actor's output became [nan], after episode 0; that cannot be resumed: "
                   'train anew with smaller LR_A and LR_C'),
    'too little memory': ('yield Episode', 'raise MemoryError; yield Episode', JOINTS, '',
                          'not enough memory (); MEMORY_CAPACITY, BATCH_SIZE and HIDDEN_UNITS '
                          f'decide how much is needed{FIRST}'),
    'a reward': ('', '', NAN, '',
                 f'the environment gave the reward nan, not one finite number{LATER}ere {NAN}'),
    'an environment': ('', '', RAISES, 'came off', f'{ERROR}{LATER}ere {RAISES}'),
    'its exit': ('', '', EXITS, 'SystemExit: 0', f'{ERROR}{LATER}ere {EXITS}'),
}  # fmt: skip


@pytest.mark.parametrize('what', WRONG)
def test_a_mistake_keeps_its_traceback_and_every_end_has_a_line_that_helps(tmp_path, what):
    old, new, words, error, says = WRONG[what]
    program = edited(tmp_path, {old: new} if old else {})
    done = Forks(program, tmp_path).run(f'--run here {words}')
    assert done.returncode == 1
    *trace, line = done.err.splitlines()
    assert line.startswith(f'ddpg.py: {says}')
    if error:
        assert trace[0].startswith('Traceback') and trace[-1].startswith(error), trace
    else:
        assert trace == []


def test_a_memory_that_no_checkpoint_can_keep_is_told_before_anything_is_written(tmp_path):
    end = '    return sess, actor, critic, M\n'
    program = edited(tmp_path, {end: f'    M.seen = []\n{end}'})
    line = line_of(Forks(program, tmp_path).run('--run here'), 2)
    assert 'the memory has a list, seen: make it an array or a number' in line
    assert not (tmp_path / 'here').exists()


def test_a_closed_output_costs_nothing_of_what_was_trained(forks, tmp_path):
    """What the terminal or the pipe could not show is saved."""
    done = forks.run(f'--run here --episodes 15 {JOINTS} {SMALL}', out='/dev/full')
    assert 'the output could not be written' in done.err
    with np.load(str(tmp_path / 'here' / 'checkpoint.npz')) as arrays:
        assert arrays['run:episode'] == len(rows(tmp_path / 'here')) == 1


def test_a_run_closes_its_environment_whatever_ends_it(forks, tmp_path):
    own = tmp_path / 'own.py'
    own.write_text(
        'import ddpg, sys\n'
        'from lab.program import run_program\n'
        'from tests.helpers.environments import Joints\n'
        'Joints.close = lambda env: print("closed")\n'
        'run_program(ddpg.__file__, sys.argv[1:])\n'
    )
    for env, code in ((JOINTS, 0), (RAISES, 1)):
        done = Forks(own, tmp_path).run(f'--episodes 2 --quiet {env}')
        assert done.returncode == code and done.out.count('closed') == 1, done


def test_lines_are_printed_as_they_come(forks):
    """This environment ends the process in the second episode, as a power cut would."""
    done = forks.run(f'--run here --env {OURS}Kills-v0')
    assert done.returncode == -signal.SIGKILL
    assert re.match(r'Episode: 0  Reward: -\d+  Explore: 3.00\n$', done.out)


def test_a_full_disk_keeps_whole_rows_and_says_so(forks, tmp_path):
    """A limit on a file's size stands for the disk."""
    words = f'--episodes 25 --quiet {JOINTS} {SMALL} --run'
    assert forks.run(f'{words} one').returncode == 0
    (events,) = (tmp_path / 'one').glob('events.*')
    done = forks.run(f'{words} here', file_size=events.stat().st_size - 500)
    says = r'could not be written \(.*File too large\), after episode \d+; mend that'
    assert done.returncode == 1 and re.search(says, done.err.splitlines()[-1]), done.err
    assert rewards(tmp_path / 'here').endswith(b'\n')
    assert rewards(tmp_path / 'one').startswith(rewards(tmp_path / 'here'))
    assert not list((tmp_path / 'here').glob('*.part'))
    assert forks.run(f'--resume here {JOINTS}').returncode == 0
    assert rewards(tmp_path / 'one') == rewards(tmp_path / 'here')


@pytest.mark.parametrize('words, says', [
    ('--help', ''), (f'--run here {JOINTS}', ', after episode 0; mend that, then resume with: '),
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
