"""The best policy of a run: training may spoil a good policy again, so the best one is kept."""

import numpy as np

from experiment.evaluate import player

EVERY = 4  # episodes between two tries
FIRST, ALL = 8, 32  # starts of a try: what is clearly worse on the first is not tried on the others
SEEDS = range(500000, 500100)  # the starts are chosen among these


def is_due(done, episodes):
    """Return whether the policy is tried after `done` of `episodes` episodes."""
    return done % EVERY == 0 or done == episodes


class Best(object):
    """Tries the greedy policy now and then on fixed starts, and has the best one kept.

    A policy that is behind the best so far on the FIRST starts, by more than the standard error of
    the difference there, is given up; any other is kept if it is better on ALL starts. The
    starts are as unlike each other as can be, so that a few stand for many.

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
        self._play_first = None

    def try_policy(self):
        """Try the policy as it is now, in environments of its own.

        They may draw from generators that they share with training: see `undisturbed`.

        Returns:
            Its mean return if it is now the best, else None.
        """
        returns = self._returns_if_better()
        if returns is None:
            return None
        self.returns = returns
        self._keep(returns)
        return float(np.mean(returns))

    def _returns_if_better(self):
        """Return the policy's returns if their mean is above the best's, else None."""
        if self._play_first is None:
            starts = unlike_starts(self._make_env(), SEEDS, ALL)
            self._play_first = player(self._make_env, starts[:FIRST], self._max_steps)
            self._play_rest = player(self._make_env, starts[FIRST:], self._max_steps)
        returns = self._play_first(self._choose_actions)
        if self.returns is not None:
            ahead = returns - self.returns[:FIRST]
            if ahead.mean() + ahead.std() / FIRST**0.5 <= 0:
                return None
        returns = np.concatenate((returns, self._play_rest(self._choose_actions)))
        if self.returns is not None and returns.mean() <= self.returns.mean():
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
