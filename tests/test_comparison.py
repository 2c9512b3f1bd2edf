"""compare.py, lab/job.py, lab/sweep.py and lab/results.py, and the program as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import filelock
import pytest

import compare
import memory
from lab import folder, job, sweep
from lab.job import Version, make_columns
from lab.messages import TrainingError, UsageError
from lab.results import Results
from tests.helpers import jobs
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, line_of, rows

NUMBERS = ['MAX_EP_STEPS=20', 'MEMORY_CAPACITY=20']
SMALL = f'--episodes 2 --set {" ".join(NUMBERS)}'


@pytest.fixture
def program(tmp_path):
    return Forks(PROJECT / 'compare.py', tmp_path)


def columns(names, *args, **how):
    return make_columns(compare.versions(names), *args, **how)


def edited(folder, changes, name='ddpg.py'):
    """Write a copy of the project's file `name` into `folder` with {old: new} changed."""
    text = (PROJECT / name).read_text(encoding='utf-8')
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding='utf-8')
    return str(folder / name)


# ---------------------------------------------------------------- what is compared


def test_columns_are_versions_with_each_combination():
    found = columns('soft,hard', ['VAR=2'], ['GAMMA=0.8,0.9', 'HIDDEN_UNITS=10,20'])
    assert len(found) == 8
    assert found[1].label == 'original, soft, GAMMA=0.8, HIDDEN_UNITS=20'
    assert (found[1].numbers['VAR'], found[1].numbers['HIDDEN_UNITS']) == (2, 20)
    assert {c.replacement['name'] for c in found[:4]} == {'soft'}
    assert {c.replacement['name'] for c in found[4:]} == {'hard'}
    assert [c.label for c in columns('soft', [], ['tau=0.1,1'])] == ['tau=0.1', 'tau=1']
    assert [c.label for c in columns('averages')] == ['moving averages']


@pytest.mark.parametrize('words, says', [
    (['GAMMA'], 'needs NAME=VALUE,VALUE'),
    (['GAMMA=2'], 'GAMMA = 2.0 must be a number from 0 to 1'),
    (['GAMMA=0.9,.90'], 'GAMMA=0.9 and GAMMA=.90 are the same'),
    (['GAMMA=0.8,0.7', 'GAMMA=0.9'], 'GAMMA is set twice'),
])  # fmt: skip
def test_what_cannot_be_varied_is_refused(words, says):
    with pytest.raises(UsageError, match=says):
        columns('soft', ['VAR=3'], words)


def test_two_columns_never_are_the_same_nor_look_it(tmp_path):
    with pytest.raises(UsageError, match='original, soft and original, soft are the same'):
        columns('soft,hard,soft')
    mine = Version('original, soft', edited(tmp_path, {'= 0.9998': '= 0.9997'}), None)
    with pytest.raises(UsageError, match='two versions are called original, soft'):
        make_columns([*compare.versions('soft'), mine])


