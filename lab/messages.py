"""What the programs print, and how they end: exceptions whose text is the line a user reads."""

import os
import signal
import sys
import threading
from contextlib import contextmanager


class UsageError(Exception):
    """The program cannot begin as asked, and nothing was written."""

    exit_code = 2


class TrainingError(Exception):
    """The run could not continue. `hint` says what to do; {} is the command that resumes it."""

    exit_code = 1
    hint = 'what was saved before is kept; once it is mended, resume with: {}'


class Diverged(TrainingError):
    """Weights, actions or returns are no longer finite: resuming would not help."""

    hint = (
        'that cannot be resumed: train anew with smaller LR_A and LR_C (both 0.0001), or a larger '
        'REWARD_SCALE, by --set'
    )


class OutputError(TrainingError):
    """Something could not be written or printed."""

    hint = 'mend that, then resume with: {}'


class Interrupted(Exception):
    """The user asked the program to stop, with signal number `signum`; what was saved is kept."""

    hint = 'what was saved is kept; resume with: {}'

    def __init__(self, text, signum=signal.SIGINT):
        super().__init__(text)
        self.signum = signum
        self.exit_code = 128 + signum  # as shells have it


@contextmanager
def exit_cleanly(program):
    """Where the block ends in one of these exceptions or in Ctrl-C, print its line and exit.

    Any other exception is somebody's mistake in the code, a student's perhaps: it keeps its
    traceback.
    """
    if threading.current_thread() is threading.main_thread():
        # where a script starts the program in the background, Ctrl-C would be ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except (UsageError, TrainingError, Interrupted) as ending:
        print_error(f'{program}: {ending}')
        sys.exit(ending.exit_code)
    except MemoryError as error:
        print_error(f'{program}: {not_enough_memory(error)}')
        sys.exit(TrainingError.exit_code)
    except KeyboardInterrupt:
        print_error(f'{program}: stopped')
        os._exit(128 + signal.SIGINT)  # at once: what was half made complains when it is destroyed


def not_enough_memory(error):
    """Return the line for a MemoryError."""
    needs = 'MEMORY_CAPACITY, BATCH_SIZE and HIDDEN_UNITS decide how much is needed'
    return f'not enough memory ({truncate(error)}); {needs}'


def echo(text, end='\n'):
    """Print `text` at once: a pipe or a file would otherwise get it later, with much else.

    Raises:
        OutputError: if whoever read it has gone, or its disk is full.
    """
    try:
        print(text, end=end, flush=True)
    except UnicodeEncodeError:  # a folder's name, for example, in a terminal of another language
        echo(text.encode('ascii', 'backslashreplace').decode('ascii'), end)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing left to flush
        raise OutputError(f'the output could not be written ({error.strerror})')


def print_error(line):
    """Print `line` to standard error, where there still is one."""
    try:
        print(line, file=sys.stderr, flush=True)
    except UnicodeEncodeError:
        print_error(line.encode('ascii', 'backslashreplace').decode('ascii'))
    except OSError:
        sys.stderr = None  # nothing left to flush


def one_line(error):
    """Return an exception's type and text in one line."""
    return f'{type(error).__name__}: {truncate(error)}'


def truncate(value):
    """Return `value` as text of one line, of at most 200 characters."""
    try:
        return ' '.join(str(value).split())[:200]
    except Exception:  # somebody's own __str__
        return f'({type(value).__name__})'
