"""Original against simplified: train both versions over many seeds, and tabulate and draw them.

`python compare.py` trains the original with soft and with hard replacement and the simplified
version, in parallel on all cores, and leaves in `runs/compare-1`:

    episodes.csv    every episode of every run
    runs.csv        a row a run: how good the last policy is, and how long it took
    compare.json    what was compared, and with what
    compare.md      the table
    compare.png     the learning curves

Started again with `--run` at the same folder, it trains only what is missing there.
"""

import argparse
import csv
import io
import json
import os
import sys
import time
import tokenize
from collections import namedtuple

import experiment.quiet  # noqa: F401  before TensorFlow
import numpy as np
import tensorflow.compat.v1 as tf
from tqdm import tqdm

import ddpg
import ddpg_update
from experiment import environment, folder, sweep
from experiment.errors import BadInput, RunFailed, Stopped
from experiment.evaluate import greedy_return
from experiment.options import Parser, seeds, whole_number
from experiment.program import hyperparameters_in

Version = namedtuple('Version', 'label module replacement')
VERSIONS = {
    'soft': Version('original, soft', ddpg, ddpg.SOFT),
    'hard': Version('original, hard', ddpg, ddpg.HARD),
    'simplified': Version('simplified', ddpg_update, ddpg.SOFT),
}
STARTS = range(100000, 100100)  # the environment's seeds for the last policy's 100 greedy episodes
LAST = 20  # episodes in the mean at the end
GOOD, WINDOW = -300, 10  # learned: the first time that the mean of 10 episodes passes -300

EPISODES = ('version', 'seed', 'episode', 'reward', 'explore')
RUNS = ('version', 'seed', 'greedy', 'seconds', 'microseconds')


def train(version, seed, env_name, episodes):
    """Train one version with one seed, and try its last policy; the job of the sweep.

    Returns:
        (episodes, run): rows of EPISODES and one of RUNS, without version and seed. Microseconds
        are those of a learning step of the whole loop, None if the run was too short to learn.
    """
    _, module, replacement = VERSIONS[version]
    env = environment.make(env_name)
    agent = module.agent(env, replacement, seed)
    steps = []  # the time of each learning step

    def learn(*batch):
        agent.learn(*batch)
        steps.append(time.perf_counter())

    start = time.perf_counter()
    loop = ddpg.train(env, agent.memory, agent.choose_action, learn, episodes)
    rows = [(e.index, float(e.reward), float(e.var)) for e in loop]
    seconds = time.perf_counter() - start
    microseconds = (steps[-1] - steps[0]) / (len(steps) - 1) * 1e6 if len(steps) > 1 else None
    if not np.isfinite([reward for _, reward, _ in rows]).all():
        raise RunFailed('the rewards are not finite')
    greedy = greedy_return(env, agent.choose_action, STARTS)
    agent.sess.close()
    return rows, (greedy, seconds, microseconds)


# ---------------------------------------------------------------- the folder of a comparison


class Comparison(object):
    """What was trained so far, in memory and in the folder's episodes.csv and runs.csv."""

    def __init__(self, path):
        self.path = path
        self.runs = {}  # (version, seed) -> (greedy, seconds, microseconds)
        self.episodes = {}  # (version, seed) -> [(index, reward, explore), ...]
        if os.path.exists(os.path.join(path, 'runs.csv')):
            self._read()

    def add(self, version, seed, rows, run):
        """Keep a finished run, on disk when this returns; runs.csv last: what it names is there."""
        self.episodes[version, seed] = rows
        self.runs[version, seed] = run
        self._write(
            'episodes.csv', EPISODES, [k + row for k in self.runs for row in self.episodes[k]]
        )
        self._write('runs.csv', RUNS, [k + values for k, values in self.runs.items()])

    def rewards(self, version):
        """Return the rewards of a version's runs, (runs, episodes)."""
        runs = [self.episodes[key] for key in sorted(self.runs) if key[0] == version]
        return np.array([[reward for _, reward, _ in rows] for rows in runs])

    def column(self, version, name):
        """Return one column of runs.csv for a version."""
        values = [
            run[RUNS.index(name) - 2] for key, run in sorted(self.runs.items()) if key[0] == version
        ]
        return np.array(values, float)  # None becomes nan

    def _write(self, name, header, rows):
        text = io.StringIO()
        csv.writer(text, lineterminator='\n').writerows([header] + rows)
        folder.write_whole(os.path.join(self.path, name), text.getvalue().rstrip())

    def _read(self):
        try:
            for version, seed, *values in self._rows('runs.csv', RUNS):
                self.runs[version, int(seed)] = tuple(float(v) if v else None for v in values)
                self.episodes[version, int(seed)] = []
            for version, seed, index, reward, explore in self._rows('episodes.csv', EPISODES):
                if (version, int(seed)) in self.runs:
                    row = int(index), float(reward), float(explore)
                    self.episodes[version, int(seed)].append(row)
        except (OSError, ValueError) as error:
            raise BadInput(f'{self.path} cannot be read ({error}): name another folder with --run')

    def _rows(self, name, header):
        with open(os.path.join(self.path, name), newline='') as file:
            rows = list(csv.reader(file))
        if not rows or tuple(rows[0]) != header or any(len(row) != len(header) for row in rows):
            raise ValueError(f'{name} is damaged')
        return rows[1:]


