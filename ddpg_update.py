"""DDPG once more, simplified: the rewrite that the tutorial links at its end.

Read `ddpg.py` first; symbols and shapes are those of its table. What is different here:
- one class has actor, critic, their targets, both updates and the memory;
- the actor minimises a loss, -mean Q(s, mu(s)), where dQ/da, `grad_ys` and -lr were needed before;
- replacement is soft only, and both targets are replaced before anything learns.
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


def dense(x, units, name, activation=None, trainable=True):
    """Return activation(x w + b); w begins as Glorot uniform, TensorFlow's default, and b as 0."""
    with tf.variable_scope(name):
        w = tf.get_variable('w', [x.shape[1], units], trainable=trainable)
        b = tf.get_variable('b', [units], initializer=tf.zeros_initializer(), trainable=trainable)
        y = tf.nn.bias_add(tf.matmul(x, w), b)
        return activation(y) if activation else y


#####################  简化版代码 (the simplified code)  #####################


class DDPG(object):
    """Actor and critic. Source: tutorial, 简化版代码; Lillicrap et al. 2015, Algorithm 1."""

    def __init__(self, state_dim, low, high):
        self.memory = Memory(MEMORY_CAPACITY, dims=2 * state_dim + len(low) + 1)
        self.sess = new_session()
        self.state_dim = state_dim
        self.action_centre, self.action_bound = (high + low) / 2, (high - low) / 2
        self.S = tf.placeholder(tf.float32, [None, state_dim], 'S')
        self.R = tf.placeholder(tf.float32, [None, 1], 'R')
        self.S_ = tf.placeholder(tf.float32, [None, state_dim], 'S_')

        with tf.variable_scope('Actor'):
            self.a = self._build_a(self.S, scope='eval', trainable=True)
            a_ = self._build_a(self.S_, scope='target', trainable=False)
        with tf.variable_scope('Critic'):
            # self.a is the actor's; when the critic learns, actions from memory are fed for it
            self.q = self._build_c(self.S, self.a, scope='eval', trainable=True)
            q_ = self._build_c(self.S_, a_, scope='target', trainable=False)

        self.ae_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Actor/eval')
        self.at_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Actor/target')
        self.ce_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Critic/eval')
        self.ct_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Critic/target')
        pairs = list(zip(self.at_params + self.ct_params, self.ae_params + self.ce_params))

        with tf.variable_scope('soft_replace'):
            self.soft_replace = [tf.assign(t, (1 - TAU) * t + TAU * e) for t, e in pairs]
        with tf.variable_scope('TD_error'):
            q_target = self.R + GAMMA * q_
            self.td_error = tf.reduce_mean(tf.squared_difference(q_target, self.q))
        with tf.variable_scope('C_train'):
            opt = tf.train.AdamOptimizer(LR_C)  # var_list leaves the actor alone: see ddpg.py
            self.ctrain = opt.minimize(self.td_error, var_list=self.ce_params)
        with tf.variable_scope('A_loss'):
            self.a_loss = -tf.reduce_mean(self.q)  # minimising it maximises q
        with tf.variable_scope('A_train'), tf.control_dependencies(self.soft_replace):
            opt = tf.train.AdamOptimizer(LR_A)
            self.atrain = opt.minimize(self.a_loss, var_list=self.ae_params)

        with tf.name_scope('init'):
            self.sess.run(tf.global_variables_initializer())
            self.sess.run([tf.assign(t, e) for t, e in pairs])  # targets begin as copies
        # sess.run(self.a, {S: b_s}); sess.run(self.atrain, {S: b_s});
        # sess.run(self.ctrain, {S: b_s, a: b_a, R: b_r, S_: b_s_})
        self._act = make_callable(self.sess, self.a, [self.S])
        self._atrain = make_callable(self.sess, self.atrain, [self.S])
        self._ctrain = make_callable(self.sess, self.ctrain, [self.S, self.a, self.R, self.S_])

    def choose_action(self, s):
        """Return the actor's action in one state."""
        return self._act(s[np.newaxis, :])[0]

    def learn(self):
        """Replace the targets, then take an Adam step of the actor and one of the critic."""
        b_M = self.memory.sample(BATCH_SIZE)
        b_s = b_M[:, : self.state_dim]
        b_a = b_M[:, self.state_dim : -self.state_dim - 1]
        b_r = b_M[:, -self.state_dim - 1 : -self.state_dim]
        b_s_ = b_M[:, -self.state_dim :]
        self._atrain(b_s)  # soft_replace comes first, by the control dependency
        self._ctrain(b_s, b_a, b_r, b_s_)

    def store_transition(self, s, a, r, s_):
        """Keep a transition in memory."""
        self.memory.store_transition(s, a, r, s_)

    def _build_a(self, s, scope, trainable):
        with tf.variable_scope(scope):
            net = dense(s, HIDDEN_UNITS, 'l1', tf.nn.relu, trainable)
            a = dense(net, len(self.action_bound), 'a', tf.nn.tanh, trainable)
            return tf.add(self.action_centre, a * self.action_bound, name='scaled_a')

    def _build_c(self, s, a, scope, trainable):
        with tf.variable_scope(scope):
            w1_s = tf.get_variable('w1_s', [s.shape[1], HIDDEN_UNITS], trainable=trainable)
            w1_a = tf.get_variable('w1_a', [a.shape[1], HIDDEN_UNITS], trainable=trainable)
            b1 = tf.get_variable('b1', [1, HIDDEN_UNITS], trainable=trainable)
            net = tf.nn.relu(tf.matmul(s, w1_s) + tf.matmul(a, w1_a) + b1)
            return dense(net, 1, 'q', trainable=trainable)


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