def test_all_that_makes_a_run_makes_its_key(tmp_path, monkeypatch):
    mine = edited(tmp_path, {})
    edited(tmp_path, {}, 'memory.py')

    def key(**how):
        (column,) = make_columns([Version('mine', mine, how.pop('way', None))], **how)
        return column.key

    before, found = key(), set()
    assert key(words=['MAX_EPISODES=7']) == key(episodes=7)
    assert key(words=['GAMMA=0.90']) == before == key(way='soft')
    for how in (
        dict(words=['MAX_EPISODES=3']),
        dict(words=['GAMMA=0.8']),
        dict(words=['tau=0.02']),
        dict(way='hard'),
        dict(env=f'{OURS}ThreeJoints-v0'),
    ):
        found.add(key(**how))
    with monkeypatch.context() as patched:
        patched.setattr(folder, 'versions', lambda: dict(python='3.99'))
        found.add(key())
    edited(tmp_path, {'size=n)': 'size=n )'}, 'memory.py')
    found.add(key())
    edited(tmp_path, {'VAR = 3.0  #': 'VAR = 3.0 #'})
    found.add(key())
    assert before not in found and len(found) == 8


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
    changed = {'HIDDEN_UNITS = 30': 'from mine import UNITS as HIDDEN_UNITS\nHIDDEN_UNITS *= 1'}
    mine = Version('mine', edited(tmp_path, changed), None)
    own, other = make_columns([*compare.versions('soft'), mine], ['MAX_EP_STEPS=30'])
    assert (own.numbers['HIDDEN_UNITS'], other.numbers['HIDDEN_UNITS']) == (30, 7)
    small = make_columns(
        [*compare.versions('soft'), mine], [*NUMBERS, 'HIDDEN_UNITS=10'], episodes=4
    )
    first, theirs, again = (job.train(column, 1).rewards for column in (*small, small[0]))
    assert first == again
    assert first[0] == theirs[0] and first[3] != theirs[3]  # it learns from other rows
    assert sys.modules['memory'] is memory
    assert 'mine' not in sys.modules and str(tmp_path) not in sys.path


def test_a_file_that_is_no_lesson_is_refused():
    with pytest.raises(UsageError, match='memory.py is no lesson: it has no main'):
        columns(str(PROJECT / 'memory.py'))


# ---------------------------------------------------------------- the sweep


def ends(function, *numbers, **how):
    return {job[0]: end for job, *end in sweep.run(function, [(n,) for n in numbers], **how)}


TROUBLE = {
    'raises': r'ValueError: it is refused \(jobs.py, line \d+\)',
    'raises in a library': r'JSONDecodeError: .* \(jobs.py, line \d+\)',
    'exits': r'SystemExit: 3 \(jobs.py, line \d+\)',
    'is killed': r'its process died \(SIGKILL\)',
    'is killed and leaves a process': r'its process died \(SIGKILL\)',
}


def test_whatever_happens_to_a_job_it_is_named_with_its_reason_and_the_others_go_on():
    found = ends(jobs.square_unless, *TROUBLE, 'talks', *range(6))
    assert {n: found.pop(n) for n in range(6)} == {n: [n * n, None] for n in range(6)}
    assert found.pop('talks') == [b'', None]
    for name, reason in TROUBLE.items():
        assert re.match(f'{reason}$', found[name][1]), found[name]


def test_a_process_does_many_jobs_and_there_is_one_for_each_core(monkeypatch):
    monkeypatch.setattr(sweep, 'cores', lambda: 1)
    found = ends(jobs.who, *range(5))
    assert len({pid for pid, _ in found.values()}) == 1


def has_ended(pid):
    try:
        os.kill(pid, 0)
        with open(f'/proc/{pid}/stat') as file:  # a zombie has, too
            return file.read().rpartition(')')[2].split()[0] == 'Z'
    except OSError:
        return True


def pids_in(path, seconds=60):
    """Return the process ids in the file `path`, once it is there."""
    wait_until(path.exists, seconds)
    return [int(word) for word in path.read_text().split()]


def wait_until(condition, seconds=10):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end
        time.sleep(0.05)


def test_a_sweep_that_is_stopped_leaves_no_process(tmp_path):
    path = tmp_path / 'pids'
    assert ends(jobs.write_pids, str(path), stop_requested=path.exists) == {}
    for pid in pids_in(path):
        wait_until(lambda pid=pid: has_ended(pid))


def test_a_worker_ends_with_the_process_that_started_it_however_that_ends(tmp_path):
    path = tmp_path / 'pids'
    code = 'from lab import sweep; from tests.helpers import jobs; '
    code += f'list(sweep.run(jobs.write_pids, [({str(path)!r},)]))'
    started = subprocess.Popen([sys.executable, '-c', code], cwd=str(PROJECT))
    worker, child = pids_in(path)
    started.kill()
    started.wait()
    wait_until(lambda: has_ended(worker))
    os.kill(child, signal.SIGKILL)


