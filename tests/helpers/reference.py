"""DDPG's learning step in NumPy float64, written from the equations alone.

Nothing here is TensorFlow's: forward pass, backward pass and Adam are by hand. Parameters are lists
of arrays in the order of the graph's variables, l1 before the output layer.
"""

import copy

import numpy as np

_nearest = np.inf  # see slope


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
    by_params = [
        s.T @ dh,
        a.T @ dh,
        dh.sum(axis=0).reshape(b1.shape),
        z.T @ dq,
        dq.sum(axis=0),
    ]
    return by_params, dh @ w1_a.T


def td_grads(critic, critic_, actor_, bounds, gamma, b_s, b_a, b_r, b_s_):
    """Return the gradient by the critic's parameters of the mean squared TD error."""
    a_, _ = actor_forward(actor_, b_s_, *bounds)
    target = b_r + gamma * critic_forward(critic_, b_s_, a_)[0]
    q, cache = critic_forward(critic, b_s, b_a)
    return critic_backward(critic, cache, 2.0 * (q - target) / len(q))[0]


def q_grads_of_actor(actor, critic, b_s, low, high):
    """Return the gradient by the actor's parameters of the batch's sum of Q(s, mu(s))."""
    a, cache_a = actor_forward(actor, b_s, low, high)
    q, cache_q = critic_forward(critic, b_s, a)
    _, by_action = critic_backward(critic, cache_q, np.ones_like(q))
    return actor_backward(actor, cache_a, by_action, low, high)


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


class _Learner:
    """Four networks and the two Adam steps; what is the same in every version.

    Args:
        actor, critic: the parameters, copied; the targets begin as copies of them.
        low, high: the bounds of the action, (action_dim,).
        tau: of the soft replacement.

    A version's `ORDER` names the methods that make up one of its learning steps.
    """

    ORDER = ()
    LR_C = 0.001

    def __init__(self, actor, critic, low, high, tau=0.01, lr_a=0.001, lr_c=None, gamma=0.9):
        self.actor, self.actor_ = _copy(actor), _copy(actor)
        self.critic, self.critic_ = _copy(critic), _copy(critic)
        self.bounds = np.asarray(low, np.float64), np.asarray(high, np.float64)
        self.tau, self.gamma = tau, gamma
        self.adam_a = Adam(self.actor, lr_a)
        self.adam_c = Adam(self.critic, self.LR_C if lr_c is None else lr_c)
        self.steps = 0

    def learn(self, *b):
        """Take one learning step on the batch b_s, b_a, b_r, b_s_."""
        self.batch = b
        for step in self.ORDER:
            getattr(self, step)()
        self.steps += 1

    def step_critic(self):
        nets = self.critic, self.critic_, self.actor_
        self.adam_c.descend(td_grads(*nets, self.bounds, self.gamma, *self.batch))

    def step_actor(self):
        b_s = self.batch[0]
        grads = q_grads_of_actor(self.actor, self.critic, b_s, *self.bounds)
        self.adam_a.descend([-g * self.weight_of_a_sample(len(b_s)) for g in grads])

    def weight_of_a_sample(self, n):
        """The actor climbs along the mean over the n states of the batch."""
        return 1 / n

    def replace_actor(self):
        _approach(self.actor_, self.actor, self.tau)

    def replace_critic(self):
        _approach(self.critic_, self.critic, self.tau)

    def replace_both(self):
        self.replace_actor()
        self.replace_critic()


class DDPG(_Learner):
    """The original version: the critic and its target, then the actor and its target.

    With `every_a` and `every_c` the replacement is hard, at each learning step that they divide.
    """

    ORDER = ('step_critic', 'replace_critic', 'step_actor', 'replace_actor')

    def __init__(self, *args, every_a=None, every_c=None, **numbers):
        super().__init__(*args, **numbers)
        self.every_a, self.every_c = every_a, every_c

    def weight_of_a_sample(self, n):
        """The actor climbs along the sum over the batch."""
        return 1

    def replace_actor(self):
        if self.every_a is None:
            super().replace_actor()
        elif self.steps % self.every_a == 0:
            _approach(self.actor_, self.actor, 1)

    def replace_critic(self):
        if self.every_c is None:
            super().replace_critic()
        elif self.steps % self.every_c == 0:
            _approach(self.critic_, self.critic, 1)


class SimplifiedDDPG(_Learner):
    """The simplified version: both targets, then the actor, then the critic against the targets."""

    ORDER = ('replace_both', 'step_actor', 'step_critic')
    LR_C = 0.002


class AveragingDDPG(_Learner):
    """The version with averages for targets: the actor, the averages, the critic against these."""

    ORDER = ('step_actor', 'replace_both', 'step_critic')
    LR_C = 0.002


def _approach(targets, sources, tau):
    for t, e in zip(targets, sources):
        t += tau * (e - t)


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
        trial.learn(*_copy(b))
        if _nearest > margin:
            learner = trial
            clear.append(b)
    return learner, clear


def _copy(arrays):
    return [np.array(array, np.float64) for array in arrays]
