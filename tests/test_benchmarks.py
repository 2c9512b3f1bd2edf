"""benchmarks/: NumPy by hand is the same algorithm, and the benchmarks run."""

import re
import sys

import gym
import numpy as np
import pytest

import ddpg
import ddpg_update
from benchmarks import contenders, savings, step_time
from benchmarks.numpy_ddpg import NumpyDDPG
from support import session
from tests.helpers import reference
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.graphs import batch, weights_for
from tests.helpers.lessons import Built


def test_numpy_by_hand_agrees_with_the_reference():
    """Every weight and target after 200 steps, within 1e-5, and the action."""
    env, random = ENVIRONMENTS[3](), np.random.RandomState(3)
    space, nets = env.action_space, Built(ddpg, env).nets
    actor, critic = weights_for(nets['actor']), weights_for(nets['critic'])
    fast = NumpyDDPG(actor, critic, space.low, space.high)
    slow = reference.DDPG(actor, critic, space.low, space.high, tau=0.01)
    for _ in range(200):
        b = batch(random, 3, space.low, space.high)
        fast.learn(*b)
        slow.learn(*reference.doubles(b))
    for got, want in (
        *zip(fast.actor.params + fast.actor.target_params, slow.actor + slow.actor_),
        *zip(fast.critic.params + fast.critic.target_params, slow.critic + slow.critic_),
    ):
        assert np.abs(got - want).max() < 1e-5
    a, _ = reference.actor_forward(slow.actor, b[0][:1], *slow.bounds)
    assert fast.choose_action(b[0][0]) == pytest.approx(a[0], abs=1e-4)


def test_step_time_prints_every_contender_and_part(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['step_time', '--rounds', '1'])
    monkeypatch.setattr(contenders, 'on_one_core', lambda: '')  # it would also bind the tests
    monkeypatch.setattr(contenders, 'stable_baselines3', lambda: lambda: 1.0)
    monkeypatch.setattr(ddpg, 'MAX_EP_STEPS', 5)
    monkeypatch.setattr(ddpg_update, 'MAX_EP_STEPS', 5)
    step_time.main()
    rows = (
        'textbook, ddpg.py, ddpg_update.py, ddpg_update2.py, NumPy by hand, Stable-Baselines3, '
        'act, environment, store, sample, critic, actor, noise, and the loop itself'
    )
    printed = re.findall(r'(?m)^\| (\w[^|]*) \| ([\d.]+) \|', capsys.readouterr().out)
    assert ', '.join(name for name, _ in printed) == rows


def test_what_is_there_for_speed_changes_nothing_else(monkeypatch):
    """The savings undo one thing each, all ways learn the same, and nothing stays undone."""
    monkeypatch.setattr(ddpg, 'MAX_EP_STEPS', 30)

    rewards = []

    def seen(contender):
        episodes = contender(gym.make('Pendulum-v0').env)
        rewards.append([next(episodes).reward for _ in range(2)])
        return dict(
            config=session.config().SerializeToString(),
            callable=ddpg.make_callable,
            memory=ddpg.Memory(10, 8).data.dtype,
            contender=contender is savings.in_two_calls,
        )

    monkeypatch.setattr(savings, 'loop', seen)
    shipped, *undone = savings.contenders().values()
    different = [[key for key in shipped if one[key] != shipped[key]] for one in undone]
    assert different == [['config'], ['config'], ['callable'], ['contender'], ['memory']]
    assert seen(contenders.lesson(ddpg)) == shipped
    seen(contenders.textbook)
    assert len(rewards) == 8
    for each in rewards:
        assert each == pytest.approx(rewards[0], rel=1e-5)
