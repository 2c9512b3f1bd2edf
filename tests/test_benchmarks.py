"""benchmarks/: the contender by hand is the same algorithm, and the benchmark runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import ddpg
import gym
import numpy as np
import pytest

from benchmarks import savings
from benchmarks.numpy_ddpg import NumpyDDPG
from benchmarks.step_time import ORIGINAL
from support import session
from tests.helpers import reference
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.graphs import batch, doubles

PROJECT = Path(__file__).parent.parent
# Stable-Baselines3 as a benchmark sees it; its PyTorch would load Triton, which ends the process.
THEIRS = {
    'triton.py': 'import os; os.abort()',
    'torch.py': 'try:\n    import triton\nexcept ImportError:\n    set_num_threads = int',
    'gymnasium.py': 'make = str',
    'stable_baselines3.py': 'from unittest.mock import Mock\nDDPG = lambda *_, **__: Mock()',
}


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


@pytest.mark.parametrize(
    'benchmark, rows',
    [
        (
            'step_time',
            'textbook, ddpg.py, ddpg_update.py, ddpg_update2.py, NumPy by hand, Stable-Baselines3, '
            'act, noise, environment, store, sample, critic, actor',
        ),
        ('savings', 'nothing, SINGLE_THREADED_EXECUTOR, make_callable, float32 memory'),
    ],
)
def test_a_benchmark_prints_every_contender(benchmark, rows, tmp_path):
    for name, text in THEIRS.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, '-m', f'benchmarks.{benchmark}', '--rounds', '1'],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.returncode, done.stderr) == (0, '')
    for row in rows.split(', '):
        assert f'| {row} |' in done.stdout


def test_what_the_benchmark_of_the_savings_undoes(monkeypatch):
    """One thing each, and afterwards nothing stays undone."""
    env = gym.make('Pendulum-v0')

    def seen(contender):
        ddpg.build(env)
        return dict(
            config=session.config().SerializeToString(),
            callable=ddpg.make_callable,
            memory=ddpg.Memory(10, 8).data.dtype,
            contender=contender if contender is savings.in_two_calls else None,
        )

    monkeypatch.setattr(savings, 'loop', seen)
    shipped, *undone = savings.contenders().values()
    different = [[key for key in shipped if one[key] != shipped[key]] for one in undone]
    assert different == [['config'], ['config'], ['callable'], ['contender'], ['memory']]
    assert seen(ORIGINAL) == shipped


def test_two_calls_learn_the_same_as_one():
    rewards = []
    for contender in (ORIGINAL, savings.in_two_calls):
        episodes = contender(gym.make('Pendulum-v0').env)
        rewards.append([next(episodes).reward for _ in range(2)])
    assert rewards[0] == rewards[1]


def test_a_wrong_option_of_a_benchmark_is_one_line():
    words = [sys.executable, '-m', 'benchmarks.savings', '--rounds', '0']
    done = subprocess.run(
        words,
        cwd=str(PROJECT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.returncode, done.stdout) == (2, '')
    assert done.stderr == (
        'benchmarks.savings: argument --rounds: needs a whole number from 1 to 1000000000, '
        "got '0' (--help explains the options)\n"
    )


def test_ctrl_c_ends_a_benchmark_with_one_line():
    benchmark = subprocess.Popen(
        [sys.executable, '-m', 'benchmarks.savings'],
        cwd=str(PROJECT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert benchmark.stdout.readline().startswith('Python ')
    benchmark.send_signal(signal.SIGINT)
    _, err = benchmark.communicate()
    assert (benchmark.returncode, err) == (130, 'benchmarks.savings: stopped\n')
