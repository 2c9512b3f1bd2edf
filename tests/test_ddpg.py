"""The lesson: gradients, replacement, networks, names, loop; its numbers are in test_parity.py."""

import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import ddpg
import ddpg_update
import ddpg_update2
from tests.helpers import reference
from tests.helpers.environments import ENVIRONMENTS, Joints
from tests.helpers.graphs import batch, changed, doubles
from tests.helpers.lessons import LESSONS, Built, set_numbers

HARD_7_5 = dict(ddpg.HARD, rep_iter_a=7, rep_iter_c=5)


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


def test_hard_replacement_copies_at_steps_0_5_10_and_0_7_14():
    env = ENVIRONMENTS[3]()
    both = Built(ddpg, env, HARD_7_5, seed=1)
    b = batch(np.random.RandomState(0), 3, env.action_space.low, env.action_space.high)
    copied = {'actor': [], 'critic': []}
    for step in range(15):
        before = both.values()
        both.learn(*b)
        after = both.values()
        for who, steps in copied.items():
            if f'{who} target' in changed(before, after):
                steps.append(step)
                for e, t in zip(after[who], after[f'{who} target']):
                    assert (t == e).all()
    assert copied == {'actor': [0, 7, 14], 'critic': [0, 5, 10]}


def test_the_tutorials_numbers():
    assert (ddpg.MAX_EPISODES, ddpg.MAX_EP_STEPS) == (200, 200)
    assert (ddpg.LR_A, ddpg.LR_C, ddpg.GAMMA) == (0.001, 0.001, 0.9)
    assert ddpg.SOFT == {'name': 'soft', 'tau': 0.01}
    assert ddpg.HARD == {'name': 'hard', 'rep_iter_a': 600, 'rep_iter_c': 500}
    assert (ddpg.MEMORY_CAPACITY, ddpg.BATCH_SIZE, ddpg.HIDDEN_UNITS) == (10000, 32, 30)
    assert (ddpg.VAR, ddpg.VAR_DECAY, ddpg.REWARD_SCALE) == (3, 0.9998, 10)
    assert (ddpg_update.LR_A, ddpg_update.LR_C, ddpg_update.SOFT['tau']) == (0.001, 0.002, 0.01)
    for name in ('MAX_EPISODES', 'MAX_EP_STEPS', 'GAMMA', 'MEMORY_CAPACITY', 'BATCH_SIZE'):
        assert getattr(ddpg_update, name) == getattr(ddpg, name)
    for name in ('HIDDEN_UNITS', 'VAR', 'VAR_DECAY', 'REWARD_SCALE', 'ENV_NAME'):
        assert getattr(ddpg_update, name) == getattr(ddpg, name)
    assert ddpg_update2.LR_C is ddpg_update.LR_C and ddpg_update2.train is ddpg_update.train


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


def test_scopes_and_names_are_those_of_the_tutorials_picture():
    sess, actor, critic = ddpg.build(ENVIRONMENTS[3](), seed=1)
    names = [op.name for op in sess.graph.get_operations()]
    boxes = 'S R S_ Actor Critic policy_grads A_train a_grad target_q TD_error C_train A_replace'
    assert {name.split('/')[0] for name in names} == {*boxes.split(), 'C_replace', 'init'}
    for who in ('Actor', 'Critic'):
        inside = {name.split('/')[1] for name in names if name.startswith(who + '/')}
        assert inside == {'eval_net', 'target_net'}
    inside = [v.op.name.replace('Critic/eval_net/', '') for v in critic.e_params]
    assert inside == ['l1/w1_s', 'l1/w1_a', 'l1/b1', 'q/w', 'q/b']
    with sess.graph.as_default():
        assert set(tf.trainable_variables()) == set(actor.e_params + critic.e_params)


def test_the_simplified_version_has_the_linked_files_names():
    agent = ddpg_update.build(ENVIRONMENTS[1](), seed=1)
    names = 'ae_params at_params ce_params ct_params soft_replace a_loss atrain td_error ctrain'
    for name in names.split() + ['_build_a', '_build_c', 'store_transition', 'learn', 'memory']:
        assert hasattr(agent, name), name
    scopes = {'/'.join(v.op.name.split('/')[:2]) for v in agent.ae_params + agent.ct_params}
    assert scopes == {'Actor/eval', 'Critic/target'}


