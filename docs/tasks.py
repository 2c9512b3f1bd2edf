"""Where this code learns, and where not: `python -m docs.tasks`, `... reacher` for some tasks only.

Each of TASKS is trained with the seeds 1 to 3, in parallel on all cores, as its file stands but for
the hyperparameters and the changes of docs/change.md that are named. Printed is a Markdown table:
the mean return of the first ten episodes, that of the kept policy over the held-out starts, and the
processor time of a run; or why it failed.
"""

import re
import sys
import tempfile
from pathlib import Path

import gym
import numpy as np

from docs import patch
from lab.job import Version, make_columns, train
from lab.messages import echo, exit_cleanly
from lab.sweep import run

SEEDS, LARGE = range(1, 4), 1000
POLE_ENV, CAR_ENV = 'gymnasium:InvertedPendulum-v5', 'gymnasium:MountainCarContinuous-v0'
NET = 'HIDDEN_UNITS=100 BATCH_SIZE=64 '
REACHER = NET + 'MAX_EP_STEPS=50 MAX_EPISODES=800 MEMORY_CAPACITY=5000 GAMMA=0.95 VAR=0.5'
POLE = NET + 'MAX_EPISODES=1000 MEMORY_CAPACITY=2000 GAMMA=0.98 VAR=1 VAR_DECAY=0.9999'
CAR = NET + 'MAX_EP_STEPS=999 MAX_EPISODES=100 GAMMA=0.99 VAR=1 VAR_DECAY=0.99997 LR_A=0.0003'
TASKS = {  # the environment, the hyperparameters, the changes
    '`Pendulum-v1`': ('gymnasium:Pendulum-v1', '', ''),
    'the boat': ('docs.tasks:Boat-v0', '', ''),
    'the boat, scaled up': ('docs.tasks:LargeBoat-v0', '', ''),
    'the same, scaled down again': ('docs.tasks:ScaledBoat-v0', '', ''),
    'the arm': ('robot_arm:Arm-v0', '', ''),
    '`Reacher-v5`': ('gymnasium:Reacher-v5', REACHER + ' REWARD_SCALE=1', ''),
    '`InvertedPendulum-v5`': (POLE_ENV, POLE + ' REWARD_SCALE=1', ''),
    '`InvertedPendulum-v5` with `done`': (POLE_ENV, POLE + ' REWARD_SCALE=1', 'done'),
    '`MountainCarContinuous-v0`': (CAR_ENV, CAR, ''),
    '`MountainCarContinuous-v0` with `done` and `ou-noise`': (CAR_ENV, CAR, 'done,ou-noise'),
}

PAGE, ENVS = Path(__file__).with_name('running.md').read_text('utf-8'), {}
for code in re.findall(r'(?ms)^```python\n([^`]*?^class (?:Boat|Scaled)\(.*?)^```', PAGE):
    exec(code, ENVS)  # it registers Boat-v0


class LargeBoat(ENVS['Boat']):
    """The boat with observations and actions that are LARGE times as large."""

    def __init__(self):
        super().__init__()
        low, high = self.action_space.low * LARGE, self.action_space.high * LARGE
        self.action_space = gym.spaces.Box(low, high, dtype=np.float32)

    def step(self, action):
        return super().step(action / LARGE)

    def _observation(self):
        return super()._observation() * LARGE


gym.register('LargeBoat-v0', entry_point=LargeBoat)
gym.register('ScaledBoat-v0', entry_point=lambda: ENVS['Scaled'](LargeBoat(), LARGE))


def changed(program, changes, place):
    """Return the path of `program` with these changes made."""
    target = patch.PROJECT
    if changes:
        target = Path(tempfile.mkdtemp(dir=place)) / 'project'
        patch.main('change', changes, target)
    return str(target / program)


def main(chosen):
    """Train, and print a row for each task whose name has one of these words in it."""
    jobs, ends = [], {name: [] for name in TASKS}
    with tempfile.TemporaryDirectory() as place:
        for name, (env, numbers, changes) in TASKS.items():
            if not chosen or any(word.lower() in name.lower() for word in chosen):
                program = 'robot_arm.py' if env.startswith('robot_arm') else 'ddpg.py'
                version = Version(name, changed(program, changes, place), None)
                (column,) = make_columns([version], numbers.split(), [], env)
                jobs += [(column, seed) for seed in SEEDS]
        for (column, _), result, reason in run(train, jobs):
            ends[column.label].append((result, reason))
    echo('| task | hyperparameters | first ten | kept policy, median (worst) | seconds |')
    echo('|---|---|---:|---:|---:|')
    for name, found in ends.items():
        results = [result for result, _ in found if result]
        cells = [reason for _, reason in found if reason][:1]
        if results:
            rewards, _, _, kept, seconds = zip(*results)
            first = np.mean([each[:10] for each in rewards])
            cells = [f'{first:.1f}', ' '.join([f'{np.median(kept):.1f} ({min(kept):.1f})', *cells])]
            cells.append(f'{np.median(seconds):.0f}')
        if found:
            echo(f'| {" | ".join([name, TASKS[name][1], *cells])} |')


if __name__ == '__main__':
    with exit_cleanly('docs.tasks'):
        main(sys.argv[1:])
