"""Signals that ask a program to stop wait until it can save what it has."""

import signal
import threading
from contextlib import contextmanager


@contextmanager
def deferred_signals():
    """While this lasts, Ctrl-C, SIGTERM and SIGHUP are only noted; a second Ctrl-C stops at once.

    A handler that raises would sometimes do so inside a C++ callback, which swallows it. A SIGHUP
    that is ignored, as by `nohup`, stays so.

    Yields:
        A function that returns the number of the signal that came, or None.
    """
    came, before = [], {}

    def note(signum, frame):
        if came and signum == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(int(signum))

    if threading.current_thread() is threading.main_thread():  # which alone can have handlers
        for name in ('SIGINT', 'SIGTERM', 'SIGHUP'):
            number = getattr(signal, name, None)
            if number and not (name == 'SIGHUP' and signal.getsignal(number) == signal.SIG_IGN):
                before[number] = signal.signal(number, note)
    try:
        yield lambda: came[0] if came else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
