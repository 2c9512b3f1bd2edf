"""Deep Deterministic Policy Gradient (DDPG) swings up a pendulum.

The code of the tutorial in the tutorial's order: read the two side by side, top to bottom. "The
paper" is Lillicrap et al. 2015, arXiv 1509.02971.

要点 (the gist): DDPG is an Actor-Critic whose actor outputs not action probabilities but the
action itself, which suits continuous actions. The replay memory and the target networks, which
stabilise learning, come from DQN.

Symbols, with n the batch size; every tensor is float32:

======  ===============  ===================================================================
symbol  shape            description
======  ===============  ===================================================================
s, S    (n, state_dim)   state (observation); choose_action takes a single one, (state_dim,)
a       (n, action_dim)  action in s by the actor's eval_net, in the environment's units
r, R    (n, 1)           reward, divided by REWARD_SCALE
s_, S_  (n, state_dim)   next state
a_      (n, action_dim)  action in s_ by the actor's target_net
q       (n, 1)           Q(s, a) by the critic's eval_net
q_      (n, 1)           Q(s_, a_) by the critic's target_net
b_*                      a batch from memory, whose rows are [s, a, r, s_]
======  ===============  ===================================================================
"""

from fast_tf import make_callable, new_session  # first: it silences TensorFlow's start-up messages

from collections import namedtuple

import numpy as np
import tensorflow.compat.v1 as tf

from memory import Memory

# A value once read from a variable no longer changes. With TensorFlow 1's default kind, Adam
# may overwrite the output layer's weights before the hidden layer's gradient has used them.
tf.enable_resource_variables()

#####################  hyperparameters  #####################

ENV_NAME = 'Pendulum-v0'
MAX_EPISODES = 200
MAX_EP_STEPS = 200
LR_A = 0.001  # learning rate of the actor
LR_C = 0.001  # learning rate of the critic
GAMMA = 0.9  # discount of the next state's value
SOFT = dict(name='soft', tau=0.01)  # soft-update rate: targets move this share of the way each step
HARD = dict(name='hard', rep_iter_a=600, rep_iter_c=500)  # targets are copied periodically
MEMORY_CAPACITY = 10000  # transitions
BATCH_SIZE = 32
HIDDEN_UNITS = 30  # in the one hidden layer of each network
VAR = 3.0  # initial exploration: a standard deviation, which the tutorial calls a variance
VAR_DECAY = 0.9998  # VAR is multiplied by this at every learning step
REWARD_SCALE = 10  # the memory keeps r / 10, which keeps Q small

#####################  算法 (the algorithm)  #####################
# Actor (paper, eq. 6): climb along  dQ(s, a)/da at a = mu(s)  *  dmu(s)/dparams.
#     The first factor is the critic's (a_grads): which way should this action move for a larger Q?
#     The second is the actor's: how must its parameters change to move the action that way?
# Critic (paper, eq. 4 and 5): descend on the mean of  (target_q - Q(s, a))^2,  where
#     target_q = r + gamma * Q'(s_, mu'(s_)).  Q' and mu' are the target_nets (Algorithm 1), which
#     lag behind: a target that moves with the network that follows it can make learning unstable.


def dense(x, units, name, activation, init_w, init_b, trainable):
    """Return activation(x w + b), as tf.layers.dense did: today's TensorFlow no longer has it."""
    with tf.variable_scope(name):
        w = tf.get_variable('w', [x.shape[1], units], initializer=init_w, trainable=trainable)
        b = tf.get_variable('b', [units], initializer=init_b, trainable=trainable)
        y = tf.nn.bias_add(tf.matmul(x, w), b)
        return activation(y) if activation else y


def replace_op(t_params, e_params, tau=None, rep_iter=None):
    """Return the operation that moves the target_net's parameters t towards the eval_net's e.

    Soft (paper, Algorithm 1): t <- (1 - tau) t + tau e. Hard (DQN): t <- e at the learning steps
    0, rep_iter, 2 rep_iter, ..., which is tau = 1 there and tau = 0 in between.
    """
    count = tf.no_op()
    if rep_iter:
        zero = tf.zeros_initializer()
        counter = tf.get_variable('t_replace_counter', [], tf.int64, zero, trainable=False)
        tau = tf.cast(tf.equal(counter % rep_iter, 0), tf.float32)
        with tf.control_dependencies([tau]):
            count = tf.assign_add(counter, 1)
    moves = [tf.assign(t, (1 - tau) * t + tau * e) for t, e in zip(t_params, e_params)]
    return tf.group(count, *moves)


#####################  主结构 (the structure)  #####################


