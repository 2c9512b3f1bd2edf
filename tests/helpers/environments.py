"""Small gym environments for the tests: several joints, and each way an environment can be wrong.

From the command line: --env tests.helpers.environments:ThreeJoints-v0
"""

import os
import random
import signal
import time
import types

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
        self.random, self.seeded_with = np.random.RandomState(seed), seed
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


def come_off(*given):
    raise ValueError('the joint\ncame off')


def power_cut(*given):
    os.kill(os.getpid(), signal.SIGKILL)


class OddWithSeed2(Joints):
    """Joints that does what `then` does in each step, once it was seeded with 2."""

    def __init__(self, then):
        super().__init__()
        self.then = then

    def step(self, action):
        if self.seeded_with == 2:
            self.then()
        return super().step(action)


def stop_the_comparison():
    """Send the process that started this one a signal, as soon as it has finished a run.

    The environment variable STOP names the signal and the comparison's folder.
    """
    name, folder = os.environ['STOP'].split()
    with filelock.FileLock(f'{folder}/worker'):  # until this process ends
        while not os.path.exists(f'{folder}/runs.csv'):
            time.sleep(0.01)
        os.kill(os.getppid(), getattr(signal, name))
        signal.pause()


class Drawn(Joints):
    """Joints that notes each drawing in the file drawn.txt, and is as bright as steps were made."""

    def render(self, mode='human'):
        with open('drawn.txt', 'a') as file:
            file.write(mode + '\n')
        if mode == 'rgb_array':
            return np.full((20, 30, 3), 25 * self.steps, np.uint8)


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
    """Joints that hold a generator of each kind, in each kind of place, and begin with all."""

    def __init__(self):
        super().__init__()
        self.held = {'new': [np.random.Generator(np.random.PCG64(2))]}
        self.thing = types.SimpleNamespace(plain=random.Random(6), back=self)
        self.action_space.seed(4)

    def draw(self):
        numbers = [self.random.normal(), self.held['new'][0].normal(), np.random.normal()]
        numbers += [self.thing.plain.gauss(0, 1), random.random()]
        return [*numbers, *map(float, self.action_space.sample())]

    def reset(self):
        return super().reset() + sum(self.draw())


def _register(name, entry=Joints, **kwargs):
    register(id=f'{name}-v0', entry_point=entry, kwargs=kwargs)


_register('ThreeJoints')
_register('Unbounded', action_space=box([-1, -np.inf], [1, np.inf]))
_register('WidthOverflows', action_space=box([-3e38], [3e38]))
_register('UpsideDown', action_space=box([-1, 1], [1, 1]))
_register('MatrixOfActions', action_space=spaces.Box(-1, 1, (2, 2), np.float32))
_register('ImageObservation', observation_space=spaces.Box(0, 255, (4, 4, 3), np.uint8))
_register('DiscreteObservation', observation_space=spaces.Discrete(5))
_register('CannotBeMade', low=None, high=None)
# these go wrong in the second episode of 200 steps
_register('NanReward', Odd, since=250, answer=lambda s, r, done, info: (s, np.nan, done, info))
_register('Raises', Odd, since=250, answer=come_off)
_register('Kills', Odd, since=250, answer=power_cut)
_register('RaisesForSeed2', OddWithSeed2, then=come_off)
_register('StopsForSeed2', OddWithSeed2, then=stop_the_comparison)
_register('Drawn', Drawn)
_register('Obeys', Obeys)
_register('DrawsFromEverywhere', DrawsFromEverywhere)

ENVIRONMENTS = {1: lambda: gym.make('Pendulum-v0'), 3: Joints}  # by the number of actions
