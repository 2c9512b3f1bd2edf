"""DDPG simplified one step further: the target networks are moving averages.

The tutorial's repository keeps this version beside the simplified one. Read `ddpg_update.py` first:
its numbers, its loop and its `learn` serve here too. What is different here:

- tf.train.ExponentialMovingAverage keeps an average of each variable of actor and critic;
- the target networks are built in the networks' own scopes, opened once more with a getter that
  hands out the averages, so that there are no parameters to pair and to assign;
- the averages move after the actor has learned and before the critic does.
"""

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
import sys

import numpy as np
import tensorflow.compat.v1 as tf

import ddpg_update
from ddpg_update import GAMMA, HIDDEN_UNITS, LR_A, LR_C, MEMORY_CAPACITY, SOFT, dense, train  # noqa: F401
from memory import Memory
from support.session import make_callable, new_session

# What has been read from a variable does not change any more, on TensorFlow 1 too; see ddpg.py.
tf.enable_resource_variables()


class DDPG(ddpg_update.DDPG):
    """Actor and critic with averages for targets. Source: Lillicrap et al. 2015, Algorithm 1."""

    def __init__(self, state_dim, low, high, tau):
        self.memory = Memory(MEMORY_CAPACITY, dims=2 * state_dim + len(low) + 1)
        self.sess = new_session()
        self.state_dim = state_dim
        self.action_centre, self.action_bound = (high + low) / 2, (high - low) / 2
        self.S = tf.placeholder(tf.float32, [None, state_dim], 'S')
        self.R = tf.placeholder(tf.float32, [None, 1], 'R')
        self.S_ = tf.placeholder(tf.float32, [None, state_dim], 'S_')

        self.a = self._build_a(self.S)
        q = self._build_c(self.S, self.a)
        self.a_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope='Actor')
        self.c_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope='Critic')

        with tf.variable_scope('A_loss'):
            self.a_loss = -tf.reduce_mean(q)  # to maximise q
        with tf.variable_scope('A_train'):
            opt = tf.train.AdamOptimizer(LR_A)
            self.atrain = opt.minimize(self.a_loss, var_list=self.a_params)

        # average <- (1 - tau) average + tau variable, once the actor has learned
        self.ema = tf.train.ExponentialMovingAverage(decay=1.0 - tau)
        with tf.name_scope('averages'), tf.control_dependencies([self.atrain]):
            self.soft_replace = self.ema.apply(self.a_params + self.c_params)

        def ema_getter(getter, name, *args, **kwargs):
            return self.ema.average(getter(name, *args, **kwargs))

        with tf.name_scope('target'):
            a_ = self._build_a(self.S_, ema_getter)
            q_ = self._build_c(self.S_, a_, ema_getter)
        with tf.variable_scope('TD_error'):
            self.td_error = tf.reduce_mean(tf.squared_difference(self.R + GAMMA * q_, q))
        with tf.variable_scope('C_train'):
            opt = tf.train.AdamOptimizer(LR_C)
            self.ctrain = opt.minimize(self.td_error, var_list=self.c_params)

        with tf.name_scope('init'):
            params = self.a_params + self.c_params
            averages = {self.ema.average(v).name for v in params}
            others = [v for v in tf.global_variables() if v.name not in averages]
            self.sess.run(tf.variables_initializer(others))
            # the averages begin as copies; TensorFlow 1.15's own way to do so needs control flow
            self.sess.run([tf.assign(self.ema.average(v), v) for v in params])
        self._act = make_callable(self.sess, self.a, [self.S])
        self._atrain = make_callable(self.sess, self.soft_replace, [self.S])
        self._ctrain = make_callable(self.sess, self.ctrain, [self.S, self.a, self.R, self.S_])

    def _build_a(self, s, custom_getter=None):
        with tf.variable_scope('Actor', reuse=tf.AUTO_REUSE, custom_getter=custom_getter):
            net = dense(s, HIDDEN_UNITS, 'l1', tf.nn.relu)
            a = dense(net, len(self.action_bound), 'a', tf.nn.tanh)
            return tf.add(self.action_centre, a * self.action_bound, name='scaled_a')

    def _build_c(self, s, a, custom_getter=None):
        with tf.variable_scope('Critic', reuse=tf.AUTO_REUSE, custom_getter=custom_getter):
            w1_s = tf.get_variable('w1_s', [s.shape[1], HIDDEN_UNITS])
            w1_a = tf.get_variable('w1_a', [a.shape[1], HIDDEN_UNITS])
            b1 = tf.get_variable('b1', [1, HIDDEN_UNITS])
            net = tf.nn.relu(tf.matmul(s, w1_s) + tf.matmul(a, w1_a) + b1)
            return dense(net, 1, 'q')


def build(env, replacement=SOFT, seed=None):
    """Return a DDPG for `env` in a graph of its own; parameters as in `ddpg.build`."""
    if seed is not None:
        np.random.seed(seed)
        env.seed(seed)
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        state_dim = env.observation_space.shape[0]
        return DDPG(state_dim, env.action_space.low, env.action_space.high, replacement['tau'])


if __name__ == '__main__':
    from experiment import program  # the command line, the run's folder, pictures

    program.main(sys.modules[__name__])
