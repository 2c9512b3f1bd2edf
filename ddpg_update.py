"""DDPG once more, simplified as in the rewrite at the tutorial's end: one class instead of two.

Read `ddpg.py` first. What is different here:

- the target networks are moving averages of the variables (tf.train.ExponentialMovingAverage), and
  are built by the same code as the networks, in a reused scope whose getter returns the averages;
- the actor has a loss of its own, -mean Q(s, mu(s)), so that `minimize` does what dQ/da, `grad_ys`
  and the negative learning rate did: TensorFlow applies the chain rule;
- the critic is built three times on the same variables: on the actor's actions, on those from
  memory, and, averaged, on the next states. No placeholder has to be fed in another's place;
- a learning step is one call: actor, then averages, then critic against the moved averages.

Symbols and shapes are those of `ddpg.py`; A (n, action_dim) are the actions from memory.
"""

import experiment.quiet  # noqa: F401  before TensorFlow: silences its start-up messages
import numpy as np
import tensorflow.compat.v1 as tf

import ddpg
from ddpg import GAMMA, HIDDEN_UNITS, SOFT, dense, initialise, memory_for, set_seed, train
from experiment import program
from experiment.session import make_callable, new_session

#####################  hyperparameters  #####################
# Those of ddpg.py, but for these two.

LR_A = 0.001  # learning rate of the actor
LR_C = 0.002  # learning rate of the critic

#####################  简化版代码 (the simplified code)  #####################


class DDPG(object):
    """Actor, critic, their moving averages, and both updates.

    Each network is as in `ddpg.py`, but its weights begin as TensorFlow would have them (Glorot
    uniform), and its biases at 0, the critic's `b1` apart.

    Args:
        state_dim: the length of a state.
        low, high: the bounds of the action, (action_dim,) each, in the environment's units.
        tau: how far the averages move at every learning step.

    Attributes: `sess`; `a` (n, action_dim); `a_params`, `c_params`, the variables of actor and
    critic; `ema`, whose `ema.average(variable)` is the target network's.

    Source: tutorial, 简化版代码; paper, Algorithm 1 and eq. 4 to 6.
    """

    def __init__(self, state_dim, low, high, tau):
        self.action_centre, self.action_bound = (high + low) / 2, (high - low) / 2
        S = tf.placeholder(tf.float32, [None, state_dim], 'S')
        A = tf.placeholder(tf.float32, [None, len(low)], 'A')
        R = tf.placeholder(tf.float32, [None, 1], 'R')
        S_ = tf.placeholder(tf.float32, [None, state_dim], 'S_')

        self.a = self._build_actor(S)
        q_of_actor = self._build_critic(S, self.a)
        q = self._build_critic(S, A)
        self.a_params = tf.trainable_variables('Actor/')
        self.c_params = tf.trainable_variables('Critic/')

        self.ema = tf.train.ExponentialMovingAverage(decay=1 - tau)

        def averaged(getter, name, *args, **kwargs):
            return self.ema.average(getter(name, *args, **kwargs))

        def td_error():
            a_ = self._build_actor(S_, averaged)
            q_ = self._build_critic(S_, a_, averaged)
            return tf.reduce_mean(tf.squared_difference(R + GAMMA * q_, q))

        # TensorFlow runs operations in any order that the graph allows, and a control dependency
        # holds back only what is built inside it. So each part is built inside the one before; were
        # the target networks built outside, they could read the averages before these move.
        with tf.name_scope('A_loss'):
            self.a_loss = -tf.reduce_mean(q_of_actor)
        with tf.name_scope('A_train'):
            a_train = tf.train.AdamOptimizer(LR_A).minimize(
                self.a_loss, var_list=self.a_params, gate_gradients=tf.train.Optimizer.GATE_NONE
            )
        with tf.name_scope('averages'), tf.control_dependencies([a_train]):
            move_averages = self.ema.apply(self.a_params + self.c_params)
        with tf.name_scope('C_train'), tf.control_dependencies([move_averages]):
            c_train = tf.train.AdamOptimizer(LR_C).minimize(
                td_error(), var_list=self.c_params, gate_gradients=tf.train.Optimizer.GATE_NONE
            )
        with tf.name_scope('TD_error'):
            self.td_error = td_error()  # outside: to look at, nothing learns

        self.sess = new_session()
        params = self.a_params + self.c_params
        initialise(self.sess, [self.ema.average(v) for v in params], params)
        self._act = make_callable(self.sess, self.a, [S])
        self._learn = make_callable(self.sess, c_train, [S, A, R, S_])
        self._feeds = S, A, R, S_

    def _build_actor(self, s, custom_getter=None):
        with tf.variable_scope('Actor', reuse=tf.AUTO_REUSE, custom_getter=custom_getter):
            net = dense(s, HIDDEN_UNITS, 'l1', tf.nn.relu)
            a = dense(net, len(self.action_bound), 'a', tf.nn.tanh)
            return self.action_centre + a * self.action_bound

    def _build_critic(self, s, a, custom_getter=None):
        with tf.variable_scope('Critic', reuse=tf.AUTO_REUSE, custom_getter=custom_getter):
            w1_s = tf.get_variable('w1_s', [s.shape[1], HIDDEN_UNITS])
            w1_a = tf.get_variable('w1_a', [a.shape[1], HIDDEN_UNITS])
            b1 = tf.get_variable('b1', [1, HIDDEN_UNITS])
            net = tf.nn.relu(tf.add_n([tf.matmul(s, w1_s), tf.matmul(a, w1_a)]) + b1)
            return dense(net, 1, 'q')

    def choose_action(self, s):
        """Return the actor's action, (action_dim,), for one state s, (state_dim,)."""
        return self._act(s[np.newaxis, :])[0]

    def choose_actions(self, b_s):
        """Return the actor's actions, (n, action_dim), for states b_s, (n, state_dim)."""
        return self._act(b_s)

    def learn(self, b_s, b_a, b_r, b_s_):
        """One Adam step of the actor, the averages' move, and one Adam step of the critic.

        Args:
            b_s, b_s_: states and next states, (n, state_dim).
            b_a: the actions taken, (n, action_dim).
            b_r: the rewards, scaled, (n, 1).
        """
        self._learn(b_s, b_a, b_r, b_s_)

    def losses(self, *batch):
        """Return {name: loss} of critic and actor on a batch as in `learn`, without learning."""
        fetches = {'loss/critic': self.td_error, 'loss/actor': self.a_loss}
        return self.sess.run(fetches, dict(zip(self._feeds, batch)))


def build(env, seed=None, replacement=SOFT):
    """Build a DDPG for `env` in a graph of its own, ready to act and to learn.

    Args:
        env: a gym environment with a vector of observations and a bounded vector of actions.
        seed: seeds TensorFlow, numpy's global generator and `env`; None leaves all three alone.
        replacement: SOFT, or a dict like it with another tau.
    """
    set_seed(env, seed)
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        state_dim = env.observation_space.shape[0]
        return DDPG(state_dim, env.action_space.low, env.action_space.high, replacement['tau'])


#####################  the program: the episodes are those of ddpg.py  #####################


def agent(env, replacement, seed):
    """Build what the program drives."""
    both = build(env, seed, replacement)
    return program.Agent(
        both.sess, memory_for(env), both.choose_action, both.choose_actions, both.learn, both.losses
    )


def main():
    """Train from the command line: `python ddpg_update.py --help`."""
    program.main('ddpg_update', agent, train, dict(soft=SOFT), dict(vars(ddpg), **globals()))


if __name__ == '__main__':
    main()
