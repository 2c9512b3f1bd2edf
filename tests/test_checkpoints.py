"""experiment/checkpoints.py"""

import builtins
import os
import signal

import pytest

from experiment.checkpoints import Checkpoints, Damaged
from support import files


@pytest.fixture
def saved(tmp_path):
    saved = Checkpoints(str(tmp_path / 'all'), keep=2)
    for step in (10, 20, 30):
        saved.save(step, writing(step))
    return saved


def writing(step):
    def write(folder):
        for name, text in (('one', 'abc' * step), ('two', '')):
            with open(os.path.join(folder, name), 'w') as file:
                file.write(text)

    return write


def content(saved, step):
    with saved.reading(step, 'advice') as folder, open(os.path.join(folder, 'one')) as file:
        return file.read()


def names(saved):
    return sorted(os.listdir(saved.path))


def test_the_newest_are_kept_by_their_number(saved):
    assert saved.steps() == [20, 30]
    saved.save(200, writing(200))
    assert names(saved) == ['step-200', 'step-30']
    assert content(saved, 200) == 'abc' * 200
    assert Checkpoints(saved.path + '-none', 1).steps() == []


def test_one_that_is_there_is_not_written_again(saved):
    saved.save(30, writing(1))
    assert content(saved, 30) == 'abc' * 30


def test_a_failed_save_changes_nothing_and_what_a_killed_one_left_goes(saved):
    def fail(folder):
        writing(40)(folder)
        raise OSError('full')

    os.mkdir(os.path.join(saved.path, 'step-35.part'))
    with pytest.raises(OSError, match='full'):
        saved.save(40, fail)
    assert names(saved) == ['step-20', 'step-30']


def calls_of_a_save(saved, kill_at=None):
    """Save in a forked process, and kill it at call `kill_at` that changes the disk; count them."""
    pid = os.fork()
    if pid:
        return os.WEXITSTATUS(os.waitpid(pid, 0)[1])
    count = [0]

    def watched(function):
        def call(*args, **kwargs):
            count[0] += 1
            if count[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for name in ('mkdir', 'open', 'fsync', 'rename', 'unlink', 'rmdir'):
        setattr(os, name, watched(getattr(os, name)))
    builtins.open = watched(open)
    files.sync = watched(files.sync)
    saved.save(40, writing(40))
    os._exit(count[0])


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs os.fork')
@pytest.mark.parametrize('keep', [1, 2])
def test_killed_at_any_call_there_are_only_complete_ones(tmp_path, keep):
    def three(name):
        saved = Checkpoints(str(tmp_path / name), keep)
        for step in (10, 20, 30):
            saved.save(step, writing(step))
        return saved

    calls = calls_of_a_save(three('all'))
    assert calls > 10
    for kill_at in range(1, calls + 1):
        saved = three(f'killed-{kill_at}')
        calls_of_a_save(saved, kill_at)
        steps = saved.steps()
        assert steps[-1] in (30, 40)
        assert len(steps) <= max(keep, 2)
        for step in steps:
            assert content(saved, step) == 'abc' * step
        saved.save(50, writing(50))
        assert saved.steps()[-1] == 50
        assert all('.part' not in name for name in names(saved))


def test_everything_is_on_the_disk_before_it_has_its_name(saved, monkeypatch):
    order, rename = [], os.rename
    monkeypatch.setattr(files, 'sync', lambda path: order.append(os.path.basename(path)))
    monkeypatch.setattr(
        os, 'rename', lambda a, b: order.append(f'{os.path.basename(b)}!') or rename(a, b)
    )
    saved.save(40, writing(40))
    before = order[: order.index('step-40!')]
    assert {'one', 'two', 'SHA256SUMS', 'step-40.part'} <= set(before)
    assert order[-2:] == ['all', os.path.basename(os.path.dirname(saved.path))]


def test_any_flipped_byte_is_noticed(saved):
    folder = saved.folder(30)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with open(path, 'rb') as file:
            whole = file.read()
        for i in range(len(whole)):
            with open(path, 'wb') as file:
                file.write(whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1 :])
            with pytest.raises(Damaged, match=r'step-30 cannot be used \(damaged: .+\): advice$'):
                content(saved, 30)
        with open(path, 'wb') as file:
            file.write(whole)
    assert content(saved, 30) == 'abc' * 30


@pytest.mark.parametrize('change', ['shorter', 'longer', 'missing', 'more', 'no sums', 'empty'])
def test_every_other_damage_is_noticed_and_named(saved, change):
    one = os.path.join(saved.folder(30), 'one')
    if change == 'shorter':
        os.truncate(one, 5)
    elif change == 'longer':
        os.truncate(one, 500)
    elif change == 'missing':
        os.remove(one)
    elif change == 'more':
        open(one + '-more', 'w').close()
    else:
        os.remove(os.path.join(saved.folder(30), 'SHA256SUMS'))
    if change == 'empty':
        os.remove(one)
        os.remove(os.path.join(saved.folder(30), 'two'))
    named = {'shorter': 'one', 'longer': 'one', 'more': 'one-more'}.get(change, 'SHA256SUMS')
    with pytest.raises(Damaged, match=rf'{named}.*\): advice$'):
        content(saved, 30)


def test_what_makes_no_sense_to_its_reader_is_damage_too(saved):
    says = r'step-30 cannot be used \(KeyError: .*\): advice$'
    with pytest.raises(Damaged, match=says), saved.reading(30, 'advice'):
        {}['position']
