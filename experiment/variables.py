"""Variables and arrays, to files and back."""

import errno
import io
import os
from contextlib import contextmanager

import numpy as np
import tensorflow.compat.v1 as tf

from support import files

NAME = 'variables'


@contextmanager
def os_errors():
    """Raise TensorFlow's errors as OSErrors: here they mean that something is wrong with a file."""
    try:
        yield
    except tf.errors.OpError as error:
        for code in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EACCES, errno.ENOENT):
            if os.strerror(code) in error.message:
                raise OSError(code, os.strerror(code))
        raise OSError(errno.EIO, os.strerror(errno.EIO))


class Variables(object):
    """All variables of a session's graph, Adam's too, to and from files by tf.train.Saver.

    The Saver is made when it is first needed: that takes 0.1 s, and keeps its operations out of
    the graph that TensorBoard shows.
    """

    def __init__(self, sess):
        self._sess, self._saver = sess, None

    def save(self, folder):
        """Write variables.index and variables.data-... into `folder`; raises OSError."""
        with self._sess.graph.as_default(), os_errors():
            path = os.path.join(folder, NAME)
            self._get_saver().save(self._sess, path, write_meta_graph=False, write_state=False)

    def restore(self, folder):
        """Give every variable its value from `folder`.

        Raises:
            ValueError: if they are of other networks; the Saver would let a shape change.
            Exception: if the files are damaged.
        """
        with self._sess.graph.as_default():
            path = os.path.join(folder, NAME)
            own = {v.op.name: v.shape.as_list() for v in tf.global_variables()}
            if tf.train.load_checkpoint(path).get_variable_to_shape_map() != own:
                raise ValueError('its variables are of other networks')
            self._get_saver().restore(self._sess, path)

    def _get_saver(self):
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
    with files.open_regular(path) as file:
        return np.load(file, allow_pickle=False)
