"""Original against simplified: train both versions over many seeds, and tabulate and draw them.

`python compare.py` trains the original with soft and with hard replacement and the simplified
version, in parallel on all cores, and leaves in `runs/compare-1`:

    episodes.csv    every episode of every run
    runs.csv        a row a run: how good its last and its best policy are, and how long it took
    compare.json    what was compared, and with what
    compare.md      the table
    compare.png     the learning curves

Started again with `--run` at the same folder, it trains only what is missing there.
"""

import argparse
import os
import tempfile
import time
from collections import namedtuple
from math import factorial

import experiment.quiet  # noqa: F401  before TensorFlow
import numpy as np
import tensorflow.compat.v1 as tf
from tqdm import tqdm

import ddpg
import ddpg_update
from experiment import comparison, environment, folder, sweep
from experiment.best import Best
from experiment.errors import RunFailed, Stopped, told_in_a_line
from experiment.evaluate import greedy_returns
from experiment.figures import draw_curves
from experiment.options import Parser, seeds, whole_number
from experiment.output import OutputLost, say
from experiment.program import hyperparameters_in
from experiment.source import lines_of_code
from experiment.state import Variables

Version = namedtuple('Version', 'label module replacement')
VERSIONS = {
    'soft': Version('original, soft', ddpg, ddpg.SOFT),
    'hard': Version('original, hard', ddpg, ddpg.HARD),
    'simplified': Version('simplified', ddpg_update, ddpg.SOFT),
}
# The environment's seeds for a policy's 100 greedy episodes; no try of Best uses them. Good
# policies have much the same mean here as on thousands of starts, which not every hundred gives.
STARTS = range(200000, 200100)
LAST = 20  # episodes in the mean at the end
GOOD, WINDOW = -300, 10  # learned: the first time that the mean of 10 episodes passes -300


def train(version, seed, env_name, episodes):
    """Train one version with one seed, and try its last and its best policy; the sweep's job.

    Returns:
        (episodes, run): rows (index, reward, explore), and (last, best, seconds, microseconds): the
        two policies' mean returns over STARTS, the time of the run, and that of a learning step of
        the whole loop. Best and microseconds are None if the run was too short to learn.
    """
    _, module, replacement = VERSIONS[version]
    env = environment.make(env_name)
    agent = module.agent(env, replacement, seed)
    steps = []  # the time of each learning step

    def learn(*batch):
        agent.learn(*batch)
        steps.append(time.perf_counter())

    def make_env():
        return environment.make(env_name)

    def mean_return():
        envs = [make_env() for _ in STARTS]
        return float(greedy_returns(envs, agent.choose_actions, STARTS, ddpg.MAX_EP_STEPS).mean())

    with tempfile.TemporaryDirectory() as kept:
        variables = Variables(agent.sess)
        best = Best(
            make_env, agent.choose_actions, ddpg.MAX_EP_STEPS, lambda returns: variables.save(kept)
        )
        rows = []
        start = time.perf_counter()
        for e in ddpg.train(env, agent.memory, agent.choose_action, learn, episodes):
            rows.append((e.index, float(e.reward), float(e.var)))
            if steps:
                best.after(e.index + 1)
        seconds = time.perf_counter() - start
        if not np.isfinite([reward for _, reward, _ in rows]).all():
            raise RunFailed('the rewards are not finite')
        of_last, of_best = mean_return(), None
        if best.returns is not None:
            variables.restore(kept)
            of_best = mean_return()
    agent.sess.close()
    microseconds = float(np.median(np.diff(steps))) * 1e6 if len(steps) > 1 else None
    return rows, (of_last, of_best, seconds, microseconds)


# ---------------------------------------------------------------- the table


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
        s = env.reset()
        a = agent.choose_action(s)
        agent.learn([s], [a], [[0.0]], [s])
    finally:
        tf.Session._make_callable_from_options = original
    operations = len(agent.sess.graph.get_operations())
    agent.sess.close()
    return lines_of_code(module.__file__), len(calls), operations


def _median_and_worst(values):
    """Return both as text; empty where a run too short to learn has none."""
    if not len(values) or np.isnan(values).any():
        return '', ''
    return f'{np.median(values):.0f}', f'{values.min():.0f}'


def first_good(rewards):
    """Return how many episodes it took until the mean of WINDOW passed GOOD; nan for never."""
    if len(rewards) < WINDOW:
        return np.nan
    means = np.convolve(rewards, np.ones(WINDOW) / WINDOW, mode='valid')
    good = np.flatnonzero(means > GOOD)
    return good[0] + WINDOW if len(good) else np.nan


