"""Original, simplified, moving averages: train the versions over many seeds, tabulate and draw.

`python compare.py` trains the original with soft and with hard replacement, the simplified version
and the one with moving averages, in parallel on all cores, and leaves in `runs/compare-1`:

    runs.jsonl      one line of JSON per run: each episode's reward, and how good its policies are
    compare.json    what each key in it stands for
    compare.md      the table
    compare.png     the learning curves

Started again with `--run` at the same folder, it trains only what is missing there. To compare an
edited copy of a lesson with the original: `python compare.py --versions soft,my_ddpg.py`.
"""

import argparse
import os
from contextlib import closing

from lab import report, results, sweep
from lab.environments import make_env
from lab.evaluation import good_return, held_out_starts
from lab.files import absolute
from lab.job import Version, make_columns
from lab.messages import TrainingError, echo, exit_cleanly, print_error, truncate
from lab.options import Parser, add_set, seeds, text, whole_number

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = {  # what the table calls it, its file, and how it replaces the targets
    'soft': Version('original, soft', os.path.join(HERE, 'ddpg.py'), 'soft'),
    'hard': Version('original, hard', os.path.join(HERE, 'ddpg.py'), 'hard'),
    'simplified': Version('simplified', os.path.join(HERE, 'ddpg_update.py'), None),
    'averages': Version('moving averages', os.path.join(HERE, 'ddpg_update2.py'), None),
}


def versions(word):
    """An argparse type: 'soft,my_ddpg.py' as a list of Versions: names, or lessons' files."""
    found = []
    for name in word.split(','):
        if name in VERSIONS:
            found.append(VERSIONS[name])
        elif name.endswith('.py') and os.path.isfile(name):
            found.append(Version(truncate(name[: -len('.py')]), absolute(name), None))
        else:
            needs = f'needs some of {",".join(VERSIONS)}, or files like my_ddpg.py'
            raise argparse.ArgumentTypeError(f'{needs}, got {name!r}')
    return found


def parse(arguments=None):
    """Read the options, from the command line if `arguments` is None."""
    what = 'Train the versions over many seeds, tabulate and draw.'
    parser = Parser(prog='compare.py', description=what)

    def add(option, what, **how):
        parser.add_argument(option, help=what, **how)

    add('--seeds', 'such as 1-10 or 1,4,7 (default: %(default)s)', type=seeds, default='1-5')
    what = 'some of these (the default: all), or files like my_ddpg.py: %(default)s'
    add('--versions', what, type=versions, default=','.join(VERSIONS))
    what = 'train each version with each of these; given again, with each combination'
    add('--vary', what, action='append', default=[], metavar='NAME=VALUE,VALUE')
    add_set(parser)
    add('--episodes', 'of each run (default: MAX_EPISODES)', type=whole_number(1), metavar='N')
    add('--env', 'environment (default: that of the first version)', type=text, metavar='NAME')
    add('--run', 'folder (default: the first free runs/compare-N)', type=text, metavar='DIR')
    what = 'the cores here (default) or a cluster'
    add('--backend', what, choices=sweep.BACKENDS, default='processes')
    add('--address', 'of the cluster (default: the one this machine belongs to)', type=text)
    return parser.parse_args(arguments)


def main(arguments=None):
    """Train what is missing, and leave the table, the picture and every episode in a folder."""
    options = parse(arguments)
    given = options.versions, options.set, options.vary, options.env, options.episodes
    columns = make_columns(*given)
    wanted = [(column, seed) for seed in options.seeds for column in columns]
    # before an environment is made, which may change the current folder
    path = absolute(options.run or os.path.join('runs', 'compare'))
    sweep.connect(options.backend, options.address)
    env_name, max_steps = columns[0].env, columns[0].numbers['MAX_EP_STEPS']
    with closing(make_env(env_name, max_steps)) as env:  # what is wrong with it is told once
        good, starts = good_return(env_name, env), len(held_out_starts(env))

    with results.opened(path, columns, numbered=not options.run) as done:
        for note in env.notes:
            print_error(note)
        failed = done.train(wanted, options.backend)
        report.write(done.path, {c.label: done.of(c) for c in columns}, good, starts)
        if failed:
            raise TrainingError(f'{failed} of {len(wanted)} runs failed (see above)')
        echo(f'\n{len(wanted)} runs are in {done.path}')


if __name__ == '__main__':
    with exit_cleanly('compare.py'):
        main()
