"""Import TensorFlow and gym, the two that take seconds, in silence. Comes before other imports."""

import gc
import os
import sys
import tempfile
from contextlib import contextmanager

# 3 leaves only what is fatal. A level that the user has set in the environment stays.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')


@contextmanager
def _nothing_on_stderr():
    """Keep what is written to file descriptor 2, and show it only if an exception follows.

    TensorFlow 2's libraries print some messages before they read any log level, straight to the
    descriptor, so nothing in Python can hold them back.
    """
    with tempfile.TemporaryFile() as messages:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except Exception:
            messages.seek(0)
            os.write(stderr, messages.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def no_garbage():
    """Do not look for garbage while nearly all that is made stays: a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


try:
    with _nothing_on_stderr(), no_garbage():
        import gym  # noqa: F401
        import tensorflow.compat.v1 as tf
        from tensorflow.python.util import deprecation

        gc.freeze()
except ModuleNotFoundError as error:
    sys.exit(
        f'{error}. On Python 3.7, or 3.10 to 3.13, this installs what the lesson needs: '
        'pip install -r requirements.txt'
    )
except KeyboardInterrupt:
    print('Stopped before training began.', file=sys.stderr)
    sys.exit(130)

# TensorFlow 1.15 warns of what it uses itself, and looks for that in the arguments of nearly every
# call, which is a sixth of the time that building a graph takes.
tf.logging.set_verbosity(tf.logging.ERROR)
deprecation._PRINT_DEPRECATION_WARNINGS = False
