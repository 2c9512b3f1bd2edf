"""TensorFlow 1 for networks so small that calling it costs more than computing.

Import it before anything else that imports TensorFlow: it does so without the start-up messages.
`new_session` and `make_callable` are tf.Session and its make_callable at a fraction of the cost.
"""

import gc
import importlib.util
import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager

# 3 leaves only what is fatal. A level that the user has set in the environment stays.
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

THREADS = 1  # for the arithmetic of one operation; TensorFlow reads it once, in the first session

_HERE = os.path.dirname(os.path.abspath(__file__))
_REQUIRED = ('tensorflow', 'numpy', 'gym', 'tqdm', 'matplotlib', 'PIL', 'pygame', 'filelock')


class MissingPackage(ImportError):
    """A requirement or the folder `lab` is missing; the text says what to do."""


def missing_package(error):
    """Return a MissingPackage for a ModuleNotFoundError of ours, None for somebody else's."""
    package = (error.name or '').partition('.')[0]
    if package == 'lab':
        return MissingPackage(
            f'{error}: the command line needs the folder lab of the project beside this file; '
            'build and train, called from Python, do not'
        )
    if package in _REQUIRED:
        how = 'On Python 3.7, or 3.10 to 3.13: pip install -r requirements.txt'
        return MissingPackage(f'{error}. {how}')
    return None


def check_packages():
    """Raise MissingPackage for a requirement that would be missed only when it is needed."""
    for name in _REQUIRED:
        if importlib.util.find_spec(name) is None:
            raise missing_package(ModuleNotFoundError(f'No module named {name!r}', name=name))


def _one_line(kind, error, traceback):
    """A sys.excepthook for the programs: a bug in the code has a traceback, the rest a line."""
    if issubclass(kind, ModuleNotFoundError):
        error = missing_package(error) or error
    if isinstance(error, (KeyboardInterrupt, MissingPackage)):
        stopped = isinstance(error, KeyboardInterrupt)
        print('stopped' if stopped else error, file=sys.stderr, flush=True)
        os._exit(128 + signal.SIGINT if stopped else 2)  # the same on every Python
    sys.__excepthook__(kind, error, traceback)


