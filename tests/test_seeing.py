"""docs/seeing: the true discounted return, and greedy episodes from many states at once."""

import numpy as np
import pytest

import ddpg
from docs.seeing import Greedy, discounted
from support import environment


def test_the_discounted_return_looks_on_from_every_step():
    rewards = [[1, 0], [2, 0], [4, 8]]  # of two episodes
    assert discounted(np.array(rewards), 0.5).tolist() == [[3, 2], [4, 4], [4, 8]]


def test_many_states_are_played_as_each_one_alone():
    env = environment.make(ddpg.ENV_NAME)
    sess, actor, critic = ddpg.build(env, seed=1)
    states = np.array([[np.pi, 0.3], [0.0, -1.0]])  # angles, angular velocities
    seen, values, rewards = Greedy(sess, actor, critic).play(states, 3)
    for i, state in enumerate(states.T):
        env.reset()
        env.unwrapped.state = state
        s = np.array([np.cos(state[0]), np.sin(state[0]), state[1]])
        for k in range(3):
            assert seen[k, :, i] == pytest.approx(env.unwrapped.state)
            a = actor.choose_action(s)
            feed = {critic.S: s[np.newaxis], critic.a: a[np.newaxis]}
            assert values[k, i] == pytest.approx(sess.run(critic.q, feed).item(), abs=1e-5)
            s, r, _, _ = env.step(a)
            assert rewards[k, i] == pytest.approx(r)
