"""memory.py against a plain list."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory import Memory

floats = st.floats(-1e6, 1e6, width=32)


@st.composite
def histories(draw):
    """A capacity, the sizes of a state and an action, and transitions (s, a, r, s_)."""
    capacity, state_dim, action_dim = (draw(st.integers(1, most)) for most in (8, 4, 3))
    s = st.lists(floats, min_size=state_dim, max_size=state_dim)
    a = st.lists(floats, min_size=action_dim, max_size=action_dim)
    return capacity, state_dim, action_dim, draw(st.lists(st.tuples(s, a, floats, s), max_size=30))


def filled(capacity, state_dim, action_dim, transitions):
    """Return a Memory that was given the transitions."""
    memory = Memory(capacity, 2 * state_dim + action_dim + 1)
    for s, a, r, s_ in transitions:
        memory.store_transition(np.array(s), np.array(a), r, np.array(s_))
    return memory


@given(histories(), st.integers(1, 50))
@settings(max_examples=200, deadline=None)
def test_keeps_the_latest_in_a_ring_and_draws_from_them_once_full(history, n):
    capacity, _, _, transitions = history
    memory = filled(*history)
    assert memory.pointer == len(transitions)
    expected = [[0.0] * memory.dims] * capacity
    for i, (s, a, r, s_) in enumerate(transitions):
        expected[i % capacity] = s + a + [r] + s_
    assert memory.data.tolist() == expected
    if len(transitions) < capacity:
        with pytest.raises(RuntimeError, match=f'holds {len(transitions)} of {capacity}'):
            memory.sample(n)
    else:
        rows = memory.sample(n)
        assert (rows.shape, rows.dtype) == ((n, memory.dims), np.float32)
        assert all(row in expected for row in rows.tolist())


def full_of_indices(capacity):
    """A full memory whose row i is [i, i, i, i]."""
    return filled(capacity, 1, 1, [([i], [i], i, [i]) for i in range(capacity)])


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


@pytest.mark.parametrize('sizes, named', [
    ((0, 8), 'capacity .*, got 0'), ((-2, 8), 'capacity .*, got -2'), ((5, 0), 'dims .*, got 0'),
    ((2.5, 8), 'capacity .*, got 2.5'), ((5, 8.1), 'dims .*, got 8.1'),
])  # fmt: skip
def test_refuses_sizes_below_one(sizes, named):
    with pytest.raises(ValueError, match=f'Memory {named}$'):
        Memory(*sizes)


@pytest.mark.parametrize('s, a, s_', [([1, 2], [0], [1, 2, 3]), ([1, 2, 3], [0, 0], [1, 2, 3]),
                                      ([], [], [])])  # fmt: skip
def test_refuses_rows_of_the_wrong_length(s, a, s_):
    """A single number would be spread over a row."""
    memory, says = Memory(5, 8), f'has 8 numbers, this transition has {len(s + a + s_) + 1}'
    with pytest.raises(ValueError, match=says):
        memory.store_transition(s, a, 1.0, s_)
    assert memory.pointer == 0
    assert not memory.data.any()