def test_a_process_that_cannot_be_started_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, 'executable', '/no/python')
    with pytest.raises(TrainingError, match='no process can be started .No such file'):
        ends(jobs.square, 1)


def test_ray_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(UsageError, match=r'pip install ray$'):
        sweep.connect('ray')


# ---------------------------------------------------------------- the folder


RUN = job.Run([-1000.0, -900.5], [3.0, 2.5], -200.25, None, 3.5)


@pytest.fixture
def two():
    return columns('soft,simplified')


def test_runs_are_appended_and_read_again(tmp_path, two):
    done, path = Results(str(tmp_path)), tmp_path / 'runs.jsonl'
    done.add(two[0], 2, RUN)
    before = path.stat().st_ino, path.read_bytes()
    done.add(two[1], 1, RUN._replace(kept=0.0))
    assert (path.stat().st_ino, path.read_bytes()[: len(before[1])]) == before
    again = Results(str(tmp_path))
    assert again.runs == done.runs
    assert (again.of(two[0]), again.of(two[1])) == ({2: RUN}, {1: RUN._replace(kept=0.0)})


def test_a_column_is_what_its_name_says_whatever_the_folder_holds(tmp_path):
    """With one version its label is the varied number alone; the next version is another column."""
    done, varied = Results(str(tmp_path)), dict(varied=['VAR=1'])
    first, *others = (
        columns('soft', **varied)
        + columns('simplified', **varied)
        + columns('soft', ['GAMMA=0.8'], **varied)
        + columns('soft', ['MAX_EPISODES=3'], **varied)
    )
    done.add(first, 1, RUN)
    assert {column.label for column in others} == {first.label}
    assert [done.of(column) for column in others] == [{}] * 3
    assert list(done.of(first)) == list(done.of(*columns('soft', ['VAR=1.0']))) == [1]


def test_a_line_that_a_power_cut_has_torn_is_no_run_and_is_trained_again(tmp_path, two):
    done, path = Results(str(tmp_path)), tmp_path / 'runs.jsonl'
    for seed in (1, 2):
        done.add(two[0], seed, RUN)
    path.write_bytes(path.read_bytes()[:-4])
    again = Results(str(tmp_path))
    assert list(again.of(two[0])) == [1]
    again.add(two[0], 2, RUN)
    assert Results(str(tmp_path)).runs == done.runs


@pytest.mark.parametrize('name, text', [
    ('runs.jsonl', '{"key": "ab", "seed": 1, "last": 3}'), ('runs.jsonl', '[1]'),
    ('compare.json', '[1]'), ('compare.json', 'x'),
])  # fmt: skip
def test_a_folder_that_cannot_be_read_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
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


@pytest.mark.parametrize('words, says', [
    ('--seeds 5-1', "needs seeds like '1-5'"),
    ('--versions soft,nobody.py', "needs some of soft,hard,simplified,averages, or files like"),
    ('--env CartPole-v0', 'takes the actions Discrete(2)'),
    ('--backend ray --address 127.0.0.1:1', '--backend ray'),
])  # fmt: skip
def test_bad_input_is_one_line_and_exit_code_2(program, tmp_path, words, says):
    assert says in line_of(program.run(words), 2, 'compare.py')
    assert not (tmp_path / 'runs').exists()


def test_another_folder_is_left_as_it_is(program, tmp_path):
    (tmp_path / 'config.json').write_text('{}')
    line = line_of(program.run(f'--run {tmp_path}'), 2, 'compare.py')
    assert f'{tmp_path} already holds config.json: name another folder' in line


VARIED = f'{SMALL} --versions soft --run here --seeds 1-2 --vary HIDDEN_UNITS'