def opened(options):
    """Make the folder, or take one that holds the same comparison; return its Comparison."""
    config = dict(
        env=options.env,
        episodes=options.episodes,
        original=hyperparameters_in(vars(ddpg)),
        simplified=hyperparameters_in(vars(ddpg_update)),
    )
    name = 'compare.json'
    if options.run is None or not os.path.exists(os.path.join(options.run, name)):
        path = folder.create('compare', options.run)
        folder.write_whole(os.path.join(path, name), json.dumps(config, indent=2))
        return Comparison(path)
    try:
        with open(os.path.join(options.run, name)) as file:
            before = json.load(file)
        different = [key for key in config if before[key] != config[key]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f'{options.run} cannot be read ({error}): name another folder with --run')
    if different:
        raise BadInput(
            f'{options.run} holds a comparison with other {" and ".join(different)}: '
            'name another folder with --run'
        )
    return Comparison(options.run)


# ---------------------------------------------------------------- table and picture


def lines_of_code(path):
    """Count the lines of a Python file that are not blank, comment or docstring."""
    with tokenize.open(path) as file:
        tokens = list(tokenize.generate_tokens(file.readline))
    nothing = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines, at_start = set(), True
    for token in tokens:
        if token.type not in nothing and not (token.type == tokenize.STRING and at_start):
            lines.update(range(token.start[0], token.end[0] + 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            at_start = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return len(lines - {tokens[-1].start[0]})


def of_the_code(version, env_name):
    """Return (lines of code, calls of TensorFlow in a learning step, operations in the graph)."""
    _, module, replacement = VERSIONS[version]
    calls = []
    original = tf.Session._make_callable_from_options

    def counted(sess, options):
        call = original(sess, options)
        return lambda *values: calls.append(options) or call(*values)

    tf.Session._make_callable_from_options = counted
    try:
        env = environment.make(env_name)
        agent = module.agent(env, replacement, seed=1)
    finally:
        tf.Session._make_callable_from_options = original
    s = env.reset()
    a = agent.choose_action(s)
    row = np.concatenate((s, a, [0.0], s)).astype(np.float32)[np.newaxis]
    dims = len(s)
    agent.learn(row[:, :dims], row[:, dims : -dims - 1], row[:, -dims - 1 : -dims], row[:, -dims:])
    operations = len(agent.sess.graph.get_operations())
    agent.sess.close()
    return lines_of_code(module.__file__), len(calls), operations


def first_good(rewards):
    """Return how many episodes it took until the mean of WINDOW passed GOOD; nan for never."""
    if len(rewards) < WINDOW:
        return np.nan
    means = np.convolve(rewards, np.ones(WINDOW) / WINDOW, mode='valid')
    good = np.flatnonzero(means > GOOD)
    return good[0] + WINDOW if len(good) else np.nan


def table(comparison, versions, env_name):
    """Return the comparison as a Markdown table, a column a version."""
    columns = []
    for version in versions:
        rewards = comparison.rewards(version)
        last = rewards[:, -LAST:].mean(axis=1)
        greedy = comparison.column(version, 'greedy')
        first = np.array([first_good(row) for row in rewards])
        seconds = np.median(comparison.column(version, 'seconds'))
        micro = comparison.column(version, 'microseconds')
        lines, calls, operations = of_the_code(version, env_name)
        reached = first[np.isfinite(first)]
        columns.append(
            [
                VERSIONS[version].label,
                f'{len(rewards)}',
                f'{np.median(last):.0f}',
                f'{last.min():.0f}',
                f'{np.median(greedy):.0f}',
                f'{greedy.min():.0f}',
                f'{np.median(reached):.0f}' if len(reached) else 'never',
                f'{len(reached)} of {len(first)}',
                f'{seconds:.1f}',
                '' if np.isnan(micro).all() else f'{np.nanmedian(micro):.0f}',
                f'{lines}',
                f'{calls}',
                f'{operations}',
            ]
        )
    names = [
        '',
        'runs (seeds)',
        f'mean return of the last {LAST} episodes, median',
        'the same, worst seed',
        f'greedy return of the last policy, mean of {len(STARTS)} starts, median',
        'the same, worst seed',
        f'episodes until the mean of {WINDOW} passes {GOOD}, median',
        'runs that got there',
        'seconds a run, median',
        'microseconds a learning step, median',
        'lines of code, without comments and blanks',
        'calls of TensorFlow a learning step',
        'operations in the graph',
    ]
    rows = [f'| {" | ".join(row)} |' for row in zip(names, *columns)]
    return '\n'.join([rows[0], '|---|' + '---:|' * len(columns), *rows[1:]])


def draw(comparison, versions, path):
    """Draw the learning curves: the median over seeds, and the band of all seeds but the ends."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5))
    # dark, middle and light, so that a grey print still tells them apart
    styles = (('#1b3a6b', '-'), ('#c4501b', '--'), ('#2fa58a', '-.'))
    for version, (colour, line) in zip(versions, styles):
        rewards = comparison.rewards(version)
        window = min(WINDOW, rewards.shape[1])
        means = np.array([np.convolve(row, np.ones(window) / window, 'valid') for row in rewards])
        episodes = np.arange(window, rewards.shape[1] + 1)
        low, middle, high = np.percentile(means, [25, 50, 75], axis=0)
        axes.fill_between(episodes, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(episodes, middle, line, color=colour, label=VERSIONS[version].label)
    axes.set_xlabel('episode')
    axes.set_ylabel(f'return (sum of rewards), mean of {window} episodes')
    axes.set_title(f'median of {len(rewards)} seeds, and the middle half of them', fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


# ---------------------------------------------------------------- the program


def parse(arguments):
    """Read the options."""
    parser = Parser(prog='compare.py', description=__doc__.splitlines()[0], allow_abbrev=False)
    add = parser.add_argument
    add('--seeds', type=seeds, default='1-5', help='such as 1-10 or 1,4,7 (default: %(default)s)')
    add(
        '--episodes',
        type=whole_number(1),
        default=ddpg.MAX_EPISODES,
        metavar='N',
        help='of each run (default: %(default)s)',
    )
    add(
        '--env',
        default='Pendulum-v0',
        metavar='NAME',
        help='gym environment (default: %(default)s)',
    )
    add(
        '--versions',
        type=_versions,
        default=','.join(VERSIONS),
        help='which to train (default: %(default)s)',
    )
    add('--run', metavar='DIR', help='folder (default: the first free runs/compare-N)')
    add(
        '--backend',
        choices=sweep.BACKENDS,
        default='processes',
        help='where the runs are trained: on the cores here or on a cluster (default: %(default)s)',
    )
    add('--address', help='of the Ray or Dask cluster (default: the one this machine belongs to)')
    return parser.parse_args(arguments)


def _versions(text):
    names = text.split(',')
    if not set(names) <= set(VERSIONS) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f'needs some of {",".join(VERSIONS)}, got {text!r}')
    return names


def main(arguments=None):
    """Compare; leave with a line and an exit code where that does not work."""
    try:
        _main(parse(arguments))
    except (BadInput, RunFailed, Stopped) as ending:
        print(f'compare.py: {ending}', file=sys.stderr)
        sys.exit(ending.exit_code)


def _main(options):
    environment.make(options.env)  # complain now, not in every worker
    name = sweep.connect(options.backend, options.address)
    comparison = opened(options)
    path = comparison.path
    jobs = [
        (version, seed, options.env, options.episodes)
        for seed in options.seeds
        for version in options.versions
        if (version, seed) not in comparison.runs
    ]
    kept = f'what finished is in {path}; go on with: --run {path}'
    start, failed = time.time(), []
    try:
        with tqdm(total=len(jobs), unit='run', disable=None, leave=False) as bar:
            for job, result, reason in sweep.run(train, jobs, name):
                if reason is None:
                    comparison.add(*job[:2], *result)
                else:
                    failed.append(f'{job[0]} with seed {job[1]} ({reason})')
                bar.update()
    except KeyboardInterrupt:
        raise Stopped(f'stopped; {kept}')
    except OSError as error:
        raise RunFailed(f'{path} cannot be written ({error.strerror}): free some space; {kept}')

    versions = [v for v in options.versions if any(key[0] == v for key in comparison.runs)]
    if versions:
        text = table(comparison, versions, options.env)
        folder.write_whole(os.path.join(path, 'compare.md'), text)
        draw(comparison, versions, os.path.join(path, 'compare.png'))
        print(text)
    in_runs = sum(seconds for _, seconds, _ in comparison.runs.values())
    print(
        f'\n{len(jobs) - len(failed)} runs in {time.time() - start:.0f} seconds '
        f'(all runs in {path}, one after the other: {in_runs:.0f}); table, picture and numbers '
        f'are in {path}'
    )
    if failed:
        raise RunFailed(f'{len(failed)} failed: {"; ".join(failed)}; {kept}')


if __name__ == '__main__':
    # by its own name, so that other processes find what they are to run
    from compare import main as main_by_name

    main_by_name()