class Actor(object):
    """The policy a = mu(s): state -> HIDDEN_UNITS ReLU -> tanh, scaled to each action's bounds.
    Source: tutorial, 主结构 and Actor Critic; paper, section 3 and eq. 6.
    """

    def __init__(self, sess, S, S_, low, high, learning_rate, replacement):
        self.sess = sess
        self.S = S
        self.lr = learning_rate
        self.replacement = replacement
        self.action_centre = (high + low) / 2
        self.action_bound = (high - low) / 2  # for Pendulum 2, about a centre of 0

        with tf.variable_scope('Actor'):
            # 每步都学习, 用来选动作: this network acts, and is updated at every learning step
            self.a = self._build_net(S, scope='eval_net', trainable=True)
            # 跟在后面更新: this one follows it, and gives target_q the action in s_
            self.a_ = self._build_net(S_, scope='target_net', trainable=False)

        self.e_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Actor/eval_net')
        self.t_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Actor/target_net')
        self._act = make_callable(sess, self.a, [S])  # sess.run(self.a, {S: b_s})

    def _build_net(self, s, scope, trainable):
        with tf.variable_scope(scope):
            init_w, init_b = tf.random_normal_initializer(0.0, 0.3), tf.constant_initializer(0.1)
            net = dense(s, HIDDEN_UNITS, 'l1', tf.nn.relu, init_w, init_b, trainable)
            a = dense(net, len(self.action_bound), 'a', tf.nn.tanh, init_w, init_b, trainable)
            return tf.add(self.action_centre, a * self.action_bound, name='scaled_a')

    def choose_action(self, s):
        """Return the action of the eval_net in one state."""
        return self._act(s[np.newaxis, :])[0]

    def add_grad_to_graph(self, a_grads):
        """Complete the graph with the actor's update, once a critic provides dQ/da (`a_grads`)."""
        with tf.variable_scope('policy_grads'):
            # (dQ/da) * (da/dparams), summed over the batch
            self.policy_grads = tf.gradients(ys=self.a, xs=self.e_params, grad_ys=a_grads)
        with tf.variable_scope('A_train'):
            opt = tf.train.AdamOptimizer(-self.lr)  # the negative rate ascends: larger Q is better
            self.train_op = opt.apply_gradients(zip(self.policy_grads, self.e_params))
        with tf.variable_scope('A_replace'), tf.control_dependencies([self.train_op]):
            tau, rep_iter = self.replacement.get('tau'), self.replacement.get('rep_iter_a')
            replace = replace_op(self.t_params, self.e_params, tau, rep_iter)
        self._learn = make_callable(self.sess, replace, [self.S])  # sess.run(replace, {S: b_s})

    def learn(self, b_s):
        """Take one Adam step towards actions with a larger Q, then replace the target_net."""
        self._learn(b_s)


class Critic(object):
    """The value Q(s, a): state and action -> HIDDEN_UNITS ReLU -> one number.
    Source: tutorial, 主结构 and Actor Critic; paper, section 3 and eq. 4 and 5.
    """

    def __init__(self, sess, S, R, S_, a, a_, learning_rate, gamma, replacement):
        self.S, self.R, self.S_ = S, R, S_
        self.lr = learning_rate
        self.gamma = gamma

        with tf.variable_scope('Critic'):
            # 学习时换成记忆里的 a: the actor's a, but when this learns, a from memory is fed for it
            self.a = a
            # 每步都学习: this network is updated at every learning step
            self.q = self._build_net(S, self.a, 'eval_net', trainable=True)
            # 只用来算 target_q: this one follows it, and judges the actor's a_ for target_q
            self.q_ = self._build_net(S_, a_, 'target_net', trainable=False)

        self.e_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Critic/eval_net')
        self.t_params = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope='Critic/target_net')

        with tf.variable_scope('target_q'):
            self.target_q = R + self.gamma * self.q_
        with tf.variable_scope('TD_error'):
            self.loss = tf.reduce_mean(tf.squared_difference(self.target_q, self.q))
        with tf.variable_scope('C_train'):
            # var_list: feeding `a` replaces its value, not its place in the graph. Without the list
            # the gradient would flow on through `a`, and the TD error would train the actor too.
            opt = tf.train.AdamOptimizer(self.lr)
            self.train_op = opt.minimize(self.loss, var_list=self.e_params)
        with tf.variable_scope('a_grad'):
            # dQ/da, with respect to the very tensor that q was built on. With respect to one from
            # which no path leads to q (say, from before a tf.stop_gradient) it would be None.
            self.a_grads = tf.gradients(self.q, self.a)[0]
        with tf.variable_scope('C_replace'), tf.control_dependencies([self.train_op]):
            tau, rep_iter = replacement.get('tau'), replacement.get('rep_iter_c')
            replace = replace_op(self.t_params, self.e_params, tau, rep_iter)
        # sess.run(replace, {S: b_s, a: b_a, R: b_r, S_: b_s_})
        self._learn = make_callable(sess, replace, [S, self.a, R, S_])

    def _build_net(self, s, a, scope, trainable):
        with tf.variable_scope(scope):
            init_w, init_b = tf.random_normal_initializer(0.0, 0.1), tf.constant_initializer(0.1)
            weights = dict(initializer=init_w, trainable=trainable)
            biases = dict(initializer=init_b, trainable=trainable)
            with tf.variable_scope('l1'):
                w1_s = tf.get_variable('w1_s', [s.shape[1], HIDDEN_UNITS], **weights)
                w1_a = tf.get_variable('w1_a', [a.shape[1], HIDDEN_UNITS], **weights)
                b1 = tf.get_variable('b1', [1, HIDDEN_UNITS], **biases)
                net = tf.nn.relu(tf.matmul(s, w1_s) + tf.matmul(a, w1_a) + b1)
            return dense(net, 1, 'q', None, init_w, init_b, trainable)

    def learn(self, b_s, b_a, b_r, b_s_):
        """Take one Adam step on the TD error, then replace the target_net."""
        self._learn(b_s, b_a, b_r, b_s_)


