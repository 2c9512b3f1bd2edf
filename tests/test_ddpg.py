"""ddpg.py: the numbers against the NumPy reference, the three traps, the graph and the loop."""

import ddpg
import gym
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from experiment.evaluate import greedy_returns
from memory import Memory
from tests import reference
from tests.environments import ENVIRONMENTS, Joints
from tests.graphs import (
    batch,
    changed,
    doubles,
    forgetting,
    initialise_rest,
    late_reads,
    set_values,
    use_thread_pool,
    weights_for,
)

HARD_7_5 = dict(ddpg.HARD, rep_iter_a=7, rep_iter_c=5)


def networks(actor, critic):
    """Return the variables of the four networks by name."""
    return {
        'actor eval_net': actor.e_params,
        'actor target_net': actor.t_params,
        'critic eval_net': critic.e_params,
        'critic target_net': critic.t_params,
    }


def reference_like(sess, actor, critic, env, replacement):
    """Return a NumPy reference with the same weights, bounds and replacement."""
    return reference.DDPG(
        sess.run(actor.e_params),
        sess.run(critic.e_params),
        env.action_space.low,
        env.action_space.high,
        tau=replacement.get('tau'),
        every_a=replacement.get('rep_iter_a'),
        every_c=replacement.get('rep_iter_c'),
    )


# ---------------------------------------------------------------- the algorithm


@pytest.mark.parametrize('threads', ['caller', 'pool'])
@pytest.mark.parametrize('replacement', [ddpg.SOFT, HARD_7_5], ids=['soft', 'hard'])
@pytest.mark.parametrize('action_dim', [1, 3])
def test_200_learning_steps_agree_with_numpy_20_times(
    action_dim, replacement, threads, monkeypatch
):
    """Every weight of all four networks, within 1e-5, every time.

    The weights are numpy's, so that they are the same on every TensorFlow.
    """
    if threads == 'pool':
        use_thread_pool(monkeypatch)
    env = ENVIRONMENTS[action_dim]()
    sess, actor, critic = ddpg.build(env, replacement, seed=3)
    nets = networks(actor, critic)
    start = {name: weights_for(net) for name, net in nets.items()}
    for name, net in nets.items():
        set_values(sess, net, start[name])
    learner = reference_like(sess, actor, critic, env, replacement)
    forget = forgetting(sess, [])  # Adam's moments and the counters too

    random = np.random.RandomState(4)
    space = env.action_space
    batches = [
        batch(random, env.observation_space.shape[0], space.low, space.high) for _ in range(250)
    ]
    learner, batches = reference.learn_clear_of_jumps(learner, batches)
    assert len(batches) > 200
    expected = dict(zip(nets, (learner.actor, learner.actor_, learner.critic, learner.critic_)))

    for repetition in range(20):
        sess.run(forget)
        for name, net in nets.items():
            set_values(sess, net, start[name])
        for b_s, b_a, b_r, b_s_ in batches:
            critic.learn(b_s, b_a, b_r, b_s_)
            actor.learn(b_s)
        for name, net in nets.items():
            for variable, value, want in zip(net, sess.run(net), expected[name]):
                error = np.abs(value - want).max()
                assert error < 1e-5, f'repetition {repetition}, {name}, {variable.name}: {error}'


@pytest.mark.parametrize('action_dim', [1, 3])
def test_policy_grads_agree_with_finite_differences_of_the_critic(action_dim):
    """The slope of sum Q(s, mu(s)) along each parameter of the actor, by central differences."""
    env = ENVIRONMENTS[action_dim]()
    low, high = env.action_space.low, env.action_space.high
    sess, actor, critic = ddpg.build(env, seed=1)
    b_s, _, _, _ = batch(np.random.RandomState(2), env.observation_space.shape[0], low, high)
    policy_grads = sess.run(actor.policy_grads, {actor.S: b_s})
    actor_params = doubles(sess.run(actor.e_params))
    critic_params = doubles(sess.run(critic.e_params))

    def sum_q():
        a, _ = reference.actor_forward(actor_params, np.float64(b_s), low, high)
        return reference.critic_forward(critic_params, np.float64(b_s), a)[0].sum()

    for param, grad in zip(actor_params, policy_grads):
        scale = np.abs(grad).max()
        assert scale > 1e-3  # not a comparison of zeros
        for index in np.ndindex(param.shape):
            value = param[index]
            param[index] = value + 1e-6
            above = sum_q()
            param[index] = value - 1e-6
            below = sum_q()
            param[index] = value
            assert (above - below) / 2e-6 == pytest.approx(grad[index], abs=1e-4 * float(scale))


