"""The episode loop from outside: it can be left after any step, and gone on with exactly."""

from collections import deque

import numpy as np

from experiment.errors import RunFailed, Stopped, diverged
from experiment.randoms import random_states, set_random_states


class Loop(object):
    """Drives the lesson's `train` and knows where it is.

    An environment cannot be saved in the middle of an episode. So a position is how the episode
    began (random states, exploration, memory) and what the actor answered since. To go on from
    there, the episode is gone through again with these answers and without learning, which makes
    the same steps and draws the same random numbers; then everything is as it was.

    Args:
        env, agent: what is trained; `agent` is a program.Agent.
        train: the lesson's episode loop.
        stop_asked: () -> the number of a signal that asks to stop, or None.

    Attributes: `episode`, the one under way or next; `steps`, of all episodes, so far (those
    still to be repeated too); `batch`, the one that was learned from last, () before.
    """

    def __init__(self, env, agent, train, stop_asked):
        self.env, self.agent, self.train, self.stop_asked = env, agent, train, stop_asked
        self.batch = ()
        self._again = deque()  # answers to go through once more
        self._repeating = False
        self._begin(0, None)

    @property
    def steps(self):
        return self._pointer + len(self._answers) + len(self._again)

    def episodes(self, episodes):
        """Train up to `episodes` episodes in all, and yield each as `train` does.

        Raises:
            Stopped: before the next step, once `stop_asked` says so.
            RunFailed: if the environment or the actor gave something that is not finite.
        """
        memory, where = self.agent.memory, dict(start=self.episode)
        if self._var is not None:
            where['var'] = self._var
        loop = self.train(self.env, memory, self._choose_action, self._learn, episodes, **where)
        for episode in loop:
            self._begin(episode.index + 1, episode.var)
            yield episode

    def position(self):
        """Return where the loop is, as a dict that JSON can hold."""
        return dict(
            episode=self.episode,
            var=self._var,
            pointer=self._pointer,
            random=self._random,
            answers=[answer.tolist() for answer in (*self._answers, *self._again)],
        )

    def go_to(self, position):
        """Go on from `position`, with variables and the memory's rows as they were then."""
        self.agent.memory.pointer = position['pointer']
        set_random_states(self.env, position['random'])
        self._again = deque(np.array(answer, np.float32) for answer in position['answers'])
        self._begin(position['episode'], position['var'])

    def _begin(self, episode, var):
        self.episode, self._var = episode, var
        self._pointer = self.agent.memory.pointer
        self._random = random_states(self.env)
        self._answers = []

    def _choose_action(self, s):
        if self.stop_asked():
            raise Stopped('stopped')
        self._repeating = bool(self._again)
        if self._repeating:
            a = self._again.popleft()
        else:
            a = self.agent.choose_action(s)
            if not np.isfinite(a).all():
                if not np.isfinite(s).all():
                    raise RunFailed(f'the environment gave the observation {s}')
                raise diverged(a)
        self._answers.append(a)
        return a

    def _learn(self, *batch):
        self.batch = batch
        if not self._repeating:
            self.agent.learn(*batch)
