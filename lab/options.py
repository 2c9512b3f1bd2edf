"""The command line's options."""

import argparse
import re

from lab.hyperparameters import LARGEST_COUNT, RULES
from lab.messages import UsageError, echo

MOST_SEEDS = 10000  # in one range
PLAYED = 10  # episodes that --play plays
LARGEST_SEED = RULES['seed'].most


def parse(program, env, replacements, arguments=None):
    """Read the options of `program`.

    Args:
        program: its name, 'ddpg'.
        env: its environment's name.
        replacements: what --replacement chooses from, the default first.
        arguments: a list of words; None takes the command line's.

    Returns:
        A namespace: episodes, seed, env, replacement, eval_episodes, run, resume, play, gif, page
        (None where not given), set (a list of words), last, force, render, quiet (bool).

    Raises:
        UsageError: with the line to print.
    """
    description = 'Train DDPG, resume a run, or play its policy.'
    parser = Parser(prog=f'{program}.py', description=description)

    def number(option, what):
        rule = RULES[option[2:].replace('-', '_')]
        kind = whole_number(rule.least, rule.most)
        parser.add_argument(option, type=kind, metavar='N', help=what)

    def name(option, kind, what):
        parser.add_argument(option, type=text, metavar=kind, help=what)

    def flag(option, what):
        parser.add_argument(option, action='store_true', help=what)

    number('--episodes', f'episodes to train (default: MAX_EPISODES), play ({PLAYED}) or film (1)')
    number('--seed', 'the same seed gives the same run (default: 1; to play: random)')
    name('--env', 'NAME', f'environment with continuous actions (default: {env})')
    if replacements:
        how = f'how the target networks follow (default: {replacements[0]})'
        parser.add_argument('--replacement', choices=replacements, help=how)
    else:
        parser.set_defaults(replacement=None)
    add_set(parser)
    what = 'starts of an evaluation (default: 100 on the pendulum, else 10; 0: keep no policy)'
    number('--eval-episodes', what)
    name('--run', 'DIR', f'folder of this run (default: the first free runs/{program}-N)')
    name('--resume', 'DIR', 'resume the run in this folder')
    name('--play', 'DIR', 'play the kept policy of the run in this folder')
    flag('--last', 'with --play: the last policy in place of the kept one')
    name('--gif', 'FILE', 'with --play: film the policy as a moving GIF')
    name('--page', 'FILE', 'with --play: write the page of the run')
    flag('--force', 'with --gif or --page: replace the file if it is there')
    flag('--render', 'show the environment in a window; in training, once a return is good')
    flag('--quiet', 'print the closing line only')
    options = parser.parse_args(arguments)
    given = [name for name, value in vars(options).items() if value or type(value) is int]
    for one in given:
        for other in TAKES_NO.get(one, '').split():
            if other in given:
                parser.error(f'--{one} takes no --{other.replace("_", "-")}')
        if ONLY_WITH.get(one) and not set(given) & set(ONLY_WITH[one]):
            parser.error(f'--{one} goes with --{" or --".join(ONLY_WITH[one])}')
    return options


TAKES_NO = dict(
    play='resume run replacement set eval_episodes',
    resume='run replacement set eval_episodes seed',  # a run keeps what it was started with
    gif='render page',
    page='render',
)
ONLY_WITH = dict(last=['play'], gif=['play'], page=['play'], force=['gif', 'page'])


def add_set(parser):
    """Add --set, whose words lab.hyperparameters understands."""
    what = 'change hyperparameters for this run, such as GAMMA=0.95 BATCH_SIZE=64'
    parser.add_argument('--set', nargs='+', default=[], metavar='NAME=VALUE', help=what)


class Parser(argparse.ArgumentParser):
    """argparse, with errors of one line: no usage text before them.

    Args:
        prog: the program's name.
        description: only its first line is shown; None under `python -OO`, which strips docstrings.
    """

    def __init__(self, prog, description):
        first = (description or '').partition('\n')[0]
        super().__init__(prog=prog, description=first, allow_abbrev=False)

    def print_help(self, file=None):
        echo(self.format_help(), end='')

    def error(self, message):
        raise UsageError(f'{message} (--help explains the options)')


def text(word):
    """An argparse type: a name in UTF-8, as TensorFlow needs; an unset variable leaves none."""
    if not word.strip() or word.encode('utf-8', 'ignore').decode('utf-8') != word:
        raise argparse.ArgumentTypeError(f'needs a name in UTF-8, got {word!r}')
    return word


def seeds(word):
    """An argparse type: '1-5', '3' or '1,4,7-9' as a list of seeds, each once, in order."""
    found = set()
    for part in word.split(','):
        match = re.match(r'(\d+)(?:-(\d+))?$', part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last <= LARGEST_SEED or last - first >= MOST_SEEDS:
            raise argparse.ArgumentTypeError(f"needs seeds like '1-5' or '1,4,7-9', got {word!r}")
        found.update(range(first, last + 1))
    return sorted(found)


def whole_number(least, most=LARGEST_COUNT):
    """Return an argparse type: whole numbers from `least` to `most`."""

    def convert(word):
        try:
            number = int(word)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            needs = f'needs a whole number from {least} to {most}'
            raise argparse.ArgumentTypeError(f'{needs}, got {word[:40]!r}')
        return number

    return convert