def test_the_critic_ends_at_the_solution_of_a_problem_with_a_known_one():
    """With reward 1 for ever, Q must become 1 / (1 - gamma) everywhere: 10 for gamma 0.9."""
    env = ENVIRONMENTS[1]()
    sess, actor, critic = ddpg.build(env, seed=1)
    random = np.random.RandomState(1)
    for _ in range(6000):
        b_s, b_a, _, b_s_ = batch(random, 3, [-2], [2])
        critic.learn(b_s, b_a, np.ones((32, 1)), b_s_)
    q = sess.run(critic.q, {critic.S: b_s, critic.a: b_a})
    assert q == pytest.approx(1 / (1 - ddpg.GAMMA), rel=0.05)


def test_learning_for_real_swings_the_pendulum_up():
    """After 120 episodes the greedy policy is far above doing nothing, whose mean is -1257."""
    env = gym.make('Pendulum-v0')
    agent = ddpg.agent(env, ddpg.SOFT, seed=1)
    for _ in ddpg.train(env, agent.memory, agent.choose_action, agent.learn, episodes=120):
        pass
    envs = [gym.make('Pendulum-v0') for _ in range(20)]
    returns = greedy_returns(envs, agent.choose_actions, range(1000, 1020), ddpg.MAX_EP_STEPS)
    assert returns.mean() > -500


# ---------------------------------------------------------------- the order of a learning step


@pytest.fixture
def small():
    """sess, actor, critic and a random batch, soft replacement, three actions."""
    env = ENVIRONMENTS[3]()
    sess, actor, critic = ddpg.build(env, seed=1)
    b = batch(np.random.RandomState(0), 3, env.action_space.low, env.action_space.high)
    return sess, actor, critic, b


def values(sess, actor, critic):
    return {name: sess.run(net) for name, net in networks(actor, critic).items()}


def assert_soft_replaced(before, after, who):
    for old, e, t in zip(
        before[f'{who} target_net'], after[f'{who} eval_net'], after[f'{who} target_net']
    ):
        np.testing.assert_allclose(t, 0.99 * old + 0.01 * e, rtol=1e-6, atol=1e-8)
        assert (t != old).any()


def test_a_critic_step_moves_the_critic_and_nothing_else(small):
    sess, actor, critic, b = small
    before = values(sess, actor, critic)
    critic.learn(*b)
    after = values(sess, actor, critic)
    assert changed(before, after) == {'critic eval_net', 'critic target_net'}
    assert_soft_replaced(before, after, 'critic')


def test_an_actor_step_moves_the_actor_and_nothing_else(small):
    sess, actor, critic, b = small
    before = values(sess, actor, critic)
    actor.learn(b[0])
    after = values(sess, actor, critic)
    assert changed(before, after) == {'actor eval_net', 'actor target_net'}
    assert_soft_replaced(before, after, 'actor')


def test_hard_replacement_copies_at_steps_0_5_10_and_0_7_14():
    env = ENVIRONMENTS[3]()
    sess, actor, critic = ddpg.build(env, HARD_7_5, seed=1)
    b = batch(np.random.RandomState(0), 3, env.action_space.low, env.action_space.high)
    copied = {'actor': [], 'critic': []}
    for step in range(15):
        before = values(sess, actor, critic)
        critic.learn(*b)
        actor.learn(b[0])
        after = values(sess, actor, critic)
        for who, steps in copied.items():
            if f'{who} target_net' in changed(before, after):
                steps.append(step)
                for e, t in zip(after[f'{who} eval_net'], after[f'{who} target_net']):
                    assert (t == e).all()
    assert copied == {'actor': [0, 7, 14], 'critic': [0, 5, 10]}


def test_targets_begin_as_copies_and_seeds_decide_the_weights():
    env = ENVIRONMENTS[1]()
    first = values(*ddpg.build(env, seed=1))
    for who in ('actor', 'critic'):
        for e, t in zip(first[f'{who} eval_net'], first[f'{who} target_net']):
            assert (e == t).all()
    assert changed(first, values(*ddpg.build(env, seed=1))) == set()
    assert changed(first, values(*ddpg.build(env, seed=2))) == set(first)


