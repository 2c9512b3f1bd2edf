"""Small environments for the tests: several joints, each trait that real ones have, and each fault.

From the command line: --env tests.helpers.environments:ThreeJoints-v0
"""

import os
import random
import signal
import socket
import tempfile
import time

import filelock
import gym
import numpy as np
from gym import spaces
from gym.envs.registration import register


def box(low, high, dtype=np.float32):
    """Return a Box between the vectors `low` and `high`."""
    return spaces.Box(np.array(low, dtype), np.array(high, dtype), dtype=dtype)


class Joints(gym.Env):
    """Each joint is pushed by its own action; the reward is how close all are to zero."""

    def __init__(self, low=(-1, 0, -30), high=(1, 5, -10), length=200, **spaces_in_place):
        self.action_space = box(low, high)
        self.observation_space = box([-10] * len(low), [10] * len(low))
        self.length, self.all_steps = length, 0
        vars(self).update(spaces_in_place)
        self.seed()

    def seed(self, seed=None):
        self.random = np.random.RandomState(seed)
        return [seed]

    def reset(self):
        self.steps = 0
        self.state = self.random.uniform(-1, 1, self.observation_space.shape)
        return self.state.copy()

    def step(self, action):
        assert self.action_space.contains(np.asarray(action, np.float32)), action
        centre = (self.action_space.low + self.action_space.high) / 2
        self.state = 0.9 * self.state + 0.01 * (action - centre)
        self.steps += 1
        self.all_steps += 1
        return self.state.copy(), -np.square(self.state).sum(), self.steps >= self.length, {}


class Odd(Joints):
    """Joints whose `first` changes what reset gives, and `answer`, from step `since` on, step's."""

    def __init__(self, first=None, answer=None, since=1, **spaces_in_place):
        super().__init__(**spaces_in_place)
        self.first, self.answer, self.since = first, answer, since

    def reset(self):
        s = super().reset()
        return self.first(s) if self.first else s

    def step(self, action):
        self.action = action
        given = super().step(action)
        return self.answer(*given) if self.answer and self.all_steps >= self.since else given


def come_off(*given, **kwargs):
    raise ValueError('the joint\ncame off')


def exit_program(*given, **kwargs):
    raise SystemExit(0)


def power_cut(*given):
    os.kill(os.getpid(), signal.SIGKILL)


class OddWithSeed2(Joints):
    """Joints that does what `then` does in each step, once it was seeded with 2."""

    def __init__(self, then):
        self.then, self.armed = then, False
        super().__init__()

    def seed(self, seed=None):
        self.armed = self.armed or seed == 2
        return super().seed(seed)

    def step(self, action):
        if self.armed:
            self.then()
        return super().step(action)


def stop_the_comparison():
    """Send the process that started this one a signal, as soon as it has finished a run.

    The environment variable STOP names the signal and the comparison's folder.
    """
    name, folder = os.environ['STOP'].split()
    with filelock.FileLock(f'{folder}/worker'):  # until this process ends
        while not os.path.exists(f'{folder}/runs.jsonl'):
            time.sleep(0.01)
        os.kill(os.getppid(), getattr(signal, name))
        signal.pause()


class Obeys(Joints):
    """Joints; the first in a process sends it the signals in ORDERS, `step:signal` each."""

    def __init__(self):
        super().__init__()
        orders = [order.split(':') for order in os.environ.pop('ORDERS', '').split()]
        self.orders = {int(step): int(signum) for step, signum in orders}

    def step(self, action):
        if self.all_steps + 1 in self.orders:
            os.kill(os.getpid(), self.orders[self.all_steps + 1])
        return super().step(action)


class DrawsFromEverywhere(Joints):
    """Joints that begin with numbers from every generator that is seeded."""

    def draw(self):
        numbers = [self.random.normal(), np.random.normal(), random.gauss(0, 1)]
        sampled = [*self.action_space.sample(), *self.observation_space.sample()]
        return numbers + [float(number) for number in sampled]

    def reset(self):
        return super().reset() + np.clip(sum(self.draw()), -5, 5)


