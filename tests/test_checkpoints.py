"""lab/files.py and lab/checkpoints.py: files whole or not there, and what a run keeps in them."""

import os
import signal
import sys

import gym
import numpy as np
import pytest

import ddpg
from lab import files
from lab.checkpoints import Moments, Variables
from lab.messages import Diverged

ARRAYS = {
    'Actor/l1/w': np.arange(30, dtype=np.float32).reshape(3, 10),
    'run:episode': 20,
    'run:best': -np.inf,
    'run:learning': True,
}


@pytest.fixture
def path(tmp_path):
    """A checkpoint that is there."""
    path = tmp_path / 'checkpoint.npz'
    files.save_npz(str(path), ARRAYS)
    return path


def same(found, wanted=ARRAYS):
    return found.keys() == wanted.keys() and all((found[k] == wanted[k]).all() for k in wanted)


def killed_at(kill_at, save):
    """Save in a process that is killed before its change number `kill_at` of the disk.

    Returns:
        whether it was killed: it may make fewer changes.
    """
    count = 0

    def profile(frame, event, function):
        nonlocal count
        if event == 'c_call' and ('write' in function.__name__ or function.__module__ == 'posix'):
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    pid = os.fork()
    if pid == 0:
        sys.setprofile(profile)
        try:
            save()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_killed_at_any_moment_a_file_is_the_old_one_or_the_new_one(path, tmp_path):
    files.save_npz(str(tmp_path / 'new'), dict(ARRAYS, more=np.zeros(5)))
    config = tmp_path / 'config.json'
    for place, old, new, save in (
        (path, path.read_bytes(), (tmp_path / 'new').read_bytes(),
         lambda: files.save_npz(str(path), dict(ARRAYS, more=np.zeros(5)))),
        (config, b'old\n', b'new\n', lambda: files.write_text(str(config), 'new\n')),
    ):  # fmt: skip
        seen, kill_at, killed = set(), 0, True
        while killed:
            kill_at += 1
            place.write_bytes(old)
            killed = killed_at(kill_at, save)
            seen.add(place.read_bytes())
        assert kill_at > 10 and seen == {old, new}


def test_whatever_byte_is_changed_what_is_read_is_as_it_was_or_refused(path):
    whole, refused = path.read_bytes(), 0
    assert same(files.load_npz(str(path)))
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


def test_what_is_no_number_is_named_before_anything_is_written(path):
    with pytest.raises(TypeError, match='^memory:tree is no array and no number'):
        files.save_npz(str(path), {'memory:tree': dict()})
    assert same(files.load_npz(str(path)))


def test_weights_that_are_not_finite_are_never_saved():
    variables = Variables(ddpg.build(gym.make('Pendulum-v0'))[0])
    values = variables.values()
    values['Actor/eval_net/l1/b'][7] = np.nan
    variables.restore(values, 'here')
    with pytest.raises(Diverged, match='Actor/eval_net/l1/b is not finite'):
        variables.values()


@pytest.mark.parametrize('episodes, every', [(63, 1), (64, 2), (1000, 16)])
def test_moments_are_evenly_apart_and_the_same_in_a_run_that_was_resumed(episodes, every):
    moments = Moments()
    for n in range(episodes + 1):
        moments.add(n, lambda: dict(w=np.full(2, n)))  # noqa: B023
        if n == episodes // 3:
            saved, moments = moments.state_dict(), Moments()
            moments.load_state_dict(saved)
    state = moments.state_dict()
    assert state['episodes'].tolist() == list(range(0, episodes + 1, every))
    assert (state['w'][:, 0] == state['episodes']).all()
