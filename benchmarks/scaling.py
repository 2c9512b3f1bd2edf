"""When more threads or a larger batch pay: `python -m benchmarks.step_time --scaling`."""

import multiprocessing
import os
import signal
import time
from functools import partial

import ddpg

from benchmarks.contenders import lesson, loop, take_turns
from pictures.figures import new_figure, save_figure
from support.messages import RunFailed, say

BATCHES = 32, 128, 512, 2048, 8192
UNITS = 30, 300
SIZES = [(units, batch) for units in UNITS for batch in BATCHES]
CORES = os.cpu_count()
EPISODES = []  # of a process, one for each size


def sized(size, threads):
    """Return the `loop` of ddpg.py at a size, (hidden units, batch size), in short episodes."""

    def change():  # the loop reads them at every step
        ddpg.HIDDEN_UNITS, ddpg.BATCH_SIZE = size
        ddpg.MAX_EP_STEPS = 20  # the largest take long

    change()
    episode = loop(lesson(ddpg, threads), time.perf_counter)  # threads share the work

    def changed():
        change()
        return episode()

    return changed


def start():
    """Make all sizes ready in another process: TensorFlow makes a process's threads once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the first one does
    EPISODES.extend(sized(size, CORES) for size in SIZES)


def episode_of(index):
    """Run an episode of a size there, by its place in SIZES; return microseconds a step."""
    return EPISODES[index]()


def measure(path, rounds):
    """Print the time of a step at each size, and draw it.

    It is that of the fastest round: another program on one of the cores would slow many threads
    more than one.
    """
    contenders = {(size, 1): sized(size, 1) for size in SIZES}
    with multiprocessing.get_context('spawn').Pool(1, start) as pool:
        for index, size in enumerate(SIZES):
            contenders[size, CORES] = partial(pool.apply, episode_of, (index,))
        times = {who: min(values) for who, values in take_turns(contenders, rounds).items()}

    say(f'| hidden units | batch size | 1 thread | {CORES} threads | ratio |')
    say('|---:|---:|---:|---:|---:|')
    for size in SIZES:
        one, many = times[size, 1], times[size, CORES]
        say('| {} | {} | {:.0f} | {:.0f} | {:.2f} |'.format(*size, one, many, many / one))
    try:
        draw(times, path)
    except OSError as error:
        raise RunFailed(f'{path} could not be written ({error.strerror})')
    say(f'\nThe picture is {path}')


def draw(times, path):
    """Draw `times`, {(size, threads): microseconds}: a panel for each width."""
    figure = new_figure(6, 8)
    styles = {1: ('o-', '#1b3a6b'), CORES: ('s--', '#c4501b')}
    panels = figure.subplots(len(UNITS), sharex=True, sharey=True)
    for panel, units in zip(panels, UNITS):
        for threads, (line, colour) in styles.items():
            values = [times[(units, batch), threads] / 1000 for batch in BATCHES]
            label = f'{threads} thread' + 's' * (threads > 1)
            panel.loglog(BATCHES, values, line, color=colour, linewidth=2.5, label=label)
        panel.set_title(f'{units} hidden units', fontsize=20)
        panel.set_ylabel('ms a step', fontsize=20)
        panel.tick_params(labelsize=18)
        panel.set_yticks([0.2, 1, 5, 25])
        panel.set_yticklabels(['0.2', '1', '5', '25'])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panel.set_xticks(BATCHES)
    panel.set_xticklabels(BATCHES)
    panels[0].legend(fontsize=18, loc='upper left')
    panel.set_xlabel('batch size', fontsize=20)
    save_figure(figure, path)
