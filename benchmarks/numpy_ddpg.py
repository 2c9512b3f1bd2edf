"""DDPG's learning step of ddpg.py by hand in NumPy.

In float32 it is the floor that the lesson's speed is held to, in float64 a reference for its
weights. What makes it fast: the parameters of a network lie in one vector, so that Adam and the
replacement are a few operations for all of them, and what is large is written in place.
"""

import ddpg
import numpy as np


class Network(object):
    """A network's weights and biases, their target's and their gradients: views of vectors.

    `state`, (4, size), is all that a learning step changes, but for the count `t` of Adam's steps.
    """

    def __init__(self, arrays, dtype):
        first = np.concatenate([np.ravel(a) for a in arrays])
        self.state, self.t = np.zeros((4, first.size), dtype), 0
        self.vector, self.target, self.m, self.v = self.state
        self.vector[:] = self.target[:] = first
        self.grad, self.work = np.zeros_like(self.vector), np.zeros_like(self.vector)
        ends = np.cumsum([np.size(a) for a in arrays])[:-1]
        self.params, self.target_params, self.grads = (
            [part.reshape(np.shape(a)) for part, a in zip(np.split(vector, ends), arrays)]
            for vector in (self.vector, self.target, self.grad)
        )

    def adam(self, rate):
        """Move the parameters down `grad`; a negative rate moves up."""
        self.t += 1
        g, m, v, work = self.grad, self.m, self.v, self.work
        m *= 0.9
        np.multiply(g, 0.1, out=work)
        m += work
        v *= 0.999
        np.multiply(g, g, out=work)
        work *= 0.001
        v += work
        np.sqrt(v, out=work)
        work += 1e-8
        np.divide(m, work, out=work)
        work *= rate * (1 - 0.999**self.t) ** 0.5 / (1 - 0.9**self.t)
        self.vector -= work

    def replace(self, tau):
        """Soft replacement of the target."""
        np.subtract(self.vector, self.target, out=self.work)
        self.work *= tau
        self.target += self.work


class NumpyDDPG(object):
    """`choose_action` and `learn` of ddpg.py, with its hyperparameters.

    Args:
        actor, critic: the parameters to begin with, as lists of arrays.
        low, high: the bounds of the action.
    """

    def __init__(self, actor, critic, low, high, dtype=np.float32):
        self.actor, self.critic = Network(actor, dtype), Network(critic, dtype)
        self.centre, self.bound = (high + low) / 2, (high - low) / 2

    def choose_action(self, s):
        """Return mu(s), (action_dim,), for one state."""
        w1, b1, w2, b2 = self.actor.params
        z = np.maximum(s.astype(w1.dtype) @ w1 + b1, 0)
        return np.tanh(z @ w2 + b2) * self.bound + self.centre

    def slope(self, h):
        """Return ReLU's derivative at h."""
        return h > 0

    def mu(self, params, s):
        """Return mu(s), (n, action_dim), and what the gradient needs."""
        w1, b1, w2, b2 = params
        h = s @ w1
        h += b1
        z = np.maximum(h, 0)
        t = z @ w2
        t += b2
        np.tanh(t, out=t)
        return t * self.bound + self.centre, h, z, t

    @staticmethod
    def q(params, s, a):
        """Return Q(s, a), (n, 1), and what the gradient needs."""
        w1_s, w1_a, b1, w2, b2 = params
        h = s @ w1_s
        h += a @ w1_a
        h += b1
        z = np.maximum(h, 0)
        q = z @ w2
        q += b2
        return q, h, z

    def learn(self, b_s, b_a, b_r, b_s_):
        """One learning step: critic, its target, actor, its target."""
        a_ = self.mu(self.actor.target_params, b_s_)[0]
        q_ = self.q(self.critic.target_params, b_s_, a_)[0]
        q, h, z = self.q(self.critic.params, b_s, b_a)
        q_ *= ddpg.GAMMA
        q_ += b_r
        q -= q_
        q *= 2.0 / len(q)
        g_s, g_a, g_b1, g_w2, g_b2 = self.critic.grads
        dz = q @ self.critic.params[3].T
        dz *= self.slope(h)
        np.matmul(b_s.T, dz, out=g_s)
        np.matmul(b_a.T, dz, out=g_a)
        dz.sum(axis=0, out=g_b1.reshape(-1))
        np.matmul(z.T, q, out=g_w2)
        q.sum(axis=0, out=g_b2)
        self.critic.adam(ddpg.LR_C)
        self.critic.replace(ddpg.SOFT['tau'])

        a, h, z, t = self.mu(self.actor.params, b_s)
        _, h_q, _ = self.q(self.critic.params, b_s, a)
        _, w1_a, _, w2, _ = self.critic.params
        dy = (self.slope(h_q) * w2.T) @ w1_a.T  # dQ/da
        dy *= self.bound
        t *= t
        np.subtract(1, t, out=t)
        dy *= t
        dz = dy @ self.actor.params[2].T
        dz *= self.slope(h)
        g_w1, g_b1, g_w2, g_b2 = self.actor.grads
        np.matmul(b_s.T, dz, out=g_w1)
        dz.sum(axis=0, out=g_b1)
        np.matmul(z.T, dy, out=g_w2)
        dy.sum(axis=0, out=g_b2)
        self.actor.adam(-ddpg.LR_A)
        self.actor.replace(ddpg.SOFT['tau'])
