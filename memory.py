"""Replay memory (记忆库 Memory): the transitions that DDPG learns from, in one numpy array."""

import numpy as np


class Memory(object):
    """A ring of the last `capacity` transitions, one float32 row [s, a, r, s_] each.

    Learning from a random batch of old transitions, rather than from the last few, breaks the
    correlation between consecutive steps; DDPG has this from DQN.

    ==========  =================  ===========================================================
    attribute   shape, dtype       what it is
    ==========  =================  ===========================================================
    data        (capacity, dims)   the rows, float32, as TensorFlow takes them; zero until used
    pointer     int                how many transitions were ever stored; the next one goes
                                   into row `pointer % capacity`
    ==========  =================  ===========================================================

    Source: tutorial, 记忆库 Memory; Lillicrap et al. 2015 (arXiv 1509.02971), Algorithm 1.

    Args:
        capacity: how many transitions are kept, at least 1.
        dims: the length of a row, `2 * state_dim + action_dim + 1`, at least 1.

    Raises:
        ValueError: if `capacity` or `dims` is not a whole number of at least 1.
    """

    def __init__(self, capacity, dims):
        for name, value in (('capacity', capacity), ('dims', dims)):
            if value != int(value) or value < 1:
                raise ValueError(f'Memory {name} must be a whole number of at least 1, got {value}')
        self.capacity = int(capacity)
        self.dims = int(dims)
        self.data = np.zeros((self.capacity, self.dims), dtype=np.float32)
        self.pointer = 0

    def store_transition(self, s, a, r, s_):
        """Keep one transition; once the memory is full it takes the place of the oldest.

        Args:
            s, s_: the state before and after the step, (state_dim,).
            a: the action, (action_dim,).
            r: the reward, a number.

        Raises:
            ValueError: if the row [s, a, r, s_] does not have `dims` numbers.
        """
        transition = np.concatenate((s, a, (r,), s_))
        if len(transition) != self.dims:
            raise ValueError(
                f'a row of this memory has {self.dims} numbers, this transition has '
                f'{len(transition)} (s {len(s)}, a {len(a)}, r 1, s_ {len(s_)})'
            )
        self.data[self.pointer % self.capacity] = transition
        self.pointer += 1

    def sample(self, n):
        """Draw `n` transitions uniformly, with replacement, by numpy's global generator.

        Returns:
            (n, dims) float32, a copy.

        Raises:
            RuntimeError: before the memory has been filled once: its empty rows are no transitions.
        """
        if self.pointer < self.capacity:
            raise RuntimeError(
                f'the memory can be sampled once it is full: it holds {self.pointer} of '
                f'{self.capacity} transitions'
            )
        return self.data[np.random.randint(self.capacity, size=n)]
