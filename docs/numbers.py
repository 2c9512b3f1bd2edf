"""What each number of the lesson does: `python -m docs.numbers`.

It trains `ddpg.py` with its own numbers, with one of them changed at a time, and with the best
combination that was found, on all cores. Each run that finishes is kept in runs/numbers; started
again, it trains only what is missing there. It prints a Markdown table, and how far each setting is
from the lesson's own, seed by seed; and draws numbers.png in this folder.
"""

import os
from pathlib import Path

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
import ddpg
import numpy as np

from comparison import results
from comparison.program import train
from comparison.table import common_seeds, differences, first_good
from comparison.versions import columns
from experiment import folder
from experiment.evaluate import GOOD_ON_PENDULUM, LAST, WINDOW
from experiment.options import Parser, text, whole_number
from pictures.figures import new_figure, save_figure
from support import settings
from support.messages import RunFailed, ends_in_one_line, say

BEST = 'HIDDEN_UNITS=200', 'BATCH_SIZE=128', 'GAMMA=0.98', 'MEMORY_CAPACITY=20000'
# Each is a small picture: a number, its values, the lesson's own among them; other versions, which
# it shows as the last of them.
NUMBERS = (
    ('GAMMA', '0.8,0.9,0.95,0.98,0.99', {}),
    ('HIDDEN_UNITS', '10,30,100,300', {}),
    ('BATCH_SIZE', '8,32,128,256', {}),
    ('tau', '0.001,0.01,0.1,1', {'hard': ('hard', [])}),
    ('LR_A', '0.0003,0.001,0.003', {}),
    ('LR_C', '0.0003,0.001,0.002,0.003', {}),
    ('VAR_DECAY', '0.999,0.9995,0.9998,0.99995', {'no\nnoise': ('soft', ['VAR=0'])}),
    ('MEMORY_CAPACITY', '1000,3000,10000,20000', {'no\nreplay': ('no-replay', [])}),
)
SEEDS = range(1, 11)
(OWN,) = columns(['soft'], [], [])
# the best, and before it the same with the lesson's own memory
COMBINED = columns(['soft'], [], BEST[:3]) + columns(['soft'], [], BEST)


def small_pictures():
    """Return {name of a number: [(tick, Column)]}, with OWN at the lesson's own value."""
    before = settings.numbers_of(ddpg), ddpg.SOFT
    found = {}
    for name, values, others in NUMBERS:
        varied = columns(['soft'], [], [f'{name}={values}'])
        same = [settings.changed(*before, column.words) == before for column in varied]
        varied = [OWN if own else column for own, column in zip(same, varied)]
        found[name] = list(zip(values.split(','), varied))
        found[name] += [(tick, *columns([v], [], words)) for tick, (v, words) in others.items()]
    return found


def plan():
    """Return {Column: its seeds}, in the order of the table."""
    changed = [column for shown in small_pictures().values() for _, column in shown]
    twenty = dict.fromkeys([OWN, *COMBINED], range(1, 21))
    return {c: twenty.get(c, SEEDS) for c in [OWN, *changed, *COMBINED]}


def missing(runs, episodes):
    """Return {arguments of job.train: (label, seed)} of what `runs` has not, long rows first."""
    return {
        (c.version, c.words, seed, ddpg.ENV_NAME, episodes, os.getpid()): (c.label, seed)
        for c, seeds in sorted(plan().items(), key=lambda row: -len(row[1]))
        for seed in seeds
        if (c.label, seed) not in runs
    }


def table(found):
    """Return a Markdown table of {label: {seed: Run}}, a row a label."""
    first = f'episodes until the mean of {WINDOW} passes {GOOD_ON_PENDULUM}'
    names = 'setting', 'seeds', 'last policy: median', 'worst', 'best kept: median', 'worst', first
    lines = [f'| {" | ".join(names)} | processor seconds |', '|---|' + '---:|' * len(names)]
    for label, runs in found.items():
        firsts = [first_good(run.rewards, WINDOW, GOOD_ON_PENDULUM) for run in runs.values()]
        last, best = [run.last for run in runs.values()], _best(runs)
        numbers = [np.median(last), min(last), np.median(best), min(best), np.median(firsts)]
        cells = [f'{x:.0f}'.replace('inf', 'never').replace('nan', '') for x in numbers]
        seconds = f'{np.median([run.seconds for run in runs.values()]):.1f}'
        lines.append(f'| {" | ".join([label, str(len(runs)), *cells, seconds])} |')
    return '\n'.join(lines)


def _best(runs):
    return [run.best for run in runs.values() if run.best is not None] or [np.nan]


