"""Deep Deterministic Policy Gradient (DDPG) swings up a pendulum.

This is the code of the tutorial, in the tutorial's order: read the two side by side, top to bottom.

要点 (the gist): DDPG is an Actor-Critic whose actor does not output the probability of an action,
but the action itself, which suits continuous actions. From DQN it has the replay memory and the
target networks, which keep learning steady.

Symbols, with n the batch size:

======  ===============  ==================================================================
symbol  shape            description
======  ===============  ==================================================================
s, S    (n, state_dim)   state (observation)
a       (n, action_dim)  action of the actor's eval_net in s, within the bounds
r, R    (n, 1)           reward, divided by REWARD_SCALE
s_, S_  (n, state_dim)   next state
a_      (n, action_dim)  action of the actor's target_net in s_
q       (n, 1)           Q(s, a), the critic's eval_net
q_      (n, 1)           Q(s_, a_), the critic's target_net
======  ===============  ==================================================================

All of them are float32. "The paper" is Lillicrap et al. 2015, arXiv 1509.02971.
"""

import experiment.quiet  # noqa: F401  before TensorFlow: silences its start-up messages
from collections import namedtuple

import numpy as np
import tensorflow.compat.v1 as tf

from experiment import program
from experiment.session import make_callable, new_session
from memory import Memory

#####################  hyperparameters  #####################

MAX_EPISODES = 200
MAX_EP_STEPS = 200
LR_A = 0.001  # learning rate of the actor
LR_C = 0.001  # learning rate of the critic
GAMMA = 0.9  # discount of the next state's value
SOFT = dict(name='soft', tau=0.01)  # targets move 1 % of the way at every learning step
HARD = dict(name='hard', rep_iter_a=600, rep_iter_c=500)  # targets are copied now and then
MEMORY_CAPACITY = 10000
BATCH_SIZE = 32
HIDDEN_UNITS = 30  # in the one hidden layer of each network
VAR = 3.0  # exploration at the start; see train()
VAR_DECAY = 0.9998  # exploration after a learning step, as a share of that before
REWARD_SCALE = 10  # the memory keeps r / 10, which keeps Q small

#####################  算法 (the algorithm)  #####################
#
# Actor (paper, eq. 6): climb along  dQ(s, a)/da at a = mu(s)  *  dmu(s)/dparams.
#     The first factor is the critic's (a_grads): which way should this action move for a larger Q?
#     The second is the actor's: how must the parameters change to move the action that way?
# Critic (paper, eq. 4 and 5): descend on the mean of  (target_q - Q(s, a))^2,  where
#     target_q = r + gamma * Q'(s_, mu'(s_)).  Q' and mu' are the two target_nets, which lag behind:
#     a target that moved with the network that follows it would never be reached.


def dense(x, units, name, activation=None, w_init=None, b_init=None, trainable=True):
    """Return activation(x w + b), (n, units), for x (n, width); w and b are variables in `name`.

    Without initialisers w starts as TensorFlow would have it (Glorot uniform), and b at 0.
    """
    with tf.variable_scope(name):
        w = tf.get_variable('w', [x.shape[1], units], initializer=w_init, trainable=trainable)
        b_init = b_init or tf.zeros_initializer()
        b = tf.get_variable('b', [units], initializer=b_init, trainable=trainable)
        y = tf.nn.bias_add(tf.matmul(x, w), b)
        return y if activation is None else activation(y)


def variables_in(scope):
    """Return the variables whose names begin with `scope`, in the order in which they were made."""
    return tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope=scope)


def replace_op(t_params, e_params, replacement, rep_iter):
    """Return the operation that moves the target_net's parameters towards the eval_net's.

    Soft (paper, Algorithm 1): t <- (1 - tau) t + tau e at every learning step. Hard (as in DQN):
    t <- e at learning steps 0, rep_iter, 2 rep_iter, ...; that is tau = 1 there and 0 in between.

    Args:
        t_params, e_params: variables of target_net and eval_net, in the same order.
        replacement: SOFT, HARD, or a dict like one of them.
        rep_iter: learning steps between two hard replacements.
    """
    count = tf.no_op()
    if replacement['name'] == 'soft':
        tau = tf.constant(replacement['tau'])
    else:
        counter = tf.get_variable(
            't_replace_counter', [], tf.int64, tf.zeros_initializer(), trainable=False
        )
        tau = tf.cast(tf.equal(counter % rep_iter, 0), tf.float32)
        with tf.control_dependencies([tau]):
            count = tf.assign_add(counter, 1)
    # A resource variable (see policy_grads) is read where a formula names it: here, after whatever
    # this operation has to wait for, and not once for all where it was made.
    rest = 1 - tau
    moved = [tf.assign(t, rest * t + tau * e) for t, e in zip(t_params, e_params)]
    return tf.group(count, *moved)


