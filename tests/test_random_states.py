"""support/random_states.py, support/agent.py and experiment/variables.py"""

import json
import random
import types

import gym
import numpy as np
import pytest

import ddpg
import ddpg_update
import ddpg_update2
from experiment.variables import Variables, load_array, save_array
from support.agent import Agent
from support.random_states import random_states, set_random_states

LESSONS = pytest.mark.parametrize('lesson', [ddpg, ddpg_update, ddpg_update2])


class Inner(gym.Env):
    """Holds a generator of each kind, in each kind of place."""

    def __init__(self):
        self.old = np.random.RandomState(1)
        self.held = {'new': [np.random.Generator(np.random.PCG64(2))]}
        self.thing = types.SimpleNamespace(plain=random.Random(3), back=self)
        self.action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
        self.action_space.seed(4)

    def draw(self):
        numbers = [self.old.normal(), self.held['new'][0].normal(), self.thing.plain.gauss(0, 1)]
        return [*numbers, np.random.normal(), random.random(), float(self.action_space.sample()[0])]


def test_every_generator_continues_as_it_would_have():
    env = gym.Wrapper(Inner())
    env.draw()  # gauss() and normal() now hold a second number back
    states = json.loads(json.dumps(random_states(env)))
    assert len(states) == 6
    ahead = [env.draw() for _ in range(700)]
    set_random_states(env, states)
    assert [env.draw() for _ in range(700)] == ahead


def test_other_generators_than_those_saved_are_refused():
    env = Inner()
    states = random_states(env)
    env.another = np.random.RandomState(1)
    with pytest.raises(ValueError, match=r'other random generators: env\.another$'):
        set_random_states(env, states)
    del env.another, env.old
    with pytest.raises(ValueError, match=r'other random generators: env\.old$'):
        set_random_states(env, states)


def filled(lesson, seed):
    """Return an Agent on Pendulum whose memory is full of random rows."""
    agent = Agent(lesson, gym.make('Pendulum-v0'), lesson.SOFT, seed)
    agent.memory.data[:] = np.random.RandomState(0).normal(size=agent.memory.data.shape)
    agent.memory.pointer = agent.memory.capacity + 5
    return agent


def values(agent):
    return agent.sess.run(agent.sess.graph.get_collection('variables'))


@LESSONS
def test_every_variable_comes_back_adams_too(lesson, tmp_path):
    one, other = filled(lesson, 1), filled(lesson, 2)

    def learn(agent):
        np.random.seed(7)
        agent.env.seed(7)
        next(iter(agent.train(1)))

    for agent in (one, other):
        agent.env = agent.train.args[0]
        learn(agent)
    assert not all(map(np.array_equal, values(one), values(other)))
    Variables(one.sess).save(str(tmp_path))
    Variables(other.sess).restore(str(tmp_path))
    other.memory.data[:], other.memory.pointer = one.memory.data, one.memory.pointer
    assert all(map(np.array_equal, values(one), values(other)))
    for agent in (one, other):
        learn(agent)  # the same steps from there
    assert all(map(np.array_equal, values(one), values(other)))


def test_the_variables_of_another_graph_are_refused(tmp_path):
    Variables(filled(ddpg_update, 1).sess).save(str(tmp_path))
    with pytest.raises(ValueError, match=r'.+') as refusal:
        Variables(filled(ddpg, 1).sess).restore(str(tmp_path))
    assert '\n' not in str(refusal.value)


def test_arrays_come_back_and_no_pickle_is_opened(tmp_path):
    path = str(tmp_path / 'memory.npy')
    array = np.random.normal(size=(5, 8)).astype(np.float32)
    save_array(path, array)
    assert np.array_equal(load_array(path), array)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match='pickle'):
        load_array(path)


@LESSONS
def test_the_losses_for_tensorboard_teach_nothing_and_draw_no_random_number(lesson):
    agent = filled(lesson, 1)
    before, state = values(agent), np.random.get_state()[1].tolist()
    losses = agent.losses()
    assert set(losses) == {'loss/critic', 'loss/actor'}
    assert losses['loss/critic'] > 0 and np.isfinite(losses['loss/actor'])
    agent.memory.data[100] += 1  # far from the newest rows
    assert agent.losses() == losses
    agent.memory.data[4] += 1  # the newest
    assert agent.losses() != losses
    assert np.random.get_state()[1].tolist() == state
    assert all(map(np.array_equal, before, values(agent)))
