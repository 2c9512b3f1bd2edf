"""compare.py and comparison/: versions, the sweep, the folder, the program as a user runs it."""

import csv
import re
import signal
import subprocess
import sys

import filelock
import gym
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import ddpg
from comparison import sweep
from comparison.results import Results
from comparison.versions import VERSIONS, building, columns, spoil
from support import settings
from support.agent import Agent
from support.messages import BadInput
from tests.helpers import jobs
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, line_of

SMALL = '--episodes 2 --set MAX_EP_STEPS=20 MEMORY_CAPACITY=20'


@pytest.fixture
def compare(tmp_path):
    return Forks(PROJECT / 'compare.py', tmp_path)


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


@pytest.mark.parametrize('version, moves_actor, copies', [
    ('soft', False, True),
    ('no-var-list', True, True),
    ('random-targets', False, False),
    ('as-printed', True, False),
])  # fmt: skip
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
    with settings.applied(ddpg, {'MEMORY_CAPACITY': 10}):
        agent = agent_of('no-replay')
    for number in range(12):
        agent.memory.store_transition(np.full(3, number), [0], 0, np.zeros(3))
    assert agent.memory.sample(4)[:, 0].tolist() == [8, 9, 10, 11]


# ---------------------------------------------------------------- the sweep


RIGHT = {(n,): ((n,), n * n, None) for n in range(6)}


def ends(function):
    return {end[0]: end for end in sweep.run(function, list(RIGHT))}


def test_a_job_that_fails_is_named_with_its_reason_and_the_others_continue():
    refused = (2,), None, 'ValueError: two is refused'
    assert ends(jobs.square_but_not_of_two) == {**RIGHT, (2,): refused}


def test_a_worker_that_dies_ends_the_sweep_without_an_error():
    found = ends(jobs.square_but_two_kills_its_worker)
    assert (2,) not in found and found.items() <= RIGHT.items()
    assert ends(jobs.square) == RIGHT  # and the next one works


def test_ray_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(BadInput, match=r'pip install ray$'):
        sweep.connect('ray')


# ---------------------------------------------------------------- the folder


def test_what_was_added_is_read_again_but_for_a_run_that_was_not_finished(tmp_path):
    first, rows = Results(str(tmp_path)), [(0, -1000.0, 3.0), (1, -900.5, 2.5)]
    first.add('original, soft', 2, rows, -200.0, 0.0, 3.5)
    first.add('simplified', 1, rows, -300.0, None, 4.5)
    with open(str(tmp_path / 'episodes.csv'), 'a') as file:
        file.write('soft,2,0,-1.0,3.0\n')
    again = Results(str(tmp_path))
    assert again.runs == first.runs
    assert list(again.of('simplified')) == [1]


# ---------------------------------------------------------------- the program


def runs(folder):
    """Return the (column, seed) of the rows of runs.csv."""
    return [tuple(row[:2]) for row in csv.reader((folder / 'runs.csv').open(newline=''))][1:]


def test_a_small_comparison_is_resumed_and_its_numbers_are_those_of_the_program(compare, tmp_path):
    here, there = tmp_path / 'here', f'{SMALL} --run here'
    done = compare.run(f'--seeds 1 {there}')
    assert done.returncode == 0, done.err
    labels = 'original, soft | original, hard | simplified | moving averages'
    assert f'|  | {labels} |' in done.out
    assert set(runs(here)) == {(label, '1') for label in labels.split(' | ')}
    assert (here / 'compare.png').read_bytes().startswith(b'\x89PNG')
    assert (here / 'compare.md').read_text().strip() in done.out

    done = compare.run(f'--seeds 1-2 --versions soft {there}')
    assert '1 runs to train, 4 are there already' in done.out
    assert Forks(PROJECT / 'ddpg.py', tmp_path).run(f'{SMALL} --run alone').returncode == 0
    alone = (tmp_path / 'alone' / 'rewards.csv').read_text().splitlines()[1:]
    lines = (here / 'episodes.csv').read_text().splitlines()
    ours = [line for line in lines if line.startswith('"original, soft",1,')]
    assert ours == [f'"original, soft",1,{line}' for line in alone]

    line = line_of(compare.run(f'{there} --episodes 3'), 2, 'compare.py')
    assert 'here holds a comparison with other episodes' in line
    with filelock.FileLock(str(here / '.lock')):
        line = line_of(compare.run(there), 2, 'compare.py')
    assert 'another process is writing in here' in line


@pytest.mark.parametrize('words, says', [
    ('--seeds 5-1', "needs seeds like '1-5'"),
    ('--versions soft,soft', 'needs some of soft,hard,simplified,averages'),
    ('--env CartPole-v0', 'takes the actions Discrete(2)'),
    ('--vary HIDDEN_UNITS=30,3.5', 'HIDDEN_UNITS must be a whole number'),
    ('--backend ray --address 127.0.0.1:1', '--backend ray'),
])  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(compare, tmp_path, words, says):
    assert says in line_of(compare.run(words), 2, 'compare.py')
    assert not (tmp_path / 'runs').exists()


VARIED = f'{SMALL} --versions soft --run here --seeds 1-2 --vary HIDDEN_UNITS'


def test_a_run_that_fails_is_named_and_the_others_are_kept_and_varied(compare, tmp_path):
    done = compare.run(f'{VARIED}=5,10 --env {OURS}RaisesForSeed2-v0')
    assert set(runs(tmp_path / 'here')) == {('HIDDEN_UNITS=5', '1'), ('HIDDEN_UNITS=10', '1')}
    assert '|  | HIDDEN_UNITS=5 | HIDDEN_UNITS=10 |' in done.out
    reason = r'HIDDEN_UNITS=\d+ with seed 2 \(RunFailed: the environment failed with ValueError.+\)'
    resume = 'what finished is in here; resume with the same command and --run here'
    assert re.match(rf'compare\.py: 2 missing: {reason}; {reason}; {resume}\n$', done.err), done.err
    assert done.returncode == 1


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP'])
def test_a_signal_keeps_what_finished_and_leaves_no_worker(compare, tmp_path, monkeypatch, name):
    """The worker that trains with seed 2 sends it, once the run with seed 1 has finished."""
    monkeypatch.setenv('STOP', f'{name} {tmp_path / "here"}')
    done = compare.run(f'{VARIED}=5 --env {OURS}StopsForSeed2-v0')
    resume = 'what finished is in here; resume with the same command and --run here'
    assert done.err == f'compare.py: stopped; {resume}\n'
    assert done.returncode == 128 + getattr(signal, name)
    assert runs(tmp_path / 'here') == [('HIDDEN_UNITS=5', '1')]
    filelock.FileLock(str(tmp_path / 'here' / 'worker')).acquire(timeout=60)  # the worker held it


def test_a_ray_cluster_gives_the_same_rewards(tmp_path):
    cluster_utils = pytest.importorskip('ray.cluster_utils')
    program = f'{sys.executable} {PROJECT / "compare.py"} --seeds 1 {SMALL} --versions'
    words = [*program.split(), 'soft,simplified', '--run']
    assert subprocess.run([*words, 'here'], cwd=str(tmp_path)).returncode == 0
    node = {'num_cpus': 1, 'include_dashboard': False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.wait_for_nodes()
        there = ['there', '--backend', 'ray', '--address', cluster.address]
        assert subprocess.run([*words, *there], cwd=str(tmp_path)).returncode == 0
    finally:
        cluster.shutdown()
    tables = [(tmp_path / run / 'episodes.csv').read_text() for run in ('here', 'there')]
    assert sorted(tables[0].splitlines()) == sorted(tables[1].splitlines())
