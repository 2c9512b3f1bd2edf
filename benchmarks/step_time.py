"""How long a learning step takes, and where its time goes: `python -m benchmarks.step_time`.

All contenders run the lesson's own loop on Pendulum in one process, on one core, with the same
memory, and take turns, one episode each.
"""

import time

import ddpg
import ddpg_update
import ddpg_update2
import numpy as np

from benchmarks import contenders, scaling
from benchmarks.contenders import lesson, loop, take_turns
from experiment.options import Parser, whole_number
from support.messages import ends_in_one_line, say


def compare(rounds):
    """Print the contenders' table."""
    runners = {
        'textbook': loop(contenders.textbook),
        'ddpg.py': loop(lesson(ddpg)),
        'ddpg_update.py': loop(lesson(ddpg_update)),
        'ddpg_update2.py': loop(lesson(ddpg_update2)),
        'NumPy by hand': loop(contenders.in_numpy),
    }
    theirs = contenders.stable_baselines3()
    if theirs is not None:
        runners['Stable-Baselines3'] = theirs
    times = take_turns(runners, rounds)

    ours = np.array(times['ddpg.py'])
    say('| | microseconds a learning step, median | quarter to three quarters | to ddpg.py |')
    say('|---|---:|---:|---:|')
    for name, values in times.items():
        quarter, median, three = np.percentile(values, [25, 50, 75])
        ratio = np.median(np.array(values) / ours)
        say(f'| {name} | {median:.0f} | {quarter:.0f} to {three:.0f} | {ratio:.2f} |')
    if theirs is None:
        say('(Stable-Baselines3 is not installed here: pip install stable-baselines3)')


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

        seconds[part] = 0.0
        setattr(owner, name, watched)

    def contender(env):
        _, actor, critic = ddpg.build(env, seed=1)
        M = contenders.full_memory(env)
        watch(actor, 'choose_action', 'act')
        watch(env, 'step', 'environment')
        watch(M, 'store_transition', 'store')
        watch(M, 'sample', 'sample')
        watch(critic, 'learn', 'critic')
        watch(actor, 'learn', 'actor')
        return ddpg.train(env, actor, critic, M, episodes=10**9)

    timed_loop = loop(contender, time.perf_counter)  # the other clock takes longer to read

    def episode():
        seconds.update(dict.fromkeys(seconds, 0.0))
        microseconds = timed_loop()
        spent = [value / ddpg.MAX_EP_STEPS * 1e6 for value in seconds.values()]
        return [*spent, microseconds - sum(spent)]

    table = np.median(take_turns({'ddpg.py': episode}, rounds)['ddpg.py'], axis=0)
    say('\n| part of a step of ddpg.py | microseconds, median | share |')
    say('|---|---:|---:|')
    for part, value in zip([*seconds, 'noise, and the loop itself'], table):
        say(f'| {part} | {value:.1f} | {value / sum(table):.0%} |')


def main():
    """Measure; the contenders on one core."""
    parser = Parser(prog='benchmarks.step_time', description=__doc__)
    parser.add_argument(
        '--rounds', type=whole_number(1), default=41, help='episodes a contender (default: 41)'
    )
    parser.add_argument(
        '--scaling',
        metavar='PNG',
        nargs='?',
        const='step_time_scaling.png',
        help='the time against the batch size instead (default: %(const)s)',
    )
    options = parser.parse_args()
    if options.scaling:
        say(f'{contenders.versions()}\n')
        scaling.measure(options.scaling, options.rounds)
    else:
        say(f'{contenders.on_one_core()}\n')
        compare(options.rounds)
        parts(options.rounds)


if __name__ == '__main__':
    with ends_in_one_line('benchmarks.step_time'):
        main()
