"""lab/folder.py and lab/events.py"""

import json
import os
from contextlib import closing

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import ddpg
import ddpg_update
from lab import files, folder
from lab.events import EventFile
from lab.hyperparameters import hyperparameters
from lab.messages import OutputError, UsageError


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_each_run_has_the_next_free_folder():
    paths = [folder.create('runs/ddpg') for _ in range(3)]
    os.rmdir(paths[1])
    paths += [
        folder.create('runs/ddpg'),
        folder.create('ddpg', 'a/b'),
        folder.create('ddpg', 'a/b'),
    ]
    with open('a/b/best.npz', 'w'), pytest.raises(UsageError, match='^a/b already holds best.npz'):
        folder.create('ddpg', 'a/b')
    assert paths == ['runs/ddpg-1', 'runs/ddpg-2', 'runs/ddpg-3', 'runs/ddpg-2', 'a/b', 'a/b']
    assert all(os.path.isdir(path) for path in paths)


def test_a_folder_that_cannot_be_written_is_refused():
    open('taken', 'w').close()
    for path in ('taken', 'taken/below', '/proc/nowhere', None):
        with pytest.raises(UsageError, match='^(taken|/proc).* cannot be written .*--run'):
            folder.create('taken/ddpg', path)


def test_a_folder_has_one_writer():
    waits = 'another process is writing in .: wait for its end, or stop it'
    with folder.locked('.'), pytest.raises(UsageError, match=waits), folder.locked('.'):
        pass
    with folder.locked('.'):
        pass
    os.remove('.lock')
    os.mkdir('.lock')
    with pytest.raises(UsageError, match='. cannot be written'), folder.locked('.'):
        pass


def test_what_killed_processes_left_half_written_goes_and_nothing_else():
    kept = ['best.npz', 'my.part', 'best.npz.part', 'notes.txt.ab12cd34.part', 'best.npz.abc.part']
    for name in [*kept, 'best.npz.ab12_d34.part', 'rewards.csv.abcdefgh.part']:
        open(name, 'w').close()
    folder.remove_parts('.')
    assert sorted(os.listdir('.')) == sorted(kept)


# ---------------------------------------------------------------- config.json

CONFIG = dict(program='ddpg', env='Pendulum-v0', seed=1, episodes=5, eval_episodes=None)
CONFIG.update(replacement=ddpg.SOFT, hyperparameters=hyperparameters(ddpg), versions={})
CONFIG.update(resumed=[dict(episode=3, versions={})])
WRONG = """{"program":"ddpg" [] null seed=-1 seed=true seed=null episodes=1000000000000 env=3
env="a\\nb" program=null replacement={"name":"soft","tau":"x"} replacement={"name":["soft"]}
replacement={"name":"soft"} replacement={"name":"none","tau":0.1} replacement={"tau":0.1}
hyperparameters=["GAMMA"] hyperparameters={"GAMMA":7} hyperparameters={"GAMMA":null}
hyperparameters={"HIDDEN_UNITS":1e9} eval_episodes=-1 versions=3 resumed=[3]
resumed=[{"versions":3}]"""


@pytest.mark.parametrize('text', ['', '[' * 100000, '{"a": ' + '1' * 5000 + '}', *WRONG.split()])
def test_a_config_that_the_lesson_cannot_follow_is_one_line(text):
    folder.write_config('.', CONFIG)
    assert folder.config_for('ddpg', ddpg, '.', None) == CONFIG
    if '=' in text:
        key, _, value = text.partition('=')
        value = json.loads(value)
        if key == 'hyperparameters' and isinstance(value, dict):
            value = dict(CONFIG[key], **value)
        text = json.dumps(dict(CONFIG, **{key: value}))
    files.write_text('config.json', text)
    with pytest.raises(UsageError) as refusal:
        folder.config_for('ddpg', ddpg, '.', None)
    assert 'config.json' in str(refusal.value) or 'as it is now has not' in str(refusal.value)
    assert '\n' not in str(refusal.value)


def test_an_older_run_may_lack_a_number_and_one_that_is_none_reaches_no_lesson():
    older = dict(CONFIG, hyperparameters=dict(CONFIG['hyperparameters'], GONE=3.0, tf=3, SOFT=3))
    del older['hyperparameters']['GAMMA'], older['resumed']
    folder.write_config('.', older)
    found = folder.config_for('ddpg', ddpg, '.', None)
    assert found['hyperparameters'] == CONFIG['hyperparameters']
    assert found['resumed'] == []


@pytest.mark.parametrize('config, program, lesson, env, says', [
    (dict(program='ddpg_update'), 'ddpg', ddpg, None, '. is a run of ddpg_update.py: use that'),
    ({}, 'ddpg', ddpg, 'Swimmer-v2', '. is a run in Pendulum-v0, not in Swimmer-v2'),
    (dict(env='evil:X-v0'), 'ddpg', ddpg, None, 'say so with --env evil:X-v0'),
    (dict(program='ddpg_update'), 'ddpg_update', ddpg_update, None, 'has a replacement'),
])  # fmt: skip
def test_a_run_of_something_else_is_refused(config, program, lesson, env, says):
    folder.write_config('.', dict(CONFIG, **config))
    with pytest.raises(UsageError) as refusal:
        folder.config_for(program, lesson, '.', env)
    assert says in str(refusal.value)


