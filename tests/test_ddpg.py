"""The lesson: its numbers, names and loop; what it computes is in test_parity.py."""

import re

import numpy as np
import pytest

import ddpg
import ddpg_update
from tests.helpers.environments import ENVIRONMENTS, Joints
from tests.helpers.lessons import LESSONS, Built, set_numbers, three_lessons

NUMBERS = dict(MAX_EPISODES=200, MAX_EP_STEPS=200, LR_A=0.001, GAMMA=0.9, ENV_NAME='Pendulum-v0')
NUMBERS.update(MEMORY_CAPACITY=10000, BATCH_SIZE=32, HIDDEN_UNITS=30)
NUMBERS.update(VAR=3, VAR_DECAY=0.9998, REWARD_SCALE=10)
HARD = dict(name='hard', rep_iter_a=600, rep_iter_c=500)


def test_the_tutorials_numbers():
    original = dict(NUMBERS, LR_C=0.001, SOFT=dict(name='soft', tau=0.01), HARD=HARD)
    for lesson in LESSONS:
        numbers = original if lesson is ddpg else dict(NUMBERS, LR_C=0.002, TAU=0.01)
        assert {name: getattr(lesson, name) for name in numbers} == numbers


def test_scopes_and_names_are_those_of_the_tutorials_picture():
    sess, actor, critic, M = ddpg.build(ENVIRONMENTS[3](), seed=1)
    names = [op.name for op in sess.graph.get_operations()]
    boxes = 'S R S_ Actor Critic policy_grads A_train a_grad target_q TD_error C_train A_replace'
    assert {name.split('/')[0] for name in names} == {*boxes.split(), 'C_replace', 'init'}
    for who in ('Actor', 'Critic'):
        inside = {name.split('/')[1] for name in names if name.startswith(who + '/')}
        assert inside == {'eval_net', 'target_net'}
    inside = [v.op.name.replace('Critic/eval_net/', '') for v in critic.e_params]
    assert inside == ['l1/w1_s', 'l1/w1_a', 'l1/b1', 'q/w', 'q/b']
    assert sess.graph.get_collection('trainable_variables') == actor.e_params + critic.e_params


def test_the_simplified_version_has_the_linked_files_names():
    agent = ddpg_update.build(ENVIRONMENTS[1](), seed=1)
    names = 'soft_replace a_loss atrain td_error ctrain _build_a _build_c store_transition learn'
    assert all(hasattr(agent, name) for name in names.split())
    for name in ('ae_params Actor/eval', 'at_params Actor/target', 'ce_params Critic/eval',
                 'ct_params Critic/target'):  # fmt: skip
        params, scope = name.split()
        assert all(v.op.name.startswith(f'{scope}/') for v in getattr(agent, params))


WORDS = """_build_net(S, _build_net(S_, 'policy_grads' 'A_train' AdamOptimizer(-self.lr)
apply_gradients(zip(self.policy_grads, _build_net(S, self.a, _build_net(S_, a_, 'target_q'
self.target_q 'TD_error' self.loss 'C_train' minimize(self.loss, 'a_grad' self.a_grads
actor.add_grad_to_graph(critic.a_grads) range(MAX_EP_STEPS) actor.choose_action(s)
np.clip(np.random.normal(a, env.step(a) M.store_transition(s, M.pointer var M.sample(BATCH_SIZE)
critic.learn(b_s, actor.learn(b_s)"""


def test_the_tutorials_lines_stand_there_in_its_order():
    with open(ddpg.__file__, encoding='utf-8') as file:
        code = file.read()
    place = 0
    for word in WORDS.split():
        place = code.find(word, place)
        assert place >= 0, word
    headings = re.findall(r'(?m)^ *#{21}  (.+?)(?: \(.+\))?  #{21}$', code)
    assert headings[1:] == ['算法', '主结构', 'Actor Critic', '记忆库 Memory', '每回合算法']


# ---------------------------------------------------------------- the episodes


class Scripted(Joints):
    """Joints whose states and rewards can be foretold: state t is [t, t, t], reward 10 t."""

    def reset(self):
        super().reset()
        self.t, self.actions = getattr(self, 't', 0) + 1, getattr(self, 'actions', [])
        return np.full(3, float(self.t))

    def step(self, action):
        done = super().step(action)[2]
        self.actions.append(action)
        self.t += 1
        return np.full(3, float(self.t)), 10.0 * self.t, done, {}


def middle(s):
    return np.array([0.0, 2.5, -20.0])


@three_lessons
def test_the_loop_stores_then_decays_then_learns_once_the_memory_is_full(lesson, monkeypatch):
    set_numbers(monkeypatch, lesson, MAX_EP_STEPS=4, MEMORY_CAPACITY=6)
    env = Scripted()
    both, states, learned = Built(lesson, env, seed=0), [], []
    assert both.memory.capacity == 6
    both.do_instead(middle, states.append, lambda *b: learned.append((both.memory.pointer, b)))
    episodes = both.train(3)
    # 12 steps: the 7th transition is the first to find the memory already full
    assert [pointer for pointer, _ in learned] == [7, 8, 9, 10, 11, 12]
    assert len(states) == len(learned)
    for b_s_of_actor, (_, (b_s, b_a, b_r, b_s_)) in zip(states, learned):
        assert [part.shape for part in (b_s, b_a, b_r, b_s_)] == [(32, n) for n in (3, 3, 1, 3)]
        assert (b_s_of_actor == b_s).all()
        assert (b_s_ == b_s + 1).all()  # the parts of a row stay together
        assert (b_r == b_s_[:, :1]).all()  # r / 10
        assert {tuple(a) for a in b_a} <= {tuple(np.float32(a)) for a in env.actions}
    assert [episode.index for episode in episodes] == [0, 1, 2]
    assert [episode.reward for episode in episodes] == [140, 340, 540]
    expected = [3, 3 * 0.9998**2, 3 * 0.9998**6]
    assert [episode.var for episode in episodes] == pytest.approx(expected, rel=1e-12)


@three_lessons
def test_noise_is_normal_with_standard_deviation_var_and_clipped(lesson, monkeypatch):
    """Unclipped, 4000 actions have deviation 3 within 5 %; clipped, they reach both ends."""
    set_numbers(monkeypatch, lesson, MAX_EP_STEPS=4000)
    env = Scripted(length=10**9)
    both = Built(lesson, env, seed=1)
    both.do_instead(middle)
    both.train(1)
    actions = np.array(env.actions)
    assert (actions.min(axis=0)[:2] == env.action_space.low[:2]).all()
    assert (actions.max(axis=0)[:2] == env.action_space.high[:2]).all()
    third = actions[:, 2]  # ten wide to each side: hardly ever clipped
    assert third.std() == pytest.approx(3, rel=0.05)
    assert third.mean() == pytest.approx(-20, abs=0.3)


@three_lessons
def test_an_episode_ends_where_the_environment_ends_it(lesson):
    both = Built(lesson, Scripted(length=5), seed=1)
    assert [episode.index for episode in both.train(2)] == [0, 1]
    assert both.memory.pointer == 10
    assert [episode.index for episode in both.train(4, start=2, var=0.5)] == [2, 3]
