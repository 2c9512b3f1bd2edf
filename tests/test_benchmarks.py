"""benchmarks/: the contender by hand is the same algorithm, and the benchmark runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.numpy_ddpg import NumpyDDPG
from tests import reference
from tests.environments import ENVIRONMENTS
from tests.graphs import batch, doubles

PROJECT = Path(__file__).parent.parent


@pytest.mark.parametrize('action_dim', [1, 3])
def test_numpy_by_hand_agrees_with_the_reference(action_dim):
    """Every weight and target after 200 steps, within 1e-5, and the action."""
    space = ENVIRONMENTS[action_dim]().action_space
    random = np.random.RandomState(3)
    sizes = [(3, 30), (30,), (30, action_dim), (action_dim,)]
    actor = [random.normal(0, 0.3, size) for size in sizes]
    sizes = [(3, 30), (action_dim, 30), (1, 30), (30, 1), (1,)]
    critic = [random.normal(0, 0.3, size) for size in sizes]
    fast = NumpyDDPG(actor, critic, space.low, space.high)
    slow = reference.DDPG(actor, critic, space.low, space.high, tau=0.01)
    random = np.random.RandomState(4)
    for _ in range(200):
        b = batch(random, 3, space.low, space.high)
        fast.learn(*b)
        slow.learn(*doubles(b))
    for got, want in (
        *zip(fast.actor.params + fast.actor.target_params, slow.actor + slow.actor_),
        *zip(fast.critic.params + fast.critic.target_params, slow.critic + slow.critic_),
    ):
        assert np.abs(got - want).max() < 1e-5
    a, _ = reference.actor_forward(slow.actor, b[0][:1], *slow.bounds)
    assert fast.choose_action(b[0][0]) == pytest.approx(a[0], abs=1e-4)


def test_the_benchmark_prints_every_contender(tmp_path):
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks.step_time', '--rounds', '1'],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.returncode, done.stderr) == (0, '')
    for name in ('textbook', 'ddpg.py', 'ddpg_update.py', 'NumPy by hand'):
        assert f'| {name} |' in done.stdout
    for part in ('act', 'noise', 'environment', 'store', 'sample', 'critic', 'actor'):
        assert f'| {part} |' in done.stdout
