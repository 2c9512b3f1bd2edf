"""experiment/folder.py, experiment/events.py and support/files.py"""

import json
import os
from contextlib import closing
from unittest import mock

import pytest
import tensorflow.compat.v1 as tf

import ddpg
from experiment import folder
from experiment.events import EventFile
from support import files, settings
from support.messages import BadInput


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_each_run_has_the_next_free_folder():
    paths = [folder.create('ddpg') for _ in range(3)]
    os.rmdir(paths[1])
    paths.append(folder.create('ddpg'))
    expected = ['runs/ddpg-1', 'runs/ddpg-2', 'runs/ddpg-3', 'runs/ddpg-2']
    assert [path.replace(os.sep, '/') for path in paths] == expected
    assert all(os.path.isdir(path) for path in paths)


def test_a_named_folder_is_made_with_its_parents_or_used_if_it_holds_no_run():
    assert folder.create('ddpg', 'a/b') == folder.create('ddpg', 'a/b') == 'a/b'
    for name in ('config.json', 'rewards.csv', 'curve.png', 'best', 'checkpoints'):
        os.makedirs(os.path.join('old', name))
        with pytest.raises(BadInput, match=rf'^old already holds {name}: .*--run'):
            folder.create('ddpg', 'old')
        os.removedirs(os.path.join('old', name))


def test_a_folder_that_cannot_be_written_is_refused(monkeypatch):
    open('runs', 'w').close()
    for path in ('runs', 'runs/below', None):
        with pytest.raises(BadInput, match='^runs.* cannot be written .*--run'):
            folder.create('ddpg', path)
    os.makedirs('sealed')
    monkeypatch.setattr(os, 'access', lambda path, mode: False)  # as for a user without the right
    with pytest.raises(BadInput, match=r'^sealed cannot be written \(Permission denied\)'):
        folder.create('ddpg', 'sealed')


CONFIG = dict(program='ddpg', env='Pendulum-v0', seed=1, episodes=5, threads=1, sizes={})
CONFIG.update(replacement=ddpg.SOFT, hyperparameters=settings.numbers_of(ddpg))
WRONG = """{"program":"ddpg" [] null seed=-1 seed=true seed=4294967296 episodes=1000000000000
threads=257 env=null sizes=3 replacement={} replacement={"name":"soft","tau":"x"} program=null
replacement={"name":3} replacement={"name":"soft"} replacement={"name":"hard","tau":0.1}
replacement={"name":"none","tau":0.1} hyperparameters=["GAMMA"] hyperparameters={"GAMMA":7}
hyperparameters={"GAMMA":true} hyperparameters={"tf":3} hyperparameters={"HIDDEN_UNITS":1e9}"""


@pytest.mark.parametrize('text', ['', '[' * 100000, *WRONG.split()])
def test_a_config_that_the_lesson_cannot_follow_is_refused(text):
    files.write('config.json', json.dumps(CONFIG))
    assert folder.config_for(ddpg, '.', None) == CONFIG
    if '=' in text:
        key, _, value = text.partition('=')
        value = json.loads(value)
        if key == 'hyperparameters' and isinstance(value, dict):
            value = dict(CONFIG[key], **value)
        text = json.dumps(dict(CONFIG, **{key: value}))
    files.write('config.json', text)
    says = 'config.json is damaged, or of another program$|is a run with other numbers than'
    with pytest.raises(BadInput, match=says):
        folder.config_for(ddpg, '.', None)


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
    rewards.add(-1e-17, 0.1 + 0.2)
    assert on_disk().endswith(b'1,-1e-17,0.30000000000000004\n')
    assert folder.rows_in(on_disk().decode()) == rewards.rows


@pytest.mark.parametrize('rows', ['', '1,2.0,3.0', '0,nan,3', '0,1.0', '0,1,2,3'])
def test_what_is_no_table_of_episodes_is_refused(rows):
    for header in (folder.HEADER, 'x') if rows else ('x',):
        with pytest.raises(ValueError):
            folder.rows_in(f'{header}\n{rows}\n')


def test_a_row_that_does_not_fit_leaves_no_part_of_itself(rewards):
    rewards.add(-1.0, 3.0)
    before, raw = on_disk(), rewards._file

    rewards._file = mock.Mock(wraps=raw)
    rewards._file.write = lambda data: raw.write(data[:3])  # like a disk at its end
    with pytest.raises(OSError, match='No space left'):
        rewards.add(-2.0, 3.0)
    assert on_disk() == before
    assert len(rewards.rows) == 1


def test_tensorboard_finds_graph_and_scalars():
    graph = tf.Graph()
    with graph.as_default():
        tf.constant(1.0, name='Actor')
    events = EventFile('.', graph)
    events.add(0, {'reward': -1200.0})
    events.add(1, {'reward': -800.0, 'loss/critic': 0.25})
    names, scalars = set(), {}  # before it is closed: a run that is killed has its curves
    for event in tf.train.summary_iterator(events.path):
        names |= {node.name for node in tf.GraphDef.FromString(event.graph_def).node}
        scalars.update({(v.tag, event.step): v.simple_value for v in event.summary.value})
    events.close()
    assert names == {'Actor'}
    assert scalars == {('reward', 0): -1200.0, ('reward', 1): -800.0, ('loss/critic', 1): 0.25}


def test_a_file_is_written_whole_or_not_at_all(monkeypatch):
    files.write_atomically('config.json', 'old')

    def full(*args):
        raise OSError(28, 'No space left on device')

    synced = []
    monkeypatch.setattr(files, 'sync', synced.append)
    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError):
        files.write_atomically('config.json', 'new')
    assert (os.listdir('.'), synced) == (['config.json'], ['config.json.part'])
    assert files.read('config.json') == 'old\n'


def test_a_link_in_the_place_of_a_part_is_not_written_through():
    files.write_atomically('outside', 'mine')
    os.symlink('outside', 'config.json.part')
    files.write_atomically('config.json', 'new')
    assert (files.read('outside'), files.read('config.json')) == ('mine\n', 'new\n')
    assert sorted(os.listdir('.')) == ['config.json', 'outside']


def test_only_regular_files_are_read():
    files.write_atomically('there', 'x')
    os.symlink('there', 'link')
    os.mkfifo('pipe')
    for name in ('link', 'pipe', 'nowhere'):
        with pytest.raises(OSError):
            files.read(name)
