"""Signals that ask a program to stop are noted, so that it ends where it can save what it has."""

import signal
from contextlib import contextmanager

NAMES = ('SIGINT', 'SIGTERM', 'SIGHUP')


@contextmanager
def noted():
    """While this lasts, Ctrl-C, SIGTERM and SIGHUP are only noted; a second one stops at once.

    A handler that raises would now and then do so inside a C++ callback, which swallows it.

    Yields:
        A function that returns the number of the signal that came, or None.
    """
    came = []

    def note(signum, frame):
        if came:
            raise KeyboardInterrupt
        came.append(int(signum))

    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = [(number, signal.signal(number, note)) for number in numbers]
    try:
        yield lambda: came[0] if came else None
    finally:
        for number, handler in before:
            signal.signal(number, handler)