def test_losses_are_those_of_the_equations_and_change_nothing(small):
    sess, actor, critic, b = small
    env = ENVIRONMENTS[3]()
    learner = reference_like(sess, actor, critic, env, ddpg.SOFT)
    b_s, b_a, b_r, b_s_ = doubles(b)
    a_, _ = reference.actor_forward(learner.actor_, b_s_, *learner.bounds)
    target = b_r + 0.9 * reference.critic_forward(learner.critic_, b_s_, a_)[0]
    q, _ = reference.critic_forward(learner.critic, b_s, b_a)
    a, _ = reference.actor_forward(learner.actor, b_s, *learner.bounds)
    q_of_actor, _ = reference.critic_forward(learner.critic, b_s, a)

    before = values(sess, actor, critic)
    losses = critic.losses(*b)
    assert losses['loss/critic'] == pytest.approx(np.mean((target - q) ** 2), rel=1e-4)
    assert losses['loss/actor'] == pytest.approx(-np.mean(q_of_actor), rel=1e-4)
    assert changed(before, values(sess, actor, critic)) == set()


# ---------------------------------------------------------------- the three traps


def test_trap_1_without_var_list_a_critic_step_moves_the_actor(small):
    sess, actor, critic, (b_s, b_a, b_r, b_s_) = small
    with sess.graph.as_default():
        wrong = tf.train.AdamOptimizer(0.001).minimize(critic.loss)  # no var_list
    initialise_rest(sess)
    before = values(sess, actor, critic)
    sess.run(wrong, {critic.S: b_s, critic.a: b_a, critic.R: b_r, critic.S_: b_s_})
    assert changed(before, values(sess, actor, critic)) == {'actor eval_net', 'critic eval_net'}


def test_trap_2_behind_a_stop_gradient_the_actors_gradient_is_none(small):
    sess, actor, critic, _ = small
    with sess.graph.as_default():
        a = tf.stop_gradient(actor.a)
        q = critic._build_net(critic.S, a, 'behind_stop_gradient', trainable=True)
        assert tf.gradients(q, actor.a) == [None]
        # ours is taken by the tensor that the critic was built on, whatever lies before it
        with tf.variable_scope('another'):
            other = ddpg.Critic(
                sess, critic.S, critic.R, critic.S_, a, actor.a_, 0.001, 0.9, ddpg.SOFT
            )
        assert other.a_grads is not None
    assert critic.a_grads.shape.as_list() == [None, 3]


@pytest.mark.parametrize('use_resource', [False, True])
def test_trap_3_with_reference_variables_a_gradient_can_see_weights_that_have_moved(use_resource):
    """The order that TensorFlow may choose is forced here, by a control dependency."""
    random = np.random.RandomState(0)
    s, grad_a = random.normal(0, 0.3, size=(8, 3)), random.normal(size=(8, 1))
    with tf.Graph().as_default(), tf.Session() as sess:
        S = tf.constant(s, tf.float32)
        normal = dict(initializer=tf.random_normal_initializer(seed=1), use_resource=use_resource)
        w1 = tf.get_variable('w1', [3, 5], **normal)
        w2 = tf.get_variable('w2', [5, 1], **normal)
        a = tf.tanh(tf.matmul(tf.matmul(S, w1), w2))
        grad_ys = tf.constant(grad_a, tf.float32)
        (w2_grad,) = tf.gradients(a, [w2], grad_ys)
        move_w2 = tf.train.GradientDescentOptimizer(-10.0).apply_gradients([(w2_grad, w2)])
        with tf.control_dependencies([move_w2]):
            (w1_grad,) = tf.gradients(a, [w1], grad_ys)
        sess.run(tf.global_variables_initializer())
        old_a, old_w2 = sess.run([a, w2])
        late = sess.run(w1_grad)
        new_w2 = sess.run(w2)
    grad_z = grad_a * (1 - old_a**2)
    right, wrong = s.T @ (grad_z @ old_w2.T), s.T @ (grad_z @ new_w2.T)
    assert np.abs(right - wrong).max() > 0.1
    np.testing.assert_allclose(late, right if use_resource else wrong, rtol=1e-4, atol=1e-5)


