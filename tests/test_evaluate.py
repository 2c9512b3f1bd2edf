"""experiment/evaluate.py and experiment/best.py"""

from functools import partial

import gym
import numpy as np
import pytest

from comparison import job
from experiment import best
from experiment.best import Best, unlike_starts
from experiment.evaluate import greedy_returns, player
from support import environment
from support.messages import RunFailed
from tests.helpers.environments import Joints


def middle(b_s):
    """The middle of each joint's range, for which Joints does nothing."""
    env = Joints()
    centre = (env.action_space.low + env.action_space.high) / 2
    return np.tile(centre, (len(b_s), 1))


def test_returns_are_those_of_each_start_and_repeat():
    expected = []
    for start in (4, 5, 6):
        state = np.random.RandomState(start).uniform(-1, 1, 3)  # decays by 0.9 when left alone
        expected.append(-sum(np.square(state * 0.9**t).sum() for t in range(1, 6)))
    for length, max_steps in ((5, 200), (10**9, 5)):
        envs = [Joints(length=length) for _ in expected]
        for _ in range(2):
            returns = greedy_returns(envs, middle, (4, 5, 6), max_steps)
            assert returns == pytest.approx(expected)


def test_episodes_of_different_lengths_go_on_alone():
    envs = [Joints(length=3), Joints(length=9)]
    batches = []
    returns = greedy_returns(envs, lambda b_s: batches.append(b_s) or middle(b_s), (1, 2), 200)
    assert [len(b_s) for b_s in batches] == [2] * 3 + [1] * 6
    assert returns[1] == pytest.approx(greedy_returns([Joints(length=9)], middle, [2], 200)[0])


def test_pendulums_return_together_what_each_does_alone():
    def push(b_s):
        return 2 * np.tanh(np.asarray(b_s) @ np.array([[0.3], [-1.0], [0.5]]))

    envs = [environment.make('Pendulum-v0') for _ in range(5)]
    alone = [greedy_returns(envs[:1], push, [start], 200)[0] for start in job.STARTS[:5]]
    assert greedy_returns(envs, push, job.STARTS[:5], 200) == pytest.approx(alone, rel=1e-6)
    together = player(lambda: environment.make('Pendulum-v0'), job.STARTS[:5], 200)
    for _ in range(2):
        assert together(push) == pytest.approx(alone, rel=1e-6)
    with pytest.raises(RunFailed, match='became'):
        together(lambda b_s: np.full((5, 1), np.nan))


# ---------------------------------------------------------------- the best policy


class NearZero(Joints):
    """Joints that start so close to zero that every push is for the worse."""

    def reset(self):
        super().reset()
        self.state *= 1e-5
        return self.state.copy()


class Policies(object):
    """Stands for a policy that changes: `offset` is how far it is from the best."""

    def __init__(self):
        self.offset, self.kept, self.calls = 0.0, [], 0
        make = partial(NearZero, length=5)
        self.best = Best(make, self.choose, 200, lambda returns: self.kept.append(self.offset))

    def choose(self, b_s):
        self.calls += 1
        return middle(b_s) + self.offset

    def tried(self, offset):
        self.offset = offset
        return self.best.try_policy()


def test_the_best_so_far_is_kept():
    policies = Policies()
    means = [policies.tried(offset) for offset in (0.5, 0.9, 0.3, 0.3, 0.4, 0.1)]
    assert policies.kept == [0.5, 0.3, 0.1]
    assert [mean is None for mean in means] == [False, True, False, True, True, False]
    assert means[0] < means[2] < means[5] < 0
    assert means[5] == pytest.approx(np.mean(policies.best.returns))


def test_a_clearly_worse_policy_costs_the_first_starts_only():
    policies = Policies()
    for offset, calls in ((0.1, 10), (0.9, 15), (0.05, 25)):  # 5 steps of each part
        policies.tried(offset)
        assert policies.calls == calls


def test_a_resumed_run_holds_it_against_what_was_the_best():
    policies, later = Policies(), Policies()
    policies.tried(0.3)
    later.best.returns = policies.best.returns
    assert [later.tried(offset) is None for offset in (0.3, 0.5, 0.2)] == [True, True, False]


def test_unlike_starts_are_farther_apart_than_the_first_ones():
    env = gym.make('Pendulum-v0')

    def closest(seeds):
        first = [env.seed(seed) and env.reset() for seed in seeds]
        return min(np.abs(a - b).sum() for i, a in enumerate(first) for b in first[:i])

    chosen = unlike_starts(env, best.SEEDS, best.ALL)
    assert len(set(chosen)) == best.ALL
    assert set(chosen) <= set(best.SEEDS)
    assert closest(chosen) > 1.5 * closest(best.SEEDS[: best.ALL])


def test_the_starts_that_measure_are_none_that_the_choice_has_seen():
    assert len(set(job.STARTS) - set(best.SEEDS)) == 1000
