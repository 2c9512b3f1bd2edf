"""memory.py against a plain list."""

import numpy as np
import pytest

from memory import Memory


@pytest.mark.parametrize('capacity', range(1, 9))
@pytest.mark.parametrize('count', [0, 1, 3, 7, 8, 9, 30])
def test_keeps_the_latest_in_a_ring_and_draws_from_them_once_full(capacity, count):
    random = np.random.RandomState(capacity)
    memory = Memory(capacity, dims=2 * 3 + 2 + 1)
    expected = np.zeros((capacity, 9), np.float32)
    for i in range(count):
        s, a, r, s_ = np.split(random.uniform(-1e6, 1e6, 9), [3, 5, 6])
        memory.store_transition(s, a, r[0], s_)
        expected[i % capacity] = [*s, *a, *r, *s_]
    assert memory.pointer == count
    assert (memory.data == expected).all() and memory.data.dtype == np.float32
    for n in (1, 50):
        if count < capacity:
            with pytest.raises(RuntimeError, match=f'holds {count} of {capacity} transitions'):
                memory.sample(n)
        else:
            rows = memory.sample(n)
            assert (rows.shape, rows.dtype) == ((n, 9), np.float32)
            assert all((row == expected).all(axis=1).any() for row in rows)


def full_of_indices(capacity):
    """A full memory whose row i is [i, i, i, i]."""
    memory = Memory(capacity, 4)
    for i in range(capacity):
        memory.store_transition([i], [i], i, [i])
    return memory


def test_sample_is_uniform_with_replacement():
    """Each of 20 rows gets its share of 20000 draws within 5 standard deviations (about 31)."""
    np.random.seed(0)
    draws = full_of_indices(20).sample(20000)[:, 0].astype(int)
    assert np.abs(np.bincount(draws, minlength=20) - 1000).max() < 5 * np.sqrt(1000 * 0.95)


def test_sample_is_a_copy_that_follows_numpys_seed():
    memory = full_of_indices(100)
    np.random.seed(5)
    first = memory.sample(32)
    np.random.seed(5)
    assert (memory.sample(32) == first).all()
    first[:] = -1
    assert memory.data.min() == 0


@pytest.mark.parametrize(
    'sizes, named', [((0, 8), '0 x 8'), ((-2, 8), '-2 x 8'), ((5, 0), '5 x 0')]
)
def test_refuses_sizes_below_one(sizes, named):
    with pytest.raises(ValueError, match=f'got {named}$'):
        Memory(*sizes)


@pytest.mark.parametrize('s, a, s_', [([1, 2], [0], [1, 2, 3]), ([1, 2, 3], [0, 0], [1, 2, 3])])
def test_refuses_rows_of_the_wrong_length(s, a, s_):
    memory = Memory(5, 8)
    with pytest.raises(ValueError, match='broadcast'):
        memory.store_transition(s, a, 1.0, s_)
    assert memory.pointer == 0
    assert not memory.data.any()


class WithPriorities(Memory):
    """What a student may make of it."""

    def __init__(self, capacity, dims):
        super().__init__(capacity, dims)
        self.priorities = np.zeros(capacity)


def test_a_state_has_all_that_the_memory_has_and_another_memory_goes_on_from_it():
    one, other = (WithPriorities(5, 4) for _ in range(2))
    for i in range(7):
        one.store_transition([i], [i], i, [i])
    one.priorities[3] = 2.5
    state = {name: np.array(value) for name, value in one.state_dict().items()}  # as in a file
    other.load_state_dict(state)
    for memory in (one, other):
        memory.store_transition([9], [9], 9, [9])
    assert other.pointer == 8
    assert (other.data == one.data).all() and other.data[2].tolist() == [9] * 4
    assert (other.priorities == one.priorities).all()