def _hold_standard_descriptors():
    """Open closed ones: else the next file gets the number, and what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


@contextmanager
def _nothing_on_stderr():
    """Keep what is written to file descriptor 2, and show it only if an exception follows.

    TensorFlow 2's libraries print some messages before they read any log level, straight to the
    descriptor, so nothing in Python can hold them back.
    """
    try:
        messages = tempfile.TemporaryFile()
    except OSError:  # nowhere to keep them
        messages = open(os.devnull, 'wb+')
    with messages:
        if sys.stderr:
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
def _import_settings():
    """What only the import needs: no garbage collection, no matplotlib, symbols of its own."""
    collects, set_flags = gc.isenabled(), getattr(sys, 'setdlopenflags', None)
    absent = 'matplotlib' not in sys.modules
    gc.disable()  # nearly all stays in use: collecting is a fifth of the import
    if absent:  # Keras would import it, slowly, and is prepared for an ImportError
        sys.modules['matplotlib'] = None
    if set_flags:  # not on Windows; OpenGL's libraries would crash if they saw TensorFlow 2's LLVM
        sys.setdlopenflags = lambda flags: set_flags(flags & ~os.RTLD_GLOBAL)
    try:
        yield
    finally:
        if collects:
            gc.enable()
        if absent:
            del sys.modules['matplotlib']
        if set_flags:
            sys.setdlopenflags = set_flags


_hold_standard_descriptors()
if os.path.dirname(os.path.abspath(sys.argv[0])) == _HERE:  # and not, say, somebody's notebook
    sys.excepthook = _one_line

try:
    with _nothing_on_stderr(), _ctrl_c_is_not_lost(), _import_settings():
        import numpy as np
        import tensorflow.compat.v1 as tf
        from tensorflow.core.protobuf.config_pb2 import CallableOptions

        gc.freeze()
except ModuleNotFoundError as error:
    raise missing_package(error) or error
except TypeError:
    if sys.flags.optimize < 2:
        raise
    raise MissingPackage('TensorFlow 1.15 needs docstrings: unset PYTHONOPTIMIZE')

tf.logging.set_verbosity(tf.logging.ERROR)  # TensorFlow 1.15 warns of what it uses itself


def config():
    """Return the ConfigProto of new sessions."""
    # No GPU: there is little to compute, and the executor below takes no graph that is split
    # between devices.
    proto = tf.ConfigProto(intra_op_parallelism_threads=THREADS, device_count={'GPU': 0})
    # The leanest executor knows no control flow, takes resource variables only, and hands nothing
    # to a pool of threads: for an operation of a microsecond that takes longer than the operation.
    proto.experimental.executor_type = 'SINGLE_THREADED_EXECUTOR'
    # Of TensorFlow's graph optimisers these leave out what nobody asks for, such as the gradients
    # of the critic's weights when the actor learns. The others are for large graphs.
    proto.graph_options.rewrite_options.optimizers.extend(['pruning', 'constfold', 'dependency'])
    return proto


def new_session():
    """Return a session on the default graph."""
    sess = tf.Session(config=config())
    sess.callables = []  # what make_callable has made for it
    return sess


def make_callable(sess, fetches, feed_list):
    """Like `sess.make_callable(fetches, feed_list)`, but a call takes a fraction of the time.

    TensorFlow's own, given feeds, calls `sess.run` every time, which looks up every name and builds
    its lists anew. Here that is done once. `_make_callable_from_options` is the same in TensorFlow
    1.15 and 2.21, but not public; it does not check shapes, so we do.

    Args:
        sess: of new_session().
        fetches: a tensor or an operation, or a list of them.
        feed_list: tensors of shape (None, width), float32.

    Returns:
        A function that takes one array (n, width) for each feed, the same n for all, and returns
        what `sess.run(fetches, feed_dict)` does. It raises ValueError if a shape is wrong: an array
        (n,) would otherwise silently be broadcast to (n, n).
    """
    listed = fetches if isinstance(fetches, list) else [fetches]
    tensors = [fetch.name for fetch in listed if isinstance(fetch, tf.Tensor)]
    targets = [fetch.name for fetch in listed if not isinstance(fetch, tf.Tensor)]
    names = [tensor.name for tensor in feed_list]
    widths = [int(tensor.shape[1]) for tensor in feed_list]
    options = CallableOptions(feed=names, fetch=tensors, target=targets)
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
        call.feed = arrays
        if listed is not fetches:
            return fetched[0] if tensors else None
        values = iter(fetched)
        return [next(values) if isinstance(fetch, tf.Tensor) else None for fetch in fetches]

    call.names, call.feed = names, None
    sess.callables.append(call)
    return call


def latest_feed(sess, tensor):
    """Return the feed of the latest call that fed every placeholder `tensor` depends on.

    Args:
        sess: of new_session().
        tensor: such as the critic's loss, whose feeds are those of the critic's learning step.

    Returns:
        A feed_dict for `sess.run(tensor, ...)`, or None where there was no such call yet.
    """
    for call in sess.callables:
        if call.feed is not None and not _placeholders(tensor, call.names):
            graph = sess.graph
            return dict(zip(map(graph.get_tensor_by_name, call.names), call.feed))
    return None


def _placeholders(tensor, fed):
    """Return the names of the placeholders that `tensor` depends on, except those in `fed`."""
    seen, waiting = set(), [tensor]
    while waiting:
        each = waiting.pop()
        if each.name not in seen and each.name not in fed:
            seen.add(each.name)
            waiting.extend(each.op.inputs)
    return {name for name in seen if tensor.graph.get_tensor_by_name(name).op.type == 'Placeholder'}
