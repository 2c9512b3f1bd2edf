"""The best policy of a run: training goes on moving after it has found a good one."""

import random

import numpy as np

from experiment.evaluate import greedy_returns

EVERY = 5  # episodes between two tries
FIRST, ALL = 4, 24  # starts of a try: one that is worse on the first few is not tried on the others
SEEDS = range(500000, 500200)  # the starts are chosen among these


class Best(object):
    """Tries the greedy policy now and then on fixed starts, and has the best one kept.

    A try that beats the best so far on FIRST starts is confirmed on ALL of them. The starts are as
    unlike each other as can be, so that few do for many. Environments and random numbers are its
    own: training goes the same way with and without it.

    Args:
        make_env: () -> a new environment.
        choose_actions: b_s (n, state_dim) -> (n, action_dim), without noise.
        max_steps: the length of an episode that the environment does not end before.
        keep: (returns) -> None, is called while the policy is the best so far.
        returns: of the best so far, where a run is resumed; None if there was none.
    """

    def __init__(self, make_env, choose_actions, max_steps, keep, returns=None):
        self._make_env, self._choose_actions = make_env, choose_actions
        self._max_steps, self._keep = max_steps, keep
        self.returns = returns
        self._envs = None

    def try_policy(self):
        """Try the policy as it is now.

        Returns:
            Its mean return if it is now the best, else None.
        """
        kept = np.random.get_state(), random.getstate()  # an environment may draw from these
        try:
            returns = self._returns_if_better()
        finally:
            np.random.set_state(kept[0])
            random.setstate(kept[1])
        if returns is None:
            return None
        self.returns = returns
        self._keep(returns)
        return float(np.mean(returns))

    def _returns_if_better(self):
        """Return the policy's returns if their mean is above the best's, else None."""
        if self._envs is None:
            self._envs = [self._make_env() for _ in range(ALL)]
            self._starts = unlike_starts(self._envs[0], SEEDS, ALL)
        returns = np.zeros(0)
        for count in (FIRST, ALL):
            part = slice(len(returns), count)
            more = greedy_returns(
                self._envs[part], self._choose_actions, self._starts[part], self._max_steps
            )
            returns = np.concatenate((returns, more))
            if self.returns is not None and returns.mean() <= self.returns[:count].mean():
                return None
        return returns


def unlike_starts(env, seeds, count):
    """Return `count` of `seeds` whose first observations lie far apart.

    The first seed, then always the one whose observation is farthest from all that were chosen,
    each dimension measured in its standard deviation.
    """
    first = []
    for seed in seeds:
        env.seed(seed)
        first.append(env.reset())
    first = np.array(first, float)
    first /= first.std(axis=0) + 1e-12
    chosen = [0]
    distance = np.full(len(first), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.square(first - first[chosen[-1]]).sum(axis=1))
        chosen.append(int(distance.argmax()))
    return [seeds[i] for i in chosen]
