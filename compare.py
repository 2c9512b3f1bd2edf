"""Original, simplified, moving averages: train the versions over many seeds, tabulate and draw.

`python compare.py` trains the original with soft and with hard replacement, the simplified version
and the one with moving averages, in parallel on all cores, and leaves in `runs/compare-1`:

    episodes.csv    every episode of every run
    runs.csv        a row a run: how good its last and its best policy are, and how long it took
    compare.json    what was compared
    compare.md      the table
    compare.png     the learning curves

Started again with `--run` at the same folder, it trains only what is missing there.
"""

import argparse

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
import ddpg
from comparison.program import compare
from comparison.sweep import BACKENDS
from comparison.versions import DEFAULT, VERSIONS
from experiment.options import Parser, add_set, seeds, text, whole_number
from support.messages import ends_in_one_line


def parse(arguments=None):
    """Read the options, from the command line if `arguments` is None."""
    what = 'Train the versions over many seeds, tabulate and draw.'
    parser = Parser(prog='compare.py', description=what)

    def add(option, what, **how):
        parser.add_argument(option, help=what, **how)

    add('--seeds', 'such as 1-10 or 1,4,7 (default: %(default)s)', type=seeds, default='1-5')
    others = ','.join(name for name in VERSIONS if name not in DEFAULT)
    names = f'some of {",".join(DEFAULT)} (the default) and {others}'
    add('--versions', names, type=versions, default=','.join(DEFAULT))
    what = 'train each version with each of these; given again, with each combination'
    add('--vary', what, action='append', default=[], metavar='NAME=VALUE,VALUE')
    add_set(parser)
    count = dict(type=whole_number(1), default=ddpg.MAX_EPISODES, metavar='N')
    add('--episodes', 'of each run (default: %(default)s)', **count)
    name = dict(type=text, default=ddpg.ENV_NAME, metavar='NAME')
    add('--env', 'gym environment (default: %(default)s)', **name)
    add('--run', 'folder (default: the first free runs/compare-N)', type=text, metavar='DIR')
    add('--backend', 'the cores here (default) or a cluster', choices=BACKENDS, default='processes')
    add('--address', 'of the cluster (default: the one this machine belongs to)', type=text)
    return parser.parse_args(arguments)


def versions(word):
    """An argparse type: 'soft,hard' as a list of names among VERSIONS, each once."""
    names = word.split(',')
    if not set(names) <= set(VERSIONS) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f'needs some of {",".join(VERSIONS)}, got {word!r}')
    return names


if __name__ == '__main__':
    with ends_in_one_line('compare.py'):
        compare(parse())
