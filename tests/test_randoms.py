"""experiment/randoms.py and experiment/state.py"""

import json
import random

import gym
import numpy as np
import pytest

import ddpg
import ddpg_update
from experiment.randoms import random_states, set_random_states
from experiment.state import Variables, load_array, save_array


class Inner(gym.Env):
    """Holds a generator of each kind."""

    def __init__(self):
        self.old, self.new, self.plain = np.random.RandomState(1), None, random.Random(3)
        self.new = np.random.Generator(np.random.PCG64(2))

    def draw(self):
        numbers = [self.old.normal(), self.new.normal(), self.plain.gauss(0, 1)]
        return [*numbers, np.random.normal()]


def test_every_generator_goes_on_as_it_would_have():
    env = gym.Wrapper(Inner())
    env.np_random = np.random.RandomState(7)  # the wrapper's own
    env.draw()  # gauss() and normal() now hold a second number back
    states = json.loads(json.dumps(random_states(env)))
    assert set(states) == {'numpy', '0.old', '0.new', '0.plain', '1.np_random'}
    ahead = [env.draw() + [env.np_random.normal()] for _ in range(700)]
    set_random_states(env, states)
    assert [env.draw() + [env.np_random.normal()] for _ in range(700)] == ahead

    wrapped = gym.Wrapper(env)  # one layer more, as when the environment is shown
    set_random_states(wrapped, states)
    assert env.draw() == ahead[0][:4]

    del states['0.old']
    with pytest.raises(KeyError):
        set_random_states(env, states)


def test_a_real_environment_repeats_its_starts():
    env = gym.make('Pendulum-v0')
    env.seed(5)
    states = random_states(env)
    starts = [env.reset().tolist() for _ in range(3)]
    env.seed(6)
    set_random_states(env, states)
    assert [env.reset().tolist() for _ in range(3)] == starts


@pytest.mark.parametrize('module', [ddpg, ddpg_update])
def test_every_variable_comes_back_adams_too(module, tmp_path):
    env = gym.make('Pendulum-v0')
    batch = [np.random.normal(size=(8, width)) for width in (3, 1, 1, 3)]

    def values(agent):
        return agent.sess.run(agent.sess.graph.get_collection('variables'))

    agents = [module.agent(env, ddpg.SOFT, seed) for seed in (1, 2)]
    agents[0].learn(*batch)
    Variables(agents[0].sess).save(str(tmp_path))
    Variables(agents[1].sess).restore(str(tmp_path))
    assert len(values(agents[0])) >= 40
    for _ in range(3):  # the same values, and the same steps from there
        for one, other in zip(*map(values, agents)):
            assert np.array_equal(one, other)
        for agent in agents:
            agent.learn(*batch)
    for one, other in zip(*map(values, agents)):
        assert np.array_equal(one, other)


def test_the_variables_of_another_graph_are_refused(tmp_path):
    env = gym.make('Pendulum-v0')
    Variables(ddpg_update.agent(env, ddpg.SOFT, 1).sess).save(str(tmp_path))
    with pytest.raises(ValueError, match=r'.+') as refusal:
        Variables(ddpg.agent(env, ddpg.SOFT, 1).sess).restore(str(tmp_path))
    assert '\n' not in str(refusal.value)


def test_arrays_come_back_and_no_pickle_is_opened(tmp_path):
    path = str(tmp_path / 'memory.npy')
    array = np.random.normal(size=(5, 8)).astype(np.float32)
    save_array(path, array)
    assert np.array_equal(load_array(path), array)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match='pickle'):
        load_array(path)
