"""support/random_states.py, support/agent.py and experiment/variables.py"""

import gym
import numpy as np
import pytest

import ddpg
import ddpg_update
from experiment.variables import Variables
from support.agent import Agent
from support.random_states import random_states, set_random_states
from tests.helpers import reference
from tests.helpers.environments import DrawsFromEverywhere
from tests.helpers.lessons import Built, three_lessons


def test_other_generators_than_those_saved_are_refused():
    env = DrawsFromEverywhere()
    states = random_states(env)
    env.another = np.random.RandomState(1)
    with pytest.raises(ValueError, match=r'other random generators: env\.another$'):
        set_random_states(env, states)
    del env.another, env.random
    with pytest.raises(ValueError, match=r'other random generators: env\.random$'):
        set_random_states(env, states)


def filled(lesson, seed):
    """Return an Agent on Pendulum whose memory is full of random rows."""
    agent = Agent(lesson, gym.make('Pendulum-v0'), lesson.SOFT, seed)
    agent.memory.data[:] = np.random.RandomState(0).normal(size=agent.memory.data.shape)
    agent.memory.pointer = agent.memory.capacity + 5
    return agent


def values(agent):
    return agent.sess.run(agent.sess.graph.get_collection('variables'))


@three_lessons
def test_every_variable_comes_back_adams_too(lesson, tmp_path):
    one, other = filled(lesson, 1), filled(lesson, 2)

    def both_learn():
        for agent in (one, other):
            np.random.seed(7)
            agent.train.args[0].seed(7)
            next(iter(agent.train(1)))

    both_learn()
    assert not all(map(np.array_equal, values(one), values(other)))
    Variables(one.sess).save(str(tmp_path))
    Variables(other.sess).restore(str(tmp_path))
    other.memory.data[:], other.memory.pointer = one.memory.data, one.memory.pointer
    assert all(map(np.array_equal, values(one), values(other)))
    both_learn()  # the same steps from there
    assert all(map(np.array_equal, values(one), values(other)))


def test_the_variables_of_another_graph_are_refused(tmp_path):
    Variables(filled(ddpg_update, 1).sess).save(str(tmp_path))
    with pytest.raises(ValueError, match=r'.+') as refusal:
        Variables(filled(ddpg, 1).sess).restore(str(tmp_path))
    assert '\n' not in str(refusal.value)


@three_lessons
def test_the_losses_for_tensorboard_are_the_equations_and_change_nothing(lesson):
    """On the newest rows, 27 at the ring's end and 5 at its beginning."""
    agent = filled(lesson, 1)
    built = Built(lesson, agent.train.args[0], seed=1)
    learner, before = built.reference(built.values()), values(agent)
    b_s, b_a, b_r, b_s_ = np.split(np.float64(agent.memory.data[np.r_[-27:5]]), [3, 4, 5], axis=1)
    q = reference.critic_forward(learner.critic, b_s, b_a)[0]
    actions = reference.actor_forward(learner.actor, b_s, *learner.bounds)[0]
    of_actor = reference.critic_forward(learner.critic, b_s, actions)[0]
    td_error = np.mean((learner.target_q(b_r, b_s_) - q) ** 2)
    states = np.random.get_state()[1].tolist()
    assert agent.losses() == pytest.approx(
        {'loss/critic': td_error, 'loss/actor': -np.mean(of_actor)}, rel=1e-4, abs=1e-5
    )
    assert np.random.get_state()[1].tolist() == states
    assert all(map(np.array_equal, before, values(agent)))
    agent.memory.pointer = agent.memory.capacity
    assert not agent.learns  # it is full, and nothing was stored since
