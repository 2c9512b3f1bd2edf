"""experiment/checkpoints.py"""

import builtins
import os
import signal
from pathlib import Path

import pytest

from experiment.checkpoints import Checkpoints, Damaged
from support import files


def writing(step):
    def write(folder):
        for name, text in (('one', 'abc' * step), ('two', '')):
            files.write(os.path.join(folder, name), text)

    return write


def three(path, keep=2):
    saved = Checkpoints(str(path), keep)
    for step in (10, 20, 30):
        saved.save(step, writing(step))
    return saved


@pytest.fixture
def saved(tmp_path):
    return three(tmp_path / 'all')


def content(saved, step):
    with saved.reading(step, 'advice') as folder:
        return files.read(os.path.join(folder, 'one'))


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


@pytest.mark.parametrize('keep', [1, 2])
def test_killed_at_any_call_there_are_only_complete_ones(tmp_path, keep):
    calls = calls_of_a_save(three(tmp_path / 'all', keep))
    assert calls > 10
    for kill_at in range(1, calls + 1):
        saved = three(tmp_path / str(kill_at), keep)
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
    for path in Path(saved.folder(30)).iterdir():
        whole = path.read_bytes()
        for i in range(len(whole)):
            path.write_bytes(whole[:i] + bytes([whole[i] ^ 4]) + whole[i + 1 :])
            with pytest.raises(Damaged, match=r'step-30 cannot be used \(damaged: .+\): advice$'):
                content(saved, 30)
        path.write_bytes(whole)
    assert content(saved, 30) == 'abc' * 30


DAMAGE = {
    'shorter': lambda place: os.truncate(str(place / 'one'), 5),
    'longer': lambda place: os.truncate(str(place / 'one'), 500),
    'missing': lambda place: (place / 'two').unlink(),
    'more': lambda place: (place / 'more').touch(),
    'no sums': lambda place: (place / 'SHA256SUMS').unlink(),
    'empty': lambda place: [path.unlink() for path in place.iterdir()],
}


@pytest.mark.parametrize('how', DAMAGE)
def test_every_other_damage_is_noticed_and_named(saved, how):
    DAMAGE[how](Path(saved.folder(30)))
    named = {'shorter': 'one', 'longer': 'one', 'more': 'more'}.get(how, 'SHA256SUMS')
    with pytest.raises(Damaged, match=rf'{named}.*\): advice$'):
        content(saved, 30)


def test_what_makes_no_sense_to_its_reader_is_damage_too(saved):
    says = r'step-30 cannot be used \(KeyError: .*\): advice$'
    with pytest.raises(Damaged, match=says), saved.reading(30, 'advice'):
        {}['position']
