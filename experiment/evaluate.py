"""How good a policy is: its mean return, without noise and without learning."""

import numpy as np


def greedy_return(env, choose_action, starts, max_steps):
    """Return the mean return of the policy over fixed starts.

    Args:
        env: the environment; it is seeded anew for each start.
        choose_action: s (state_dim,) -> a (action_dim,), without noise.
        starts: the environment's seeds, one for each start.
        max_steps: the length of an episode that the environment does not end before.
    """
    returns = []
    for start in starts:
        env.seed(start)
        s, total = env.reset(), 0.0
        for _ in range(max_steps):
            s, r, done, _ = env.step(choose_action(s))
            total += r
            if done:
                break
        returns.append(total)
    return float(np.mean(returns))
