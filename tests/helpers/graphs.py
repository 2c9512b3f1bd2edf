"""Helpers that look into a TensorFlow graph, for the tests."""

import numpy as np


def set_values(sess, variables, values):
    """Give `variables` new `values`."""
    sess.run(
        [v.initializer for v in variables],
        {v.initializer.inputs[1]: value for v, value in zip(variables, values)},
    )


def batch(random, state_dim, low, high, n=32):
    """Return a random b_s, b_a, b_r, b_s_, float32."""
    b_s, b_r, b_s_ = (random.normal(size=(n, width)) for width in (state_dim, 1, state_dim))
    return [np.float32(part) for part in (b_s, random.uniform(low, high, (n, len(low))), b_r, b_s_)]


WRITES = 'ResourceApplyAdam', 'AssignVariableOp', 'AssignAddVariableOp', 'AssignSubVariableOp'


class Step(object):
    """What TensorFlow runs to fetch `fetch`, given the tensors `fed`.

    `writes` and `reads` are the operations on variables, {variable's name: [operation]}.
    """

    def __init__(self, fetch, fed):
        self._fed, self._before = {tensor.name for tensor in fed}, {}
        runs = self.before(fetch) | {fetch}
        self.writes = _by_variable(op for op in runs if op.type in WRITES)
        self.reads = _by_variable(op for op in runs if op.type == 'ReadVariableOp')

    def before(self, op):
        """Return every operation that must have run before `op`."""
        if op not in self._before:
            seen, waiting = set(), [op]
            while waiting:
                each = waiting.pop()
                new = {tensor.op for tensor in each.inputs if tensor.name not in self._fed}
                new.update(each.control_inputs)
                waiting += new - seen
                seen |= new
            self._before[op] = seen
        return self._before[op]

    def races(self):
        """Return (read, write) of the same variable of which either may come first."""
        return [
            (read.name, write.name)
            for variable, writes in self.writes.items()
            for write in writes
            for read in self.reads.get(variable, ())
            if read not in self.before(write) and write not in self.before(read)
        ]

    def reads_for(self, write):
        """Return the reads from which the value that `write` writes is computed, by variable."""
        seen, waiting = set(), [tensor.op for tensor in write.inputs]
        while waiting:
            op = waiting.pop()
            if op not in seen and op.type != 'ReadVariableOp':
                waiting += [tensor.op for tensor in op.inputs if tensor.name not in self._fed]
            seen.add(op)
        return _by_variable(op for op in seen if op.type == 'ReadVariableOp')


def _by_variable(ops):
    found = {}
    for op in ops:
        found.setdefault(op.inputs[0].op.name, []).append(op)
    return found


def weights_for(net):
    """Return numpy's random values for a network's variables."""
    random = np.random.RandomState(3)
    return [random.normal(0, 0.3, variable.shape.as_list()) for variable in net]


def changed(before, after):
    """Return the names of the networks in which any weight differs."""
    pairs = {name: zip(before[name], after[name]) for name in before}
    return {name for name in before if any((old != new).any() for old, new in pairs[name])}
