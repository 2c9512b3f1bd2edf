"""compare.py: its numbers, its folder, and the program as a user runs it."""

import csv
import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import compare
import ddpg
import ddpg_update
import gym
import numpy as np
import pytest

from experiment.comparison import Comparison
from experiment.errors import BadInput
from experiment.evaluate import greedy_returns
from experiment.options import seeds
from experiment.source import lines_of_code

PROJECT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# ---------------------------------------------------------------- the numbers


@pytest.mark.parametrize(
    'text, expected',
    [('1-5', [1, 2, 3, 4, 5]), ('3', [3]), ('7-9,1,4', [1, 4, 7, 8, 9]), ('2,2', [2])],
)
def test_seeds(text, expected):
    assert seeds(text) == expected


@pytest.mark.parametrize('text', ['', 'x', '5-1', '1-', '-3', '1,,2', '1-4294967296'])
def test_seeds_that_are_none(text):
    with pytest.raises(Exception, match='needs seeds like'):
        seeds(text)


@pytest.mark.parametrize(
    'rewards, expected',
    [
        ([-1000.0] * 20 + [-200.0] * 30, 20 + 9),  # 9 good ones among 10: mean -280
        ([-200.0] * 30, 10),
        ([-300.0] * 30, np.nan),
        ([-200.0] * 9, np.nan),
    ],
)
def test_episodes_until_good(rewards, expected):
    assert compare.first_good(np.array(rewards)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    'heads, tosses, p', [(5, 10, 1), (9, 10, 22 / 1024), (0, 4, 1 / 8), (0, 0, 1)]
)
def test_coin(heads, tosses, p):
    assert compare.coin(heads, tosses) == pytest.approx(p)


def test_verdicts_count_seeds_of_both_versions():
    done = Comparison('.')
    good = [(i, -100.0, 3.0) for i in range(20)]
    late = [(i, -1000.0 if i < 5 else -100.0, 3.0) for i in range(20)]
    never = [(i, -1000.0, 3.0) for i in range(20)]
    for seed, rows in ((1, good), (2, late), (3, never)):
        done.add('soft', seed, late, (-200.0, -150.0, 1.0, None))
        done.add('simplified', seed, rows, (-100.0 * seed, -149.0, 1.0, None))
    done.add('simplified', 4, good, (0.0, 0.0, 1.0, None))
    line = compare.verdicts(done, ['soft', 'simplified']).splitlines()[0]
    assert line == (
        '- simplified against original, soft, of 3 seeds: better at the end with 1, not with 1 '
        '(p = 1.00); a better best policy with 3, not with 0 (p = 0.25); '
        'good sooner with 1, not with 1 (p = 1.00)'
    )
    assert compare.verdicts(done, ['soft']) == ''


def test_lines_of_code_leave_out_blanks_comments_and_docstrings():
    code = '''
        """Docstring,
        of two lines."""
        # a comment

        import os  # counts


        def f(x):
            """Docstring."""
            text = """a string,
            no docstring"""
            return (x,
                    # inside
                    text)


        class A:
            "Docstring."
        '''
    Path('code.py').write_text(textwrap.dedent(code))
    assert lines_of_code('code.py') == 7


def test_calls_of_a_learning_step():
    """Original: act, critic, actor; simplified: act, and the learning step in one."""
    assert compare.of_the_code('soft', 'Pendulum-v0')[1] == 3
    assert compare.of_the_code('hard', 'Pendulum-v0')[1] == 3
    assert compare.of_the_code('simplified', 'Pendulum-v0')[1] == 2


def test_the_simplified_version_is_shorter():
    assert lines_of_code(ddpg_update.__file__) < lines_of_code(ddpg.__file__)


def test_doing_nothing_on_pendulum_is_worth_1257_less_than_nothing():
    envs = [gym.make('Pendulum-v0') for _ in compare.STARTS]
    values = greedy_returns(envs, lambda b_s: np.zeros((len(b_s), 1)), compare.STARTS, 200)
    assert values.mean() == pytest.approx(-1257, abs=100)


