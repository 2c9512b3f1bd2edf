"""How good a policy is: its returns, without noise and without learning."""

import numpy as np

WINDOW = 10  # episodes in a running mean
LAST = 20  # episodes in the mean at the end of a run
GOOD_ON_PENDULUM = -300  # from the tutorial, which shows the window from there on


def good_return(name, env):
    """Return from what return on a policy counts as good in `env`, or None if nobody says."""
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
        if ended:
            playing = [i for i in playing if i not in ended]
            if not playing:
                break
    return returns
