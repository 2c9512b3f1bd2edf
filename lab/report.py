"""What a comparison found: its table, the differences between columns, and the picture."""

import os

import numpy as np

from lab import files
from lab.evaluation import LAST, WINDOW, interval
from lab.messages import echo, one_line, print_error
from lab.plots import draw_curves

TABLE, PICTURE = 'compare.md', 'compare.png'


def write(path, columns, good, starts):
    """Print the table and the differences, and leave them and the picture in the folder `path`.

    Args:
        columns: {label: {seed: a Result of lab/job.py}}; a column without runs is left out.
        good, starts: as for `table`.
    """
    columns = {label: runs for label, runs in columns.items() if runs}
    seeds = common_seeds(columns)
    if not seeds:
        return
    text = f'{table(columns, good, starts)}\n\n{differences(columns)}'.rstrip()
    files.write_text(os.path.join(path, TABLE), text + '\n')
    echo(text)
    try:
        curves = [(label, [runs[s].rewards for s in seeds]) for label, runs in columns.items()]
        draw_curves(curves, WINDOW, os.path.join(path, PICTURE))
    except Exception as error:  # no picture is worth a comparison
        print_error(f'{PICTURE} could not be drawn: {one_line(error)}')


def common_seeds(columns):
    """Return the seeds that all columns have; columns is {label: {seed: Result}}."""
    return sorted(set.intersection(*map(set, columns.values()))) if columns else []


def first_good(rewards, good, window=WINDOW):
    """Return how many episodes it took until the mean of `window` passed `good`; inf for never."""
    if len(rewards) < window:
        return np.inf
    means = np.convolve(rewards, np.ones(window) / window, mode='valid')
    passed = np.flatnonzero(means > good)
    return float(passed[0] + window) if len(passed) else np.inf


def _measures(run):
    """Return {what: number} of a Result; larger is better."""
    return {'end': float(np.mean(run.rewards[-LAST:])), 'last': run.last, 'kept': run.kept}


def table(columns, good, starts):
    """Return the comparison as a Markdown table, a column per label, over the seeds that all have.

    Args:
        columns: {label: {seed: Result}}, at least one seed in all of them.
        good: the return to be passed, or None if no threshold is known.
        starts: how many starts a policy's mean return is over.
    """
    seeds = common_seeds(columns)
    every = [[runs[seed] for seed in seeds] for runs in columns.values()]
    rows = [['', *columns], ['runs (seeds)', *[str(len(seeds))] * len(columns)]]
    names = [
        (f'mean return of the last {LAST} episodes', 'end'),
        (f'greedy return of the last policy, mean of {starts} starts', 'last'),
        ('greedy return of the kept policy, same starts', 'kept'),
    ]
    for name, key in names:
        values = [[_measures(run)[key] for run in runs] for runs in every]
        rows.append([f'{name}, median', *(_number(np.median, each) for each in values)])
        rows.append(['the same, worst seed', *(_number(np.min, each) for each in values)])
    if good is not None:
        first = [[first_good(run.rewards, good) for run in runs] for runs in every]
        medians = [_number(np.median, each) for each in first]
        rows.append([f'episodes until the mean of {WINDOW} passes {good:g}, median', *medians])
        counts = [f'{np.isfinite(each).sum()} of {len(each)}' for each in first]
        rows.append(['runs that got there', *counts])
    times = [np.median([run.seconds for run in runs]) for runs in every]
    rows.append(['processor seconds a run, median', *(f'{each:.1f}' for each in times)])
    lines = [f'| {" | ".join(row)} |' for row in rows]
    return '\n'.join([lines[0], '|---|' + '---:|' * len(columns), *lines[1:]])


def _number(statistic, values):
    """Return a statistic as text; 'never' where it is infinite."""
    none = values.count(None)
    if none:
        return f'{none} kept none'
    number = statistic(values)
    return f'{number:.0f}' if np.isfinite(number) else 'never'


def difference(differences):
    """Return the median of paired differences and its interval as text, '+5 (+1 to +8)'."""
    return '{:+.0f} ({:+.0f} to {:+.0f})'.format(*interval(differences))


def differences(columns):
    """Return a line for each column after the first: how far it is from that one, seed by seed."""
    seeds, (first, *others) = common_seeds(columns), list(columns)
    words = (('end', 'at the end'), ('last', 'last policy'), ('kept', 'kept policy'))
    lines = []
    for label in others:
        parts = []
        for key, word in words:
            pairs = [[_measures(columns[c][seed])[key] for c in (label, first)] for seed in seeds]
            if all(None not in pair for pair in pairs):
                parts.append(f'{word} {difference([one - other for one, other in pairs])}')
        lines.append(f'- {label} against {first}, {len(seeds)} seeds: {"; ".join(parts)}')
    if lines:
        lines.append(
            '- medians of the differences, each with its 95 % bootstrap interval: where that '
            'contains 0, they do not differ significantly'
        )
    return '\n'.join(lines)