#####################  主结构 (the structure)  #####################


class Actor(object):
    """The policy a = mu(s): `eval_net` acts and learns, `target_net` gives a_ to the target Q.

    Each network is state -> HIDDEN_UNITS ReLU -> tanh, scaled to the bounds of each action.
    Weights start as N(0, 0.3), biases at 0.1.

    Args:
        sess: the session that will run the graph.
        S, S_: placeholders of the states and the next states, (n, state_dim).
        low, high: the bounds of the action, (action_dim,) each, in the environment's units. Each
            dimension may have its own, and they need not be symmetric about zero.
        learning_rate: of Adam.
        replacement: SOFT, HARD, or a dict like one of them.

    Attributes: `a`, `a_` (n, action_dim); `e_params`, `t_params`, the two networks' variables;
    after add_grad_to_graph `policy_grads`, one gradient for each of `e_params`, and `train_op`.

    Source: tutorial, 主结构 and Actor Critic; paper, section 3 and eq. 6.
    """

    def __init__(self, sess, S, S_, low, high, learning_rate, replacement):
        self.sess = sess
        self.S = S
        self.lr = learning_rate
        self.replacement = replacement
        self.action_centre = (high + low) / 2
        self.action_bound = (high - low) / 2  # for Pendulum 2, about a centre of 0

        with tf.variable_scope('Actor') as scope:
            # this network acts, and is updated at every learning step
            self.a = self._build_net(S, scope='eval_net', trainable=True)
            # this one follows it slowly; its actions a_ go into the critic's target_q
            self.a_ = self._build_net(S_, scope='target_net', trainable=False)

        self.e_params = variables_in(scope.name + '/eval_net/')
        self.t_params = variables_in(scope.name + '/target_net/')
        self._act = make_callable(sess, self.a, [S])

    def _build_net(self, s, scope, trainable):
        with tf.variable_scope(scope):
            init_w, init_b = tf.random_normal_initializer(0.0, 0.3), tf.constant_initializer(0.1)
            net = dense(s, HIDDEN_UNITS, 'l1', tf.nn.relu, init_w, init_b, trainable)
            a = dense(net, len(self.action_bound), 'a', tf.nn.tanh, init_w, init_b, trainable)
            return tf.add(self.action_centre, a * self.action_bound, name='scaled_a')

    def choose_action(self, s):
        """Return the action of the eval_net, (action_dim,), for one state s, (state_dim,)."""
        return self._act(s[np.newaxis, :])[0]

    def choose_actions(self, b_s):
        """Return the actions of the eval_net, (n, action_dim), for states b_s, (n, state_dim)."""
        return self._act(b_s)

    def add_grad_to_graph(self, a_grads):
        """Complete the graph with the actor's update, once there is a critic to ask for dQ/da.

        Args:
            a_grads: dQ/da at a = mu(s), (n, action_dim), from the critic.
        """
        with tf.variable_scope('policy_grads'):
            # (dQ/da) * (da/dparams): grad_ys weighs each element of ys, and tf.gradients sums over
            # them, so this is the batch's sum (Adam makes little of the difference to a mean).
            # The gradients see the weights that `a` was computed with, for the variables here are
            # resources (experiment/session.py): what has been read stays. TensorFlow 1's own are
            # references: Adam may have moved the output layer's weights before the hidden layer's
            # gradient is multiplied by them. There, add gate_gradients=True.
            self.policy_grads = tf.gradients(ys=self.a, xs=self.e_params, grad_ys=a_grads)
        with tf.variable_scope('A_train'):
            opt = tf.train.AdamOptimizer(-self.lr)  # a negative rate ascends: larger Q is better
            self.train_op = opt.apply_gradients(zip(self.policy_grads, self.e_params))
        with tf.variable_scope('A_replace'), tf.control_dependencies([self.train_op]):
            rep_iter = self.replacement.get('rep_iter_a')
            replace = replace_op(self.t_params, self.e_params, self.replacement, rep_iter)
        # train and replace in one call: calling TensorFlow is what costs here, two calls 6 % more
        self._learn = make_callable(self.sess, replace, [self.S])

    def learn(self, b_s):
        """One Adam step towards actions of larger Q, then the target_net's replacement.

        Args:
            b_s: a batch of states, (n, state_dim).
        """
        self._learn(b_s)


