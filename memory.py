"""Replay memory (记忆库 Memory): the transitions that DDPG learns from, in one numpy array."""

import numpy as np


class Memory(object):
    """The latest `capacity` transitions, one row [s, a, r, s_] of `dims` numbers each.

    `data`, (capacity, dims), is float32, as TensorFlow takes it. `pointer` counts all transitions
    that were ever stored; the next one goes into row `pointer % capacity`.

    Learning from a random batch of old transitions, rather than from the last few, breaks the
    correlation between consecutive steps. Source: tutorial, 记忆库 Memory; Lillicrap et al. 2015
    (arXiv 1509.02971), Algorithm 1.

    Raises ValueError if `capacity` or `dims` is not a whole number of at least 1.
    """

    def __init__(self, capacity, dims):
        for name, value in (('capacity', capacity), ('dims', dims)):
            if value != int(value) or value < 1:
                raise ValueError(f'Memory {name} must be a whole number of at least 1, got {value}')
        self.capacity, self.dims = int(capacity), int(dims)
        self.data = np.zeros((self.capacity, self.dims), dtype=np.float32)
        self.pointer = 0

    def store_transition(self, s, a, r, s_):
        """Keep one transition; once the memory is full it takes the place of the oldest.

        s and s_ are (state_dim,), a is (action_dim,) and r a number. Raises ValueError if together
        they are not `dims` numbers.
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
        """Draw `n` transitions, (n, dims), uniformly and with replacement; a copy.

        numpy's global generator draws them. Raises RuntimeError before the memory has been filled
        once: its empty rows are no transitions.
        """
        if self.pointer < self.capacity:
            raise RuntimeError(
                f'the memory can be sampled once it is full: it holds {self.pointer} of '
                f'{self.capacity} transitions'
            )
        return self.data[np.random.randint(self.capacity, size=n)]
