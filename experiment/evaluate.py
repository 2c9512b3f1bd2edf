"""How good a policy is: its returns, without noise and without learning."""

from functools import partial

import numpy as np
from gym.envs.classic_control import PendulumEnv

from support.environment import diverged

WINDOW = 10  # episodes in a running mean
LAST = 20  # episodes in the mean at the end of a run
GOOD_ON_PENDULUM = -300  # from the tutorial, which shows the window from there on


def good_return(name, env):
    """Return the return above which a policy counts as good in `env`, None if none is known."""
    if name == 'Pendulum-v0':
        return GOOD_ON_PENDULUM
    return getattr(env.spec, 'reward_threshold', None)


def greedy_returns(envs, choose_actions, starts, max_steps):
    """Return the policy's return from each of `starts`, (n,), played in lockstep.

    Args:
        envs: as many environments as starts; each is seeded anew.
        choose_actions: b_s (n, state_dim) -> (n, action_dim), without noise; asked once a step.
        starts: the environments' seeds.
        max_steps: the length of an episode that the environment does not end before.

    Raises:
        RunFailed: from an environment, or if an action is not finite.
    """
    states = []
    for env, start in zip(envs, starts):
        env.seed(start)
        states.append(env.reset())
    returns = np.zeros(len(states))
    playing = list(range(len(states)))
    for _ in range(max_steps):
        ended = []
        for i, a in zip(playing, choose_actions(np.array([states[i] for i in playing]))):
            states[i], r, done, _ = envs[i].step(a)
            returns[i] += r
            if done:
                ended.append(i)
        playing = [i for i in playing if i not in ended]
        if not playing:
            break
    return returns


def player(make_env, starts, max_steps):
    """Return a function that plays a policy from each of `starts`: choose_actions -> returns (n,).

    Args:
        make_env: () -> a new environment.
        starts: the environments' seeds.
        max_steps: the length of an episode that the environment does not end before.
    """
    env = make_env()
    if type(env.unwrapped) is PendulumEnv:
        return _pendulum_player(env, starts, max_steps)
    envs = [env, *(make_env() for _ in starts[1:])]
    return partial(greedy_returns, envs, starts=starts, max_steps=max_steps)


def _pendulum_player(env, starts, max_steps):
    """Return the same as `player` for gym's pendulum, in a fraction of its time.

    It calculates with arrays as it does with numbers, so one does for all starts: its state is
    (2, n) then, an action (1, n) and an observation (3, n).
    """
    pendulum, first, states = env.unwrapped, [], []
    for start in starts:
        env.seed(start)
        first.append(env.reset())
        states.append(pendulum.state)

    def play(choose_actions):
        b_s, returns, pendulum.state = first, 0.0, np.transpose(states)
        for _ in range(max_steps):
            b_a = choose_actions(b_s)
            observations, rewards, _, _ = pendulum.step(b_a.T)
            b_s, returns = np.float32(observations.T), returns + rewards
        if not np.isfinite(returns).all():  # once a state is not, it stays so
            raise diverged(b_a)
        return returns

    return play