class Critic(object):
    """Q(s, a), how good action a is in state s: `eval_net` learns, `target_net` gives the target.

    Each network is (state, action) -> HIDDEN_UNITS ReLU -> one number. Weights start as N(0, 0.1),
    biases at 0.1.

    Args:
        sess: the session that will run the graph.
        S, R, S_: placeholders, (n, state_dim), (n, 1) and (n, state_dim).
        a, a_: the actions of the actor's eval_net and target_net, (n, action_dim).
        learning_rate: of Adam.
        gamma: the discount.
        replacement: SOFT, HARD, or a dict like one of them.

    Attributes: `a`; `q`, `q_`, `target_q` (n, 1); `loss`, the mean squared TD error; `a_grads`,
    dQ/da (n, action_dim); `e_params`, `t_params`, the two networks' variables; `train_op`.

    Source: tutorial, 主结构 and Actor Critic; paper, section 3 and eq. 4 and 5.
    """

    def __init__(self, sess, S, R, S_, a, a_, learning_rate, gamma, replacement):
        self.sess = sess
        self.S, self.R, self.S_ = S, R, S_

        with tf.variable_scope('Critic') as scope:
            # The actor's own output. The actor's update leaves it so; the critic's update feeds
            # the actions from memory in its place.
            self.a = a
            # this network is updated at every learning step
            self.q = self._build_net(S, self.a, 'eval_net', trainable=True)
            # this one follows it slowly, and judges the actor's a_ for target_q
            self.q_ = self._build_net(S_, a_, 'target_net', trainable=False)

        self.e_params = variables_in(scope.name + '/eval_net/')
        self.t_params = variables_in(scope.name + '/target_net/')

        with tf.variable_scope('target_q'):
            self.target_q = R + gamma * self.q_
        with tf.variable_scope('TD_error'):
            self.loss = tf.reduce_mean(tf.squared_difference(self.target_q, self.q))
        with tf.variable_scope('C_train'):
            # var_list: feeding `a` replaces its value, not its place in the graph. Without the
            # list the gradient would run on through `a` and train the actor on the TD error too.
            # GATE_NONE: nothing has to wait (see policy_grads), and gating would also compute the
            # gradients by s, a and target_q, which nobody asks for: 3 % of a step.
            self.train_op = tf.train.AdamOptimizer(learning_rate).minimize(
                self.loss, var_list=self.e_params, gate_gradients=tf.train.Optimizer.GATE_NONE
            )
        with tf.variable_scope('a_grad'):
            # dQ/da. It must be taken by the very tensor that q was built on: for any other, like
            # an `a` from before a tf.stop_gradient, no path leads there and the gradient is None.
            self.a_grads = tf.gradients(self.q, self.a)[0]
        with tf.variable_scope('C_replace'), tf.control_dependencies([self.train_op]):
            rep_iter = replacement.get('rep_iter_c')
            replace = replace_op(self.t_params, self.e_params, replacement, rep_iter)
        self._learn = make_callable(sess, replace, [S, self.a, R, S_])

    def _build_net(self, s, a, scope, trainable):
        with tf.variable_scope(scope):
            init_w, init_b = tf.random_normal_initializer(0.0, 0.1), tf.constant_initializer(0.1)
            w = dict(initializer=init_w, trainable=trainable)
            b = dict(initializer=init_b, trainable=trainable)
            with tf.variable_scope('l1'):
                w1_s = tf.get_variable('w1_s', [s.shape[1], HIDDEN_UNITS], **w)
                w1_a = tf.get_variable('w1_a', [a.shape[1], HIDDEN_UNITS], **w)
                b1 = tf.get_variable('b1', [1, HIDDEN_UNITS], **b)
                # add_n is +, but its gradient need not ask for shapes first: 1 % of a step
                net = tf.nn.relu(tf.add_n([tf.matmul(s, w1_s), tf.matmul(a, w1_a)]) + b1)
            return dense(net, 1, 'q', None, init_w, init_b, trainable)

    def learn(self, b_s, b_a, b_r, b_s_):
        """One Adam step on the TD error, then the target_net's replacement.

        Args:
            b_s, b_s_: states and next states, (n, state_dim).
            b_a: the actions taken, (n, action_dim).
            b_r: the rewards, scaled, (n, 1).
        """
        self._learn(b_s, b_a, b_r, b_s_)

    def losses(self, b_s, b_a, b_r, b_s_):
        """Return {name: loss} of critic and actor on a batch as in `learn`, without learning."""
        feed = {self.S: b_s, self.a: b_a, self.R: b_r, self.S_: b_s_}
        q_of_actor = self.sess.run(self.q, {self.S: b_s})  # nothing fed for a: it is the actor's
        return {
            'loss/critic': self.sess.run(self.loss, feed),
            'loss/actor': -q_of_actor.mean(),
        }


#####################  Actor Critic (how the two are joined)  #####################


def set_seed(env, seed):
    """Seed numpy's global generator and `env`, unless `seed` is None."""
    if seed is not None:
        np.random.seed(seed)
        env.seed(seed)


