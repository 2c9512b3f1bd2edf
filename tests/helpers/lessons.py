"""The three versions of the lesson behind one interface, for tests of what all of them must do."""

import fast_tf  # noqa: F401  before TensorFlow
import numpy as np
import pytest

import ddpg
import ddpg_update
import ddpg_update2
from tests.helpers import reference

REFERENCES = {
    ddpg: reference.DDPG,
    ddpg_update: reference.SimplifiedDDPG,
    ddpg_update2: reference.AveragingDDPG,
}
LESSONS = list(REFERENCES)
three_lessons = pytest.mark.parametrize('lesson', LESSONS, ids=lambda lesson: lesson.__name__)


def set_numbers(monkeypatch, lesson, **numbers):
    """Give a lesson's module other hyperparameters, as one does in a notebook.

    TAU is the tau of SOFT in ddpg.py.
    """
    if lesson is ddpg and 'TAU' in numbers:
        numbers['SOFT'] = dict(ddpg.SOFT, tau=numbers.pop('TAU'))
    for name, value in numbers.items():
        monkeypatch.setattr(lesson, name, value)


class Built(object):
    """What a lesson, or a variant of one, has built for `env`.

    `nets` are the variables of the four networks by name; `feeds` the placeholders of S, a, R, S_.

    Args:
        replacement: of ddpg.py only.
    """

    def __init__(self, lesson, env, replacement=None, seed=None):
        self.lesson, self.env, self.original = lesson, env, hasattr(lesson, 'Actor')
        if self.original:
            built = lesson.build(env, replacement or lesson.SOFT, seed)
            self.sess, self.actor, self.critic, self.memory = built
            self._args = built[1:]
            nets = self.actor.e_params, self.actor.t_params
            nets += self.critic.e_params, self.critic.t_params
        else:
            built = lesson.build(env, seed)
            self.actor = self.critic = built
            self.sess, self.memory, self._args = built.sess, built.memory, (built,)
            if hasattr(built, 'at_params'):
                nets = built.ae_params, built.at_params, built.ce_params, built.ct_params
            else:
                nets = built.a_params, [built.ema.average(v) for v in built.a_params]
                nets += built.c_params, [built.ema.average(v) for v in built.c_params]
        self.nets = dict(zip(('actor', 'actor target', 'critic', 'critic target'), nets))
        self.feeds = self.critic.S, self.critic.a, self.critic.R, self.critic.S_

    def learn(self, *b):
        """Take one whole learning step on a batch."""
        if self.original:
            self.critic.learn(*b)
            self.actor.learn(b[0])
        else:
            self.memory.sample = lambda n: np.hstack(b) if n == len(b[0]) else None
            self.actor.learn()
            del self.memory.sample

    def train(self, episodes=None, **options):
        """Return the lesson's episodes, in a list."""
        return list(self.lesson.train(self.env, *self._args, episodes=episodes, **options))

    def do_instead(self, choose_action, learn_actor=None, learn_critic=None):
        """Replace what `train` calls."""
        names = ('learn', 'learn') if self.original else ('_atrain', '_ctrain')
        self.actor.choose_action = choose_action
        setattr(self.actor, names[0], learn_actor)
        setattr(self.critic, names[1], learn_critic)

    def values(self):
        """Return the weights of the four networks by name."""
        return {name: self.sess.run(net) for name, net in self.nets.items()}

    def reference(self, values, **numbers):
        """Return the NumPy reference that begins with the weights `values`."""
        space = self.env.action_space
        weights = values['actor'], values['critic'], space.low, space.high
        return REFERENCES[self.lesson](*weights, **numbers)

    def distance(self, learner):
        """Return how far the weights are from the reference's, at most."""
        wanted = learner.actor, learner.actor_, learner.critic, learner.critic_
        pairs = [pair for name, net in zip(self.nets, wanted) for pair in zip(self.nets[name], net)]
        got = self.sess.run([variable for variable, _ in pairs])
        return max(np.abs(one - want).max() for one, (_, want) in zip(got, pairs))