# ---------------------------------------------------------------- the folder


RUN = (-200.0, -150.0, 3.5, 400.0)
ROWS = [(0, -1000.0, 3.0), (1, -900.5, 2.5)]


def test_what_was_added_is_read_again():
    first = Comparison('.')
    first.add('soft', 2, ROWS, RUN)
    first.add('simplified', 1, ROWS, (-300.0, None, 4.5, None))
    again = Comparison('.')
    assert (again.runs, again.episodes) == (first.runs, first.episodes)
    assert again.rewards('soft').tolist() == [[-1000.0, -900.5]]
    assert np.isnan(again.column('simplified', 'microseconds')).all()


def test_episodes_of_a_run_that_was_not_finished_are_left_out():
    comparison = Comparison('.')
    comparison.add('soft', 1, ROWS, RUN)
    with open('episodes.csv', 'a') as file:
        file.write('soft,2,0,-1.0,3.0\n')
    assert list(Comparison('.').episodes) == [('soft', 1)]


@pytest.mark.parametrize('damage', ['', 'no,such,header\n', 'version,seed,last,seconds\nsoft,1\n'])
def test_a_damaged_table_is_refused(damage):
    Comparison('.').add('soft', 1, ROWS, RUN)
    Path('runs.csv').write_text(damage)
    with pytest.raises(BadInput, match=r'runs.csv is damaged.*--run'):
        Comparison('.')


# ---------------------------------------------------------------- the program


