"""lab/evaluation.py"""

import gym
import numpy as np
import pytest

from lab import evaluation
from lab.environments import EnvAdapter, make_env
from lab.evaluation import BestPolicyTracker, episode_seed, held_out_starts
from lab.evaluation import good_return, greedy_return, make_evaluator
from lab.messages import Diverged
from tests.helpers.environments import Joints

STARTS = (4, 5, 6)


def middle(b_s):
    """The middle of each joint's range, for which Joints does nothing."""
    space = Joints().action_space
    return np.tile((space.low + space.high) / 2, (len(b_s), 1))


def test_returns_are_those_of_each_start_and_repeat():
    expected = []
    for start in STARTS:
        state = np.random.RandomState(start).uniform(-1, 1, 3)  # decays by 0.9 when left alone
        expected.append(-sum(np.square(state * 0.9**t).sum() for t in range(1, 6)))
    for length, max_steps in ((5, 200), (10**9, 5)):
        evaluate = make_evaluator(EnvAdapter(Joints(length=length)), STARTS, max_steps)
        for _ in range(2):
            assert evaluate(middle) == pytest.approx(expected)


def push(b_s):
    return 2 * np.tanh(np.asarray(b_s) @ np.array([[0.3], [-1.0], [0.5]]))


def test_pendulums_return_together_what_each_does_alone():
    env, calls = make_env('Pendulum-v0'), []
    starts = held_out_starts(env)[:5]
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
    assert held_out_starts(wrapped) != held_out_starts(env)


# ---------------------------------------------------------------- the best policy


def test_a_policy_is_the_best_if_its_mean_over_always_the_same_starts_is():
    tracker, means = BestPolicyTracker(EnvAdapter(Joints(length=5)), None, 200), []
    calls = []

    def is_best(offset):
        """Of the policy that is so far from the best."""
        return tracker.is_best(lambda b_s: calls.append(1) or middle(b_s) + offset, 40, 45)

    for offset, best in ((9.0, True), (20.0, False), (5.0, True), (5.0, False), (0.0, True)):
        assert is_best(offset) == best
        means.append(tracker.best)
    assert means == sorted(means) and means[2] == means[3] < means[4] < 0
    assert len(calls) == 5 * 10 * 5  # policies, starts, steps
    tracker.best = means[3]  # as in a resumed run
    assert [is_best(offset) for offset in (5.0, 0.0)] == [False, True]


def test_the_pendulums_policy_is_evaluated_often_others_seldom_and_all_at_the_end(monkeypatch):
    pendulum, joints, every = make_env('Pendulum-v0'), EnvAdapter(Joints()), list(range(3, 46, 3))
    always_better = iter(range(10**6))
    played = lambda *about: lambda policy: np.array([next(always_better)])  # noqa: E731
    monkeypatch.setattr(evaluation, 'make_evaluator', played)
    for env, count, due in [
        (pendulum, None, every),
        (joints, 3, [12, 24, 36, 45]),  # less than a quarter of the steps
        (joints, 0, []),
    ]:
        tracker = BestPolicyTracker(env, count, 200)
        assert [done for done in range(1, 46) if tracker.is_best(None, done, 45)] == due


def test_the_starts_that_measure_are_none_that_the_choice_has_seen():
    chosen = range(evaluation.FIRST_START, evaluation.FIRST_START + 100000)  # --eval-episodes
    for env in (make_env('Pendulum-v0'), EnvAdapter(Joints())):
        assert not set(chosen) & set(held_out_starts(env))


def test_each_episode_of_each_run_has_a_seed_of_its_own():
    seeds = [{episode_seed(run, i) for run in (0, 1, 2**32 - 1) for i in range(99)} for _ in '12']
    assert seeds[0] == seeds[1] and len(seeds[0]) == 3 * 99
    assert 0 <= min(seeds[0]) <= max(seeds[0]) < 2**32


def test_what_counts_as_good_is_the_tutorials_or_the_environments_word():
    for name, good in (('Pendulum-v0', -300), ('MountainCarContinuous-v0', 90)):
        assert good_return(name, make_env(name)) == good
    assert good_return('x', EnvAdapter(Joints())) is None
