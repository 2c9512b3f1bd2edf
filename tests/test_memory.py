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


@given(histories())
@settings(max_examples=200, deadline=None)
def test_keeps_the_last_capacity_transitions_in_a_ring(history):
    capacity, _, _, transitions = history
    memory = filled(*history)
    assert memory.pointer == len(transitions)
    expected = [None] * capacity
    for i, (s, a, r, s_) in enumerate(transitions):
        expected[i % capacity] = s + a + [r] + s_
    for row, values in zip(memory.data, expected):
        assert row.tolist() == (values or [0.0] * memory.dims)


@given(histories(), st.integers(1, 50))
@settings(max_examples=200, deadline=None)
def test_sample_draws_stored_rows_once_full_and_refuses_before(history, n):
    capacity, _, _, transitions = history
    memory = filled(*history)
    if len(transitions) < capacity:
        with pytest.raises(RuntimeError, match=f'holds {len(transitions)} of {capacity}'):
            memory.sample(n)
    else:
        rows = memory.sample(n)
        assert rows.shape == (n, memory.dims)
        assert rows.dtype == np.float32
        stored = {tuple(row) for row in memory.data.tolist()}
        assert {tuple(row) for row in rows.tolist()} <= stored


def full_of_indices(capacity):
    """A full memory whose row i is [i, i, i, i]."""
    return filled(capacity, 1, 1, [([i], [i], i, [i]) for i in range(capacity)])


def test_sample_is_uniform_with_replacement():
    """Each of 20 rows gets its share of 20000 draws within 5 standard deviations (about 31)."""
    np.random.seed(0)
    memory = full_of_indices(20)
    draws = memory.sample(20000)[:, 0].astype(int)
    assert np.abs(np.bincount(draws, minlength=20) - 1000).max() < 5 * np.sqrt(1000 * 0.95)
    assert len(memory.sample(50)) == 50  # more than it holds


def test_sample_is_a_copy():
    memory = full_of_indices(3)
    memory.sample(10)[:] = -1
    assert memory.data.min() == 0


def test_sample_follows_numpys_seed():
    memory = full_of_indices(100)
    np.random.seed(5)
    first = memory.sample(32)
    np.random.seed(5)
    assert (memory.sample(32) == first).all()


@pytest.mark.parametrize('capacity, dims, named', [(0, 8, 'capacity'), (-2, 8, 'capacity')] + [
    (5, 0, 'dims'), (5, -1, 'dims'), (2.5, 8, 'capacity'), (5, 8.1, 'dims')
])  # fmt: skip
def test_refuses_sizes_below_one(capacity, dims, named):
    wrong = capacity if named == 'capacity' else dims
    with pytest.raises(ValueError, match=f'Memory {named} .* at least 1, got {wrong}$'):
        Memory(capacity, dims)


@pytest.mark.parametrize('s, a, s_', [([1, 2], [0], [1, 2, 3]), ([1, 2, 3], [0, 0], [1, 2, 3])])
def test_refuses_rows_of_the_wrong_length(s, a, s_):
    memory = Memory(5, 8)
    with pytest.raises(
        ValueError, match=f'has 8 numbers, this transition has {len(s + a + s_) + 1}'
    ):
        memory.store_transition(s, a, 0.0, s_)
    assert memory.pointer == 0
    assert not memory.data.any()


def test_a_single_number_is_not_spread_over_a_row():
    with pytest.raises(ValueError):
        Memory(5, 8).store_transition(np.array([]), np.array([]), 1.0, np.array([]))
