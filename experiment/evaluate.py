"""How good a policy is: its returns, without noise and without learning."""

import numpy as np

from experiment.errors import diverged


def greedy_returns(envs, choose_actions, starts, max_steps):
    """Return the policy's return from each of `starts`, played in lockstep.

    Args:
        envs: as many environments as starts; each is seeded anew.
        choose_actions: b_s (n, state_dim) -> (n, action_dim), without noise; asked once a step.
        starts: the environments' seeds.
        max_steps: the length of an episode that the environment does not end before.

    Raises:
        RunFailed: if an action is not finite.
    """
    states = []
    for env, start in zip(envs, starts):
        env.seed(start)
        states.append(env.reset())
    returns = np.zeros(len(states))
    playing = list(range(len(states)))
    for _ in range(max_steps):
        actions = choose_actions(np.array([states[i] for i in playing]))
        finite = np.isfinite(actions).all(axis=1)
        if not finite.all():
            raise diverged(actions[finite.argmin()])
        ended = []
        for i, a in zip(playing, actions):
            states[i], r, done, _ = envs[i].step(a)
            returns[i] += r
            if done:
                ended.append(i)
        if ended:
            playing = [i for i in playing if i not in ended]
            if not playing:
                break
    return returns
