"""docs/optimum.py"""

import numpy as np
import pytest
from gym.envs.classic_control import PendulumEnv

from docs.optimum import DT, Grid, play, start_states, step


@pytest.fixture(scope='module')
def grid():
    return Grid(1)


def test_the_dynamics_are_gyms():
    env, draw = PendulumEnv(), np.random.RandomState(1).uniform
    states, torques = draw([[-9], [-8]], [[9], [8]], (2, 100)), draw(-3, 3, 100)
    after, rewards = step(states, torques)
    for i in range(100):
        env.state = states[:, i]
        _, r, _, _ = env.step([torques[i]])
        assert (*after[:, i], rewards[i]) == pytest.approx((*env.state, r), abs=1e-12)


def test_a_start_is_the_environments():
    env = PendulumEnv()
    for seed, state in zip((3000, 3999), start_states((3000, 3999)).T):
        env.seed(seed)
        observation = env.reset()
        assert observation == pytest.approx([np.cos(state[0]), np.sin(state[0]), state[1]])


def test_a_value_is_the_best_reward_and_the_value_after_it(grid):
    """One more sweep, written out for a few states, changes nothing."""
    draw = np.random.RandomState(3).uniform
    for angle, speed in draw([-3, -6], [3, 6], (20, 2)):
        j, k = np.rint([angle / grid.angle, speed / grid.speed]).astype(int)
        torques = np.array([-2.0, 0.0, 2.0])  # those of the coarsest grid
        (angles, _), rewards = step((j * grid.angle, k * grid.speed), torques)
        after = grid.after(j * grid.angle, (angles - j * grid.angle) / DT)
        assert grid.values[j, grid.top + k] == pytest.approx(max(rewards + after), abs=2e-3)
    assert grid.values[0, grid.top] == 0  # upright, at rest


def test_the_optimum_is_better_than_doing_nothing_from_every_start_and_as_good_as_it_says(grid):
    starts = start_states(range(3000, 3030))
    best = play(starts, grid.choose)
    assert (best > play(starts, lambda states: np.zeros(states.shape[1]))).all()
    at_once = grid.after(starts[0] - DT * starts[1], starts[1])
    assert best.mean() == pytest.approx(at_once.mean(), rel=0.03)
