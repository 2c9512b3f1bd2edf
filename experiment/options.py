"""The command line's options."""

import argparse
import re

from experiment.errors import BadInput
from experiment.output import say

LARGEST_SEED = 2**32 - 1  # numpy's global generator takes no larger one
MOST_SEEDS = 10000  # in one range


def parse(program, replacements, arguments=None):
    """Read the options of `program`.

    Args:
        program: its name, 'ddpg'.
        replacements: what --replacement chooses from, the default first.
        arguments: a list of words; None takes the command line's.

    Returns:
        A namespace: episodes, seed, env, replacement, threads, run, resume, play, gif (None where
        not given), last, force, render, quiet (bool).

    Raises:
        BadInput: with the line to print.
    """
    parser = Parser(
        prog=f'{program}.py',
        description='Train DDPG, go on with a run, or play one. The hyperparameters are at the '
        'top of the file.',
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        '--episodes',
        type=whole_number(1),
        metavar='N',
        help='how many episodes to train in all, or to play (default: MAX_EPISODES, or 10)',
    )
    add(
        '--seed',
        type=whole_number(0, LARGEST_SEED),
        metavar='N',
        help='the same seed gives the same run (default: 1; when playing, always another)',
    )
    add(
        '--env',
        metavar='NAME',
        help='gym environment with continuous actions (default: Pendulum-v0)',
    )
    add(
        '--replacement',
        choices=replacements,
        help=f'how the target networks follow (default: {replacements[0]})',
    )
    add(
        '--threads',
        type=whole_number(1),
        metavar='N',
        help='threads for one operation; 1 is fastest for small networks (default: 1)',
    )
    add(
        '--run',
        metavar='DIR',
        help=f'folder of this run (default: the first free runs/{program}-N)',
    )
    add('--resume', metavar='DIR', help='go on with the run in this folder')
    add('--play', metavar='DIR', help='play the best policy of the run in this folder')
    add('--last', action='store_true', help='play the last policy in place of the best')
    add(
        '--gif',
        metavar='FILE',
        help='with --play: film one episode; FILE.gif moves, FILE.png is a strip of frames',
    )
    add('--force', action='store_true', help='with --gif: replace the file if it is there')
    add(
        '--render',
        action='store_true',
        help='show the environment in a window; in training, once a return is above -300',
    )
    add('--quiet', action='store_true', help='print the closing line only')
    options = parser.parse_args(arguments)
    for one, other in NOT_TOGETHER:
        if getattr(options, one) and getattr(options, other):
            parser.error(f'--{one} takes no --{other}')
    for one, other in ONLY_WITH.items():
        if getattr(options, one) and not getattr(options, other):
            parser.error(f'--{one} goes with --{other}')
    return options


NOT_TOGETHER = (
    ('play', 'resume'),
    ('play', 'run'),
    ('play', 'replacement'),
    ('play', 'threads'),
    ('resume', 'run'),
    ('gif', 'render'),
    ('gif', 'episodes'),
)
ONLY_WITH = dict(last='play', gif='play', force='gif')


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one line: no usage text before them."""

    def print_help(self, file=None):
        say(self.format_help(), end='')

    def error(self, message):
        raise BadInput(f'{message} (--help explains the options)')


def seeds(text):
    """An argparse type: '1-5', '3' or '1,4,7-9' as a list of seeds, each once, in order."""
    found = set()
    for part in text.split(','):
        match = re.match(r'(\d+)(?:-(\d+))?$', part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last <= LARGEST_SEED or last - first >= MOST_SEEDS:
            raise argparse.ArgumentTypeError(f"needs seeds like '1-5' or '1,4,7-9', got {text!r}")
        found.update(range(first, last + 1))
    return sorted(found)


def whole_number(least, most=None):
    """Return an argparse type: whole numbers from `least` to `most`, or without an upper bound."""
    bounds = f'of at least {least}' if most is None else f'from {least} to {most}'

    def convert(text):
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f'needs a whole number {bounds}, got {text!r}')
        return number

    return convert
