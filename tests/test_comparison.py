"""compare.py, lab/job.py, lab/sweep.py and lab/results.py, and the program as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys

import filelock
import pytest

import compare
import memory
from lab import folder, job, sweep
from lab.job import Version, make_columns
from lab.messages import UsageError
from lab.results import Results
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, edited, line_of, rows

NUMBERS = ['MAX_EP_STEPS=20', 'MEMORY_CAPACITY=20']
TALKS = 'tests.helpers.incidents:TalksAndDiesWithSeed2-v0'
SMALL = f'--episodes 2 --set {" ".join(NUMBERS)}'


@pytest.fixture
def program(tmp_path):
    return Forks(PROJECT / 'compare.py', tmp_path)


def columns(names, *args, **how):
    return make_columns(compare.versions(names), *args, **how)


# ---------------------------------------------------------------- what is compared


def test_columns_are_versions_with_each_combination_and_no_two_are_the_same(tmp_path):
    found = columns('soft,hard', ['VAR=2'], ['GAMMA=0.8,0.9', 'HIDDEN_UNITS=10,20'])
    assert len(found) == 8
    assert found[1].label == 'original, soft, GAMMA=0.8, HIDDEN_UNITS=20'
    assert (found[1].numbers['VAR'], found[1].numbers['HIDDEN_UNITS']) == (2, 20)
    assert {c.replacement['name'] for c in found[:4]} == {'soft'}
    assert {c.replacement['name'] for c in found[4:]} == {'hard'}
    assert [c.label for c in columns('soft', [], ['tau=0.1,1'])] == ['tau=0.1', 'tau=1']
    with pytest.raises(UsageError, match='original, soft and original, soft are the same'):
        columns('soft,hard,soft')
    mine = Version('original, soft', edited(tmp_path, {'= 0.9998': '= 0.9997'}), None)
    with pytest.raises(UsageError, match='two versions are called original, soft'):
        make_columns([*compare.versions('soft'), mine])


def test_all_that_makes_a_run_makes_its_key(tmp_path, monkeypatch):
    mine = edited(tmp_path, {})
    edited(tmp_path, {}, 'memory.py')

    def key(way=None, **how):
        return make_columns([Version('mine', mine, way)], **how)[0].key

    before = key()
    assert key(words=['MAX_EPISODES=7']) == key(episodes=7)
    assert key(words=['GAMMA=0.90']) == before == key(way='soft')
    found = [
        key(words=['MAX_EPISODES=3']),
        key(words=['GAMMA=0.8']),
        key(words=['tau=0.02']),
        key(way='hard'),
        key(env=f'{OURS}ThreeJoints-v0'),
    ]
    with monkeypatch.context() as patched:
        patched.setattr(folder, 'versions', lambda: dict(python='3.99'))
        found.append(key())
    edited(tmp_path, {'size=n)': 'size=n )'}, 'memory.py')
    found.append(key())
    edited(tmp_path, {'VAR = 3.0  #': 'VAR = 3.0 #'})
    found.append(key())
    assert before not in found and len(set(found)) == 8


def test_a_file_that_changes_after_the_start_is_not_trained(tmp_path):
    mine = edited(tmp_path, {})
    (column,) = make_columns([Version('mine', mine, None)], NUMBERS, episodes=1)
    edited(tmp_path, {'VAR = 3.0': 'VAR = 2.0'})
    with pytest.raises(UsageError, match='are not those of the start'):
        job.train(column, 1)


def test_a_lesson_has_what_lies_beside_it_and_the_next_one_has_its_own(tmp_path):
    newest = {'np.random.randint(self.capacity, size=n)': 'np.arange(n) % self.capacity'}
    edited(tmp_path, newest, 'memory.py')
    (tmp_path / 'mine.py').write_text('UNITS = 7\n')
    changed = {'HIDDEN_UNITS = 30': 'from mine import UNITS\nHIDDEN_UNITS = 3 + UNITS'}
    mine = Version('mine', edited(tmp_path, changed), None)
    (own,) = columns('soft', [*NUMBERS, 'HIDDEN_UNITS=10'], episodes=4)
    (other,) = make_columns([mine], NUMBERS, episodes=4)
    first, theirs, again = (job.train(column, 1).rewards for column in (own, other, own))
    assert first == again
    assert first[0] == theirs[0] and first[3] != theirs[3]  # it learns from other rows
    assert sys.modules['memory'] is memory
    assert 'mine' not in sys.modules and str(tmp_path) not in sys.path


def test_ray_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(UsageError, match=r'pip install ray$'):
        sweep.connect('ray')


# ---------------------------------------------------------------- the folder


def test_runs_are_only_appended_and_a_line_that_is_torn_is_trained_again(tmp_path):
    """A power cut tears the last line."""
    one, other = columns('soft,simplified')
    run = job.Result([-1000.0, -900.5], [3.0, 2.5], -200.25, None, 3.5)
    done, path = Results(str(tmp_path)), tmp_path / 'runs.jsonl'
    done.add(one, 2, run)
    before = path.read_bytes()
    done.add(other, 1, run._replace(kept=0.0))
    assert path.read_bytes().startswith(before)
    assert Results(str(tmp_path)).of(other) == {1: run._replace(kept=0.0)}
    path.write_bytes(path.read_bytes()[:-4])
    again = Results(str(tmp_path))
    assert (again.of(one), again.of(other)) == ({2: run}, {})
    again.add(other, 1, run._replace(kept=0.0))
    assert Results(str(tmp_path)).runs == done.runs


@pytest.mark.parametrize('name', ['runs.jsonl', 'compare.json'])
def test_a_folder_that_cannot_be_read_is_refused(tmp_path, name):
    (tmp_path / name).write_text('[1]')
    with pytest.raises(UsageError, match='cannot be used .*: name another with --run'):
        Results(str(tmp_path))


# ---------------------------------------------------------------- the program


def runs(folder):
    """Return {(column, seed): what a line of runs.jsonl says}."""
    found = map(json.loads, (folder / 'runs.jsonl').read_text().splitlines())
    return {(run['column'], run['seed']): run for run in found}


def test_a_small_comparison_is_resumed_and_its_rows_are_those_of_the_program(program, tmp_path):
    here, there = tmp_path / 'here', f'{SMALL} --run here'
    done = program.run(f'--seeds 1 {there}')
    assert done.returncode == 0, done.err
    labels = 'original, soft | original, hard | simplified | moving averages'
    assert f'|  | {labels} |' in done.out
    assert set(runs(here)) == {(label, 1) for label in labels.split(' | ')}
    assert (here / 'compare.png').read_bytes().startswith(b'\x89PNG')
    assert (here / 'compare.md').read_text() in done.out

    done = program.run(f'--seeds 1-2 --versions soft {there}')
    assert '1 runs to train, 1 are there already' in done.out
    assert len(runs(here)) == 5
    alone = Forks(PROJECT / 'ddpg.py', tmp_path).run(f'{SMALL} --run alone --seed 2')
    assert alone.returncode == 0, alone.err
    rewards = [float(row['reward']) for row in rows(tmp_path / 'alone')]
    assert runs(here)['original, soft', 2]['rewards'] == rewards and len(rewards) == 2

    with filelock.FileLock(str(here / '.lock')):
        line = line_of(program.run(there), 2, 'compare.py')
    assert 'another process is writing in' in line


VARIED = f'{SMALL} --versions soft --run here --seeds 1-2 --vary HIDDEN_UNITS'
RESUME = 'what finished is in {0}; resume with the same command and --run {0}'


@pytest.mark.parametrize('env, reason', [
    (f'{OURS}RaisesForSeed2-v0', r'ValueError: the joint came off \(environments.py, line \d+\)'),
    (TALKS, r'its process died \(SIGKILL\)'),
])  # fmt: skip
def test_a_run_that_fails_is_named_and_the_others_are_kept(program, tmp_path, env, reason):
    done = program.run(f'{VARIED}=5,10 --env {env}')
    assert set(runs(tmp_path / 'here')) == {('HIDDEN_UNITS=5', 1), ('HIDDEN_UNITS=10', 1)}
    assert '|  | HIDDEN_UNITS=5 | HIDDEN_UNITS=10 |' in done.out
    *lines, last = done.err.splitlines()
    failed = sorted(line for line in lines if 'failed' in line)
    assert len(failed) == 2
    for line, units in zip(failed, (10, 5)):
        assert re.match(rf'HIDDEN_UNITS={units} with seed 2 failed: {reason}$', line), line
    resume = RESUME.format(tmp_path / 'here')
    assert last == f'compare.py: 2 of 4 runs failed (see above); {resume}'
    assert done.returncode == 1


@pytest.mark.parametrize('name, code', [('SIGINT', 130), ('SIGKILL', -signal.SIGKILL)])
def test_an_end_keeps_what_finished_and_leaves_no_worker(
    program, tmp_path, monkeypatch, name, code
):
    """The worker that trains with seed 2 brings it, once the run with seed 1 has finished."""
    path = tmp_path / 'here'
    monkeypatch.setenv('STOP', f'{name} {path}')
    done = program.run(f'{VARIED}=5 --env {OURS}StopsForSeed2-v0')
    assert done.returncode == code and 'Traceback' not in done.err
    if name == 'SIGINT':
        assert done.err.splitlines()[-1] == f'compare.py: stopped; {RESUME.format(path)}'
    assert list(runs(path)) == [('HIDDEN_UNITS=5', 1)]
    filelock.FileLock(str(path / 'worker')).acquire(timeout=60)  # the worker held it


def test_a_full_disk_is_one_line_and_the_comparison_is_resumed(program, tmp_path):
    """Also where the environment changes the current folder, and the lesson is a copy."""
    edited(tmp_path, {})
    words = f'{SMALL} --versions ddpg.py --run here --seeds 1-2 --episodes 15 --env {OURS}Moves-v0'
    done = program.run(words, file_size=1200)
    assert 'runs.jsonl could not be written (File too large)' in done.err.splitlines()[-1]
    assert 'resume with the same command' in done.err and done.returncode == 1
    done = program.run(words)
    assert done.returncode == 0 and '1 runs to train, 1 are there already' in done.out, done.err
    every = Results(str(tmp_path / 'here')).runs.values()
    assert [len(run.rewards) for run in every] == [15, 15]


def test_it_trains_on_one_core_in_a_folder_that_is_gone_with_nowhere_to_print_to(tmp_path):
    """In a process as a user starts it: no terminal, no temporary folder, no other core."""
    gone, here = tmp_path / 'gone', tmp_path / 'here'
    gone.mkdir()
    words = f'{sys.executable} {PROJECT / "compare.py"} {SMALL} --versions soft --seeds 1-2'
    core = min(os.sched_getaffinity(0))
    first = f'cd {gone} && rmdir {gone} && exec taskset -c {core} {words} --run {here} >&- <&-'
    environ = dict(os.environ, TMPDIR='/no/folder', JOBLIB_MULTIPROCESSING='0')
    done = subprocess.run(['bash', '-c', first], env=environ, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    assert sorted(runs(here)) == [('original, soft', 1), ('original, soft', 2)]


def test_a_ray_cluster_gives_the_same_rewards_and_names_a_killed_job(program, tmp_path):
    cluster_utils = pytest.importorskip('ray.cluster_utils')
    node = {'num_cpus': 1, 'include_dashboard': False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        words = f'--seeds 1-2 {SMALL} --versions soft --env {TALKS} --run here --backend ray'
        done = program.run(f'{words} --address {cluster.address}')
    finally:
        cluster.shutdown()
    assert 'original, soft with seed 2 failed: WorkerCrashedError: ' in done.err
    (column,) = columns('soft', NUMBERS, env=TALKS, episodes=2)
    ((key, run),) = runs(tmp_path / 'here').items()
    assert key == ('original, soft', 1) and run['rewards'] == job.train(column, 1).rewards
