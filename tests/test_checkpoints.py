"""lab/files.py and lab/checkpoints.py: files whole or not there, and what a run keeps in them."""

import os
import resource
import signal
import sys

import gym
import numpy as np
import pytest

import ddpg
from lab import files
from lab.checkpoints import Moments, Variables, check, with_prefix
from lab.messages import Diverged, OutputError, UsageError

ARRAYS = {
    'Actor/l1/w': np.arange(30, dtype=np.float32).reshape(3, 10),
    'run:episode': 20,
    'run:best': -np.inf,
    'run:learning': True,
}


@pytest.fixture
def path(tmp_path):
    """A checkpoint that is there."""
    path = tmp_path / 'here' / 'checkpoint.npz'
    path.parent.mkdir()
    files.save_npz(str(path), ARRAYS)
    return path


def same(found, wanted=ARRAYS):
    return found.keys() == wanted.keys() and all((found[k] == wanted[k]).all() for k in wanted)


def in_another_process(function):
    """Return the status of a process that calls `function`, and exits with what it returns."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    code = 255
    try:
        code = function()
    finally:
        os._exit(code)


# ---------------------------------------------------------------- files


def test_numpy_alone_reads_what_is_saved_and_the_same_is_the_same_bytes(path, tmp_path):
    with np.load(str(path), allow_pickle=False) as arrays:
        assert (arrays['Actor/l1/w'] == ARRAYS['Actor/l1/w']).all()
    found = files.load_npz(str(path))
    assert same(found)
    assert [found[name].dtype.kind for name in ARRAYS] == ['f', 'i', 'f', 'b']
    files.save_npz(str(tmp_path / 'other'), ARRAYS)
    assert (tmp_path / 'other').read_bytes() == path.read_bytes()


def killed_at(kill_at, save):
    """Save in a process that is killed before its change number `kill_at` of the disk; count."""
    count = 0

    def profile(frame, event, function):
        nonlocal count
        if event == 'c_call' and ('write' in function.__name__ or function.__module__ == 'posix'):
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def run():
        sys.setprofile(profile)
        save()
        sys.setprofile(None)
        return count

    return in_another_process(run)


def test_killed_at_any_moment_a_file_is_the_old_one_or_the_new_one(path):
    old, new = path.read_bytes(), dict(ARRAYS, more=np.zeros(5))
    for name, save in {
        'checkpoint.npz': lambda: files.save_npz(str(path), new),
        'config.json': lambda: files.write_text(str(path.parent / 'config.json'), 'new\n'),
    }.items():
        place, seen = path.parent / name, set()
        for kill_at in range(1, 1000):
            path.write_bytes(old)
            (path.parent / 'config.json').write_text('old\n')
            whole, status = place.read_bytes(), killed_at(kill_at, save)
            seen.add(place.read_bytes())
            if not os.WIFSIGNALED(status):
                break
        assert kill_at > 10 and len(seen) == 2 and whole in seen


def test_a_file_that_does_not_fit_on_the_disk_leaves_the_old_one_and_no_part(path):
    """A limit on a file's size stands for the disk."""

    def save():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        with pytest.raises(OutputError, match='could not be written'):
            files.save_npz(str(path), dict(ARRAYS, more=np.zeros(5000)))
        return 0

    assert in_another_process(save) == 0
    assert os.listdir(str(path.parent)) == ['checkpoint.npz']
    assert same(files.load_npz(str(path)))


def test_a_link_is_replaced_and_not_written_through(path, tmp_path):
    path.rename(tmp_path / 'outside')
    path.symlink_to(tmp_path / 'outside')
    files.write_text(str(path), 'new')
    assert same(files.load_npz(str(tmp_path / 'outside')))
    assert path.read_text() == 'new' and not path.is_symlink()


def test_whatever_byte_is_changed_what_is_read_is_as_it_was_or_refused(path):
    whole, refused = path.read_bytes(), 0
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1 :])
        try:
            assert same(files.load_npz(str(path))), i
        except files.CorruptCheckpoint as error:
            assert str(error).startswith(f'{path} is damaged, or no file of ours ('), error
            refused += 1
    assert refused > 0.7 * len(whole)  # the rest is dates and the like, which nobody reads
    for length in range(0, len(whole), 50):
        path.write_bytes(whole[:length])
        with pytest.raises(files.CorruptCheckpoint):
            files.load_npz(str(path))


class Evil(object):
    def __reduce__(self):
        return os.mkdir, ('ran',)


def pickled(path):
    np.savez(str(path), evil=np.array([Evil()], object))


@pytest.mark.parametrize('make', [pickled, os.mkdir, os.mkfifo])
def test_what_is_no_file_of_ours_is_refused_and_none_of_its_code_runs(path, monkeypatch, make):
    monkeypatch.chdir(path.parent)
    path.unlink()
    make(path)
    with pytest.raises(files.CorruptCheckpoint):
        files.load_npz(str(path))
    assert not os.path.exists('ran')