def table(done, versions, env_name):
    """Return the comparison as a Markdown table, a column a version."""
    columns = []
    for version in versions:
        rewards = done.rewards(version)
        last = rewards[:, -LAST:].mean(axis=1)
        of_last, of_best = done.column(version, 'last'), done.column(version, 'best')
        first = np.array([first_good(row) for row in rewards])
        seconds = np.median(done.column(version, 'seconds'))
        micro = done.column(version, 'microseconds')
        lines, calls, operations = of_the_code(version, env_name)
        reached = first[np.isfinite(first)]
        columns.append(
            [
                VERSIONS[version].label,
                f'{len(rewards)}',
                *_median_and_worst(last),
                *_median_and_worst(of_last),
                *_median_and_worst(of_best),
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
        'greedy return of the best policy kept, same starts, median',
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


def coin(heads, tosses):
    """Return the probability that a fair coin falls at least as unevenly (two-sided sign test)."""
    ways = [factorial(tosses) // factorial(k) // factorial(tosses - k) for k in range(tosses + 1)]
    uneven = abs(heads - tosses / 2)
    return sum(w for k, w in enumerate(ways) if abs(k - tosses / 2) >= uneven) / 2**tosses


def verdicts(done, versions):
    """Return a line for each version after the first: how it does against that one, by seeds."""
    first, lines = versions[0], []

    def of_last(key):
        return done.runs[key][0]

    def of_best(key):
        return done.runs[key][1] or -np.inf

    def how_soon(key):
        return -np.nan_to_num(first_good([reward for _, reward, _ in done.episodes[key]]), nan=1e9)

    for version in versions[1:]:
        seeds_of_both = [s for v, s in done.runs if v == first and (version, s) in done.runs]
        parts = []
        for words, value in (
            ('better at the end', of_last),
            ('a better best policy', of_best),
            ('good sooner', how_soon),
        ):
            pairs = [(value((version, s)), value((first, s))) for s in seeds_of_both]
            more, less = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
            parts.append(
                f'{words} with {more}, not with {less} (p = {coin(more, more + less):.2f})'
            )
        names = f'{VERSIONS[version].label} against {VERSIONS[first].label}'
        lines.append(f'- {names}, of {len(seeds_of_both)} seeds: {"; ".join(parts)}')
    if lines:
        lines.append(
            '- p is how often a fair coin falls as unevenly: only a small one says anything'
        )
    return '\n'.join(lines)


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
    with told_in_a_line('compare.py'):
        _main(parse(arguments))


def _main(options):
    environment.make(options.env)  # complain now, not in every worker
    name = sweep.connect(options.backend, options.address)
    config = dict(
        env=options.env,
        episodes=options.episodes,
        original=hyperparameters_in(vars(ddpg)),
        simplified=hyperparameters_in(vars(ddpg_update)),
    )
    done = comparison.opened('compare', options.run, config)
    path = done.path
    jobs = [
        (version, seed, options.env, options.episodes)
        for seed in options.seeds
        for version in options.versions
        if (version, seed) not in done.runs
    ]
    kept = f'what finished is in {path}; go on with: --run {path}'
    start, failed, report = time.time(), [], ''
    try:
        with tqdm(total=len(jobs), unit='run', disable=None, leave=False) as bar:
            for job, result, reason in sweep.run(train, jobs, name):
                if reason is None:
                    done.add(*job[:2], *result)
                else:
                    failed.append(f'{job[0]} with seed {job[1]} ({reason})')
                bar.update()
        versions = [v for v in options.versions if any(key[0] == v for key in done.runs)]
        if versions:
            report = f'{table(done, versions, options.env)}\n\n{verdicts(done, versions)}'.rstrip()
            folder.write_whole(os.path.join(path, 'compare.md'), report)
            curves = [(VERSIONS[v].label, done.rewards(v)) for v in versions]
            draw_curves(curves, WINDOW, os.path.join(path, 'compare.png'))
    except KeyboardInterrupt:
        raise Stopped(f'stopped; {kept}')
    except OSError as error:
        raise RunFailed(f'{path} cannot be written ({error.strerror}): free some space; {kept}')
    in_runs = sum(done.column(version, 'seconds').sum() for version in VERSIONS)
    places = f'table, picture and numbers are in {path}'
    try:
        say(
            f'{report}\n\n{len(jobs) - len(failed)} runs in {time.time() - start:.0f} seconds '
            f'(all runs in {path}, one after the other: {in_runs:.0f}); {places}'.lstrip()
        )
    except OutputLost as error:
        raise OutputLost(f'{error}; {places}')
    if failed:
        raise RunFailed(f'{len(failed)} failed: {"; ".join(failed)}; {kept}')


if __name__ == '__main__':
    # by its own name, so that other processes find what they are to run
    from compare import main as main_by_name

    main_by_name()
