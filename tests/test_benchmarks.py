"""benchmarks/: NumPy by hand is the same algorithm, and the benchmarks run."""

import re

import gym
import numpy as np
import pytest

import ddpg
import fast_tf
from benchmarks import contenders, savings
from benchmarks.numpy_ddpg import NumpyDDPG
from tests.helpers import reference
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.graphs import batch, weights_for
from tests.helpers.lessons import Built
from tests.helpers.program import output


@pytest.mark.parametrize('dtype, within', [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_numpy_by_hand_agrees_with_the_reference(dtype, within):
    """Every weight and target after 200 steps, and the action."""
    env, random = ENVIRONMENTS[3](), np.random.RandomState(3)
    space, nets = env.action_space, Built(ddpg, env).nets
    actor, critic = weights_for(nets['actor']), weights_for(nets['critic'])
    fast = NumpyDDPG(actor, critic, space.low, space.high, dtype)
    slow = reference.DDPG(actor, critic, space.low, space.high, tau=0.01)
    for _ in range(200):
        b = batch(random, 3, space.low, space.high)
        fast.learn(*map(dtype, b))
        slow.learn(*reference.doubles(b))
    for got, want in (
        *zip(fast.actor.params + fast.actor.target_params, slow.actor + slow.actor_),
        *zip(fast.critic.params + fast.critic.target_params, slow.critic + slow.critic_),
    ):
        assert got.dtype == dtype
        assert np.abs(got - want).max() < within
    a, _ = reference.actor_forward(slow.actor, b[0][:1], *slow.bounds)
    assert fast.choose_action(b[0][0]) == pytest.approx(a[0], abs=1e-4)


def test_step_time_prints_every_contender_and_part():
    printed = output('-m', 'benchmarks.step_time', '--rounds', '1')
    printed = re.findall(r'(?m)^\| (\w[^|]*) \| ([\d.]+) \|', printed)
    names = [name for name, _ in printed if name != 'Stable-Baselines3']  # it is no requirement
    assert ', '.join(names) == (
        'textbook, ddpg.py, ddpg_update.py, ddpg_update2.py, NumPy by hand, '
        'action, environment, into memory, batch from memory, critic, actor, '
        'noise, and the loop itself'
    )
    assert all(float(microseconds) > 0 for _, microseconds in printed)


def test_scaling_measures_a_step_of_each_size():
    code = 'from benchmarks import scaling; scaling.SIZES[1:] = []; scaling.prepare(2); '
    assert float(output('-c', code + 'print(scaling.run_episode((30, 32)))')) > 0


def test_what_is_there_for_speed_changes_nothing_else(monkeypatch):
    """The savings undo one thing each, all ways learn the same, and nothing stays undone."""
    monkeypatch.setattr(ddpg, 'MAX_EP_STEPS', 30)
    seen = []

    def new_session():
        seen.append((fast_tf.config().SerializeToString(), ddpg.make_callable))
        return fast_tf.new_session()

    def rewards(contender):
        episodes = contender(gym.make('Pendulum-v0').env)
        return [next(episodes).reward for _ in range(2)]

    monkeypatch.setattr(ddpg, 'new_session', new_session)
    shipped = rewards(contenders.original)
    for contender in (*savings.CONTENDERS.values(), contenders.textbook, contenders.original):
        assert rewards(contender) == pytest.approx(shipped, rel=1e-5)
    undone = [[i for i in (0, 1) if each[i] != seen[0][i]] for each in seen[1:]]
    assert undone == [[], [0], [0], [1], [], [], [], []]
    assert rewards(contenders.in_numpy) == pytest.approx(shipped, rel=1e-3)
