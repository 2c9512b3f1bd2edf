"""experiment/folder.py"""

import collections
import json
import os

import pytest

import experiment.quiet  # noqa: F401  before TensorFlow
import tensorflow.compat.v1 as tf
from experiment import folder
from experiment.errors import BadInput

Episode = collections.namedtuple('Episode', 'index reward var')


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recorder():
    os.makedirs('run')
    graph = tf.Graph()
    with graph.as_default():
        tf.constant(1.0, name='Actor')
    recorder = folder.Recorder('run', {'seed': 3, 'hyperparameters': {'GAMMA': 0.9}}, graph)
    yield recorder
    recorder.close()


def events():
    """Return the names in the graph, and {(tag, step): value} of the scalars, of the event file."""
    (path,) = [name for name in os.listdir('run') if name.startswith('events')]
    names, scalars = set(), {}
    for event in tf.train.summary_iterator(os.path.join('run', path)):
        names |= {node.name for node in tf.GraphDef.FromString(event.graph_def).node}
        scalars.update({(v.tag, event.step): v.simple_value for v in event.summary.value})
    return names, scalars


def rewards():
    with open('run/rewards.csv', 'rb') as file:
        return file.read()


def test_each_run_has_the_next_free_folder():
    paths = [folder.create('ddpg') for _ in range(3)]
    os.rmdir(paths[1])
    paths.append(folder.create('ddpg'))
    assert [path.replace(os.sep, '/') for path in paths] == [
        *('runs/ddpg-1', 'runs/ddpg-2', 'runs/ddpg-3', 'runs/ddpg-2')
    ]
    assert all(os.path.isdir(path) for path in paths)


def test_a_named_folder_is_made_with_its_parents_or_used_if_it_holds_no_run():
    assert folder.create('ddpg', 'a/b') == 'a/b'
    assert folder.create('ddpg', 'a/b') == 'a/b'


@pytest.mark.parametrize('name', ['config.json', 'rewards.csv'])
def test_a_folder_that_holds_a_run_is_refused(name):
    os.makedirs('old')
    open(os.path.join('old', name), 'w').close()
    with pytest.raises(BadInput, match=r'^old already holds a run: .*--run'):
        folder.create('ddpg', 'old')


def test_a_folder_that_cannot_be_written_is_refused(monkeypatch):
    open('file', 'w').close()
    for path in ('file', 'file/below'):
        with pytest.raises(BadInput, match=f'^{path} cannot be written .*--run'):
            folder.create('ddpg', path)
    os.makedirs('sealed')
    monkeypatch.setattr(os, 'access', lambda path, mode: False)  # as for a user without the right
    with pytest.raises(BadInput, match=r'^sealed cannot be written \(Permission denied\)'):
        folder.create('ddpg', 'sealed')


def test_a_file_in_the_place_of_runs_is_refused():
    open('runs', 'w').close()
    with pytest.raises(BadInput, match='cannot be written'):
        folder.create('ddpg')


def test_rewards_are_on_disk_after_each_episode_in_full_precision(recorder):
    assert rewards() == b'episode,reward,explore\n'
    recorder.record(Episode(0, -1.0 / 3.0, 3.0), {})
    assert rewards() == b'episode,reward,explore\n0,-0.3333333333333333,3.0\n'
    recorder.record(Episode(1, -1e-17, 0.1 + 0.2), {})
    assert rewards().endswith(b'1,-1e-17,0.30000000000000004\n')


def test_a_row_that_does_not_fit_leaves_no_part_of_itself(recorder, monkeypatch):
    recorder.record(Episode(0, -1.0, 3.0), {})
    before = rewards()
    raw = recorder._rewards

    class AlmostFull(object):
        """Takes three bytes more, like a disk at its end."""

        def write(self, data):
            return raw.write(data[:3])

        def __getattr__(self, name):
            return getattr(raw, name)

    recorder._rewards = AlmostFull()
    with pytest.raises(OSError, match='No space left'):
        recorder.record(Episode(1, -2.0, 3.0), {})
    assert rewards() == before


def test_config_and_versions(recorder):
    with open('run/config.json') as file:
        config = json.load(file)
    assert config['seed'] == 3
    assert config['hyperparameters'] == {'GAMMA': 0.9}
    assert config['versions']['tensorflow'] == tf.__version__
    assert set(config['versions']) == {'python', 'tensorflow', 'numpy', 'gym'}


def test_tensorboard_finds_graph_and_scalars(recorder):
    recorder.record(Episode(0, -1200.0, 3.0), {})
    recorder.record(Episode(1, -800.0, 2.5), {'loss/critic': 0.25, 'loss/actor': 1.5})
    names, scalars = events()  # before it is closed: a run that is killed has its curves
    assert names == {'Actor'}
    assert scalars == {
        **{('reward', 0): -1200.0, ('explore', 0): 3.0, ('reward', 1): -800.0},
        **{('explore', 1): 2.5, ('loss/critic', 1): 0.25, ('loss/actor', 1): 1.5},
    }


def test_a_file_is_written_whole_or_not_at_all(monkeypatch):
    folder.write_whole('config.json', 'old')

    def full(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError):
        folder.write_whole('config.json', 'new')
    assert os.listdir('.') == ['config.json']
    assert open('config.json').read() == 'old\n'
