"""A TensorFlow session for networks so small that calling TensorFlow costs more than computing."""

import atexit
import weakref
from contextlib import contextmanager

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf.config_pb2 import CallableOptions

_sessions = weakref.WeakSet()
_threads = 1


@contextmanager
def threads(count):
    """Give sessions made while this lasts `count` threads for the arithmetic of one operation.

    TensorFlow makes a process's threads once, for its first session.
    """
    global _threads
    before, _threads = _threads, count
    try:
        yield
    finally:
        _threads = before


def config():
    """Return the ConfigProto of new sessions."""
    # No GPU: there is little to compute, and the executor below takes no graph that is split
    # between devices.
    proto = tf.ConfigProto(intra_op_parallelism_threads=_threads, device_count={'GPU': 0})
    # The leanest executor knows no control flow, takes resource variables only, and hands nothing
    # to a pool of threads: for an operation of a microsecond that takes longer than the operation.
    proto.experimental.executor_type = 'SINGLE_THREADED_EXECUTOR'
    # Of TensorFlow's graph optimisers these leave out what nobody asks for, such as the gradients
    # of the critic's weights when the actor learns. The others are for large graphs.
    proto.graph_options.rewrite_options.optimizers.extend(['pruning', 'constfold', 'dependency'])
    return proto


def new_session():
    """Return a session on the default graph; it is closed when Python ends, if not before."""
    sess = tf.Session(config=config())
    _sessions.add(sess)
    return sess


@atexit.register
def _close_all():
    # a callable of an open session complains at the end, once TensorFlow itself is gone
    for sess in list(_sessions):
        sess.close()


def make_callable(sess, fetch, feed_list):
    """Like `sess.make_callable(fetch, feed_list)`, but a call takes a fraction of the time.

    TensorFlow's own, given feeds, calls `sess.run` every time, which looks up every name and builds
    its lists anew. Here that is done once. `_make_callable_from_options` is the same in TensorFlow
    1.15 and 2.21, but not public; it does not check shapes, so we do.

    Args:
        fetch: a tensor or an operation.
        feed_list: tensors of shape (None, width), float32.

    Returns:
        A function that takes one array (n, width) for each feed, the same n for all, and returns
        the value of `fetch`, or None for an operation. It raises ValueError if a shape is wrong:
        an array (n,) would otherwise be spread to (n, n) without a word.
    """
    is_tensor = isinstance(fetch, tf.Tensor)
    names = [tensor.name for tensor in feed_list]
    widths = [int(tensor.shape[1]) for tensor in feed_list]
    wanted = dict(fetch=[fetch.name]) if is_tensor else dict(target=[fetch.name])
    options = CallableOptions(feed=names, **wanted)
    run = None  # until the first call: the graph is complete then, and is handed over once

    def call(*values):
        nonlocal run
        arrays = [np.asarray(value, np.float32) for value in values]
        n = len(arrays[0])
        for name, width, array in zip(names, widths, arrays):
            if array.shape != (n, width):
                raise ValueError(f'{name} takes an array {(n, width)}, got {array.shape}')
        if run is None:
            run = sess._make_callable_from_options(options)
        fetched = run(*arrays)
        return fetched[0] if is_tensor else None

    return call
