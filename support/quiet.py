"""Import TensorFlow and gym, the two that take seconds, in silence. Comes before other imports."""

import gc
import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager

# 3 leaves only what is fatal. A level that the user has set in the environment stays.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')


def _one_line(kind, error, traceback):
    """Take sys.excepthook's place while a program of ours is imported: one line, no traceback."""
    if issubclass(kind, KeyboardInterrupt):
        print('stopped before training began', file=sys.stderr, flush=True)
        os._exit(130)  # as Ctrl-C has it, on every Python
    if kind is MissingPackage:
        print(error, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


class MissingPackage(ImportError):
    """TensorFlow or gym is not installed; the text says what to do."""


@contextmanager
def _nothing_on_stderr():
    """Keep what is written to file descriptor 2, and show it only if an exception follows.

    TensorFlow 2's libraries print some messages before they read any log level, straight to the
    descriptor, so nothing in Python can hold them back.
    """
    if sys.stderr is None:  # closed by the user: nothing to hide
        yield
        return
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
def _ctrl_c_is_not_lost():
    """Where a library swallows the KeyboardInterrupt of a Ctrl-C, raise it again at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came = []

    def interrupt(signum, frame):
        came.append(signum)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


@contextmanager
def no_garbage():
    """Turn garbage collection off while nearly all that is made stays in use: it takes a fifth."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


_ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.dirname(os.path.abspath(sys.argv[0])) == _ours:  # and not, say, somebody's notebook
    sys.excepthook = _one_line

try:
    with _nothing_on_stderr(), _ctrl_c_is_not_lost(), no_garbage():
        import gym  # noqa: F401
        import tensorflow.compat.v1 as tf

        gc.freeze()
except ModuleNotFoundError as error:
    how = 'On Python 3.7, or 3.10 to 3.13: pip install -r requirements.txt'
    raise MissingPackage(f'{error}. {how}')
except TypeError:
    if sys.flags.optimize < 2:
        raise
    raise MissingPackage('TensorFlow 1.15 needs docstrings: unset PYTHONOPTIMIZE')

tf.logging.set_verbosity(tf.logging.ERROR)  # TensorFlow 1.15 warns of what it uses itself
