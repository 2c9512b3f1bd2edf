"""What the programs print."""

import os
import sys

from experiment.errors import RunFailed


class OutputLost(RunFailed):
    """Something could not be printed."""


def say(text, end='\n'):
    """Print `text`, and at once: a pipe or a file would otherwise get it with much else, later.

    Raises:
        OutputLost: if whoever read it has gone, or its disk is full.
    """
    try:
        print(text, end=end, flush=True)
    except UnicodeEncodeError:  # a folder's name, for example, in a terminal of another language
        say(text.encode('ascii', 'backslashreplace').decode('ascii'), end)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing left to flush
        raise OutputLost(f'the output could not be written ({error.strerror})')