class Port(Joints):
    """Joints that hold a port, one for each process: a second instance cannot be made."""

    def __init__(self):
        super().__init__()
        self.socket = socket.socket()
        self.socket.bind(('127.0.0.1', 20000 + os.getpid() % 10000))

    def close(self):
        self.socket.close()


class Moves(Joints):
    """Joints that changes the current folder when it is made or, `late`, in a step."""

    def __init__(self, late=False):
        super().__init__()
        self.late = late
        if not late:
            os.chdir(tempfile.gettempdir())

    def step(self, action):
        if self.late:
            os.chdir(tempfile.gettempdir())
        return super().step(action)


# ---------------------------------------------------------------- today's API


class Space(object):
    """A space that is no gym Box, but has what one needs: as gymnasium's."""

    def __init__(self, low, high, dtype=np.float32):
        self.low, self.high, self.dtype = np.array(low, dtype), np.array(high, dtype), dtype
        self.shape, self.seeds = self.low.shape, []

    def seed(self, seed=None):
        self.seeds.append(seed)


class Today(object):
    """A cart on a line in the API of gymnasium; it notes the seeds that reset gets.

    It draws RGBA pictures, ends by `terminated` at a distance of 3, and by `truncated` after 40
    steps.
    """

    metadata = {'render_modes': ['rgb_array'], 'render_fps': 20}

    def __init__(self, render_mode=None):
        self.observation_space, self.action_space = Space([-5, -5], [5, 5]), Space([-1], [1])
        self.render_mode, self.seeds = render_mode, []

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        if seed is not None or not hasattr(self, 'random'):
            self.random = np.random.RandomState(seed)
        self.x, self.steps = self.random.uniform(-1, 1), 0
        return self.observation(), {'x': self.x}

    def step(self, action):
        assert action.dtype == self.action_space.dtype, action.dtype  # as gymnasium's `contains`
        self.x += 0.1 * action[0]
        self.steps += 1
        return self.observation(), -abs(self.x), abs(self.x) > 3, self.steps >= 40, {}

    def observation(self):
        return np.array([self.x, self.steps / 40], np.float32)

    def render(self):
        if self.render_mode == 'rgb_array':
            return np.full((20, 30, 4), self.steps, np.uint8)


class Half(Today):
    """Observation and info, but four values, as some environments between the two have it."""

    def step(self, action):
        s_, r, terminated, truncated, info = super().step(action)
        return s_, r, terminated or truncated, info


class GlobalRandom(Half):
    """No seed() and no seed in reset: it draws from Python's and NumPy's global generators."""

    def reset(self):
        super().reset()
        self.x = np.random.uniform(-1, 1) + random.random()
        return self.observation()


def limited():
    """Joints with a limit of its author's own."""
    return gym.wrappers.TimeLimit(Joints(), 7)


def _register(name, entry=Joints, steps=None, **kwargs):
    register(id=f'{name}-v0', entry_point=entry, max_episode_steps=steps, kwargs=kwargs)


_register('ThreeJoints')
_register('Limited', limited, steps=50)
# these go wrong in the second episode of 200 steps
_register('NanReward', Odd, since=250, answer=lambda s, r, done, info: (s, np.nan, done, info))
_register('Raises', Odd, since=250, answer=come_off)
_register('Exits', Odd, since=250, answer=exit_program)
_register('Kills', Odd, since=250, answer=power_cut)
_register('RaisesForSeed2', OddWithSeed2, then=come_off)
_register('StopsForSeed2', OddWithSeed2, then=stop_the_comparison)
_register('Obeys', Obeys)
_register('DrawsFromEverywhere', DrawsFromEverywhere)
_register('Port', Port)
_register('Moves', Moves)
_register('Today', Today)
_register('GlobalRandom', GlobalRandom)

ENVIRONMENTS = {1: lambda: gym.make('Pendulum-v0'), 3: Joints}  # by the number of actions
