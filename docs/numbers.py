"""What each hyperparameter of the lesson does: `python -m docs.numbers`.

It trains `ddpg.py` as it is, with one hyperparameter changed at a time, and with the best
combination that was found, on all cores. Each run that finishes is kept in runs/numbers; started
again, the command trains only what is missing there. It prints a Markdown table with the
differences to the lesson as it is, seed by seed, and draws numbers.png in this folder.
"""

import os
from functools import partial
from pathlib import Path

import matplotlib
import numpy as np

from compare import VERSIONS
from lab import results
from lab.evaluation import GOOD_ON_PENDULUM, WINDOW
from lab.job import make_columns
from lab.messages import TrainingError, echo, exit_cleanly
from lab.plots import new_figure, save_figure
from lab.report import difference, first_good

SEEDS, EPISODES = range(1, 11), None  # None: the lesson's own
NUMBERS = {  # a panel each, with the lesson's own value among the others
    'GAMMA': '0.8,0.9,0.95,0.98,0.99',
    'HIDDEN_UNITS': '10,30,100,300',
    'BATCH_SIZE': '8,32,128,256',
    'tau': '0.001,0.01,0.1,1',  # and hard replacement
    'LR_A': '0.0003,0.001,0.003',
    'LR_C': '0.0003,0.001,0.002,0.003',
    'VAR': '0,1,3',
    'VAR_DECAY': '0.999,0.9995,0.9998,0.99995',
    'MEMORY_CAPACITY': '32,1000,3000,10000,20000',
}
BEST = 'HIDDEN_UNITS=200', 'BATCH_SIZE=128', 'GAMMA=0.98', 'MEMORY_CAPACITY=20000'
PICTURE, TICKS = Path(__file__).with_suffix('.png'), (150, 200, 300, 500, 1000)


def row(label, runs, base):
    """Return a row of the table: of `runs`, {seed: Result}; `base` are the lesson's as it is."""
    cells = [label]
    for name in ('last', 'kept'):
        values, others = ([getattr(each[seed], name) for seed in SEEDS] for each in (runs, base))
        if None in values + others:  # too short a run keeps none
            cells += ['', '']
        else:
            cells.append(f'{np.median(values):.0f} ({min(values):.0f})')
            cells.append(difference(np.subtract(values, others)))
    first = np.median([first_good(run.rewards, GOOD_ON_PENDULUM) for run in runs.values()])
    return f'| {" | ".join([*cells, f"{first:.0f}".replace("inf", "never")])} |'


def draw(panels, done, own):
    """Draw {name: {tick: Column}}, a panel each: median, worst and best of the seeds.

    The scale is logarithmic in how far a return is below 0. Squares are the last policy, circles
    the kept one; a grey band is at the lesson's own value.
    """
    matplotlib.rcParams['font.size'] = 13
    figure = new_figure(10, 10)
    for axes, (name, columns) in zip(figure.subplots(3, 3, sharey=True).flat, panels.items()):
        at = [column.key for column in columns.values()].index(own.key)
        axes.axvspan(at - 0.4, at + 0.4, color='#dddddd', linewidth=0)
        for which, place, mark in (('last', -0.13, 's'), ('kept', 0.13, 'o')):
            runs = [done.of(column).values() for column in columns.values()]
            losses = [[-getattr(run, which) for run in each] for each in runs]
            low, middle, high = np.percentile(losses, [0, 50, 100], axis=1)
            x, ends = np.arange(len(low)) + place, [middle - low, high - middle]
            axes.errorbar(x, middle, ends, fmt=mark, markersize=8, linewidth=2)
        axes.set(title=name, yscale='log', xticks=range(len(columns)), yticks=TICKS)
        axes.set_xticklabels([tick.lstrip('0') or '0' for tick in columns], fontsize=11)
        axes.set_yticks([], minor=True)
        axes.set_yticklabels([f'-{tick}' for tick in TICKS])
        axes.grid(axis='y', alpha=0.4)
    axes.invert_yaxis()  # all panels share it
    save_figure(figure, str(PICTURE))


def main():
    """Train what is missing, print, draw."""
    soft, hard = (
        partial(make_columns, [VERSIONS[name]], episodes=EPISODES) for name in ('soft', 'hard')
    )
    panels = {
        name: dict(zip(values.split(','), soft(varied=[f'{name}={values}'])))
        for name, values in NUMBERS.items()
    }
    (panels['tau']['hard'],), (own,) = hard(), soft()
    columns = [column for shown in panels.values() for column in shown.values()]
    columns = [own] + [column for column in columns if column.key != own.key]
    columns += soft(varied=BEST[:3]) + soft(varied=BEST)
    with results.opened(os.path.abspath('runs/numbers'), columns) as done:
        if done.train([(column, seed) for column in columns for seed in SEEDS]):
            raise TrainingError('some runs failed')
    first = f'episodes until the mean of {WINDOW} passes {GOOD_ON_PENDULUM}'
    names = 'last policy, median (worst) | difference | kept policy, median (worst) | difference'
    echo(f'| | {names} | {first} |\n|---{"|---:" * 5}|')
    for column in columns:
        echo(row(column.label, done.of(column), done.of(own)))
    draw(panels, done, own)


if __name__ == '__main__':
    with exit_cleanly('docs.numbers'):
        main()
