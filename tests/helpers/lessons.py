"""The three versions of the lesson behind one face, for tests of what all of them must do."""

import support.quiet  # noqa: F401  before TensorFlow
import numpy as np

import ddpg
import ddpg_update
import ddpg_update2
from tests.helpers import reference

LESSONS = [ddpg, ddpg_update, ddpg_update2]
REFERENCES = {
    ddpg: reference.DDPG,
    ddpg_update: reference.SimplifiedDDPG,
    ddpg_update2: reference.AveragingDDPG,
}


def set_numbers(monkeypatch, lesson, **numbers):
    """Let `lesson` have other numbers, also in the file from which it has its loop."""
    for namespace in (vars(lesson), lesson.train.__globals__):
        for name in set(numbers) & set(namespace):
            monkeypatch.setitem(namespace, name, numbers[name])


class Built(object):
    """A lesson's networks for `env`.

    `nets` are the variables of the four networks by name; `feeds` the placeholders of S, a, R, S_;
    `td_error` the critic's loss, and `actor_value` what the actor climbs along.
    `learn_actor` and `learn_critic` are the two parts of a learning step, in the attributes
    `part_names` of `parts`.
    """

    def __init__(self, lesson, env, replacement=None, seed=None):
        self.lesson, self.env = lesson, env
        self.built = lesson.build(env, replacement or lesson.SOFT, seed)
        if lesson is ddpg:
            self.sess, self.actor, self.critic = self.built
            nets = self.actor.e_params, self.actor.t_params
            nets += self.critic.e_params, self.critic.t_params
            critic = self.critic
            self.td_error, self.actor_value = critic.loss, critic.q
            self.parts, self.part_names = (self.actor, self.critic), ('learn', 'learn')
            dims = 2 * env.observation_space.shape[0] + len(env.action_space.low) + 1
            self.memory = ddpg.Memory(ddpg.MEMORY_CAPACITY, dims)
        else:
            self.actor = critic = agent = self.built
            self.sess, self.memory = agent.sess, agent.memory
            if lesson is ddpg_update:
                nets = agent.ae_params, agent.at_params, agent.ce_params, agent.ct_params
            else:
                nets = agent.a_params, [agent.ema.average(v) for v in agent.a_params]
                nets += agent.c_params, [agent.ema.average(v) for v in agent.c_params]
            with agent.sess.graph.as_default():
                self.td_error, self.actor_value = agent.td_error, -agent.a_loss
            self.parts, self.part_names = (agent, agent), ('_atrain', '_ctrain')
        self.nets = dict(zip(('actor', 'actor target', 'critic', 'critic target'), nets))
        self.feeds = critic.S, critic.a, critic.R, critic.S_
        self.learn_actor, self.learn_critic = map(getattr, self.parts, self.part_names)

    def choose_action(self, s):
        return self.actor.choose_action(s)

    def learn(self, *b):
        """Take one whole learning step on a batch."""
        if self.lesson is ddpg:
            self.critic.learn(*b)
            self.actor.learn(b[0])
        else:
            self.memory.sample = lambda n: np.hstack(b) if n == len(b[0]) else None
            self.built.learn()
            del self.memory.sample

    def train(self, episodes, **options):
        """Return the lesson's episodes, in a list."""
        original = self.lesson is ddpg
        args = (self.actor, self.critic, self.memory) if original else (self.built,)
        return list(self.lesson.train(self.env, *args, episodes=episodes, **options))

    def do_instead(self, choose_action, learn_actor, learn_critic):
        """Replace what `train` and `learn` call."""
        self.actor.choose_action = choose_action
        for part, name, call in zip(self.parts, self.part_names, (learn_actor, learn_critic)):
            setattr(part, name, call)

    def values(self):
        """Return the weights of the four networks by name."""
        return {name: self.sess.run(net) for name, net in self.nets.items()}

    def reference(self, values, **numbers):
        """Return the NumPy reference with the weights `values`, which must be copies in pairs."""
        for who in ('actor', 'critic'):
            for e, t in zip(values[who], values[f'{who} target']):
                assert (e == t).all()
        space = self.env.action_space
        weights = values['actor'], values['critic']
        return REFERENCES[self.lesson](*weights, space.low, space.high, **numbers)

    def distance(self, learner):
        """Return how far the weights are from the reference's, at most."""
        wanted = learner.actor, learner.actor_, learner.critic, learner.critic_
        return max(
            np.abs(got - want).max()
            for name, net in zip(self.nets, wanted)
            for got, want in zip(self.sess.run(self.nets[name]), net)
        )
