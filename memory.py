"""Replay memory (记忆库 Memory): the transitions that DDPG learns from, in one numpy array."""

import numpy as np


class Memory(object):
    """The latest `capacity` transitions, one row [s, a, r, s_] of `dims` numbers each.

    `data`, (capacity, dims), is float32, as TensorFlow takes it. `pointer` counts all transitions
    that were ever stored; the next one goes into row `pointer % capacity`.

    Learning from a random batch of old transitions, rather than from the last few, breaks the
    correlation between consecutive steps. Source: tutorial, 记忆库 Memory; Lillicrap et al. 2015
    (arXiv 1509.02971), Algorithm 1.
    """

    def __init__(self, capacity, dims):
        if capacity < 1 or dims < 1:
            raise ValueError(f'Memory needs room for at least one number, got {capacity} x {dims}')
        self.capacity = capacity
        self.data = np.zeros((capacity, dims), dtype=np.float32)
        self.pointer = 0

    def store_transition(self, s, a, r, s_):
        """Store one transition, in place of the oldest once the memory is full.

        s and s_ are (state_dim,), a is (action_dim,) and r a number. Raises ValueError if together
        they are not `dims` numbers.
        """
        self.data[self.pointer % self.capacity] = np.concatenate((s, a, [r], s_))
        self.pointer += 1

    def sample(self, n):
        """Draw `n` transitions, (n, dims), uniformly and with replacement; a copy.

        numpy's global generator draws them. Raises RuntimeError before the memory has been filled
        once: its empty rows are not transitions.
        """
        if self.pointer < self.capacity:
            raise RuntimeError(f'the memory holds {self.pointer} of {self.capacity} transitions')
        return self.data[np.random.randint(self.capacity, size=n)]

    def state_dict(self):
        """Return the whole state of the memory, {name: array or number}, for a checkpoint.

        What you add to it in __init__, an array of priorities for example, is kept too.
        """
        return dict(vars(self))

    def load_state_dict(self, state):
        """Restore a state that state_dict has returned."""
        vars(self).update(state)
