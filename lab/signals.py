"""Signals that ask a program to stop wait until it can save what it has."""

import signal
import threading
from contextlib import contextmanager

NAMES = ('SIGINT', 'SIGTERM', 'SIGHUP')


@contextmanager
def deferred_signals():
    """While this lasts, Ctrl-C, SIGTERM and SIGHUP are only noted; a second one stops at once.

    A handler that raises would sometimes do so inside a C++ callback, which swallows it.

    Yields:
        A function that returns the number of the signal that came, or None.
    """
    came = []

    def note(signum, frame):
        if came:
            raise KeyboardInterrupt
        came.append(int(signum))

    with handled_by(note):
        yield lambda: came[0] if came else None


@contextmanager
def handled_by(handler):
    """While this lasts, `handler` takes them, but for a SIGHUP that is ignored, as by `nohup`."""
    if threading.current_thread() is not threading.main_thread():  # which alone can have handlers
        yield
        return
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    if numbers[2:] and signal.getsignal(numbers[2]) == signal.SIG_IGN:
        del numbers[2]
    before = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)
