"""How good a policy is: its returns, without noise and without learning."""

from typing import Callable, Iterable, Sequence, Tuple

import numpy as np

from lab.environments import EnvAdapter
from lab.messages import Diverged, TrainingError

Policy = Callable[[np.ndarray], np.ndarray]  # b_s (n, state_dim) -> actions (n, action_dim)

WINDOW = 10  # episodes in a running mean
LAST = 20  # episodes in the mean at the end of a run
GOOD_ON_PENDULUM = -300  # from the tutorial, which shows the window from there on
EVERY = 3  # episodes between two evaluations on the pendulum, where they cost next to nothing
STARTS, STARTS_ELSEWHERE = 100, 10  # of an evaluation
FIRST_START = 500000  # the seed of its first start

# where compare.py and the pages measure a policy: starts that no choice of a policy has seen
HELD_OUT, HELD_OUT_ELSEWHERE = range(3000, 4000), range(3000, 3100)


def episode_seed(seed: int, episode: int) -> int:
    """Return the seed of all that is random in an episode of a run: one rule for every run."""
    return int(np.random.SeedSequence([seed, episode]).generate_state(1)[0])


def check_finite(episode):
    """Raise TrainingError if the Episode that train has yielded has a number that is not finite."""
    if not np.isfinite([episode.reward, episode.var]).all():
        what = f'the return {episode.reward} and var {episode.var}'
        raise TrainingError(f'train gave {what}, which must be finite')


def held_out_starts(env: EnvAdapter) -> range:
    """Return the seeds of the starts that measure a policy in `env`."""
    return HELD_OUT if env.is_plain_pendulum else HELD_OUT_ELSEWHERE


def good_return(name, env):
    """Return the return above which a policy counts as good in `env`, None if none is known."""
    if name == 'Pendulum-v0':
        return GOOD_ON_PENDULUM
    return getattr(getattr(env.unwrapped, 'spec', None), 'reward_threshold', None)


def make_evaluator(
    env: EnvAdapter, starts: Iterable[int], max_steps: int
) -> Callable[[Policy], np.ndarray]:
    """Return a function that plays a policy from each of `starts`: choose_actions -> returns (n,).

    choose_actions takes b_s (n, state_dim) and returns (n, action_dim), without noise.

    Args:
        env: as make_env gives it; training's own, which must be reset afterwards.
        starts: the environment's seeds.
        max_steps: where an episode ends if the environment has not ended it.
    """
    if env.is_plain_pendulum:
        return _pendulum_evaluator(env, starts, max_steps)

    return lambda choose_actions: np.array(
        [greedy_return(env, choose_actions, start, max_steps) for start in starts]
    )


def greedy_return(env, choose_actions, start, max_steps):
    """Return the return of one episode from the start with this seed."""
    env.seed(start)
    s = env.reset()
    for _ in range(max_steps):
        s, _, done, _ = env.step(choose_actions(s[np.newaxis])[0])
        if done:
            break
    return env.total


def _pendulum_evaluator(env, starts, max_steps):
    """Return the same for gym's pendulum, in a fraction of the time.

    It calculates with arrays as it does with numbers, so one serves all starts: its state is
    (2, n) then, an action (1, n) and an observation (3, n).
    """
    pendulum, first, states = env.unwrapped, [], []
    for start in starts:
        env.seed(start)
        first.append(env.reset())
        states.append(pendulum.state)

    def evaluate(choose_actions):
        b_s, returns, pendulum.state = first, 0.0, np.transpose(states)
        for _ in range(max_steps):
            b_a = choose_actions(b_s)
            observations, rewards, _, _ = pendulum.step(b_a.T)
            b_s, returns = np.float32(observations.T), returns + rewards
        if not np.isfinite(returns).all():  # once a state is not finite, it stays so
            raise Diverged("the actor's output is not finite any more")
        return returns

    return evaluate


class BestPolicyTracker(object):
    """Evaluates the greedy policy periodically from fixed starts; says when it is the best so far.

    On the pendulum after every 3 episodes; elsewhere so rarely that it takes less than a quarter of
    the steps.

    Args:
        env: training's own.
        count: how many starts; None for the default, 0 for none.
        max_steps: as for make_evaluator.
    """

    def __init__(self, env, count, max_steps):
        if count is None:
            count = STARTS if env.is_plain_pendulum else STARTS_ELSEWHERE
        self.best, self._count = -np.inf, count  # the best mean return so far
        self._every = EVERY if env.is_plain_pendulum else 4 * count
        starts = range(FIRST_START, FIRST_START + count)
        self._evaluate = make_evaluator(env, starts, max_steps)

    def is_best(self, choose_actions, done, episodes):
        """Play the policy if it is time to; return whether its mean return is the best so far.

        Args:
            choose_actions: as for make_evaluator's function.
            done, episodes: how many episodes have been trained, and will be.
        """
        if not self._count or (done % self._every and done != episodes):
            return False
        mean = float(self._evaluate(choose_actions).mean())
        better, self.best = mean > self.best, max(mean, self.best)
        return better


def interval(differences: Sequence[float]) -> Tuple[float, float, float]:
    """Return the median of paired differences and its 95 % bootstrap interval, (median, low, high).

    Args:
        differences: one number a seed.
    """
    differences = np.asarray(differences, float)
    chosen = np.random.RandomState(0).randint(len(differences), size=(10000, len(differences)))
    low, high = np.percentile(np.median(differences[chosen], axis=1), [2.5, 97.5])
    return float(np.median(differences)), float(low), float(high)