#####################  Actor Critic (how the two are joined)  #####################


def build(env, replacement=None, seed=None):
    """Build an actor and a critic for `env` in a graph of their own, and an empty memory.
    `replacement` is SOFT (default) or HARD. `seed` seeds TensorFlow, numpy's global generator and
    `env`; None leaves all three alone. Returns (sess, actor, critic, M).
    """
    state_dim, action_dim = env.observation_space.shape[0], env.action_space.shape[0]
    low, high = env.action_space.low, env.action_space.high
    if seed is not None:
        np.random.seed(seed)
        env.seed(seed)

    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        with tf.name_scope('S'):
            S = tf.placeholder(tf.float32, [None, state_dim], 's')
        with tf.name_scope('R'):
            R = tf.placeholder(tf.float32, [None, 1], 'r')
        with tf.name_scope('S_'):
            S_ = tf.placeholder(tf.float32, [None, state_dim], 's_')
        sess = new_session()
        # the critic is built on the actor's actions, and its dQ/da goes back into the actor
        actor = Actor(sess, S, S_, low, high, LR_A, replacement or SOFT)
        critic = Critic(sess, S, R, S_, actor.a, actor.a_, LR_C, GAMMA, replacement or SOFT)
        actor.add_grad_to_graph(critic.a_grads)

        with tf.name_scope('init'):
            sess.run(tf.global_variables_initializer())
            for net in (actor, critic):  # the targets begin as copies (paper, Algorithm 1)
                sess.run([tf.assign(t, e) for t, e in zip(net.t_params, net.e_params)])

    #####################  记忆库 Memory  #####################
    # memory.py: the latest transitions, a row [s, a, r, s_] each; a random batch of old ones is
    # less correlated than the last few
    M = Memory(MEMORY_CAPACITY, dims=2 * state_dim + action_dim + 1)
    return sess, actor, critic, M


#####################  每回合算法 (the episodes)  #####################

Episode = namedtuple('Episode', 'index reward var')


def train(env, actor, critic, M, episodes=None, start=0, var=None):
    """Train from episode `start` up to `episodes` (None: MAX_EPISODES) and yield each Episode.

    Episode.reward is the sum of its rewards as `env` gives them, Episode.var the exploration at its
    end. A run is resumed with the `start` and `var` that it had reached (None: VAR).
    Source: tutorial, 每回合算法; paper, Algorithm 1.
    """
    episodes = MAX_EPISODES if episodes is None else episodes
    var = VAR if var is None else var
    state_dim = env.observation_space.shape[0]
    low, high = env.action_space.low, env.action_space.high

    for i in range(start, episodes):
        s, ep_reward = env.reset(), 0.0

        for j in range(MAX_EP_STEPS):
            a = actor.choose_action(s)
            a = np.clip(np.random.normal(a, var), low, high)  # noise, to explore
            s_, r, done, info = env.step(a)
            M.store_transition(s, a, r / REWARD_SCALE, s_)

            if M.pointer > MEMORY_CAPACITY:  # the memory has been filled once
                var *= VAR_DECAY  # explore a little less
                b_M = M.sample(BATCH_SIZE)
                b_s = b_M[:, :state_dim]
                b_a = b_M[:, state_dim : -state_dim - 1]
                b_r = b_M[:, -state_dim - 1 : -state_dim]
                b_s_ = b_M[:, -state_dim:]
                critic.learn(b_s, b_a, b_r, b_s_)
                actor.learn(b_s)

            s = s_
            ep_reward += r
            if done:  # Pendulum never is: MAX_EP_STEPS ends its episodes
                break

        yield Episode(i, ep_reward, var)


def main(run):
    """The program. `run` makes the environment, prints, saves and resumes; see lab/program.py."""
    env = run.make_env(ENV_NAME)
    sess, actor, critic, M = build(env, run.replacement, run.seed)
    run.begin(sess, M, S=actor.S, a=actor.a, q=critic.q, loss=critic.loss)
    for episode in train(env, actor, critic, M, run.episodes, run.start, run.var):
        run.record(episode)
    run.end()


if __name__ == '__main__':
    from lab.program import run_program  # the command line, the run's folder, pictures

    run_program(__file__)
