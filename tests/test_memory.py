"""memory.py against a plain list."""

import numpy as np
import pytest

from memory import Memory


@pytest.mark.parametrize('capacity', [1, 3, 8])
@pytest.mark.parametrize('count', [0, 7, 8, 30])
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
    if count < capacity:
        with pytest.raises(RuntimeError, match=f'holds {count} of {capacity} transitions'):
            memory.sample(1)
    else:
        rows = memory.sample(50)
        assert (rows.shape, rows.dtype) == ((50, 9), np.float32)
        assert all((row == expected).all(axis=1).any() for row in rows)


def test_sample_is_a_copy_uniform_with_replacement_by_numpys_generator():
    """Each of 20 rows gets its share of 20000 draws within 5 standard deviations (about 31)."""
    memory = Memory(20, 4)
    for i in range(20):
        memory.store_transition([i], [i], i, [i])
    np.random.seed(0)
    first = memory.sample(20000)
    np.random.seed(0)
    assert (memory.sample(20000) == first).all()
    draws = first[:, 0].astype(int)
    assert np.abs(np.bincount(draws, minlength=20) - 1000).max() < 5 * np.sqrt(1000 * 0.95)
    first[:] = -1
    assert memory.data.min() == 0


def test_refuses_sizes_below_one_and_rows_of_the_wrong_length():
    for sizes in ((0, 8), (5, 0)):
        with pytest.raises(ValueError, match='got {} x {}$'.format(*sizes)):
            Memory(*sizes)
    memory = Memory(5, 8)
    with pytest.raises(ValueError, match='broadcast'):
        memory.store_transition([1, 2], [0], 1.0, [1, 2, 3])
    assert memory.pointer == 0 and not memory.data.any()


def test_a_state_has_all_that_the_memory_has_and_another_memory_goes_on_from_it():
    one, other = Memory(5, 4), Memory(5, 4)
    for i in range(7):
        one.store_transition([i], [i], i, [i])
    one.priorities = np.arange(5.0)  # what a student may add
    state = {name: np.array(value) for name, value in one.state_dict().items()}  # as in a file
    other.load_state_dict(state)
    for memory in (one, other):
        memory.store_transition([9], [9], 9, [9])
    assert other.pointer == 8
    assert (other.data == one.data).all() and other.data[2].tolist() == [9] * 4
    assert (other.priorities == one.priorities).all()
