"""What a run keeps to be resumed and played, as arrays: variables by their TensorFlow names."""

import numpy as np
import tensorflow.compat.v1 as tf

from lab.files import CorruptCheckpoint
from lab.messages import Diverged, UsageError


class Variables(object):
    """All variables of a session's graph, Adam's too."""

    def __init__(self, sess):
        self._sess = sess
        self._all = sess.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        self._trainable = sess.graph.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES)

    def values(self):
        """Return {name: array} of all; Diverged if a number is not finite."""
        values = _fetch(self._sess, self._all)
        for name in not_finite(values):
            raise Diverged(f'{name} is not finite any more')
        return values

    def weights(self):
        """Return {name: array} of what is trained: the weights of the eval_nets."""
        return _fetch(self._sess, self._trainable)

    def differ_from(self, weights):
        """Return whether any of the weights differs from that in {name: array}."""
        now = self.weights()
        return any((now[name] != before).any() for name, before in weights.items())

    def restore(self, values, source):
        """Give every variable its value from {name: array}; names with a prefix are left.

        Raises:
            UsageError: if they belong to other networks than the lesson's file now builds.
        """
        own = {name: value for name, value in values.items() if ':' not in name}
        kinds = [(v.op.name, v.shape.as_list(), v.dtype.as_numpy_dtype) for v in self._all]
        check(source, own, {name: np.empty(shape, kind) for name, shape, kind in kinds})
        initializers = [v.initializer for v in self._all]  # fed: no operation is added to the graph
        feed = {v.initializer.inputs[1]: values[v.op.name] for v in self._all}
        self._sess.run(initializers, feed)


def _fetch(sess, variables):
    return dict(zip([v.op.name for v in variables], sess.run(variables)))


def with_prefix(prefix, state):
    """Return {prefix:name: value}; a TensorFlow name holds no colon."""
    return {f'{prefix}:{name}': value for name, value in state.items()}


def without_prefix(prefix, arrays):
    """Return {name: value} of what `arrays` has as prefix:name, numbers as Python's own."""
    begin = f'{prefix}:'
    found = {name[len(begin) :]: v for name, v in arrays.items() if name.startswith(begin)}
    return {name: value if value.ndim else value.item() for name, value in found.items()}


def check(path, saved, now):
    """Refuse the arrays `saved` in the file `path` where they do not match `now`.

    Args:
        saved, now: {name: array or number}, what a run has saved and what it would save today:
            variables, and with a prefix the memory, the run's state and its moments.

    Raises:
        UsageError: naming the first difference between the lesson as it was and as it is.
        CorruptCheckpoint: if no run has saved this.
    """
    strange = f'{path} is no checkpoint of this program'
    for name in {**now, **saved}:
        kinds = [_kind(name, each[name]) if name in each else 'missing' for each in (saved, now)]
        if kinds[0] == kinds[1]:
            continue
        if name.startswith(('run:', 'moments:', 'best:run:')):
            raise CorruptCheckpoint(strange)
        what = 'another memory' if name.startswith('memory:') else 'other networks'
        raise UsageError(
            f'{path} is whole, but of {what} than the lesson has now ({name} was {kinds[0]} and is '
            f'{kinds[1]}): bring back the lines it was trained with, or start a new run'
        )
    counts = {np.shape(v)[:1] for name, v in saved.items() if name.startswith('moments:')}
    if counts and (
        len(counts) > 1 or 0 not in saved['moments:episodes'] or saved['run:episode'] < 0
    ):
        raise CorruptCheckpoint(strange)


def _kind(name, value):
    """Return as text what must be the same in two values for one to replace the other."""
    value = np.asarray(value)
    if name.startswith('memory:') and not value.ndim and value.dtype.kind in 'biuf':
        return 'a number'  # which may begin as 0 and become 0.5
    if name.startswith('moments:'):  # of which there may be more or fewer
        return f'{value.dtype.kind} {value.shape[1:]}'
    return f'{value.dtype.kind if ":" in name else value.dtype} {value.shape}'


def not_finite(state):
    """Return the names of what holds a number that is not finite in {name: array or number}."""
    arrays = {name: np.asarray(value) for name, value in state.items()}
    return [n for n, v in arrays.items() if v.dtype.kind in 'fc' and not np.isfinite(v).all()]


class Moments(object):
    """The weights of the eval_nets at up to 64 moments of a run, for its page.

    It keeps those after 0, k, 2 k, ... episodes, with the smallest power of two for k that leaves
    at most `most` of them; so a resumed run keeps the same ones.
    """

    def __init__(self, most=64):
        self.most, self._kept = most, {}  # episodes -> weights

    def add(self, episodes, get_weights):
        """Keep get_weights(), {name: array}, after `episodes` episodes, if it is such a moment."""
        if episodes % self._every(episodes) == 0:
            self._kept[episodes] = get_weights()
            every = self._every(episodes)
            self._kept = {n: weights for n, weights in self._kept.items() if n % every == 0}

    def _every(self, episodes):
        every = 1
        while episodes // every >= self.most:
            every *= 2
        return every

    @property
    def first(self):
        """The weights that the run began with, {name: array}."""
        return self._kept[0]

    def state_dict(self):
        """Return {'episodes': (k,), name: (k, ...)}."""
        arrays = {name: np.array([w[name] for w in self._kept.values()]) for name in self.first}
        return dict(arrays, episodes=np.array(list(self._kept)))

    def load_state_dict(self, state):
        """Restore what state_dict has returned."""
        names, episodes = [name for name in state if name != 'episodes'], state['episodes'].tolist()
        self._kept = {n: {name: state[name][i] for name in names} for i, n in enumerate(episodes)}
