"""When more threads or a larger batch pay: `python -m benchmarks.scaling`."""

import multiprocessing
import os
import signal
import time
from functools import partial

import ddpg
import fast_tf

from benchmarks import contenders
from benchmarks.contenders import loop, take_turns
from lab.hyperparameters import variant
from lab.messages import echo, exit_cleanly

SIZES = [(units, batch) for units in (30, 300) for batch in (32, 128, 512, 2048, 8192)]
STEPS, CORES = 20, os.cpu_count()  # the largest take long
EPISODES = {}  # of a process: {size: function}


def prepare(threads):
    """Make all sizes ready in a process of its own: TensorFlow makes a process's threads once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the first one does
    fast_tf.THREADS = threads
    for units, batch in SIZES:
        sizes = dict(HIDDEN_UNITS=units, BATCH_SIZE=batch, MAX_EP_STEPS=STEPS)
        contender = partial(contenders.original, lesson=variant(ddpg, sizes))
        EPISODES[units, batch] = loop(contender, STEPS, time.perf_counter)  # threads share the work


def run_episode(size):
    """Run an episode of a size there; return microseconds a step."""
    return EPISODES[size]()


def measure(rounds):
    """Return {(size, threads): microseconds a step}, those of the fastest round.

    Another program on one of the cores would slow many threads more than one.
    """
    spawn, functions = multiprocessing.get_context('spawn'), {}
    for threads in (1, CORES):
        pool = spawn.Pool(1, prepare, [threads])
        for size in SIZES:
            functions[size, threads] = partial(pool.apply, run_episode, [size])
    return {name: values.min() for name, values in take_turns(functions, rounds).items()}


if __name__ == '__main__':
    with exit_cleanly('benchmarks.scaling'):
        times = measure(contenders.begin('benchmarks.scaling', __doc__, 41, CORES))
        echo(f'| units | batch | 1 thread | {CORES} threads | ratio |\n|---:|---:|---:|---:|---:|')
        for size in SIZES:
            one, many = times[size, 1], times[size, CORES]
            echo('| {} | {} | {:.0f} | {:.0f} | {:.2f} |'.format(*size, one, many, many / one))
