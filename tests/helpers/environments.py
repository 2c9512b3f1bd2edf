"""Small gym environments for the tests: several joints, and each way an environment can be wrong.

From the command line: --env tests.helpers.environments:ThreeJoints-v0
"""

import os
import random
import signal
import types

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
        self.length = length
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
        return self.state.copy(), -np.square(self.state).sum(), self.steps >= self.length, {}


class Failing(Joints):
    """Joints that goes wrong in step 250, that is in the second episode of 200 steps."""

    def __init__(self, how):
        super().__init__()
        self.how, self.all_steps = how, 0

    def step(self, action):
        s_, r, done, info = super().step(action)
        self.all_steps += 1
        if self.all_steps == 250:
            if self.how == 'raise':
                raise ValueError('the joint\ncame off')
            if self.how == 'kill':
                os.kill(os.getpid(), signal.SIGKILL)
            if self.how == 'observation':
                s_ = s_ * np.inf
            else:
                r = float(self.how)
        return s_, r, done, info


class RaisesForSeed2(Joints):
    """Joints that cannot be moved once they were seeded with 2."""

    def seed(self, seed=None):
        self.seeded_with = seed
        return super().seed(seed)

    def step(self, action):
        if self.seeded_with == 2:
            raise ValueError('seed 2 is not liked here')
        return super().step(action)


class FailingAtEpisode(Joints):
    """Joints that fails in the middle of its episode `at`."""

    def __init__(self, at):
        super().__init__()
        self.at, self.episode = at, -1

    def reset(self):
        self.episode += 1
        return super().reset()

    def step(self, action):
        if self.episode == self.at and self.steps == 20:
            raise ValueError('the joint\ncame off')
        return super().step(action)


class Drawn(Joints):
    """Joints that notes each drawing in the file drawn.txt."""

    def render(self, mode='human'):
        with open('drawn.txt', 'a') as file:
            file.write(mode + '\n')
        if mode == 'rgb_array':
            return np.full((20, 30, 3), 10 * self.steps % 256, np.uint8)


class GlobalRandom(Joints):
    """Joints whose every step is disturbed by numpy's global generator."""

    def step(self, action):
        s_, r, done, info = super().step(action)
        return s_, r + np.random.uniform(), done, info


class Obeys(Joints):
    """Joints whose first one in a process obeys the file `orders`: lines of a step and a signal."""

    obeying = False

    def __init__(self):
        super().__init__()
        self.obeys, Obeys.obeying, self.all_steps = not Obeys.obeying, True, 0

    def step(self, action):
        self.all_steps += 1
        if self.obeys and os.path.exists('orders'):
            with open('orders') as file:
                (step, signum), *rest = [map(int, line.split()) for line in file]
            if step == self.all_steps:
                os.remove('orders')
                if rest:
                    with open('orders', 'w') as file:
                        file.writelines('%d %d\n' % tuple(order) for order in rest)
                os.kill(os.getpid(), signum)
        return super().step(action)


class Odd(Joints):
    """Joints with something odd about it: the class attribute that `odd` names takes its place."""

    def __init__(self, **odd):
        super().__init__()
        vars(self).update(odd)

    def reset(self):
        s = super().reset()
        return self.first(s) if hasattr(self, 'first') else s

    def step(self, action):
        self.action = action
        answer = super().step(action)
        return self.answer(*answer) if hasattr(self, 'answer') else answer


class DrawsFromEverywhere(Joints):
    """Joints disturbed by every kind of generator, held in every kind of place."""

    def __init__(self):
        super().__init__()
        self.in_a_list = [{'of dicts': np.random.RandomState(5)}]
        self.in_an_object = types.SimpleNamespace(generator=random.Random(6))

    def reset(self):
        state = super().reset()
        noise = self.in_a_list[0]['of dicts'].normal() + self.in_an_object.generator.gauss(0, 1)
        noise += random.random() + np.random.uniform()
        return state + noise + self.action_space.sample()[0] + self.observation_space.sample()


class Interrupts(Joints):
    """Joints, but while it is made Ctrl-C comes."""

    def __init__(self):
        super().__init__()
        os.kill(os.getpid(), signal.SIGINT)


def _register(name, entry=Joints, **kwargs):
    register(id=f'{name}-v0', entry_point=entry, kwargs=kwargs)


_register('ThreeJoints')
_register('ShortEpisodes', length=7)
_register('Unbounded', action_space=box([-1, -np.inf], [1, np.inf]))
_register('HalfBounded', action_space=box([0], [np.inf]))
_register('WidthOverflows', action_space=box([-3e38], [3e38]))
_register('UpsideDown', action_space=box([-1, 1], [1, 1]))
_register('MatrixOfActions', action_space=spaces.Box(-1, 1, (2, 2), np.float32))
_register('ImageObservation', observation_space=spaces.Box(0, 255, (4, 4, 3), np.uint8))
_register('DiscreteObservation', observation_space=spaces.Discrete(5))
_register('NanReward', Failing, how='nan')
_register('InfiniteReward', Failing, how='-inf')
_register('BadObservation', Failing, how='observation')
_register('Interrupts', Interrupts)
_register('RaisesForSeed2', RaisesForSeed2)
_register('RaisesAtEpisode12', FailingAtEpisode, at=12)
_register('GlobalRandom', GlobalRandom)
_register('Drawn', Drawn)
_register('CannotBeDrawn')
_register('Obeys', Obeys)
_register('DrawsFromEverywhere', DrawsFromEverywhere)
_register('Raises', Failing, how='raise')
_register('Kills', Failing, how='kill')
_register('CannotBeMade', Joints, low=None, high=None)

ENVIRONMENTS = {1: lambda: gym.make('Pendulum-v0'), 3: Joints}  # by the number of actions
