"""docs/optimum.py"""

import numpy as np
import pytest
from gym.envs.classic_control import PendulumEnv
from gym.envs.classic_control.pendulum import angle_normalize

from docs.optimum import DT, Grid, play, start_states, step


@pytest.fixture(scope='module')
def grid():
    return Grid(1)


def test_the_dynamics_are_gyms():
    draw = np.random.RandomState(1).uniform
    states, torques = draw([[-9], [-8]], [[9], [8]], (2, 100)), draw(-3, 3, 100)
    after, rewards = step(states, torques)
    env = PendulumEnv()
    for i in range(100):
        env.state = states[:, i]
        _, r, _, _ = env.step([torques[i]])
        assert (*after[:, i], rewards[i]) == pytest.approx((*env.state, r), abs=1e-12)


def test_speed_gravity_and_torque_add_up_as_the_grid_takes_them_to():
    draw = np.random.RandomState(2).uniform
    states, torques = draw([[-9], [-8]], [[9], [8]], (2, 100)), draw(-2, 2, 100)
    after, rewards = step(states, torques)
    coasting, at_rest = step((states[0], 0.0), 0.0)
    pushed, costs = step((0.0, 0.0), torques)
    speeds = states[1] + coasting[1] + pushed[1]
    assert (after[0] - states[0]) / DT == pytest.approx(speeds, abs=1e-12)
    assert rewards == pytest.approx(at_rest - 0.1 * states[1] ** 2 + costs, abs=1e-12)


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


def by_energy(states):
    """Swing up by adding energy, then hold."""
    angles, speeds = angle_normalize(states[0]), states[1]
    missing = 15 * (1 - np.cos(angles)) - speeds**2 / 2
    swing = np.where(speeds < 0, -1, 1) * missing
    return np.clip(np.where(np.abs(angles) < 0.4, -10 * angles - 3 * speeds, swing), -2, 2)


def test_the_optimum_is_better_than_other_policies_from_every_start(grid):
    starts = start_states(range(3000, 3030))
    best = play(starts, grid.choose)
    nothing = play(starts, lambda states: np.zeros(states.shape[1]))
    energy = play(starts, by_energy)
    assert nothing.mean() < energy.mean() - 300 < best.mean() - 300
    assert (best > nothing).all()
    assert (best > energy - 1).all()
    assert best.mean() == pytest.approx(
        grid.after(starts[0] - DT * starts[1], starts[1]).mean(), rel=0.03
    )