def start(*words, project=PROJECT, **kwargs):
    return subprocess.Popen(
        [sys.executable, str(project / 'compare.py'), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        universal_newlines=True,
        **kwargs,
    )


def finish(process):
    process.out, process.err = process.communicate(timeout=170)
    return process


def runs(path):
    with open(os.path.join(path, 'runs.csv'), newline='') as file:
        return {(row['version'], int(row['seed'])) for row in csv.DictReader(file)}


def test_a_small_comparison_and_going_on_with_it():
    words = ('--episodes', '2', '--run', 'here')
    done = finish(start('--seeds', '1', *words))
    assert (done.returncode, done.err) == (0, '')
    assert runs('here') == {('soft', 1), ('hard', 1), ('simplified', 1)}
    before = Path('here/episodes.csv').read_text()

    done = finish(start('--seeds', '1-2', '--versions', 'simplified,soft', *words))
    assert (done.returncode, done.err) == (0, '')
    assert '2 runs in' in done.out  # what was there is not trained again
    assert runs('here') == {(v, s) for v in ('soft', 'simplified') for s in (1, 2)} | {('hard', 1)}
    assert Path('here/episodes.csv').read_text().startswith(before)

    assert Path('here/compare.md').read_text().strip() in done.out
    assert '| original, soft |' in done.out.splitlines()[0]
    assert '| runs (seeds) | 2 | 2 |' in done.out
    assert Path('here/compare.png').read_bytes().startswith(b'\x89PNG')

    # and the numbers are those of the program itself
    alone = subprocess.run(
        [sys.executable, str(PROJECT / 'ddpg.py'), '--episodes', '2', '--run', 'alone'],
        stdout=subprocess.DEVNULL,
    )
    assert alone.returncode == 0
    lines = Path('alone/rewards.csv').read_text().splitlines()[1:]
    assert [f'soft,1,{line}' for line in lines] == [
        line for line in before.splitlines() if line.startswith('soft,1,')
    ]

    done = finish(start('--episodes', '3', '--run', 'here'))
    assert done.returncode == 2
    assert re.match(r'compare\.py: here holds a comparison with other episodes: .+\n$', done.err)


@pytest.mark.parametrize(
    'words, says',
    [
        ('--seeds 5-1', "needs seeds like '1-5'"),
        ('--versions soft,soft', 'needs some of soft,hard,simplified'),
        ('--env CartPole-v0', 'takes the actions Discrete(2)'),
        ('--backend ray --address 127.0.0.1:1 --run here', '--backend ray'),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(words, says):
    done = finish(start(*words.split()))
    assert (done.returncode, done.out) == (2, '')
    assert re.match(r'compare\.py: .+\n$', done.err), done.err
    assert says in done.err
    assert not os.path.exists('runs')
    assert not os.path.exists('here')


def test_a_full_disk_keeps_what_finished_and_says_so():
    """A limit on a file's size stands for the disk; the picture is the first to reach it."""
    words = ('--episodes', '2', '--seeds', '1', '--versions', 'soft', '--run', 'here')
    done = finish(
        start(*words, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, LIMIT))
    )
    assert done.returncode == 1
    assert re.match(
        r'compare\.py: here cannot be written \(File too large\): .+ --run here\n$', done.err
    ), done.err
    assert runs('here') == {('soft', 1)}
    assert not os.path.exists('here/compare.png')


LIMIT = (10000, 10000)  # bytes


def test_a_failing_run_is_named_and_the_others_are_kept():
    env = 'tests.environments:RaisesForSeed2-v0'
    words = ('--seeds', '1-3', '--episodes', '2', '--versions', 'soft', '--run', 'here')
    done = finish(start('--env', env, *words))
    assert done.returncode == 1
    assert runs('here') == {('soft', 1), ('soft', 3)}
    assert re.match(
        r'compare\.py: 1 failed: soft with seed 2 \(RunFailed: the environment failed with '
        r'ValueError: seed 2.+\); what finished is in here; go on with: --run here\n$',
        done.err,
    ), done.err


def children(pid):
    """Return the processes that descend from `pid`."""
    listing = subprocess.run(
        ['ps', '-eo', 'pid=,ppid='], stdout=subprocess.PIPE, universal_newlines=True
    ).stdout
    parents = dict(map(int, line.split()) for line in listing.splitlines())
    found = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found - {pid}
        found |= more


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def wait_for(condition, seconds=100):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_ctrl_c_keeps_what_finished_and_leaves_no_process():
    process = start('--episodes', '2', '--seeds', '1-500', '--run', 'here')
    wait_for(lambda: os.path.exists('here/runs.csv'))
    workers = children(process.pid)
    assert workers
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.returncode == 130
    assert done.err == ('compare.py: stopped; what finished is in here; go on with: --run here\n')
    assert len(runs('here')) >= 1
    wait_for(lambda: not any(alive(pid) for pid in workers), seconds=10)


def test_a_killed_worker_costs_nothing():
    process = start('--episodes', '40', '--seeds', '1-4', '--versions', 'soft', '--run', 'here')
    wait_for(lambda: os.path.exists('here/runs.csv'))

    def busiest():
        def ticks(pid):
            try:
                with open(f'/proc/{pid}/stat') as file:
                    return int(file.read().rpartition(')')[2].split()[11])
            except OSError:
                return 0

        return max(children(process.pid), key=ticks)

    os.kill(busiest(), signal.SIGKILL)
    done = finish(process)
    assert (done.returncode, done.err) == (0, '')
    assert runs('here') == {('soft', seed) for seed in (1, 2, 3, 4)}


def test_a_ray_cluster_of_two_nodes_gives_the_same_rewards():
    cluster_utils = pytest.importorskip('ray.cluster_utils')
    words = ('--episodes', '3', '--seeds', '1-2', '--versions', 'soft,simplified')
    here = finish(start(*words, '--run', 'here'))
    assert here.returncode == 0, here.err
    node = {'num_cpus': 1, 'include_dashboard': False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        there = finish(
            start(*words, '--run', 'there', '--backend', 'ray', '--address', cluster.address)
        )
    finally:
        cluster.shutdown()
    assert there.returncode == 0, there.err
    assert sorted(Path('there/episodes.csv').read_text().splitlines()) == sorted(
        Path('here/episodes.csv').read_text().splitlines()
    )
