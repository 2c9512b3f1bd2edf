"""The one seam for what an environment gives: it is converted, or refused in a line."""

import os
import traceback
import warnings

import gym
import numpy as np
from gym.wrappers import TimeLimit

from support.messages import BadInput, RunFailed, one_line, short

GYM_WITH_PENDULUM_V0 = '0.17.3'
_LARGEST = 1e38  # of a number: the memory is float32


def make(name):
    """Make the gym environment `name` and check that DDPG, as taught here, can learn in it.

    Gym's own time limit is taken off, as the tutorial's `env.unwrapped` does: MAX_EP_STEPS ends an
    episode.

    Args:
        name: a gym name such as 'Pendulum-v0', or 'module:Name-v0' where `module` registers it.

    Returns:
        A Checked environment: observations are vectors, and actions are bounded vectors.

    Raises:
        BadInput: with one line that says what is wrong and what to do.
    """
    try:
        env = _asked(_gym_make, name)
        if isinstance(env, TimeLimit):
            env = env.env
        observations, actions = _asked(lambda: (env.observation_space, env.action_space))
    except RunFailed as error:
        raise BadInput(f'{name!r} cannot be made: {error}')
    if not (isinstance(actions, gym.spaces.Box) and len(actions.shape) == 1 and actions.shape[0]):
        raise BadInput(f'{name} takes the actions {actions}, and DDPG needs a vector: wrap it')
    with np.errstate(over='ignore', invalid='ignore'):
        width = np.float32(actions.high) - np.float32(actions.low)
    if not (np.isfinite(width).all() and (width > 0).all()):
        what = f'{name} takes actions between {actions.low} and {actions.high}'
        raise BadInput(f'{what}: make them finite, the lower below the upper')
    if not isinstance(observations, gym.spaces.Box) or len(observations.shape) != 1:
        raise BadInput(f'{name} gives {observations}, and the networks take a vector: wrap it')
    return Checked(env)


class Checked(gym.Wrapper):
    """The environment itself; what it gives is checked, and where it fails a RunFailed says so.

    Observations become float32 vectors of its own, rewards floats, `done` a bool. Actions are
    float32 here, whatever kind of Box the environment has; it gets them in its own kind, integers
    rounded, and within its bounds, which tanh may leave by a rounding.
    """

    def __init__(self, env):
        super().__init__(env)
        box = env.action_space
        self._seed_spaces(0)  # a space has no generator before, and what is saved should hold it
        self._low, self._high, self._kind = box.low, box.high, box.dtype
        if self._kind != np.float32:
            self.action_space = gym.spaces.Box(np.float32(box.low), np.float32(box.high))

    def seed(self, seed=None):
        """Seed the environment, and its spaces, from which it may draw."""
        self._seed_spaces(seed)
        return _asked(self.env.seed, seed)

    def _seed_spaces(self, seed):
        _asked(self.env.action_space.seed, seed)
        _asked(self.env.observation_space.seed, seed)

    def reset(self):
        """Return the first observation, (state_dim,), float32."""
        return self._observation(_asked(self.env.reset))

    def step(self, action):
        """Return the next observation, the reward, whether the episode ends here, and a dict."""
        if not np.isfinite(action).all():
            raise diverged(action)
        action = np.minimum(np.maximum(action, self._low), self._high)
        if self._kind != np.float32:
            integers = np.issubdtype(self._kind, np.integer)
            action = (np.rint(action) if integers else action).astype(self._kind)
        answer = _asked(self.env.step, action)
        if not isinstance(answer, tuple) or len(answer) != 4:
            raise _wrong(answer, 'step', 'observation, reward, done and info')
        s_, r, done, info = answer
        return self._observation(s_), _number('the reward', r), bool(_number('as done', done)), info

    def render(self, mode='human', **kwargs):
        """Draw, or return a picture for mode 'rgb_array'."""
        return _asked(self.env.render, mode, **kwargs)

    def close(self):
        """Close the environment."""
        return _asked(self.env.close)

    def _observation(self, given):
        try:
            with np.errstate(over='ignore'):  # a copy: it may change its own in the next step
                s = np.asarray(given).astype(np.float32, casting='same_kind')
        except Exception:  # whatever its values raise
            s = np.empty(())
        if s.shape != self.observation_space.shape:
            needed = f'an observation of {self.observation_space.shape[0]} numbers'
            raise _wrong(given, 'reset or step', needed)
        if not np.isfinite(s).all():
            raise RunFailed(f'the environment gave the observation {short(given)}')
        return s


def diverged(action):
    """Return the RunFailed that says that the actor's output `action` is not finite."""
    return RunFailed(f"the actor's output became {short(action)} (smaller learning rates may help)")


def _number(what, given):
    """Return as a float the number that is `given`, or that an array of one holds."""
    try:
        number = given if isinstance(given, (float, int)) else np.asarray(given).item()
        if abs(number) < _LARGEST:  # and not nan
            return float(number)
    except Exception:  # whatever a value raises that is no number
        pass
    raise RunFailed(f'the environment gave {what} {short(given)}, not one finite number')


def _asked(function, *args, **kwargs):
    """Call what is the environment's own, and turn whatever it raises into a RunFailed."""
    try:
        return function(*args, **kwargs)
    except (KeyboardInterrupt, BadInput):
        raise
    except BaseException as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f'{os.path.basename(frame.filename)}, line {frame.lineno}'
        raise RunFailed(f'the environment failed with {one_line(error)} ({place})')


def _wrong(given, where, needed):
    newer = isinstance(given, tuple) and len(given) in (2, 5)
    hint = f', as newer gyms do: the lesson needs gym {GYM_WITH_PENDULUM_V0}' if newer else ''
    return RunFailed(f'the environment gave {short(given)} at {where}{hint}, not {needed}')


def _gym_make(name):
    """Return gym.make(name), or say in one line why there is no such environment."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # newer gyms warn of what the error says as well
            return gym.make(name)
    except (gym.error.UnregisteredEnv, gym.error.DeprecatedEnv):  # unknown name, unknown version
        raise BadInput(
            f'gym {gym.__version__} knows no environment {name!r}; one of your own is named as '
            f'module:Name-v0, and Pendulum-v0 needs: pip install gym=={GYM_WITH_PENDULUM_V0}'
        )
