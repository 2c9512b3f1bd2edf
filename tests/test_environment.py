"""experiment/environment.py: what is accepted, and the line for everything that is not."""

import gym
import numpy as np
import pytest

from experiment import environment
from experiment.errors import BadInput, RunFailed

OURS = 'tests.environments:'


@pytest.mark.parametrize(
    'name', ['Pendulum-v0', 'MountainCarContinuous-v0', OURS + 'ThreeJoints-v0']
)
def test_continuous_environments_are_made(name):
    env = environment.make(name)
    env.seed(1)
    assert env.reset().shape == env.observation_space.shape
    _, r, done, _ = env.step(env.action_space.low)
    assert np.isfinite(r)
    assert done is False


@pytest.mark.parametrize(
    'name, says',
    [
        ('CartPole-v0', r'takes the actions Discrete\(2\)'),
        (OURS + 'Unbounded-v0', r'make them finite'),
        (OURS + 'HalfBounded-v0', r'make them finite'),
        (OURS + 'WidthOverflows-v0', r'make them finite'),
        (OURS + 'UpsideDown-v0', r'the lower below the upper'),
        (OURS + 'MatrixOfActions-v0', r'has the shape \(2, 2\)'),
        (OURS + 'ImageObservation-v0', r'take a vector'),
        (OURS + 'DiscreteObservation-v0', r'Discrete\(5\).*take a vector'),
        (OURS + 'CannotBeMade-v0', r'cannot be made: TypeError'),
        ('Nonesuch-v0', r"knows no environment 'Nonesuch-v0'"),
        ('Pendulum-v7', r"knows no environment 'Pendulum-v7'"),
        ('no name', r'cannot be made: Error: .*malformed'),
        ('nomodule:Thing-v0', r'cannot be made: Error: .*nomodule'),
        ('', r'cannot be made'),
    ],
)
def test_what_ddpg_cannot_learn_in_is_refused_in_one_line(name, says):
    with pytest.raises(BadInput, match=says) as refusal:
        environment.make(name)
    assert '\n' not in str(refusal.value)


def test_a_gym_without_pendulum_v0_is_told_which_has_it(monkeypatch):
    monkeypatch.delitem(gym.envs.registry.env_specs, 'Pendulum-v0')
    with pytest.raises(BadInput, match=r'pip install gym==0\.17\.3$'):
        environment.make('Pendulum-v0')


@pytest.mark.parametrize(
    'name, says',
    [
        ('NanReward-v0', 'gave the reward nan'),
        ('InfiniteReward-v0', 'gave the reward -inf'),
        ('Raises-v0', r'ValueError: the joint came off \(environments.py, line \d+\)'),
    ],
)
def test_a_step_that_fails_ends_the_run(name, says):
    env = environment.make(OURS + name)
    env.reset()
    for _ in range(249):
        env.step(env.action_space.low)
    with pytest.raises(RunFailed, match=says):
        env.step(env.action_space.low)
