"""The robot arm, measured and filmed.

`python -m docs.robot_arm` trains ROWS with the seeds 1 to 5 in parallel on all cores, and prints a
Markdown table: in how many of 100 fresh starts the arm reaches the goal and is there in at least
the last 20 steps, and the processor time of a run in seconds. Each run that has finished is kept in
a folder; started again, the command trains only what is missing there.

`python -m docs.robot_arm film` makes robot_arm.gif beside this file: the best policy of that
folder's run with the arm's own numbers and seed 1, which is trained if it is not there.
"""

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
import json
import os
import shutil
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import numpy as np
from PIL import Image, ImageSequence

import ddpg
import ddpg_update
import robot_arm
from comparison import sweep
from comparison.job import STARTS
from experiment.options import Parser, text
from experiment.play import load_policy
from pictures.film import save
from support import environment, files, settings
from support.messages import RunFailed, ends_in_one_line, say

FILM = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'robot_arm.gif')
ENV = robot_arm.ENV_NAME
SEEDS = range(1, 6)
FRESH = STARTS[:100]  # starts
NUMBERS = settings.numbers_of(robot_arm)
STEPS, STAYED = NUMBERS['MAX_EP_STEPS'], 20  # of an episode; of these the last
GOALS, SEEN = 4, 60  # episodes in the film; steps of each that it shows

OWN = [f'{name}={value}' for name, value in NUMBERS.items() if name in vars(robot_arm)]
AS_LONG, SOONER = f'MAX_EPISODES={robot_arm.MAX_EPISODES}', 'VAR_DECAY=0.99995'
# name of the row's runs: (what it is, the lesson, the words that its file is run with)
ROWS = dict(
    arm=("`ddpg.py`, the arm's numbers", robot_arm, []),
    lesson=("`ddpg.py`, the lesson's numbers", ddpg, ['--env', ENV, '--set', AS_LONG]),
    update=("`ddpg_update.py`, the arm's numbers", ddpg_update, ['--env', ENV, '--set', *OWN]),
    sooner=(f"`ddpg.py`, the arm's numbers, but `{SOONER}`", robot_arm, ['--set', SOONER]),
)


def command(lesson, *words):
    """Run the lesson's file; RunFailed with its last line if that fails."""
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    done = subprocess.run([sys.executable, lesson.__file__, *words], **quiet)
    if done.returncode:
        raise RunFailed(done.stderr.decode().strip().rpartition('\n')[2])


def reached(choose_action):
    """Return in how many of the FRESH starts the finger is at the goal in the last steps."""
    env, count = environment.make(ENV), 0
    for start in FRESH:
        env.seed(start)
        s, there = env.reset(), 0  # for how many steps without a break
        for _ in range(STEPS):
            s, _, _, _ = env.step(choose_action(s))
            there = there + 1 if s[6] else 0
        count += there >= STAYED
    return count


def measure(row, seed, folder):
    """Train a run in `folder` anew; return (reached by its kept policy, by its last, seconds)."""
    _, lesson, words = ROWS[row]
    run = os.path.join(folder, f'{row}-{seed}')
    shutil.rmtree(run, ignore_errors=True)  # what was stopped before its end
    start = sum(os.times()[2:4])  # of the processes that this one has started
    command(lesson, *words, '--seed', str(seed), '--run', run)
    seconds = sum(os.times()[2:4]) - start
    policies = (load_policy(lesson, run, last, ENV) for last in (False, True))
    return (*map(reached, policies), seconds)


def table(results):
    """Return the table of `results`, {'row-seed': (kept, last, seconds)}."""
    lines = [
        f'| of {len(FRESH)} starts, median (worst) of the seeds | best kept | last | seconds |'
    ]
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
    place = os.path.join(folder, 'results.json')
    results = json.loads(files.read(place)) if os.path.exists(place) else {}
    jobs = [(r, seed, folder) for r in ROWS for seed in SEEDS if f'{r}-{seed}' not in results]
    missing = len(jobs)
    for (row, seed, _), result, reason in sweep.run(measure, jobs):
        if not reason:
            missing -= 1
            results[f'{row}-{seed}'] = result
            files.write_atomically(place, json.dumps(results, indent=2, sort_keys=True))
            reason = 'kept {}, last {}, {:.0f} seconds'.format(*result)
        say(f'{row}-{seed}: {reason}')
    say('\n' + table(results))
    if missing:
        raise RunFailed(f'{missing} runs are missing: run the same command again')


def film(folder):
    """Write robot_arm.gif: the first SEEN steps of some episodes, every second one."""
    run = os.path.join(folder, 'arm-1')
    if not os.path.exists(os.path.join(run, 'curve.png')):  # what a run writes last
        measure('arm', 1, folder)
    with tempfile.TemporaryDirectory() as place:
        full = os.path.join(place, 'full.gif')
        words = ['--seed', '1', '--episodes', str(GOALS), '--gif', full]
        command(robot_arm, '--play', run, *words)
        shown = Image.open(full)
        pause, frames = shown.info['duration'], []
        for frame in ImageSequence.Iterator(shown):  # one that shows several steps lasts as long
            frames.extend([frame.convert('RGB')] * (frame.info['duration'] // pause))
    seen = [frames[STEPS * i + j] for i in range(GOALS) for j in range(0, SEEN, 2)]
    save(seen, SimpleNamespace(metadata={'video.frames_per_second': 500 / pause}), FILM)


def main(arguments=None):
    """Print the table or make the film; `arguments` is a list of words."""
    parser = Parser(prog='docs.robot_arm', description=__doc__)
    parser.add_argument('what', nargs='?', choices=['table', 'film'], default='table')
    where = dict(default='runs/robot_arm-table', metavar='DIR', help='default: %(default)s')
    parser.add_argument('--run', type=text, **where)
    options = parser.parse_args(arguments)
    folder = os.path.abspath(options.run)  # workers stand elsewhere
    (film if options.what == 'film' else print_table)(folder)


if __name__ == '__main__':
    with ends_in_one_line('docs.robot_arm'):
        main()
