"""The table of a comparison: pure functions of the runs' numbers."""

from collections import namedtuple

import numpy as np

# rewards: of each episode; last, best: mean greedy return of the two policies, best None where none
# was kept; seconds: processor time of training
Run = namedtuple('Run', 'rewards last best seconds')


def common_seeds(columns):
    """Return the seeds that all columns have; columns is {label: {seed: Run}}."""
    return sorted(set.intersection(*(set(runs) for runs in columns.values())))


def first_good(rewards, window, good):
    """Return how many episodes it took until the mean of `window` passed `good`; inf for never."""
    if len(rewards) < window:
        return np.inf
    means = np.convolve(rewards, np.ones(window) / window, mode='valid')
    passed = np.flatnonzero(means > good)
    return float(passed[0] + window) if len(passed) else np.inf


def measures(run, window, last, good):
    """Return {what: number} of a Run, larger being better but for the episodes until good."""
    found = {'end': float(np.mean(run.rewards[-last:])), 'last': run.last, 'best': run.best}
    if good is not None:
        found['first'] = first_good(run.rewards, window, good)
    return found


def interval(differences):
    """Return the median of paired differences and its 95 % bootstrap interval, (median, low, high).

    Args:
        differences: one number a seed.
    """
    differences = np.asarray(differences, float)
    chosen = np.random.RandomState(0).randint(len(differences), size=(10000, len(differences)))
    medians = np.median(differences[chosen], axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return float(np.median(differences)), float(low), float(high)


def table(columns, window, last, good, starts):
    """Return the comparison as a Markdown table, a column a label, over the seeds of all columns.

    Args:
        columns: {label: {seed: Run}}, at least one seed in all of them.
        window, last: how many episodes a running mean, and the mean at the end, are over.
        good: the return to be passed, or None if nobody says what is good.
        starts: how many starts a policy's mean return is over.
    """
    seeds = common_seeds(columns)
    rows = [['', *columns], ['runs (seeds)', *[f'{len(seeds)}'] * len(columns)]]
    every = {
        label: [measures(runs[seed], window, last, good) for seed in seeds]
        for label, runs in columns.items()
    }
    names = [
        (f'mean return of the last {last} episodes', 'end'),
        (f'greedy return of the last policy, mean of {starts} starts', 'last'),
        ('greedy return of the best policy kept, same starts', 'best'),
    ]
    for name, key in names:
        values = [[found[key] for found in every[label]] for label in columns]
        rows.append([f'{name}, median', *(_number(np.median, each) for each in values)])
        rows.append(['the same, worst seed', *(_number(np.min, each) for each in values)])
    if good is not None:
        first = [[found['first'] for found in every[label]] for label in columns]
        medians = [_number(np.median, each) for each in first]
        rows.append([f'episodes until the mean of {window} passes {good:g}, median', *medians])
        counts = [f'{np.isfinite(each).sum()} of {len(each)}' for each in first]
        rows.append(['runs that got there', *counts])
    times = [[runs[seed].seconds for seed in seeds] for runs in columns.values()]
    rows.append(['processor seconds a run, median', *(f'{np.median(each):.1f}' for each in times)])
    lines = [f'| {" | ".join(row)} |' for row in rows]
    return '\n'.join([lines[0], '|---|' + '---:|' * len(columns), *lines[1:]])


def _number(statistic, values):
    """Return a statistic as text; empty where a run has none, 'never' where it is infinite."""
    if any(value is None for value in values):
        return ''
    number = statistic(values)
    return f'{number:.0f}' if np.isfinite(number) else 'never'


def differences(columns, window, last, good):
    """Return a line for each column after the first: how far it is from that one, seed by seed."""
    seeds, (first, *others) = common_seeds(columns), list(columns)
    words = (('end', 'at the end'), ('last', 'last policy'), ('best', 'best policy'))
    lines = []
    for label in others:
        parts = []
        for key, word in words:
            pairs = [
                [measures(columns[name][seed], window, last, good)[key] for name in (label, first)]
                for seed in seeds
            ]
            if all(None not in pair for pair in pairs):
                median, low, high = interval([one - other for one, other in pairs])
                parts.append(f'{word} {median:+.0f} ({low:+.0f} to {high:+.0f})')
        if parts:
            lines.append(f'- {label} against {first}, {len(seeds)} seeds: {"; ".join(parts)}')
    if lines:
        lines.append('- medians of the differences, each with its 95 % bootstrap interval')
    return '\n'.join(lines)