def draw(found, path):
    """Draw {label: {seed: Run}} in small pictures: median, worst and best of SEEDS at each value.

    The scale is logarithmic in how far a return is below 0.
    """
    figure = new_figure(8, 11)
    every = list(figure.subplots(4, 2, sharey=True).flat)
    for axes, (name, shown) in zip(every, small_pictures().items()):
        shown = [each for each in shown if set(found.get(each[1].label, ())) & set(SEEDS)]
        for i, (_, column) in enumerate(shown):
            if column is OWN:
                axes.axvspan(i - 0.4, i + 0.4, color='#dddddd', linewidth=0)
            runs = {seed: run for seed, run in found[column.label].items() if seed in SEEDS}
            last = [run.last for run in runs.values()]
            for place, values, style in ((-0.13, last, LAST_ONE), (0.13, _best(runs), KEPT)):
                losses = -np.array(values)
                style = dict(style, linewidth=2.5, markersize=9)
                axes.plot([i + place] * 2, [losses.min(), losses.max()], **dict(style, marker=''))
                axes.plot([i + place], [np.median(losses)], **style)
        axes.set_yscale('log')
        axes.set_yticks(TICKS, minor=False)
        axes.set_yticks([], minor=True)
        axes.set_yticklabels([f'-{tick}' for tick in TICKS], fontsize=13)
        axes.set_xlim(-0.5, max(len(shown), 1) - 0.5)
        axes.set_xticks(range(len(shown)))
        axes.set_xticklabels([tick.lstrip('0') for tick, _ in shown], fontsize=12)
        axes.grid(axis='y', alpha=0.4)
        axes.set_title(name, fontsize=16)
    every[0].invert_yaxis()  # the axes share it
    for axes, style, name in ((every[0], LAST_ONE, 'last policy'), (every[1], KEPT, 'best kept')):
        lines = axes.plot([], [], markersize=9, **style)
        above = dict(loc='lower center', bbox_to_anchor=(0.5, 1.12), frameon=False, fontsize=15)
        axes.legend(lines, [name], **above)
    save_figure(figure, path)


TICKS = 150, 200, 300, 500, 1000
LAST_ONE = dict(color='#c4501b', marker='s', linestyle=':')
KEPT = dict(color='#1b3a6b', marker='o', linestyle='-')


def main(arguments=None):
    """Train what is missing, print, draw; `arguments` is a list of words, None the command line's.

    Raises:
        BadInput, RunFailed: what finished before is kept.
    """
    parser = Parser(prog='docs.numbers', description=__doc__)
    parser.add_argument('--run', type=text, default='runs/numbers', metavar='DIR', help='folder')
    many = dict(type=whole_number(1), default=ddpg.MAX_EPISODES, metavar='N')
    parser.add_argument('--episodes', help='of each run (default: %(default)s)', **many)
    options = parser.parse_args(arguments)
    config = dict(env=ddpg.ENV_NAME, episodes=options.episodes, numbers=settings.numbers_of(ddpg))
    path = results.open_folder(options.run, config)
    with folder.locked(path):
        done = results.Results(path)
        jobs = missing(done.runs, options.episodes)
        say(f'{len(jobs)} runs to train, {len(done.runs)} are there already; all are in {path}')
        failed = train(jobs, done, 'loky')
        found = {column.label: done.of(column.label) for column in plan()}
        found = {label: runs for label, runs in found.items() if runs}
        say(f'\n{table(found)}\n')
        pairs = [(OWN.label, label) for label in found if label != OWN.label]
        for labels in [*pairs, [column.label for column in COMBINED]]:
            pair = {label: found.get(label, {}) for label in labels}
            if common_seeds(pair):
                say(differences(pair, WINDOW, LAST, GOOD_ON_PENDULUM).splitlines()[0])
        for seeds in (SEEDS, range(1, 21)):
            last = [run.last for seed, run in done.of(OWN.label).items() if seed in seeds]
            if last:
                of = f'{OWN.label}, seeds {seeds[0]} to {seeds[-1]}'
                say(f'- {of}: last policy {min(last):.0f} to {max(last):.0f}')
        kept = [run for runs in found.values() for run in runs.values() if run.best is not None]
        behind = [run.last - run.best for run in kept if run.last > run.best]
        most = max([0, *behind])
        say(f'- best kept behind last: {len(behind)} of {len(kept)} runs, by at most {most:.0f}')
        draw(found, str(PICTURE))
        if failed:
            raise RunFailed(f'{len(failed)} missing: {"; ".join(failed)}; start it again')


PICTURE = Path(__file__).with_suffix('.png')

if __name__ == '__main__':
    with ends_in_one_line('docs.numbers'):
        main()
