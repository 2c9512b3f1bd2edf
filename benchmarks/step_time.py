"""How long a learning step takes, and where its time goes: `python -m benchmarks.step_time`.

All contenders run the lesson's own loop on Pendulum in one process, on one core, with the same
memory, and take turns, one episode each. Stable-Baselines3 is among them where it is installed.
"""

import importlib.util
import time
from functools import partial

import ddpg
import ddpg_update
import ddpg_update2
import numpy as np

from benchmarks import contenders
from benchmarks.contenders import loop, take_turns
from lab.messages import echo, exit_cleanly


def compare(rounds):
    """Print the contenders' table."""
    functions = {
        'textbook': loop(contenders.textbook),
        'ddpg.py': loop(contenders.original),
        'ddpg_update.py': loop(partial(contenders.simplified, lesson=ddpg_update)),
        'ddpg_update2.py': loop(partial(contenders.simplified, lesson=ddpg_update2)),
        'NumPy by hand': loop(contenders.in_numpy),
    }
    if importlib.util.find_spec('stable_baselines3'):
        functions['Stable-Baselines3'] = loop(contenders.stable_baselines3)
    times = take_turns(functions, rounds)
    echo('| | microseconds a learning step, median | interquartile range | to ddpg.py |')
    echo('|---|---:|---:|---:|')
    for name, values in times.items():
        low, median, high = np.percentile(values, [25, 50, 75])
        ratio = np.median(values / times['ddpg.py'])
        echo(f'| {name} | {median:.0f} | {low:.0f} to {high:.0f} | {ratio:.2f} |')


def parts(rounds):
    """Print the parts of a step of ddpg.py, timed where they stand in its loop."""
    seconds = {}

    def watch(owner, name, part):
        function = getattr(owner, name)

        def watched(*values):
            start = time.perf_counter()
            result = function(*values)
            seconds[part] += time.perf_counter() - start
            return result

        setattr(owner, name, watched)
        seconds[part] = 0.0

    def contender(env):
        sess, actor, critic, M = ddpg.build(env, seed=1)
        contenders.fill(M, env)
        watch(actor, 'choose_action', 'action')
        watch(env, 'step', 'environment')
        watch(M, 'store_transition', 'into memory')
        watch(M, 'sample', 'batch from memory')
        watch(critic, 'learn', 'critic')
        watch(actor, 'learn', 'actor')
        return ddpg.train(env, actor, critic, M, contenders.ENDLESS)

    whole = loop(contender, clock=time.perf_counter)  # the other clock takes longer to read

    def episode():
        seconds.update(dict.fromkeys(seconds, 0.0))
        microseconds = whole()
        spent = [value / ddpg.MAX_EP_STEPS * 1e6 for value in seconds.values()]
        return [*spent, microseconds - sum(spent)]

    table = np.median(take_turns({'ddpg.py': episode}, rounds)['ddpg.py'], axis=0)
    echo('\n| part of a step of ddpg.py | microseconds, median | share |\n|---|---:|---:|')
    for part, value in zip([*seconds, 'noise, and the loop itself'], table):
        echo(f'| {part} | {value:.1f} | {value / sum(table):.0%} |')


if __name__ == '__main__':
    with exit_cleanly('benchmarks.step_time'):
        rounds = contenders.begin('benchmarks.step_time', __doc__, 41)
        compare(rounds)
        parts(rounds)
