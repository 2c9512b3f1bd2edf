"""The lesson: its numbers, names and loop; what it computes is in test_parity.py."""

import numpy as np
import pytest

import ddpg
import ddpg_update
import ddpg_update2
from lab.hyperparameters import hyperparameters, replacements
from tests.helpers.environments import Joints
from tests.helpers.lessons import Built, set_numbers, three_lessons

NUMBERS = dict(
    MAX_EPISODES=200, MAX_EP_STEPS=200, LR_A=0.001, GAMMA=0.9, MEMORY_CAPACITY=10000,
    BATCH_SIZE=32, HIDDEN_UNITS=30, VAR=3, VAR_DECAY=0.9998, REWARD_SCALE=10,
)  # fmt: skip


def test_the_tutorials_numbers():
    assert hyperparameters(ddpg) == dict(NUMBERS, LR_C=0.001)
    hard = dict(name='hard', rep_iter_a=600, rep_iter_c=500)
    assert replacements(ddpg) == dict(soft=dict(name='soft', tau=0.01), hard=hard)
    for lesson in (ddpg_update, ddpg_update2):
        assert hyperparameters(lesson) == dict(NUMBERS, LR_C=0.002, TAU=0.01)


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
    actions, space = np.array(env.actions), env.action_space
    assert (actions.min(axis=0)[:2] == space.low[:2]).all()
    assert (actions.max(axis=0)[:2] == space.high[:2]).all()
    third = actions[:, 2]  # ten wide to each side: hardly ever clipped
    assert third.std() == pytest.approx(3, rel=0.05)
    assert third.mean() == pytest.approx(-20, abs=0.3)


@three_lessons
def test_an_episode_ends_where_the_environment_ends_it_and_training_goes_on(lesson):
    both = Built(lesson, Scripted(length=5), seed=1)
    assert [(episode.index, episode.var) for episode in both.train(2)] == [(0, 3), (1, 3)]
    assert both.memory.pointer == 10
    later = both.train(4, start=2, var=0.5)
    assert [(episode.index, episode.var) for episode in later] == [(2, 0.5), (3, 0.5)]
