"""What must be kept for a run to go on exactly: variables, random states, the memory."""

import errno
import io
import os
import random
from contextlib import contextmanager

import numpy as np
import tensorflow.compat.v1 as tf


@contextmanager
def os_errors():
    """Raise TensorFlow's errors as what they are here: something is wrong with a file."""
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(errno.EIO, error.message.strip().split('\n')[0].split(';')[-1].strip())


class Variables(object):
    """All variables of a session's graph, Adam's too, to and from files by tf.train.Saver.

    The Saver is made when it is first needed: that takes 0.1 s, and keeps its operations out of
    the graph that TensorBoard shows.
    """

    NAME = 'variables'

    def __init__(self, sess):
        self._sess, self._saver = sess, None

    def save(self, folder):
        """Write variables.index and variables.data-... into `folder`; raises OSError."""
        with self._sess.graph.as_default(), os_errors():
            self._made().save(
                self._sess,
                os.path.join(folder, self.NAME),
                write_meta_graph=False,
                write_state=False,
            )

    def restore(self, folder):
        """Give every variable its value from `folder`.

        Raises:
            ValueError: if they are those of another graph.
        """
        with self._sess.graph.as_default():
            try:
                self._made().restore(self._sess, os.path.join(folder, self.NAME))
            except (tf.errors.OpError, ValueError) as error:
                raise ValueError(str(error).splitlines()[0])

    def _made(self):
        if self._saver is None:
            self._saver = tf.train.Saver(max_to_keep=0)  # 0: it deletes nothing
        return self._saver


def save_array(path, array):
    """Write a numpy array into the file `path`; raises OSError."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    with open(path, 'wb') as file:
        file.write(content.getbuffer())


def load_array(path):
    """Return the numpy array in the file `path`; ValueError if it is none."""
    return np.load(path, allow_pickle=False)


def random_states(env):
    """Return the states of numpy's global generator and of every generator that `env` holds.

    Returns:
        A dict that JSON can hold.
    """
    states = {'numpy': _plain(np.random.get_state(legacy=False))}
    for name, generator in _generators(env):
        if isinstance(generator, np.random.RandomState):
            states[name] = _plain(generator.get_state(legacy=False))
        elif isinstance(generator, random.Random):
            states[name] = _plain(generator.getstate())
        else:
            states[name] = _plain(generator.bit_generator.state)
    return states


def set_random_states(env, states):
    """Bring all generators into `states`, which random_states returned; KeyError if one lacks."""
    np.random.set_state(states['numpy'])
    for name, generator in _generators(env):
        state = states[name]
        if isinstance(generator, np.random.RandomState):
            generator.set_state(state)
        elif isinstance(generator, random.Random):
            version, words, gauss = state
            generator.setstate((version, tuple(words), gauss))
        else:
            generator.bit_generator.state = state


def _generators(env):
    """Yield (name, generator) for every random generator in `env` and in what it wraps."""
    kinds = (np.random.RandomState, np.random.Generator, random.Random)
    depth = 0
    while env is not None:
        for name, value in sorted(vars(env).items()):
            if isinstance(value, kinds):
                yield f'{depth}.{name}', value
        env, depth = vars(env).get('env'), depth + 1


def _plain(state):
    """Return `state` with lists in place of arrays."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
