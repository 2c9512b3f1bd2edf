"""DDPG's learning step in NumPy float64, written from the equations alone.

Nothing here is TensorFlow's: forward pass, backward pass and Adam are by hand. Parameters are lists
of arrays in the order of the graph's variables, l1 before the output layer.
"""

import copy

import numpy as np

_nearest = np.inf  # see slope


def doubles(arrays):
    """Return copies of the arrays in float64."""
    return [np.array(array, np.float64) for array in arrays]


def slope(h):
    """Return ReLU's derivative at h, and note how near to its jump, at 0, the inputs came."""
    global _nearest
    _nearest = min(_nearest, np.abs(h).min())
    return h > 0.0


def actor_forward(params, s, low, high):
    """Return mu(s) (n, action_dim), and what the backward pass needs."""
    w1, b1, w2, b2 = params
    h = s @ w1 + b1
    z = np.maximum(h, 0.0)
    t = np.tanh(z @ w2 + b2)
    return (low + high) / 2 + t * (high - low) / 2, (s, h, z, t)


def actor_backward(params, cache, da, low, high):
    """Return the gradient of sum(da * mu(s)) by each parameter."""
    _, _, w2, _ = params
    s, h, z, t = cache
    dy = da * (high - low) / 2 * (1.0 - t**2)
    dh = (dy @ w2.T) * slope(h)
    return [s.T @ dh, dh.sum(axis=0), z.T @ dy, dy.sum(axis=0)]


def critic_forward(params, s, a):
    """Return Q(s, a) (n, 1), and what the backward pass needs."""
    w1_s, w1_a, b1, w2, b2 = params
    h = s @ w1_s + a @ w1_a + b1
    z = np.maximum(h, 0.0)
    return z @ w2 + b2, (s, a, h, z)


def critic_backward(params, cache, dq):
    """Return the gradient of sum(dq * Q) by each parameter, and by the action (n, action_dim)."""
    _, w1_a, b1, w2, _ = params
    s, a, h, z = cache
    dh = (dq @ w2.T) * slope(h)
    of_b1 = dh.sum(axis=0).reshape(b1.shape)
    return [s.T @ dh, a.T @ dh, of_b1, z.T @ dq, dq.sum(axis=0)], dh @ w1_a.T


class Adam:
    """Kingma and Ba 2015, in the form at the end of their section 2, which TensorFlow has."""

    def __init__(self, params, rate):
        self.params, self.rate, self.t = params, rate, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def descend(self, grads):
        """Move the parameters, in place."""
        self.t += 1
        rate = self.rate * np.sqrt(1.0 - 0.999**self.t) / (1.0 - 0.9**self.t)
        for p, g, m, v in zip(self.params, grads, self.m, self.v):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= rate * m / (np.sqrt(v) + 1e-8)


class DDPG:
    """The original version: four networks and two Adam steps.

    Args:
        actor, critic: the parameters, copied; the targets begin as copies of them.
        low, high: the bounds of the action, (action_dim,).
        tau: of the soft replacement.
        rep_iter_a, rep_iter_c: of the hard one, at each learning step that they divide.
    """

    ORDER = 'critic', 'critic_', 'actor', 'actor_'  # of what moves in a learning step
    LR_C = 0.001
    MEAN = False  # the actor climbs along the sum over the batch

    def __init__(self, actor, critic, low, high, tau=0.01, lr_a=0.001, lr_c=None, gamma=0.9,
                 rep_iter_a=None, rep_iter_c=None):  # fmt: skip
        self.actor, self.actor_ = doubles(actor), doubles(actor)
        self.critic, self.critic_ = doubles(critic), doubles(critic)
        self.bounds, self.tau, self.gamma = doubles([low, high]), tau, gamma
        self.every = dict(actor_=rep_iter_a, critic_=rep_iter_c)
        self.adam_a = Adam(self.actor, lr_a)
        self.adam_c = Adam(self.critic, self.LR_C if lr_c is None else lr_c)
        self.steps = 0

    def learn(self, b_s, b_a, b_r, b_s_):
        """Take one learning step on a batch."""
        for name in self.ORDER:
            if name == 'critic':
                q, cache = critic_forward(self.critic, b_s, b_a)
                d_q = 2 * (q - self.target_q(b_r, b_s_)) / len(q)
                self.adam_c.descend(critic_backward(self.critic, cache, d_q)[0])
            elif name == 'actor':
                a, cache_a = actor_forward(self.actor, b_s, *self.bounds)
                q, cache_q = critic_forward(self.critic, b_s, a)
                d_q = np.full_like(q, -1 / len(q) if self.MEAN else -1)
                _, d_a = critic_backward(self.critic, cache_q, d_q)
                self.adam_a.descend(actor_backward(self.actor, cache_a, d_a, *self.bounds))
            else:
                tau = self.steps % self.every[name] == 0 if self.every[name] else self.tau
                for t, e in zip(getattr(self, name), getattr(self, name[:-1])):
                    t += tau * (e - t)
        self.steps += 1

    def target_q(self, b_r, b_s_):
        a_, _ = actor_forward(self.actor_, b_s_, *self.bounds)
        return b_r + self.gamma * critic_forward(self.critic_, b_s_, a_)[0]


class SimplifiedDDPG(DDPG):
    """The simplified version: both targets, then the actor, then the critic against the targets."""

    ORDER = 'actor_', 'critic_', 'actor', 'critic'
    LR_C, MEAN = 0.002, True


class AveragingDDPG(SimplifiedDDPG):
    """The version with averages for targets: the actor, the averages, the critic against these."""

    ORDER = 'actor', 'actor_', 'critic_', 'critic'


def learn_clear_of_jumps(learner, batches, margin=1e-5):
    """Let `learner` learn from the batches, but for those that bring a ReLU's input near zero.

    Rounding to float32 can bring such an input to the other side, which no reference can foresee,
    and which side it is depends on the processor.

    Returns:
        The learner after that, and the batches that it learned from.
    """
    global _nearest
    clear = []
    for b in batches:
        _nearest = np.inf
        trial = copy.deepcopy(learner)
        trial.learn(*doubles(b))
        if _nearest > margin:
            learner = trial
            clear.append(b)
    return learner, clear
