"""How a run can end early: exceptions whose text is the one line that the user reads."""

import signal
import sys
from contextlib import contextmanager


class BadInput(Exception):
    """The run cannot begin as asked, and nothing was written."""

    exit_code = 2


class RunFailed(Exception):
    """The run could not go on; what was recorded before is kept."""

    exit_code = 1


class Stopped(Exception):
    """The user asked the run to stop, with signal number `signum`; what was recorded is kept."""

    exit_code = 130  # 128 + SIGINT, as shells have it

    def __init__(self, text, signum=signal.SIGINT):
        super().__init__(text)
        self.exit_code = 128 + signum


@contextmanager
def told_in_a_line(program):
    """Where the block ends in one of these or in Ctrl-C, leave with its line and exit code."""
    # a script's background job would ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except (BadInput, RunFailed, Stopped) as ending:
        print(f'{program}: {ending}', file=sys.stderr)
        sys.exit(ending.exit_code)
    except KeyboardInterrupt:
        print(f'{program}: stopped', file=sys.stderr)
        sys.exit(Stopped.exit_code)


def diverged(a):
    """Return the RunFailed that says that the actor's output `a` is not finite."""
    return RunFailed(f"the actor's output became {a} (smaller learning rates may help)")


def one_line(error):
    """Return an exception's type and text in one line."""
    return f'{type(error).__name__}: {" ".join(str(error).split())}'
