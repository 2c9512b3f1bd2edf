"""The robot arm, measured and filmed.

`python -m docs.robot_arm` trains ROWS with the seeds 1 to 5 in parallel on all cores, and prints a
Markdown table: in how many of 100 fresh starts the arm reaches the goal and is there in at least
the last 20 steps. Each run that has finished is kept in a folder; started again, the command trains
only what is missing there.

`python -m docs.robot_arm film` makes robot_arm.gif beside this file, from the run of that folder
with the arm's own numbers and seed 1, which it trains if it is not there.
"""

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np

import ddpg
import ddpg_update
import robot_arm
from comparison import sweep
from comparison.job import STARTS
from experiment.options import Parser, text
from experiment.play import load_policy
from support import environment, files, settings
from support.messages import RunFailed, ends_in_one_line, say

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join('runs', 'robot_arm-table')
RESULTS = 'results.json'
ENV = robot_arm.ENV_NAME
SEEDS = range(1, 6)
NUMBERS = settings.numbers_of(robot_arm)
STEPS, STAYED = NUMBERS['MAX_EP_STEPS'], 20  # of an episode; of these the last

OWN = [f'{name}={value}' for name, value in NUMBERS.items() if name in vars(robot_arm)]
AS_LONG = [word for word in OWN if word.startswith('MAX_EPISODES=')]

# name of the row's runs: (what it is, the lesson, the words that its file is run with)
ROWS = dict(
    arm=("`ddpg.py`, the arm's numbers", robot_arm, []),
    lesson=("`ddpg.py`, the lesson's numbers", ddpg, ['--env', ENV, '--set', *AS_LONG]),
    update=("`ddpg_update.py`, the arm's numbers", ddpg_update, ['--env', ENV, '--set', *OWN]),
)


def train(row, seed, folder):
    """Train a run in `folder` anew; return its own folder and the seconds that it took."""
    _, lesson, words = ROWS[row]
    run = os.path.join(folder, f'{row}-{seed}')
    shutil.rmtree(run, ignore_errors=True)  # what was stopped before its end
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, lesson.__file__, *words, '--seed', str(seed), '--run', run, '--quiet'],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    if done.returncode:
        raise RunFailed(done.stderr.strip())
    return run, time.perf_counter() - start


def reached(choose_action):
    """Return in how many of 100 fresh starts the finger is at the goal in the last steps."""
    env, count = environment.make(ENV), 0
    for start in STARTS[:100]:
        env.seed(start)
        s, there = env.reset(), []
        for _ in range(STEPS):
            s, _, _, _ = env.step(choose_action(s))
            there.append(s[6])
        count += all(there[-STAYED:])
    return count


def measure(row, seed, folder):
    """Train a run; return (of the kept policy, of the last, seconds)."""
    run, seconds = train(row, seed, folder)
    lesson = ROWS[row][1]
    kept, last = (reached(load_policy(lesson, run, which, ENV)) for which in (False, True))
    return kept, last, seconds


def table(results):
    """Return the table of `results`, {'row-seed': (kept, last, seconds)}."""
    lines = ['| of 100 starts, median (worst) of the seeds | best kept | last | seconds a run |']
    lines.append('|---|---:|---:|---:|')
    for row, (what, _, _) in ROWS.items():
        found = [results[f'{row}-{seed}'] for seed in SEEDS if f'{row}-{seed}' in results]
        if found:
            kept, last, seconds = np.transpose(found)
            cells = [f'{np.median(n):.0f} ({n.min():.0f})' for n in (kept, last)]
            lines.append(f'| {what} | {" | ".join(cells)} | {np.median(seconds):.0f} |')
    return '\n'.join(lines)


def print_table(folder):
    """Train what is missing in `folder`, and print the table."""
    os.makedirs(folder, exist_ok=True)
    place, results = os.path.join(folder, RESULTS), {}
    if os.path.exists(place):
        results = json.loads(files.read(place))
    jobs = [(row, seed, folder) for row in ROWS for seed in SEEDS]
    jobs = [job for job in jobs if f'{job[0]}-{job[1]}' not in results]
    failed = len(jobs)
    for (row, seed, _), result, reason in sweep.run(measure, jobs):
        if reason:
            say(f'{row} with seed {seed}: {reason}')
            continue
        failed -= 1
        results[f'{row}-{seed}'] = result
        files.write_whole(place, json.dumps(results, indent=2, sort_keys=True))
        say('{}-{}: kept {}, last {}, {:.0f} seconds'.format(row, seed, *result))
    say('\n' + table(results))
    if failed:
        raise RunFailed(f'{failed} runs are missing: run the same command again')


def main(arguments=None):
    """Print the table or make the film; `arguments` is a list of words."""
    parser = Parser(prog='docs.robot_arm', description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument('what', nargs='?', choices=['table', 'film'], default='table')
    parser.add_argument(
        '--run', type=text, default=FOLDER, metavar='DIR', help='folder (%(default)s)'
    )
    options = parser.parse_args(arguments)
    print_table(options.run)


if __name__ == '__main__':
    with ends_in_one_line('docs.robot_arm'):
        main()