def test_trap_3_ours_reads_all_weights_before_they_move():
    sess, actor, critic = ddpg.build(ENVIRONMENTS[1](), seed=1)
    with sess.graph.as_default():
        assert {v.op.type for v in tf.global_variables()} == {'VarHandleOp'}  # no reference
    assert late_reads(actor.train_op) == late_reads(critic.train_op) == []


def test_trap_3_a_read_that_nothing_needs_before_the_move_would_be_seen():
    """In a network without tanh whose grad_ys do not depend on its output."""
    with tf.Graph().as_default():
        w1, w2 = tf.get_variable('w1', [3, 5]), tf.get_variable('w2', [5, 1])
        a = tf.matmul(tf.matmul(tf.ones([8, 3]), w1), w2)
        gradients = tf.gradients(a, [w1, w2], tf.ones([8, 1]))
        train_op = tf.train.AdamOptimizer(0.001).apply_gradients(zip(gradients, [w1, w2]))
        reads = late_reads(train_op)
        assert {read.inputs[0].op.name for read in reads} >= {'w2'}


# ---------------------------------------------------------------- actions and networks


@pytest.mark.parametrize('action_dim', [1, 3])
def test_choose_action_is_the_actors_and_within_each_range(action_dim):
    env = ENVIRONMENTS[action_dim]()
    low, high = env.action_space.low, env.action_space.high
    sess, actor, _ = ddpg.build(env, seed=1)
    s = np.random.RandomState(0).normal(size=env.observation_space.shape)
    want, _ = reference.actor_forward(sess.run(actor.e_params), s[np.newaxis], low, high)
    a = actor.choose_action(s)
    assert a.shape == (action_dim,)
    assert a == pytest.approx(want[0], rel=1e-5, abs=1e-5)
    # pushed hard, each action reaches its own two ends, and no further
    weights = sess.run(actor.e_params)
    for push, end in ((-1e3, low), (1e3, high)):
        set_values(sess, actor.e_params, weights[:3] + [np.full(action_dim, push)])
        assert actor.choose_action(s) == pytest.approx(end, rel=1e-6)


def test_the_tutorials_numbers():
    assert (ddpg.MAX_EPISODES, ddpg.MAX_EP_STEPS) == (200, 200)
    assert (ddpg.LR_A, ddpg.LR_C, ddpg.GAMMA) == (0.001, 0.001, 0.9)
    assert ddpg.SOFT == {'name': 'soft', 'tau': 0.01}
    assert ddpg.HARD == {'name': 'hard', 'rep_iter_a': 600, 'rep_iter_c': 500}
    assert (ddpg.MEMORY_CAPACITY, ddpg.BATCH_SIZE, ddpg.HIDDEN_UNITS) == (10000, 32, 30)
    assert (ddpg.VAR, ddpg.VAR_DECAY, ddpg.REWARD_SCALE) == (3, 0.9998, 10)


def test_weights_begin_normal_and_biases_at_a_tenth(monkeypatch):
    """Standard deviations 0.3 and 0.1, measured within 5 % on wide networks."""
    monkeypatch.setattr(ddpg, 'HIDDEN_UNITS', 3000)
    sess, actor, critic = ddpg.build(ENVIRONMENTS[1](), seed=1)
    for net, deviation in ((actor, 0.3), (critic, 0.1)):
        for variable, value in zip(net.e_params, sess.run(net.e_params)):
            if variable.op.name.split('/')[-1].startswith('w'):
                assert value.std() == pytest.approx(deviation, rel=0.05)
                assert abs(value.mean()) < 0.1 * deviation
            else:
                assert (value == np.float32(0.1)).all()


