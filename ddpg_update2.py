"""DDPG simplified one step further: the target networks are moving averages.

The tutorial's repository keeps this version beside the simplified one. Read `ddpg_update.py` first;
its hyperparameters, `learn` and loop are repeated here. What is different here:

- tf.train.ExponentialMovingAverage keeps an average of each variable of actor and critic;
- the target networks are built in the networks' own scopes, opened once more with a getter that
  hands out the averages, so that there are no parameters to pair and to assign;
- the averages move after the actor has learned and before the critic does.
"""

from fast_tf import make_callable, new_session  # first: it silences TensorFlow's start-up messages

from collections import namedtuple

import numpy as np
import tensorflow.compat.v1 as tf

from memory import Memory

# On TensorFlow 1 too, a value once read from a variable no longer changes; see ddpg.py.
tf.enable_resource_variables()

#####################  hyperparameters  #####################

ENV_NAME = 'Pendulum-v0'
MAX_EPISODES = 200
MAX_EP_STEPS = 200
LR_A = 0.001  # learning rate of the actor
LR_C = 0.002  # learning rate of the critic
GAMMA = 0.9  # discount of the next state's value
TAU = 0.01  # soft-update rate: targets move this share of the way at every learning step
MEMORY_CAPACITY = 10000  # transitions
BATCH_SIZE = 32
HIDDEN_UNITS = 30  # in the one hidden layer of each network
VAR = 3.0  # initial exploration: a standard deviation
VAR_DECAY = 0.9998  # VAR is multiplied by this at every learning step
REWARD_SCALE = 10  # the memory keeps r / 10, which keeps Q small

Episode = namedtuple('Episode', 'index reward var')


def dense(x, units, name, activation=None):
    """Return activation(x w + b); w begins as Glorot uniform and b as 0."""
    with tf.variable_scope(name):
        w = tf.get_variable('w', [x.shape[1], units])
        b = tf.get_variable('b', [units], initializer=tf.zeros_initializer())
        y = tf.nn.bias_add(tf.matmul(x, w), b)
        return activation(y) if activation else y


class DDPG(object):
    """Actor and critic with averages for targets. Source: Lillicrap et al. 2015, Algorithm 1."""

    def __init__(self, state_dim, low, high):
        self.memory = Memory(MEMORY_CAPACITY, dims=2 * state_dim + len(low) + 1)
        self.sess = new_session()
        self.state_dim = state_dim
        self.action_centre, self.action_bound = (high + low) / 2, (high - low) / 2
        self.S = tf.placeholder(tf.float32, [None, state_dim], 'S')
        self.R = tf.placeholder(tf.float32, [None, 1], 'R')
        self.S_ = tf.placeholder(tf.float32, [None, state_dim], 'S_')

        self.a = self._build_a(self.S)
        self.q = self._build_c(self.S, self.a)
        self.a_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope='Actor')
        self.c_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope='Critic')

        with tf.variable_scope('A_loss'):
            self.a_loss = -tf.reduce_mean(self.q)
        with tf.variable_scope('A_train'):
            opt = tf.train.AdamOptimizer(LR_A)
            self.atrain = opt.minimize(self.a_loss, var_list=self.a_params)

        # average <- (1 - TAU) average + TAU variable, once the actor has learned
        self.ema = tf.train.ExponentialMovingAverage(decay=1.0 - TAU)
        with tf.name_scope('averages'), tf.control_dependencies([self.atrain]):
            self.soft_replace = self.ema.apply(self.a_params + self.c_params)

        def ema_getter(getter, name, *args, **kwargs):
            return self.ema.average(getter(name, *args, **kwargs))

        with tf.name_scope('target'):
            a_ = self._build_a(self.S_, ema_getter)
            q_ = self._build_c(self.S_, a_, ema_getter)
        with tf.variable_scope('TD_error'):
            self.td_error = tf.reduce_mean(tf.squared_difference(self.R + GAMMA * q_, self.q))
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
        # sess.run(self.a, {S: b_s}); sess.run(self.soft_replace, {S: b_s}), which trains first;
        # sess.run(self.ctrain, {S: b_s, a: b_a, R: b_r, S_: b_s_})
        self._act = make_callable(self.sess, self.a, [self.S])
        self._atrain = make_callable(self.sess, self.soft_replace, [self.S])
        self._ctrain = make_callable(self.sess, self.ctrain, [self.S, self.a, self.R, self.S_])

    def choose_action(self, s):
        """Return the actor's action in one state."""
        return self._act(s[np.newaxis, :])[0]

    def learn(self):
        """Take an Adam step of the actor, move the averages, and take one of the critic."""
        b_M = self.memory.sample(BATCH_SIZE)
        b_s = b_M[:, : self.state_dim]
        b_a = b_M[:, self.state_dim : -self.state_dim - 1]
        b_r = b_M[:, -self.state_dim - 1 : -self.state_dim]
        b_s_ = b_M[:, -self.state_dim :]
        self._atrain(b_s)  # and the averages move, after it
        self._ctrain(b_s, b_a, b_r, b_s_)

    def store_transition(self, s, a, r, s_):
        """Keep a transition in memory."""
        self.memory.store_transition(s, a, r, s_)

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


def build(env, seed=None):
    """Return a DDPG for `env` in a graph of its own; `seed` as in `ddpg.build`."""
    if seed is not None:
        np.random.seed(seed)
        env.seed(seed)
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        states, actions = env.observation_space, env.action_space
        return DDPG(states.shape[0], actions.low, actions.high)


def train(env, ddpg, episodes=None, start=0, var=None):
    """Train as `ddpg.train` does: from episode `start` up to `episodes`, yielding each."""
    episodes = MAX_EPISODES if episodes is None else episodes
    var = VAR if var is None else var
    low, high = env.action_space.low, env.action_space.high
    for i in range(start, episodes):
        s, ep_reward = env.reset(), 0.0
        for j in range(MAX_EP_STEPS):
            a = ddpg.choose_action(s)
            a = np.clip(np.random.normal(a, var), low, high)  # noise, to explore
            s_, r, done, info = env.step(a)
            ddpg.store_transition(s, a, r / REWARD_SCALE, s_)
            if ddpg.memory.pointer > MEMORY_CAPACITY:
                var *= VAR_DECAY
                ddpg.learn()
            s = s_
            ep_reward += r
            if done:
                break
        yield Episode(i, ep_reward, var)


def main(run):
    """The program; `run` is as in ddpg.py."""
    env = run.make_env(ENV_NAME)
    ddpg = build(env, run.seed)
    run.begin(ddpg.sess, ddpg.memory, S=ddpg.S, a=ddpg.a, q=ddpg.q, loss=ddpg.td_error)
    for episode in train(env, ddpg, run.episodes, run.start, run.var):
        run.record(episode)
    run.end()


if __name__ == '__main__':
    from lab.program import run_program  # the command line, the run's folder, pictures

    run_program(__file__)