SNIPPETS = """
self.a = self._build_net(S, scope='eval_net', trainable=True)
self.a_ = self._build_net(S_, scope='target_net', trainable=False)
with tf.variable_scope('policy_grads'):
with tf.variable_scope('A_train'):
opt = tf.train.AdamOptimizer(-self.lr)
self.train_op = opt.apply_gradients(zip(self.policy_grads, self.e_params))
self.q = self._build_net(S, self.a, 'eval_net', trainable=True)
self.q_ = self._build_net(S_, a_, 'target_net', trainable=False)
with tf.variable_scope('target_q'):
self.target_q = R + self.gamma * self.q_
with tf.variable_scope('TD_error'):
self.loss = tf.reduce_mean(tf.squared_difference(self.target_q, self.q))
with tf.variable_scope('C_train'):
minimize(self.loss, var_list=self.e_params)
with tf.variable_scope('a_grad'):
actor.add_grad_to_graph(critic.a_grads)
for i in range(
for j in range(MAX_EP_STEPS):
a = actor.choose_action(s)
a = np.clip(np.random.normal(a, var),
s_, r, done, info = env.step(a)
M.store_transition(s, a, r / REWARD_SCALE, s_)
if M.pointer > MEMORY_CAPACITY:
var *= VAR_DECAY
b_M = M.sample(BATCH_SIZE)
critic.learn(b_s, b_a, b_r, b_s_)
actor.learn(b_s)
s = s_
"""


def test_the_tutorials_snippets_stand_there_in_its_order():
    with open(ddpg.__file__, encoding='utf-8') as file:
        code = file.read()
    place = 0
    for line in SNIPPETS.strip().splitlines():
        place = code.find(line, place)
        assert place >= 0, line
    assert 'tf.matmul(s, w1_s) + tf.matmul(a, w1_a) + b1' in code
    headings = re.findall(r'(?m)^#{21}  (.+?)(?: \(.+\))?  #{21}$', code)
    assert headings[1:] == ['算法', '主结构', 'Actor Critic', '记忆库 Memory', '每回合算法']


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


@pytest.mark.parametrize('lesson', LESSONS)
def test_the_loop_stores_then_decays_then_learns_once_the_memory_is_full(lesson, monkeypatch):
    numbers = dict(MAX_EP_STEPS=4, MEMORY_CAPACITY=6, BATCH_SIZE=32)
    set_numbers(monkeypatch, lesson, **numbers)
    monkeypatch.setitem(vars(lesson), 'MEMORY_CAPACITY', 6)
    env = Scripted()
    both, learned = Built(lesson, env, seed=0), []
    assert both.memory.capacity == 6

    def learn_critic(*b):
        learned.append((both.memory.pointer, [part.shape for part in b], b))

    states = []
    both.do_instead(lambda s: np.array([0.0, 2.5, -20.0]), states.append, learn_critic)
    episodes = both.train(3)

    # 12 steps: the 7th transition is the first to find the memory already full
    assert [pointer for pointer, _, _ in learned] == [7, 8, 9, 10, 11, 12]
    assert all(shapes == [(32, 3), (32, 3), (32, 1), (32, 3)] for _, shapes, _ in learned)
    for b_s_of_actor, (_, _, (b_s, b_a, b_r, b_s_)) in zip(states, learned):
        assert (b_s_of_actor == b_s).all()
        assert (b_s_ == b_s + 1).all()  # the parts of a row stay together
        assert (b_r == b_s_[:, :1]).all()  # r / 10
        assert {tuple(a) for a in b_a} <= {tuple(np.float32(a)) for a in env.actions}
    assert len(states) == len(learned)
    assert [episode.index for episode in episodes] == [0, 1, 2]
    assert [episode.reward for episode in episodes] == [140, 340, 540]
    expected = [3, 3 * 0.9998**2, 3 * 0.9998**6]
    assert [episode.var for episode in episodes] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize('lesson', LESSONS)
def test_noise_is_normal_with_standard_deviation_var_and_clipped(lesson, monkeypatch):
    """Unclipped, 4000 actions have deviation 3 within 5 %; clipped, they reach both ends."""
    set_numbers(monkeypatch, lesson, MAX_EP_STEPS=4000)
    env = Scripted()
    both = Built(lesson, env, seed=1)
    both.do_instead(lambda s: np.array([0.0, 2.5, -20.0]), None, None)
    both.train(1)
    actions = np.array(env.actions)
    assert (actions.min(axis=0)[:2] == env.action_space.low[:2]).all()
    assert (actions.max(axis=0)[:2] == env.action_space.high[:2]).all()
    third = actions[:, 2]  # ten wide to each side: hardly ever clipped
    assert third.std() == pytest.approx(3, rel=0.05)
    assert third.mean() == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize('lesson', LESSONS)
def test_an_episode_ends_where_the_environment_ends_it(lesson):
    both = Built(lesson, Scripted(length=5), seed=1)
    assert [episode.index for episode in both.train(2)] == [0, 1]
    assert both.memory.pointer == 10
    assert [episode.index for episode in both.train(4, start=2, var=0.5)] == [2, 3]
