"""The robot arm, measured: `python -m docs.robot_arm`.

Each of ROWS is trained with the seeds 1 to 5, in parallel on all cores. Printed is a Markdown
table: from how many of 100 held-out starts the arm is at the goal in all of the last 20 steps, and
the processor time of a run.
"""

import os
import subprocess
import sys
import tempfile

import ddpg
import ddpg_update
import numpy as np
import robot_arm

from lab import load_policy
from lab.environments import make_env
from lab.evaluation import HELD_OUT_ELSEWHERE
from lab.hyperparameters import capitals
from lab.messages import TrainingError, echo, exit_cleanly
from lab.sweep import run

ENV, SEEDS, STAYED = robot_arm.ENV_NAME, range(1, 6), 20  # steps
NUMBERS = [f'{name}={value}' for name, value in capitals(robot_arm).items() if name != 'ENV_NAME']
ROWS = {  # the lesson, and the options that its program is run with
    "`ddpg.py`, the arm's hyperparameters": (robot_arm, []),
    "`ddpg.py`, the lesson's": (ddpg, ['--env', ENV, '--episodes', robot_arm.MAX_EPISODES]),
    "`ddpg_update.py`, the arm's": (ddpg_update, ['--env', ENV, '--set', *NUMBERS]),
}


def reached(choose_action):
    """Return from how many starts the arm reaches the goal and stays."""
    env, count = make_env(ENV), 0
    for start in HELD_OUT_ELSEWHERE:
        env.seed(start)
        s, there = env.reset(), 0  # for how many steps without a break
        for _ in range(ddpg.MAX_EP_STEPS):
            s = env.step(choose_action(s))[0]
            there = there + 1 if s[-1] else 0  # its last number is 1 at the goal
        count += there >= STAYED
    return count


def measure(row, seed):
    """Train a run; return (reached by its kept policy, by its last, seconds)."""
    lesson, words = ROWS[row]
    with tempfile.TemporaryDirectory() as folder:
        words = [lesson.__file__, *words, '--seed', seed, '--run', folder]
        start = sum(os.times()[2:4])  # of the processes that this one has started
        subprocess.check_output([sys.executable, *map(str, words)])
        seconds = sum(os.times()[2:4]) - start
        kept, last = (reached(load_policy(lesson, folder, last, ENV)) for last in (False, True))
    return kept, last, seconds


def main():
    """Train, and print the table."""
    found = {row: [] for row in ROWS}
    for (row, seed), result, reason in run(
        measure, [(row, seed) for row in ROWS for seed in SEEDS]
    ):
        if reason:
            raise TrainingError(f'{row}, seed {seed}: {reason}')
        found[row].append(result)
    echo('| of 100 starts, median (worst) of the seeds | kept policy | last policy | seconds |')
    echo('|---|---:|---:|---:|')
    for row, results in found.items():
        kept, last, seconds = np.transpose(results)
        cells = [f'{np.median(n):.0f} ({n.min():.0f})' for n in (kept, last)]
        echo(f'| {row} | {" | ".join(cells)} | {np.median(seconds):.0f} |')


if __name__ == '__main__':
    with exit_cleanly('docs.robot_arm'):
        main()