def test_a_run_that_fails_is_named_and_the_others_are_kept(program, tmp_path):
    done = program.run(f'{VARIED}=5,10 --env {OURS}RaisesForSeed2-v0')
    assert set(runs(tmp_path / 'here')) == {('HIDDEN_UNITS=5', 1), ('HIDDEN_UNITS=10', 1)}
    assert '|  | HIDDEN_UNITS=5 | HIDDEN_UNITS=10 |' in done.out
    *failed, last = done.err.splitlines()
    failed = sorted(line for line in failed if 'failed' in line)
    reason = r'ValueError: the joint came off \(environments.py, line \d+\)'
    for line, units in zip(failed, (10, 5)):
        assert re.match(rf'HIDDEN_UNITS={units} with seed 2 failed: {reason}$', line), line
    path = tmp_path / 'here'
    resume = f'what finished is in {path}; resume with the same command and --run {path}'
    assert last == f'compare.py: 2 of 4 runs failed (see above); {resume}'
    assert done.returncode == 1


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM'])
def test_a_signal_keeps_what_finished_and_leaves_no_worker(program, tmp_path, monkeypatch, name):
    """The worker that trains with seed 2 sends it, once the run with seed 1 has finished."""
    monkeypatch.setenv('STOP', f'{name} {tmp_path / "here"}')
    done = program.run(f'{VARIED}=5 --env {OURS}StopsForSeed2-v0')
    path = tmp_path / 'here'
    resume = f'what finished is in {path}; resume with the same command and --run {path}'
    assert done.err.splitlines()[-1] == f'compare.py: stopped; {resume}'
    assert 'Traceback' not in done.err
    assert done.returncode == 128 + getattr(signal, name)
    assert list(runs(path)) == [('HIDDEN_UNITS=5', 1)]
    filelock.FileLock(str(path / 'worker')).acquire(timeout=60)  # the worker held it


def test_a_full_disk_is_one_line_and_the_comparison_is_resumed(program, tmp_path):
    words = f'{SMALL} --versions soft --run here --seeds 1-2 --episodes 15'
    done = program.run(words, file_size=1500)
    assert 'runs.jsonl could not be written (File too large)' in done.err.splitlines()[-1]
    assert 'resume with the same command' in done.err and done.returncode == 1
    done = program.run(words)
    assert done.returncode == 0 and '1 runs to train, 1 are there already' in done.out, done.err
    every = Results(str(tmp_path / 'here')).runs.values()
    assert [len(run.rewards) for run in every] == [15, 15]


def test_an_environment_that_changes_the_current_folder_changes_no_path(program, tmp_path):
    edited(tmp_path, {})
    done = program.run(f'{SMALL} --versions ddpg.py --seeds 1 --env {OURS}Moves-v0')
    assert done.returncode == 0, done.err
    assert list(runs(tmp_path / 'runs' / 'compare-1')) == [('ddpg', 1)]


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


def test_a_ray_cluster_gives_the_same_rewards_and_names_a_killed_job(tmp_path):
    cluster_utils = pytest.importorskip('ray.cluster_utils')
    start = f'{sys.executable} {PROJECT / "compare.py"} --seeds 1 {SMALL} --versions'
    words = [*start.split(), 'soft,simplified', '--run']
    assert subprocess.run([*words, 'here'], cwd=str(tmp_path)).returncode == 0
    node = {'num_cpus': 1, 'include_dashboard': False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node)
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        there = ['there', '--backend', 'ray', '--address', cluster.address]
        assert subprocess.run([*words, *there], cwd=str(tmp_path)).returncode == 0
        sweep.connect('ray', cluster.address)
        found = ends(jobs.square_unless, 'is killed', 'raises', 2, 3, backend='ray')
        sys.modules['ray'].shutdown()
    finally:
        cluster.shutdown()
    here, there = (runs(tmp_path / run) for run in ('here', 'there'))
    assert {key: run['rewards'] for key, run in here.items()} == {
        key: run['rewards'] for key, run in there.items()
    }
    assert (found.pop(2), found.pop(3)) == ([4, None], [9, None])
    assert re.match(TROUBLE['raises'], found['raises'][1])
    assert found['is killed'][1].startswith('WorkerCrashedError: ')
