"""compare.py and comparison/: versions, the sweep, the folder, the program as a user runs it."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import gym
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from comparison import sweep
from comparison.results import Results
from comparison.versions import VERSIONS, building, columns, spoil
from support import settings
from support.agent import Agent
from support.messages import BadInput
from tests.helpers import jobs
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, line_of

SMALL = ['--seeds', '1', '--episodes', '2', '--set', 'MAX_EP_STEPS=20', 'MEMORY_CAPACITY=20']


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def compare(here):
    forks = Forks(PROJECT / 'compare.py', here)
    yield forks
    forks.close()


# ---------------------------------------------------------------- what is compared


def test_columns_are_versions_with_each_combination():
    found = columns(['soft', 'hard'], ['VAR=2'], ['GAMMA=0.8,0.9', 'HIDDEN_UNITS=10,20'])
    assert len(found) == 8
    assert found[1].label == 'original, soft, GAMMA=0.8, HIDDEN_UNITS=20'
    assert found[1].words == ('VAR=2', 'GAMMA=0.8', 'HIDDEN_UNITS=20')
    assert [c.label for c in columns(['soft'], [], ['tau=0.1,1'])] == ['tau=0.1', 'tau=1']
    assert [c.label for c in columns(['averages'], [], [])] == ['moving averages']


@pytest.mark.parametrize('word', ['GAMMA', 'GAMMA=', 'GAMMA=1,,2', 'GAMMA=2', 'GAMMA=1,1', 'X=1'])
def test_what_cannot_be_varied_is_refused(word):
    with pytest.raises(BadInput):
        columns(['soft'], [], [word])


def agent_of(version):
    _, lesson, replacement, faults = VERSIONS[version]
    with building(faults):
        agent = Agent(lesson, gym.make('Pendulum-v0').env, replacement, 1)
    spoil(agent, faults)
    return agent


@pytest.mark.parametrize(
    'version, moves_actor, copies',
    [
        ('soft', False, True),
        ('no-var-list', True, True),
        ('random-targets', False, False),
        ('as-printed', True, False),
    ],
)
def test_each_wrong_version_has_its_fault_and_no_other(version, moves_actor, copies):
    agent = agent_of(version)
    _, actor, critic, _ = agent.train.args
    values = agent.sess.run([critic.e_params, critic.t_params, actor.e_params, actor.t_params])
    same = [np.array_equal(e, t) for i in (0, 2) for e, t in zip(values[i], values[i + 1])]
    weights = [same[0], same[5]]  # biases are alike in any case
    assert weights == [copies, copies]
    random = np.random.RandomState(0)
    critic.learn(*(random.normal(size=(32, width)) for width in (3, 1, 1, 3)))
    after = agent.sess.run(actor.e_params)
    assert any((a != b).any() for a, b in zip(after, values[2])) == moves_actor
    assert tf.train.Optimizer.minimize.__name__ == 'minimize'  # nothing stays patched


def test_without_replay_a_batch_is_the_newest_rows():
    _, lesson, replacement, faults = VERSIONS['no-replay']
    with settings.applied(lesson, {'MEMORY_CAPACITY': 10}):
        agent = Agent(lesson, gym.make('Pendulum-v0').env, replacement, 1)
    spoil(agent, faults)
    for number in range(12):
        agent.memory.store_transition(np.full(3, number), [0], 0, np.zeros(3))
    assert agent.memory.sample(4)[:, 0].tolist() == [8, 9, 10, 11]


# ---------------------------------------------------------------- the sweep


def ends(function):
    return sorted(sweep.run(function, [(number,) for number in range(6)]), key=lambda end: end[0])


def test_every_job_gives_its_result():
    assert ends(jobs.square) == [((n,), n * n, None) for n in range(6)]


def test_a_job_that_fails_is_named_with_its_reason_and_the_others_continue():
    expected = [((n,), n * n, None) for n in range(6)]
    expected[2] = ((2,), None, 'ValueError: two is refused')
    assert ends(jobs.square_but_not_of_two) == expected


def test_a_worker_that_dies_ends_the_sweep_without_an_error():
    found = ends(jobs.square_but_two_kills_its_worker)
    assert (2,) not in [job for job, _, _ in found]
    assert all(result == job[0] ** 2 for job, result, _ in found)
    assert ends(jobs.square)[5] == ((5,), 25, None)  # and the next one works


def test_ray_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(BadInput, match=r'pip install ray$'):
        sweep.connect('ray')


# ---------------------------------------------------------------- the folder


def test_what_was_added_is_read_again(here):
    first, rows = Results('.'), [(0, -1000.0, 3.0), (1, -900.5, 2.5)]
    first.add('original, soft', 2, rows, -200.0, 0.0, 3.5)
    first.add('simplified', 1, rows, -300.0, None, 4.5)
    assert Results('.').runs == first.runs
    assert list(Results('.').of('simplified')) == [1]
    with open('episodes.csv', 'a') as file:  # of a run that was not finished
        file.write('soft,2,0,-1.0,3.0\n')
    assert Results('.').runs == first.runs


@pytest.mark.parametrize('damage', ['', 'no,such,header\n', 'column,seed,last,best,seconds\nx,1\n'])
def test_a_damaged_table_is_refused(here, damage):
    Results('.').add('soft', 1, [(0, -1.0, 3.0)], -1.0, None, 1.0)
    with open('runs.csv', 'w') as file:
        file.write(damage)
    with pytest.raises(BadInput, match='cannot be used .*--run'):
        Results('.')


# ---------------------------------------------------------------- the program


def runs(path):
    with open(os.path.join(str(path), 'runs.csv'), newline='') as file:
        return {(row['column'], int(row['seed'])) for row in csv.DictReader(file)}


def test_a_small_comparison_is_resumed_and_its_numbers_are_those_of_the_program(compare, here):
    done = compare.run(*SMALL, '--run', 'here')
    assert done.returncode == 0, done.err
    labels = 'original, soft | original, hard | simplified | moving averages'
    assert f'|  | {labels} |' in done.out
    assert runs('here') == {(label, 1) for label in labels.split(' | ')}
    assert (here / 'here' / 'compare.png').read_bytes().startswith(b'\x89PNG')
    assert (here / 'here' / 'compare.md').read_text().strip() in done.out

    words = ['--seeds', '1-2', '--versions', 'soft', *SMALL[2:], '--run', 'here']
    done = compare.run(*words)
    assert '1 runs to train, 4 are there already' in done.out

    lesson = Forks(PROJECT / 'ddpg.py', here)
    assert lesson.run(*SMALL[2:], '--run', 'alone').returncode == 0
    lesson.close()
    alone = (here / 'alone' / 'rewards.csv').read_text().splitlines()[1:]
    lines = (here / 'here' / 'episodes.csv').read_text().splitlines()
    assert [f'"original, soft",1,{line}' for line in alone] == [
        line for line in lines if line.startswith('"original, soft",1,')
    ]

    line = line_of(compare.run(*words, '--episodes', '3'), 2, 'compare.py')
    assert 'here holds a comparison with other episodes' in line


def test_numbers_are_varied(compare, here):
    words = ['--versions', 'soft', '--vary', 'HIDDEN_UNITS=5,10', '--run', 'here']
    done = compare.run(*SMALL, *words)
    assert done.returncode == 0, done.err
    assert '|  | HIDDEN_UNITS=5 | HIDDEN_UNITS=10 |' in done.out
    assert json.loads((here / 'here' / 'compare.json').read_text())['episodes'] == 2


@pytest.mark.parametrize(
    'words, says',
    [
        ('--seeds 5-1', "needs seeds like '1-5'"),
        ('--versions soft,soft', 'needs some of soft,hard,simplified,averages'),
        ('--env CartPole-v0', 'takes the actions Discrete(2)'),
        ('--vary HIDDEN_UNITS=30,3.5', 'HIDDEN_UNITS must be a whole number'),
        ('--backend ray --address 127.0.0.1:1', '--backend ray'),
        ('--run ', 'needs a name'),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(compare, here, words, says):
    assert says in line_of(compare.run(*words.split(' ')), 2, 'compare.py')
    assert not (here / 'runs').exists()


def test_a_failing_run_is_named_and_the_others_are_kept(compare, here):
    words = ['--seeds', '1-3', *SMALL[2:], '--env', OURS + 'RaisesForSeed2-v0']
    done = compare.run(*words, '--versions', 'soft', '--run', 'here')
    assert runs('here') == {('original, soft', 1), ('original, soft', 3)}
    assert re.match(
        r'compare\.py: 1 missing: original, soft with seed 2 \(RunFailed: the environment failed '
        r'with ValueError: seed 2.+\); what finished is in here; resume with the same command and '
        r'--run here\n$',
        done.err,
    ), done.err
    assert done.returncode == 1


def test_a_comparison_has_one_writer(compare, here):
    import filelock

    assert compare.run(*SMALL, '--versions', 'soft', '--run', 'here').returncode == 0
    with filelock.FileLock(str(here / 'here' / '.lock')):
        done = compare.run(*SMALL, '--versions', 'soft', '--run', 'here')
    assert 'another process is writing in here' in line_of(done, 2, 'compare.py')


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def workers_of(pid):
    listing = subprocess.run(['ps', '-eo', 'pid=,ppid='], stdout=subprocess.PIPE).stdout.decode()
    return [int(p) for p, parent in map(str.split, listing.splitlines()) if int(parent) == pid]


@pytest.mark.skipif(not shutil.which('ps'), reason='needs ps')
@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP'])
def test_a_signal_keeps_what_finished_and_leaves_no_worker(here, name):
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / 'compare.py'), *SMALL[2:], '--seeds', '1-500', '--run', 'x'],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    process.stdout.readline()
    while not os.path.exists('x/runs.csv') and process.poll() is None:
        pass
    workers = workers_of(process.pid)
    signum = getattr(signal, name)
    process.send_signal(signum)
    _, err = process.communicate()
    assert process.returncode == 128 + signum
    resume = 'resume with the same command and --run x'
    assert err == f'compare.py: stopped; what finished is in x; {resume}\n'
    assert workers and runs('x')
    deadline = time.monotonic() + 60
    while any(map(alive, workers)):
        assert time.monotonic() < deadline


def test_a_ray_cluster_gives_the_same_rewards(here):
    cluster_utils = pytest.importorskip('ray.cluster_utils')
    words = [sys.executable, str(PROJECT / 'compare.py'), *SMALL, '--versions', 'soft,simplified']
    assert subprocess.run([*words, '--run', 'here']).returncode == 0
    node = {'num_cpus': 1, 'include_dashboard': False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.wait_for_nodes()
        there = ['--run', 'there', '--backend', 'ray', '--address', cluster.address]
        assert subprocess.run([*words, *there]).returncode == 0
    finally:
        cluster.shutdown()
    tables = [(here / run / 'episodes.csv').read_text() for run in ('here', 'there')]
    assert sorted(tables[0].splitlines()) == sorted(tables[1].splitlines())