def test_scopes_and_names_are_those_of_the_tutorials_picture(small):
    sess, actor, critic, _ = small
    names = [op.name for op in sess.graph.get_operations()]
    tops = {name.split('/')[0] for name in names}
    assert tops == {
        *('S', 'R', 'S_', 'Actor', 'Critic', 'policy_grads', 'A_train', 'a_grad'),
        *('target_q', 'TD_error', 'C_train', 'A_replace', 'C_replace', 'init'),
    }
    for who in ('Actor', 'Critic'):
        inside = {name.split('/')[1] for name in names if name.startswith(who + '/')}
        assert inside == {'eval_net', 'target_net'}
    assert [v.op.name for v in critic.e_params] == [
        *('Critic/eval_net/l1/w1_s', 'Critic/eval_net/l1/w1_a', 'Critic/eval_net/l1/b1'),
        *('Critic/eval_net/q/w', 'Critic/eval_net/q/b'),
    ]
    with sess.graph.as_default():
        assert set(tf.trainable_variables()) == set(actor.e_params + critic.e_params)


@pytest.mark.parametrize('which, wrong', [(2, (32,)), (2, (1, 1)), (1, (31, 3)), (0, (32, 4))])
def test_a_batch_of_the_wrong_shape_is_refused_and_teaches_nothing(small, which, wrong):
    sess, actor, critic, b = small
    before = values(sess, actor, critic)
    b[which] = np.zeros(wrong)
    with pytest.raises(ValueError, match=r'takes an array \(\d+, \d\), got \('):
        critic.learn(*b)
    assert changed(before, values(sess, actor, critic)) == set()


# ---------------------------------------------------------------- the episodes


class Scripted(Joints):
    """Joints whose states and rewards can be foretold: state t is [t, t, t], reward 10 t."""

    def __init__(self, length=10**9):
        super().__init__(length=length)
        self.t, self.actions = 0, []

    def reset(self):
        super().reset()
        self.t += 1
        return np.full(3, float(self.t))

    def step(self, action):
        done = super().step(action)[2]
        self.actions.append(action)
        self.t += 1
        return np.full(3, float(self.t)), 10.0 * self.t, done, {}


def test_the_loop_stores_then_decays_then_learns_once_the_memory_is_full(monkeypatch):
    monkeypatch.setattr(ddpg, 'MAX_EP_STEPS', 4)
    env, memory, learned = Scripted(), Memory(6, 10), []

    def learn(*b):
        learned.append((memory.pointer, [part.shape for part in b], b))

    np.random.seed(0)
    centre = np.array([0.0, 2.5, -20.0])
    episodes = list(ddpg.train(env, memory, lambda s: centre, learn, episodes=3))

    # 12 steps: the 7th transition is the first to find the memory already full
    assert [pointer for pointer, _, _ in learned] == [7, 8, 9, 10, 11, 12]
    assert all(shapes == [(32, 3), (32, 3), (32, 1), (32, 3)] for _, shapes, _ in learned)
    for _, _, (b_s, b_a, b_r, b_s_) in learned:
        assert (b_s_ == b_s + 1).all()  # the parts of a row stay together
        assert (b_r == b_s_[:, :1]).all()  # r / 10
        assert {tuple(a) for a in b_a} <= {tuple(np.float32(a)) for a in env.actions}
    assert [episode.index for episode in episodes] == [0, 1, 2]
    assert [episode.reward for episode in episodes] == [140, 340, 540]
    assert [episode.var for episode in episodes] == pytest.approx(
        [3, 3 * 0.9998**2, 3 * 0.9998**6], rel=1e-12
    )


def test_noise_is_normal_with_standard_deviation_var_and_clipped(monkeypatch):
    """Unclipped, 4000 actions have deviation 3 within 5 %; clipped, they reach both ends."""
    monkeypatch.setattr(ddpg, 'MAX_EP_STEPS', 4000)
    np.random.seed(1)
    env = Scripted()
    centre = np.array([0.0, 2.5, -20.0])
    list(ddpg.train(env, Memory(10**4, 10), lambda s: centre, None, episodes=1))
    actions = np.array(env.actions)
    assert (actions.min(axis=0)[:2] == env.action_space.low[:2]).all()
    assert (actions.max(axis=0)[:2] == env.action_space.high[:2]).all()
    third = actions[:, 2]  # ten wide to each side: hardly ever clipped
    assert third.std() == pytest.approx(3, rel=0.05)
    assert third.mean() == pytest.approx(-20, abs=0.3)


def test_an_episode_ends_where_the_environment_ends_it():
    env, memory = Scripted(length=5), Memory(100, 10)
    episodes = list(ddpg.train(env, memory, lambda s: np.zeros(3), None, episodes=2))
    assert len(episodes) == 2
    assert memory.pointer == 10
