"""DDPG's learning step in NumPy float32, written to be fast: the floor that the lesson is held to.

The equations are those of tests/helpers/reference.py. What makes it fast: the parameters of a
network lie in one vector, so that Adam and the replacement are a few operations for all of them,
and every array is written in place.
"""

import ddpg
import numpy as np


class Network(object):
    """Views of one float32 vector as weights and biases, and another one for their gradients."""

    def __init__(self, arrays):
        self.vector = np.concatenate([np.ravel(a) for a in arrays]).astype(np.float32)
        self.shapes = [np.shape(a) for a in arrays]
        self.params = self._views(self.vector)
        self.target = self.vector.copy()
        self.target_params = self._views(self.target)
        self.grad = np.zeros_like(self.vector)
        self.grads = self._views(self.grad)
        self.m, self.v, self.t = np.zeros_like(self.grad), np.zeros_like(self.grad), 0
        self.work = np.zeros_like(self.grad)

    def _views(self, vector):
        views, start = [], 0
        for shape in self.shapes:
            size = int(np.prod(shape))
            views.append(vector[start : start + size].reshape(shape))
            start += size
        return views

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
    """The original version's `choose_action` and `learn`, with its numbers.

    Args:
        actor, critic: the parameters, as lists of arrays.
        low, high: the bounds of the action.
    """

    def __init__(self, actor, critic, low, high):
        self.actor, self.critic = Network(actor), Network(critic)
        self.centre, self.bound = (high + low) / 2, (high - low) / 2

    def choose_action(self, s):
        """Return mu(s), (action_dim,), for one state."""
        w1, b1, w2, b2 = self.actor.params
        z = np.maximum(s.astype(np.float32) @ w1 + b1, 0)
        return np.tanh(z @ w2 + b2) * self.bound + self.centre

    def _mu(self, params, s):
        w1, b1, w2, b2 = params
        z = s @ w1
        z += b1
        np.maximum(z, 0, out=z)
        t = z @ w2
        t += b2
        np.tanh(t, out=t)
        return t * self.bound + self.centre, z, t

    @staticmethod
    def _q(params, s, a):
        w1_s, w1_a, b1, w2, b2 = params
        z = s @ w1_s
        z += a @ w1_a
        z += b1
        np.maximum(z, 0, out=z)
        q = z @ w2
        q += b2
        return q, z

    def learn(self, b_s, b_a, b_r, b_s_):
        """One learning step: critic, its target, actor, its target."""
        q_, _ = self._q(
            self.critic.target_params, b_s_, self._mu(self.actor.target_params, b_s_)[0]
        )
        q, z = self._q(self.critic.params, b_s, b_a)
        q_ *= ddpg.GAMMA
        q_ += b_r
        q -= q_
        q *= 2.0 / len(q)
        g_s, g_a, g_b1, g_w2, g_b2 = self.critic.grads
        dz = q @ self.critic.params[3].T
        dz *= z > 0
        np.matmul(b_s.T, dz, out=g_s)
        np.matmul(b_a.T, dz, out=g_a)
        dz.sum(axis=0, out=g_b1.reshape(-1))
        np.matmul(z.T, q, out=g_w2)
        q.sum(axis=0, out=g_b2)
        self.critic.adam(ddpg.LR_C)
        self.critic.replace(ddpg.SOFT['tau'])

        a, z, t = self._mu(self.actor.params, b_s)
        _, zq = self._q(self.critic.params, b_s, a)
        _, w1_a, _, w2, _ = self.critic.params
        dy = ((zq > 0) * w2.T) @ w1_a.T  # dQ/da
        dy *= self.bound
        t *= t
        np.subtract(1, t, out=t)
        dy *= t
        dz = dy @ self.actor.params[2].T
        dz *= z > 0
        g_w1, g_b1, g_w2, g_b2 = self.actor.grads
        np.matmul(b_s.T, dz, out=g_w1)
        dz.sum(axis=0, out=g_b1)
        np.matmul(z.T, dy, out=g_w2)
        dy.sum(axis=0, out=g_b2)
        self.actor.adam(-ddpg.LR_A)
        self.actor.replace(ddpg.SOFT['tau'])