def initialise(sess, t_params, e_params):
    """Initialise all variables; `t_params` begin as copies of `e_params` (paper, Algorithm 1)."""
    with tf.name_scope('init'):
        targets = {t.name for t in t_params}
        others = [v for v in tf.global_variables() if v.name not in targets]
        with tf.control_dependencies([tf.variables_initializer(others)]):
            copies = [tf.assign(t, e) for t, e in zip(t_params, e_params)]
    sess.run(copies)


def build(env, replacement=SOFT, seed=None):
    """Build actor and critic for `env` in a graph of their own, ready to act and to learn.

    Args:
        env: a gym environment with a vector of observations and a bounded vector of actions.
        replacement: SOFT, HARD, or a dict like one of them.
        seed: seeds TensorFlow, numpy's global generator and `env`; None leaves all three alone.

    Returns:
        (sess, actor, critic): variables are initialised and both target_nets are copies of their
        eval_nets (paper, Algorithm 1).
    """
    state_dim = env.observation_space.shape[0]
    low, high = env.action_space.low, env.action_space.high
    set_seed(env, seed)

    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        with tf.name_scope('S'):
            S = tf.placeholder(tf.float32, [None, state_dim], 's')
        with tf.name_scope('R'):
            R = tf.placeholder(tf.float32, [None, 1], 'r')
        with tf.name_scope('S_'):
            S_ = tf.placeholder(tf.float32, [None, state_dim], 's_')
        sess = new_session()

        # The three lines that join them: the critic is built on the actor's actions, then its
        # opinion of them, dQ/da, goes back into the actor.
        actor = Actor(sess, S, S_, low, high, LR_A, replacement)
        critic = Critic(sess, S, R, S_, actor.a, actor.a_, LR_C, GAMMA, replacement)
        actor.add_grad_to_graph(critic.a_grads)

        initialise(sess, actor.t_params + critic.t_params, actor.e_params + critic.e_params)
    return sess, actor, critic


#####################  每回合算法 (the episodes)  #####################

Episode = namedtuple('Episode', 'index reward var')


def train(env, memory, choose_action, learn, episodes=MAX_EPISODES, start=0, var=VAR):
    """Train for `episodes` episodes and yield Episode(index, reward, var) after each.

    Args:
        env: the environment; its actions' bounds are where noisy actions are clipped.
        memory: a Memory of rows [s, a, r, s_]. Learning begins once it has been filled.
        choose_action: s (state_dim,) -> a (action_dim,), without noise.
        learn: (b_s, b_a, b_r, b_s_) -> None, one learning step on a batch.
        episodes: how many, each of MAX_EP_STEPS steps unless `env` ends it before.
        start, var: the first episode and the exploration in it, where an earlier run is gone on
            with. The tutorial calls var a variance; np.random.normal takes it as the standard
            deviation.

    Yields:
        Episode: the index from 0, the sum of its rewards (as `env` gives them), and the
        exploration `var` at its end.

    Source: tutorial, 每回合算法; paper, Algorithm 1.
    """
    state_dim = env.observation_space.shape[0]
    low, high = env.action_space.low, env.action_space.high

    for i in range(start, episodes):
        s = env.reset()
        ep_reward = 0.0

        for j in range(MAX_EP_STEPS):
            # choose an action, and add noise to explore
            a = choose_action(s)
            a = np.clip(np.random.normal(a, var), low, high)
            s_, r, done, info = env.step(a)

            memory.store_transition(s, a, r / REWARD_SCALE, s_)

            if memory.pointer > memory.capacity:  # the memory has been filled
                var *= VAR_DECAY  # explore a little less
                b_M = memory.sample(BATCH_SIZE)
                b_s = b_M[:, :state_dim]
                b_a = b_M[:, state_dim : -state_dim - 1]
                b_r = b_M[:, -state_dim - 1 : -state_dim]
                b_s_ = b_M[:, -state_dim:]
                learn(b_s, b_a, b_r, b_s_)

            s = s_
            ep_reward += r
            if done:
                break

        yield Episode(i, ep_reward, var)


#####################  the program  #####################


def memory_for(env):
    """Return an empty Memory for transitions of `env`, of MEMORY_CAPACITY rows."""
    state_dim, action_dim = env.observation_space.shape[0], env.action_space.shape[0]
    return Memory(MEMORY_CAPACITY, 2 * state_dim + action_dim + 1)


def agent(env, replacement, seed):
    """Build what the program drives: both networks, their memory, and a learning step of both."""
    sess, actor, critic = build(env, replacement, seed)

    def learn(b_s, b_a, b_r, b_s_):
        critic.learn(b_s, b_a, b_r, b_s_)
        actor.learn(b_s)

    return program.Agent(
        sess, memory_for(env), actor.choose_action, actor.choose_actions, learn, critic.losses
    )


def main():
    """Train from the command line: `python ddpg.py --help`."""
    program.main('ddpg', agent, train, dict(soft=SOFT, hard=HARD), globals())


if __name__ == '__main__':
    main()
