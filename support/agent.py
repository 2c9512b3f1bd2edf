"""The seam between a lesson and what runs it: the same few things for each of its files."""

import random
from functools import partial

import support.quiet
import numpy as np

from support import session, settings


class Agent(object):
    """What a lesson has built for an environment, ready to be trained and asked.

    Args:
        lesson: ddpg, ddpg_update, or another module with their `build` and `train`.
        env: the environment, as support.environment.make gives it.
        replacement: how the targets follow, as the lesson's SOFT.
        seed: of TensorFlow, numpy and `env`; None leaves all three alone.
        threads: for the arithmetic of one operation.

    Attributes: `sess`; `memory`; `train(episodes, start, var)`, an iterator of the lesson's
    Episode; `choose_action(s)`, (state_dim,) -> (action_dim,), and `choose_actions(b_s)`,
    (n, state_dim) -> (n, action_dim), both without noise.
    """

    def __init__(self, lesson, env, replacement, seed=None, threads=1):
        if seed is not None:
            random.seed(seed)  # an environment may draw from it
        with session.threads(threads), support.quiet.no_garbage():
            built = lesson.build(env, replacement, seed)
        if isinstance(built, tuple):  # an actor and a critic
            self.sess, actor, critic = built
            dims = 2 * env.observation_space.shape[0] + env.action_space.shape[0] + 1
            self.memory = lesson.Memory(settings.numbers_of(lesson)['MEMORY_CAPACITY'], dims)
            self.train = partial(lesson.train, env, actor, critic, self.memory)
            self.choose_action = actor.choose_action
            self._feeds = critic.S, critic.a, critic.R, critic.S_
            self._loss, self._value, self._sign = critic.loss, critic.q, -1
        else:  # one object
            self.sess, self.memory = built.sess, built.memory
            self.train = partial(lesson.train, env, built)
            self.choose_action = built.choose_action
            self._feeds = built.S, built.a, built.R, built.S_
            self._loss, self._value, self._sign = built.td_error, built.a_loss, 1
        self._batch_size = settings.numbers_of(lesson)['BATCH_SIZE']
        S, a = self._feeds[:2]
        self.choose_actions = session.make_callable(self.sess, a, [S])

    @property
    def learns(self):
        """Whether learning has begun: the memory has been filled, and one more was stored."""
        return self.memory.pointer > self.memory.capacity

    def newest_rows(self, n):
        """Return the `n` newest rows of the memory, (n, dims)."""
        newest = np.arange(self.memory.pointer - n, self.memory.pointer) % self.memory.capacity
        return self.memory.data[newest]

    def losses(self):
        """Return {name: loss} of critic and actor on the newest rows of the memory, a batch.

        Nothing learns by it, and no random number is drawn.
        """
        rows, feed, first = self.newest_rows(self._batch_size), {}, 0
        for tensor in self._feeds:
            width = int(tensor.shape[1])
            feed[tensor] = rows[:, first : first + width]
            first += width
        S = self._feeds[0]
        of_actor = self.sess.run(self._value, {S: feed[S]})  # nothing fed for a: it is the actor's
        return {
            'loss/critic': float(self.sess.run(self._loss, feed)),
            'loss/actor': self._sign * float(np.mean(of_actor)),
        }
