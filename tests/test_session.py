"""support/session.py"""

from unittest import mock

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from support.session import make_callable, new_session


@pytest.fixture
def graph():
    """A session, placeholders x (n, 2) and y (n, 1), and the tensor x @ [[1], [10]] + y."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 2], 'x')
        y = tf.placeholder(tf.float32, [None, 1], 'y')
        total = tf.matmul(x, [[1.0], [10.0]]) + y
        with new_session() as sess:
            yield sess, x, y, total


LAYOUTS = dict(
    double=lambda a: a,
    fortran=lambda a: np.asfortranarray(a, np.float32),
    columns=lambda a: np.float32(np.hstack([a, a]))[:, a.shape[1] :],  # of a larger array
    backwards=lambda a: np.float32(a[::-1])[::-1],
    a_list=lambda a: a.tolist(),
)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_same_values_as_session_run_for_every_layout_of_the_arrays(graph, layout):
    sess, x, y, total = graph
    make = mock.Mock(wraps=sess._make_callable_from_options)
    sess._make_callable_from_options, random = make, np.random.RandomState(0)
    call = make_callable(sess, total, [x, y])
    for n in (1, 5):
        a, b = random.normal(size=(n, 2)), random.normal(size=(n, 1))
        got = call(LAYOUTS[layout](a), LAYOUTS[layout](b))
        assert (got == sess.run(total, {x: a, y: b})).all()
    assert make.call_count == 1  # that is what saves the time


@pytest.mark.parametrize('shape_x, shape_y, named', [
    ((4, 2), (4,), 'y:0'), ((4, 2), (1, 1), 'y:0'), ((4, 3), (4, 1), 'x:0'), ((2,), (2, 1), 'x')
])  # fmt: skip
def test_a_wrong_shape_is_refused_before_anything_runs(graph, shape_x, shape_y, named):
    sess, x, y, total = graph
    with pytest.raises(ValueError, match=f'^{named}.* got'):
        make_callable(sess, total, [x, y])(np.zeros(shape_x), np.zeros(shape_y))
