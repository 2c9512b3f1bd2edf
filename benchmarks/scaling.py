"""When more threads or a larger batch pay: `python -m benchmarks.step_time --scaling`."""

import multiprocessing
import os
import signal
from functools import partial

import ddpg
import numpy as np

from benchmarks.contenders import in_numpy, lesson, loop, take_turns
from pictures.figures import new_figure, save_figure
from support.messages import RunFailed, say

BATCHES = 32, 128, 512, 2048, 4096
UNITS = 30, 300
SIZES = [(units, batch) for units in UNITS for batch in BATCHES]
CORES = os.cpu_count()
EPISODES = []  # of a process, one for each size


def sized(size, contender):
    """Return the contender's `loop` at a size, (hidden units, batch size), in short episodes."""

    def change():  # the loop reads them at every step
        ddpg.HIDDEN_UNITS, ddpg.BATCH_SIZE = size
        ddpg.MAX_EP_STEPS = 40  # the largest take long

    change()
    episode = loop(contender)

    def changed():
        change()
        return episode()

    return changed


def start(threads):
    """Make ddpg.py ready at each size, in a process of its own; it ends when the other one does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    EPISODES.extend(sized(size, lesson(ddpg, threads)) for size in SIZES)


def there(index):
    return EPISODES[index]()


def measure(path):
    """Print the time of a step at each size, all taking turns, and draw it.

    Each number of threads has a process: TensorFlow makes a process's threads once.
    """
    contenders = {(size, 'NumPy'): sized(size, in_numpy) for size in SIZES}
    for threads in (1, CORES):
        pool = multiprocessing.get_context('spawn').Pool(1, start, (threads,))
        for index, size in enumerate(SIZES):
            contenders[size, threads] = partial(pool.apply, there, (index,))
    times = take_turns(contenders, rounds=21)

    say(f'| hidden units | batch size | 1 thread | {CORES} threads | NumPy by hand | ratio |')
    say('|---:|---:|---:|---:|---:|---:|')
    for size in SIZES:
        row = [np.median(times[size, who]) for who in (1, CORES, 'NumPy')]
        ratio = np.median(np.divide(times[size, CORES], times[size, 1]))
        say('| {} | {} | {:.0f} | {:.0f} | {:.0f} | {:.2f} |'.format(*size, *row, ratio))
    try:
        draw(times, path)
    except OSError as error:
        raise RunFailed(f'{path} could not be written ({error.strerror})')
    say(f'\nThe picture is {path}')


def draw(times, path):
    """Draw `times`, {(size, contender): microseconds in each round}: a panel for each width."""
    figure = new_figure(6, 8)
    styles = {1: ('o-', '#1b3a6b'), CORES: ('s--', '#c4501b'), 'NumPy': ('^:', '#2fa58a')}
    for panel, units in zip(figure.subplots(len(UNITS), sharex=True, sharey=True), UNITS):
        for who, (line, colour) in styles.items():
            values = [np.median(times[(units, batch), who]) / 1000 for batch in BATCHES]
            label = who if who == 'NumPy' else f'{who} thread' + 's' * (who > 1)
            panel.loglog(BATCHES, values, line, color=colour, linewidth=2.5, label=label)
        panel.set_title(f'{units} hidden units', fontsize=18)
        panel.set_ylabel('ms a step', fontsize=18)
        panel.tick_params(labelsize=16)
        panel.set_xticks(BATCHES)
        panel.set_xticklabels(BATCHES)
        panel.minorticks_off()
        panel.grid(alpha=0.3)
        panel.legend(fontsize=16)
    panel.set_xlabel('batch size', fontsize=18)
    save_figure(figure, path)
