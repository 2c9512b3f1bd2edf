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


class DDPG:
    """The original version's two updates, each with its replacement.

    Args:
        actor, critic: the parameters, copied; the targets begin as copies of them.
        low, high: the bounds of the action, (action_dim,).
        tau: of the soft replacement; None for hard ones at every `every_a`th and `every_c`th step.
    """

    def __init__(
        self, actor, critic, low, high, tau=None, every_a=None, every_c=None, lr=0.001, gamma=0.9
    ):
        self.actor, self.actor_ = _copy(actor), _copy(actor)
        self.critic, self.critic_ = _copy(critic), _copy(critic)
        self.bounds = np.asarray(low, np.float64), np.asarray(high, np.float64)
        self.tau, self.every_a, self.every_c, self.gamma = tau, every_a, every_c, gamma
        self.adam_a, self.adam_c = Adam(self.actor, lr), Adam(self.critic, lr)
        self.steps = 0

    def learn(self, b_s, b_a, b_r, b_s_):
        """One learning step: critic, its target, actor, its target."""
        nets = self.critic, self.critic_, self.actor_
        grads = td_grads(*nets, self.bounds, self.gamma, b_s, b_a, b_r, b_s_)
        self.adam_c.descend(grads)
        self._replace(self.critic_, self.critic, self.every_c)

        grads = q_grads_of_actor(self.actor, self.critic, b_s, *self.bounds)
        self.adam_a.descend([-g for g in grads])
        self._replace(self.actor_, self.actor, self.every_a)
        self.steps += 1

    def _replace(self, target, source, every):
        for t, e in zip(target, source):
            if self.tau is not None:
                t += self.tau * (e - t)
            elif self.steps % every == 0:
                t[...] = e


class SimplifiedDDPG:
    """The simplified version's learning step: actor, moving averages, critic against these.

    Args:
        actor, critic: the parameters, copied; the averages begin as copies of them.
        low, high: the bounds of the action, (action_dim,).
    """

    def __init__(self, actor, critic, low, high, decay=0.99, lr_a=0.001, lr_c=0.002, gamma=0.9):
        self.actor, self.actor_ = _copy(actor), _copy(actor)
        self.critic, self.critic_ = _copy(critic), _copy(critic)
        self.bounds = np.asarray(low, np.float64), np.asarray(high, np.float64)
        self.decay, self.gamma = decay, gamma
        self.adam_a, self.adam_c = Adam(self.actor, lr_a), Adam(self.critic, lr_c)

    def learn(self, b_s, b_a, b_r, b_s_):
        """One learning step."""
        self.step_actor(b_s)
        self.move_averages()
        self.step_critic(b_s, b_a, b_r, b_s_)

    def step_actor(self, b_s):
        grads = q_grads_of_actor(self.actor, self.critic, b_s, *self.bounds)
        self.adam_a.descend([-g / len(b_s) for g in grads])

    def move_averages(self):
        for average, value in zip(self.actor_ + self.critic_, self.actor + self.critic):
            average *= self.decay
            average += (1.0 - self.decay) * value

    def step_critic(self, b_s, b_a, b_r, b_s_):
        nets = self.critic, self.critic_, self.actor_
        self.adam_c.descend(td_grads(*nets, self.bounds, self.gamma, b_s, b_a, b_r, b_s_))


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
