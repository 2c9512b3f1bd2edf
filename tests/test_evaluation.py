"""lab/evaluation.py"""

import gym
import numpy as np
import pytest

from lab import evaluation
from lab.environments import EnvAdapter, make_env
from lab.evaluation import (
    BestPolicyTracker,
    episode_seed,
    good_return,
    greedy_return,
    make_evaluator,
)
from lab.messages import Diverged
from tests.helpers.environments import Joints

STARTS = (4, 5, 6)


def middle(b_s):
    """The middle of each joint's range, for which Joints does nothing."""
    env = Joints()
    centre = (env.action_space.low + env.action_space.high) / 2
    return np.tile(centre, (len(b_s), 1))


def test_returns_are_those_of_each_start_and_repeat():
    expected = []
    for start in STARTS:
        state = np.random.RandomState(start).uniform(-1, 1, 3)  # decays by 0.9 when left alone
        expected.append(-sum(np.square(state * 0.9**t).sum() for t in range(1, 6)))
    for length, max_steps in ((5, 200), (10**9, 5)):
        evaluate = make_evaluator(EnvAdapter(Joints(length=length)), STARTS, max_steps)
        for _ in range(2):
            assert evaluate(middle) == pytest.approx(expected)


def test_a_return_can_be_watched_as_it_grows():
    seen = []
    env = EnvAdapter(Joints(length=5))
    assert greedy_return(env, middle, 4, 200, seen.append) == seen[-1] < seen[0]
    assert len(seen) == 5


def push(b_s):
    return 2 * np.tanh(np.asarray(b_s) @ np.array([[0.3], [-1.0], [0.5]]))


def test_pendulums_return_together_what_each_does_alone():
    env, calls = make_env('Pendulum-v0'), []
    starts = evaluation.held_out_starts(env)[:5]
    alone = [greedy_return(env, push, start, 200) for start in starts]
    together = make_evaluator(env, starts, 200)
    for _ in range(2):
        assert together(lambda b_s: calls.append(len(b_s)) or push(b_s)) == pytest.approx(alone)
    assert set(calls) == {5}
    assert greedy_return(env, push, starts[0], 200) == alone[0]
    with pytest.raises(Diverged, match='not finite any more'):
        together(lambda b_s: np.full((5, 1), np.nan))


class Upside(gym.RewardWrapper):
    """What is good is bad."""

    def reward(self, reward):
        return -reward


def test_a_wrapper_around_the_pendulum_is_not_skipped():
    env = make_env('Pendulum-v0')
    wrapped = EnvAdapter(Upside(env.env))
    plain, upside = (make_evaluator(each, STARTS, 50)(push) for each in (env, wrapped))
    assert upside == pytest.approx(-plain)
    assert evaluation.held_out_starts(wrapped) != evaluation.held_out_starts(env)


# ---------------------------------------------------------------- the best policy


class Policies(object):
    """Stands for a policy that changes: `offset` is how far it is from the best."""

    def __init__(self, best=-np.inf):
        self.offset, self.calls = 0.0, 0
        self.tracker = BestPolicyTracker(EnvAdapter(Joints(length=5)), None, 200)
        self.tracker.best = best

    def choose(self, b_s):
        self.calls += 1
        return middle(b_s) + self.offset

    def is_best(self, offset):
        self.offset = offset
        return self.tracker.is_best(self.choose, 40, 45)


def test_a_policy_is_the_best_if_its_mean_over_always_the_same_starts_is():
    policies, means = Policies(), []
    for offset, best in ((9.0, True), (20.0, False), (5.0, True), (5.0, False), (0.0, True)):
        assert policies.is_best(offset) == best
        means.append(policies.tracker.best)
    assert means == sorted(means) and means[2] == means[3] < means[4] < 0
    assert policies.calls == 5 * 10 * 5  # policies, starts, steps
    resumed = Policies(best=means[3])
    assert [resumed.is_best(offset) for offset in (5.0, 0.0)] == [False, True]


def test_the_pendulums_policy_is_evaluated_often_others_seldom_and_all_at_the_end(monkeypatch):
    pendulum, joints, every = make_env('Pendulum-v0'), EnvAdapter(Joints()), list(range(3, 46, 3))
    always_better = iter(range(10**6))
    played = lambda *about: lambda policy: np.array([next(always_better)])  # noqa: E731
    monkeypatch.setattr(evaluation, 'make_evaluator', played)
    for env, count, due in [
        (pendulum, None, every),
        (pendulum, 7, every),
        (joints, None, [40, 45]),
        (joints, 3, [12, 24, 36, 45]),  # less than a quarter of the steps
        (joints, 0, []),
    ]:
        tracker = BestPolicyTracker(env, count, 200)
        assert [done for done in range(1, 46) if tracker.is_best(None, done, 45)] == due


def test_the_starts_that_measure_are_none_that_the_choice_has_seen():
    chosen = range(evaluation.FIRST_START, evaluation.FIRST_START + 100000)  # --eval-episodes
    for env in (make_env('Pendulum-v0'), EnvAdapter(Joints())):
        assert not set(chosen) & set(evaluation.held_out_starts(env))


def test_each_episode_of_each_run_has_a_seed_of_its_own():
    seeds = {episode_seed(seed, episode) for seed in (0, 1, 2**32 - 1) for episode in range(100)}
    assert len(seeds) == 300 and 0 <= min(seeds) <= max(seeds) < 2**32
    assert episode_seed(1, 7) == episode_seed(1, 7)


def test_what_counts_as_good_is_the_tutorials_or_the_environments_word():
    assert good_return('Pendulum-v0', make_env('Pendulum-v0')) == -300
    assert good_return('x', EnvAdapter(Joints())) is None
    car = 'MountainCarContinuous-v0'
    assert good_return(car, make_env(car)) == 90