@pytest.mark.parametrize('path, windows, word', [
    ('runs/ddpg-1', False, 'runs/ddpg-1'), ('a b', False, "'a b'"), ('lr[0.1]', False, "'lr[0.1]'"),
    ('--x', False, './--x'), (r'C:\runs\a', True, r'C:\runs\a'), ('a b', True, '"a b"'),
])  # fmt: skip
def test_a_command_has_the_folder_as_one_word(path, windows, word):
    if windows:
        assert folder.quoted(path, windows) == word
    else:
        assert folder.command_of(CONFIG, None)('play', path) == f'python ddpg.py --play {word}'


# ---------------------------------------------------------------- rewards.csv


@pytest.fixture
def rewards():
    with closing(folder.Rewards('.')) as rewards:
        yield rewards


def on_disk():
    with open('rewards.csv', 'rb') as file:
        return file.read()


def test_rewards_are_on_disk_after_each_episode_in_full_precision(rewards):
    assert on_disk() == b'episode,reward,explore\n'
    rewards.add(-1.0 / 3.0, 3.0)
    assert on_disk() == b'episode,reward,explore\n0,-0.3333333333333333,3.0\n'
    rewards.add(np.float32(-0.5), 0.1 + 0.2)
    rewards.add(-1e-17, np.float64(3))
    assert on_disk().endswith(b'\n1,-0.5,0.30000000000000004\n2,-1e-17,3.0\n')
    assert folder.read_rows('.') == [(-1.0 / 3.0, 3.0), (-0.5, 0.1 + 0.2), (-1e-17, 3)]


def test_what_is_after_the_checkpoints_rows_is_cut_off():
    files.write_text(
        'rewards.csv', 'episode,reward,explore\n0,-1.0,3.0\n1,-2.0,3.0\n2,-3.0,3.0\n3,-'
    )
    rows = folder.read_rows('.', 2)
    assert rows == [(-1, 3), (-2, 3)]
    with closing(folder.Rewards('.', rows)) as rewards:
        rewards.add(-4.0, 3.0)
    assert on_disk() == b'episode,reward,explore\n0,-1.0,3.0\n1,-2.0,3.0\n2,-4.0,3.0\n'


@pytest.mark.parametrize('text', [
    '', 'x\n0,1,3\n', 'H', 'H\n1,2.0,3.0\n', 'H\n0,nan,3\n', 'H\n0,1,-3\n', 'H\n0,1.0\n', b'\xff',
])  # fmt: skip
def test_what_is_no_table_of_episodes_is_refused_and_never_to_be_deleted(text):
    with open('rewards.csv', 'wb') as file:
        file.write(text if isinstance(text, bytes) else text.replace('H', folder.HEADER).encode())
    with pytest.raises(files.CorruptCheckpoint, match='cannot be used .*: bring back'):
        folder.read_rows('.', 1)


# ---------------------------------------------------------------- events


def scalars():
    """Return {(tag, step): value} as TensorBoard has it of all event files together."""
    found = {}
    for name in sorted(name for name in os.listdir('.') if name.startswith('events')):
        for event in tf.train.summary_iterator(name):
            if event.session_log.status == tf.SessionLog.START:
                found = {key: value for key, value in found.items() if key[1] < event.step}
            found.update({(v.tag, event.step): v.simple_value for v in event.summary.value})
    return found


def test_tensorboard_finds_graph_and_scalars_also_of_a_run_that_was_killed():
    graph = tf.Graph()
    with graph.as_default():
        tf.constant(1.0, name='Actor')
    events = EventFile('.', graph)
    events.add(0, {'reward': -1200.0})
    events.add(1, {'reward': -800.0, 'loss/critic': 0.25})
    assert scalars() == {('reward', 0): -1200, ('reward', 1): -800, ('loss/critic', 1): 0.25}
    graphs = [tf.GraphDef.FromString(e.graph_def) for e in tf.train.summary_iterator(events.path)]
    assert [node.name for each in graphs for node in each.node] == ['Actor']
    events.close()


def test_a_resumed_runs_scalars_take_the_place_of_those_that_were_not_saved():
    """Also where the clock was set back meanwhile: TensorBoard goes by the names."""
    for start, name in ((0, None), (2, 'events.out.tfevents.4000000000.host.7'), (4, None)):
        with closing(EventFile('.', tf.Graph(), start)) as events:
            for step in range(start, start + 5):
                events.add(step, {'reward': 10 * start + step})
        if name:
            os.rename(events.path, name)
    assert [scalars()['reward', step] for step in range(9)] == [0, 1, 22, 23, 44, 45, 46, 47, 48]


def test_an_event_file_that_cannot_be_written_is_a_line():
    with pytest.raises(OutputError, match='nowhere could not be written .*No such file'):
        EventFile('nowhere', tf.Graph())
