"""Make the environment of a run, and refuse one that DDPG cannot learn in."""

import math
import os
import traceback
import warnings

import gym
import numpy as np

from experiment.errors import BadInput, RunFailed, one_line

GYM_WITH_PENDULUM_V0 = '0.17.3'


def make(name):
    """Make the gym environment `name` and check that DDPG, as taught here, can learn in it.

    Args:
        name: a gym name such as 'Pendulum-v0', or 'module:Name-v0' where `module` registers it.

    Returns:
        The environment: its observations are vectors and its actions bounded vectors.

    Raises:
        BadInput: with one line that says what is wrong and what to do.
    """
    env = _gym_make(name)
    observations, actions = env.observation_space, env.action_space
    if not isinstance(actions, gym.spaces.Box):
        raise BadInput(
            f'{name} takes the actions {actions}, and DDPG needs continuous ones (a Box): '
            'try --env Pendulum-v0'
        )
    if len(actions.shape) != 1 or actions.shape[0] == 0:
        raise BadInput(
            f'an action of {name} has the shape {actions.shape}, and DDPG here needs a vector: '
            'flatten it with a gym.ActionWrapper'
        )
    with np.errstate(over='ignore', invalid='ignore'):
        width = actions.high - actions.low
    if not (np.isfinite(width).all() and (width > 0).all()):
        raise BadInput(
            f'the actions of {name} lie between {actions.low} and {actions.high}, and DDPG scales '
            'its output to these bounds: make them finite, the lower below the upper, with a '
            'gym.ActionWrapper'
        )
    if not isinstance(observations, gym.spaces.Box) or len(observations.shape) != 1:
        raise BadInput(
            f'an observation of {name} is a {observations}, and the networks here take a vector: '
            'flatten it with a gym.ObservationWrapper'
        )
    return Checked(env)


class Checked(gym.Wrapper):
    """The environment itself; where it fails, the run ends with a line that says so."""

    def reset(self):
        try:
            return self.env.reset()
        except Exception as error:  # whatever the environment's own code raises
            raise _failed(error)

    def step(self, action):
        try:
            s_, r, done, info = self.env.step(action)
        except Exception as error:
            raise _failed(error)
        if not math.isfinite(r):
            raise RunFailed(f'the environment gave the reward {float(r)}')
        return s_, r, done, info


def _failed(error):
    place = traceback.extract_tb(error.__traceback__)[-1]
    return RunFailed(
        f'the environment failed with {one_line(error)} '
        f'({os.path.basename(place.filename)}, line {place.lineno})'
    )


def _gym_make(name):
    """Return gym.make(name), or say in one line why there is no such environment."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # newer gyms warn of what the error says as well
            return gym.make(name)
    except (gym.error.UnregisteredEnv, gym.error.DeprecatedEnv):  # unknown name, unknown version
        if name == 'Pendulum-v0':
            raise BadInput(
                f'gym {gym.__version__} has no Pendulum-v0, gym {GYM_WITH_PENDULUM_V0} has it: '
                f'pip install gym=={GYM_WITH_PENDULUM_V0}'
            )
        raise BadInput(
            f'gym {gym.__version__} knows no environment {name!r}: the default is Pendulum-v0, '
            'and one of your own is named as --env module:Name-v0'
        )
    except Exception as error:  # whatever an environment's own code, or a missing part, raises
        raise BadInput(f'the environment {name!r} cannot be made: {one_line(error)}')
