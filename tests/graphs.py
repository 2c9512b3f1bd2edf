"""Helpers that look into a TensorFlow graph, for the tests."""

import numpy as np
import tensorflow.compat.v1 as tf

import experiment.session


def use_thread_pool(monkeypatch):
    """Let new sessions run operations on several threads, in any order that the graph allows."""
    pool = tf.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=4)
    monkeypatch.setattr(experiment.session, 'config', lambda: pool)


def set_values(sess, variables, values):
    """Give `variables` new `values`."""
    sess.run(
        [v.initializer for v in variables],
        {v.initializer.inputs[1]: value for v, value in zip(variables, values)},
    )


def forgetting(sess, kept):
    """Return an operation that gives all variables but `kept` their initial values again."""
    names = {variable.name for variable in kept}
    with sess.graph.as_default():
        return tf.variables_initializer([v for v in tf.global_variables() if v.name not in names])


def initialise_rest(sess):
    """Initialise the variables that have no value yet."""
    with sess.graph.as_default():
        missing = [v for v in tf.global_variables() if not sess.run(tf.is_variable_initialized(v))]
        sess.run(tf.variables_initializer(missing))


def batch(random, state_dim, low, high, n=32):
    """Return a random b_s, b_a, b_r, b_s_, float32."""
    arrays = (
        random.normal(size=(n, state_dim)),
        random.uniform(low, high, size=(n, len(low))),
        random.normal(size=(n, 1)),
        random.normal(size=(n, state_dim)),
    )
    return [np.float32(array) for array in arrays]


def ancestors(op):
    """Return every operation that must have run before `op` can."""
    seen, waiting = set(), [op]
    while waiting:
        op = waiting.pop()
        before = [tensor.op for tensor in op.inputs] + list(op.control_inputs)
        waiting += [o for o in before if o not in seen]
        seen.update(before)
    return seen


def late_reads(train_op):
    """Return the reads on the way to Adam's step `train_op` that may see what this step moves.

    A read that must have run before Adam moves the variable is none of them.
    """
    before = ancestors(train_op)
    late = []
    for adam in before:
        if adam.type == 'ResourceApplyAdam' and adam.name.startswith(train_op.name + '/'):
            reads = adam.inputs[0].consumers()
            known = ancestors(adam)
            late += [
                op
                for op in reads
                if op.type == 'ReadVariableOp' and op in before and op not in known
            ]
    return late


def doubles(arrays):
    """Return the arrays in float64."""
    return [array.astype(np.float64) for array in arrays]


def weights_for(net):
    """Return numpy's random values for a network's variables."""
    random = np.random.RandomState(3)
    return [random.normal(0, 0.3, variable.shape.as_list()) for variable in net]


def changed(before, after):
    """Return the names of the networks in which any weight differs."""
    return {
        name
        for name in before
        if any((old != new).any() for old, new in zip(before[name], after[name]))
    }
