"""lab/folder.py and lab/events.py"""

import os
from contextlib import closing

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import ddpg
from lab import folder
from lab.events import EventFile
from lab.hyperparameters import hyperparameters, variant
from lab.messages import UsageError


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_each_run_has_the_next_free_folder():
    paths = [folder.create('runs/ddpg') for _ in range(3)]
    os.rmdir(paths[1])
    paths += [folder.create('runs/ddpg'), folder.create('ddpg', 'a/b')]
    assert paths == ['runs/ddpg-1', 'runs/ddpg-2', 'runs/ddpg-3', 'runs/ddpg-2', 'a/b']
    assert all(os.path.isdir(path) for path in paths)


def test_a_folder_that_cannot_be_written_is_refused():
    open('taken', 'w').close()
    for path in ('taken', '/proc/nowhere', None):
        with pytest.raises(UsageError, match='^(taken|/proc).* cannot be written .*--run'):
            folder.create('taken/ddpg', path)


def test_what_killed_processes_left_half_written_goes_and_nothing_else():
    kept = ['best.npz', 'my.part', 'best.npz.part', 'notes.txt.ab12cd34.part', 'best.npz.abc.part']
    for name in [*kept, 'best.npz.ab12cd34.part', 'rewards.csv.01234567.part']:
        open(name, 'w').close()
    folder.remove_parts('.')
    assert sorted(os.listdir('.')) == sorted(kept)


CONFIG = dict(program='ddpg', env='Pendulum-v0', seed=1, episodes=5, eval_episodes=None)
CONFIG.update(replacement=ddpg.SOFT, hyperparameters=hyperparameters(ddpg), versions={})


def test_an_older_run_may_lack_a_number_and_one_that_is_none_reaches_no_lesson():
    older = dict(CONFIG, hyperparameters=dict(CONFIG['hyperparameters'], GONE=3.0, tf=3, SOFT=3))
    del older['hyperparameters']['GAMMA']
    folder.write_config('.', older)
    found = folder.config_for('ddpg', ddpg, '.', None)['hyperparameters']
    assert found['GAMMA'] == ddpg.GAMMA
    lesson = variant(ddpg, found)
    assert (lesson.tf, lesson.SOFT) == (ddpg.tf, ddpg.SOFT) and not hasattr(lesson, 'GONE')


@pytest.mark.parametrize('path, windows, word', [
    ('a b', False, "'a b'"), ('--x', False, './--x'),
    (r'C:\runs\a', True, r'C:\runs\a'), ('a b', True, '"a b"'),
])  # fmt: skip
def test_a_command_has_the_folder_as_one_word(path, windows, word):
    if windows:
        assert folder.quoted(path, windows) == word
    else:
        assert folder.command_of(CONFIG, None)('play', path) == f'python ddpg.py --play {word}'


def test_rewards_are_on_disk_after_each_episode_in_full_precision():
    def on_disk():
        with open('rewards.csv', 'rb') as file:
            return file.read()

    with closing(folder.Rewards('.')) as rewards:
        assert on_disk() == b'episode,reward,explore\n'
        rewards.add(-1.0 / 3.0, 3.0)
        assert on_disk() == b'episode,reward,explore\n0,-0.3333333333333333,3.0\n'
        rewards.add(np.float32(-0.5), 0.1 + 0.2)
        assert on_disk().endswith(b'\n1,-0.5,0.30000000000000004\n')
    assert folder.read_rows('.') == [(-1.0 / 3.0, 3.0), (-0.5, 0.1 + 0.2)]


def scalars(path):
    """Return {(tag, step): value} as TensorBoard has it of all event files in a folder together."""
    found = {}
    for file in sorted(path.glob('events*')):
        for event in tf.train.summary_iterator(str(file)):
            if event.session_log.status == tf.SessionLog.START:
                found = {key: value for key, value in found.items() if key[1] < event.step}
            found.update({(v.tag, event.step): v.simple_value for v in event.summary.value})
    return found


def test_a_resumed_runs_scalars_take_the_place_of_those_that_were_not_saved(tmp_path):
    """Also where the clock was set back meanwhile: TensorBoard goes by the names."""
    for start, name in ((0, None), (2, 'events.out.tfevents.4000000000.host.7'), (4, None)):
        with closing(EventFile('.', tf.Graph(), start)) as events:
            for step in range(start, start + 5):
                events.add(step, {'reward': 10 * start + step})
                assert scalars(tmp_path)['reward', step] == 10 * start + step  # at once
        if name:
            os.rename(events.path, name)
    assert list(scalars(tmp_path).values()) == [0, 1, 22, 23, 44, 45, 46, 47, 48]