def test_what_is_no_number_is_named_before_anything_is_written(path):
    with pytest.raises(TypeError, match='^memory:tree is no array and no number'):
        files.save_npz(str(path), {'memory:tree': dict()})
    assert same(files.load_npz(str(path)))


# ---------------------------------------------------------------- what a run keeps


def variables(lesson=ddpg):
    return Variables(lesson.build(gym.make('Pendulum-v0'))[0])


def test_all_variables_come_back_those_of_adam_and_the_counters_too():
    sess, actor, critic, M = ddpg.build(gym.make('Pendulum-v0'), ddpg.HARD, seed=1)
    one, other = Variables(sess), Variables(ddpg.build(gym.make('Pendulum-v0'), ddpg.HARD)[0])
    random = np.random.RandomState(0)
    critic.learn(*(np.float32(random.normal(size=(9, n))) for n in (3, 1, 1, 3)))
    actor.learn(np.ones((9, 3)))
    values = one.values()
    assert {'C_replace/t_replace_counter', 'Actor/eval_net/l1/w'} < values.keys()
    assert any('Adam' in name for name in values)
    other.restore({**values, **with_prefix('run', dict(episode=3))}, 'here')
    assert same(other.values(), values)


def test_weights_that_are_not_finite_are_never_saved():
    these = variables()
    values = these.values()
    values['Actor/eval_net/l1/b'][7] = np.nan
    these.restore(values, 'here')
    with pytest.raises(Diverged, match='Actor/eval_net/l1/b is not finite'):
        these.values()


NAME = 'Actor/eval_net/l1/b'
NETWORKS = 'here is whole, but of other networks than the lesson has now ('
MEMORY = NETWORKS.replace('other networks', 'another memory')
STATE = {  # what stands in a checkpoint
    NAME: np.zeros(30, np.float32),
    **with_prefix('run', dict(episode=20, learning=True, best=-3.0)),
    **with_prefix('memory', dict(data=np.zeros((5, 8)), pointer=3)),
    **with_prefix('moments', {NAME: np.zeros((1, 30)), 'episodes': np.array([0])}),
}


@pytest.mark.parametrize('change, says', [
    ({NAME: np.zeros(31, np.float32)}, f'{NETWORKS}{NAME} was float32 (31,) and is float32 (30,)'),
    ({NAME: np.zeros(30)}, f'{NETWORKS}{NAME} was float64 (30,) and is float32 (30,)'),
    ({NAME: None}, f'{NETWORKS}{NAME} was missing and is float32 (30,)'),
    ({'l2': np.zeros(3)}, f'{NETWORKS}l2 was float64 (3,) and is missing'),
    ({'memory:data': np.zeros((5, 9))}, f'{MEMORY}memory:data was (5, 9) and is (5, 8)'),
    ({'memory:priorities': np.zeros(5)}, f'{MEMORY}memory:priorities was (5,) and is missing'),
    ({'run:episode': -1}, 'no checkpoint'), ({'run:episode': 2.0}, 'no checkpoint'),
    ({'run:learning': None}, 'no checkpoint'), ({'run:more': 3}, 'no checkpoint'),
    ({'moments:episodes': np.array([0, 1])}, 'no checkpoint'),
    ({'moments:episodes': np.array([1])}, 'no checkpoint'),
    ({f'moments:{NAME}': np.zeros((1, 31))}, 'no checkpoint'),
])  # fmt: skip
def test_what_does_not_fit_the_lesson_of_today_is_named_and_what_no_run_saved_is_refused(
    change, says
):
    more = {f'moments:{NAME}': np.ones((2, 30)), 'moments:episodes': np.array([0, 8])}
    check('here', dict(STATE, **more), STATE)
    saved = {name: value for name, value in dict(STATE, **change).items() if value is not None}
    with pytest.raises(UsageError) as refusal:
        check('here', saved, STATE)
    assert says in str(refusal.value) and 'delete' not in str(refusal.value)
    assert isinstance(refusal.value, files.CorruptCheckpoint) == (says == 'no checkpoint')


@pytest.mark.parametrize('episodes, every', [(0, 1), (63, 1), (64, 2), (200, 4), (1000, 16)])
def test_moments_are_evenly_apart_and_the_same_in_a_run_that_was_resumed(episodes, every):
    whole, first, second = Moments(), Moments(), Moments()
    for n in range(episodes + 1):
        whole.add(n, lambda: dict(w=np.full(2, n)))  # noqa: B023
        (first if n <= episodes // 3 else second).add(n, lambda: dict(w=np.full(2, n)))  # noqa: B023
        if n == episodes // 3:
            second.load_state_dict(first.state_dict())
    state = whole.state_dict()
    assert state['episodes'].tolist() == list(range(0, episodes + 1, every))
    assert (state['w'][:, 0] == state['episodes']).all()
    assert same(second.state_dict(), state)
