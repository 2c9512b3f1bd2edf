"""Where this code learns, and where not: `python -m docs.tasks`, or `... Reacher` for some tasks.

Each of TASKS is trained with the seeds 1 to 3, in parallel on all cores, as the file stands but for
the hyperparameters and the changes of docs/change.md that are named. Printed is a Markdown table:
the mean return of the first ten episodes, that of the kept policy over the held-out starts, and the
processor time of a run; or why it failed.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path
from unittest import mock

import gym
import numpy as np

from docs import patch
from lab.job import Version, make_columns, train
from lab.messages import echo, exit_cleanly
from lab.sweep import run

SEEDS, DOCS = range(1, 4), Path(__file__).parent
CAR = 'MAX_EPISODES=100 MAX_EP_STEPS=999 HIDDEN_UNITS=100 BATCH_SIZE=64 GAMMA=0.99 VAR=1 VAR_DECAY=0.99997 LR_A=0.0003 tau=0.005'
POLE = 'MAX_EPISODES=1000 HIDDEN_UNITS=100 BATCH_SIZE=64 GAMMA=0.98 MEMORY_CAPACITY=2000 VAR=1 VAR_DECAY=0.9999 REWARD_SCALE=1'
REACHER = 'MAX_EPISODES=800 MAX_EP_STEPS=50 HIDDEN_UNITS=100 BATCH_SIZE=64 GAMMA=0.95 MEMORY_CAPACITY=5000 VAR=0.5 VAR_DECAY=0.9999 REWARD_SCALE=1 tau=0.005'
TASKS = {  # the environment, the hyperparameters, the changes
    'Pendulum-v1': ('gymnasium:Pendulum-v1', '', ''),
    'the boat': ('docs.tasks:Boat-v0', '', ''),
    'the boat in other units': ('docs.tasks:LargeBoat-v0', '', ''),
    'the same, scaled': ('docs.tasks:ScaledBoat-v0', '', ''),
    'the arm': ('robot_arm:Arm-v0', '', ''),
    'Reacher-v5': ('gymnasium:Reacher-v5', REACHER, ''),
    'InvertedPendulum-v5': ('gymnasium:InvertedPendulum-v5', POLE, ''),
    'InvertedPendulum-v5, `done`': ('gymnasium:InvertedPendulum-v5', POLE, 'done'),
    'MountainCarContinuous-v0': ('gymnasium:MountainCarContinuous-v0', CAR, ''),
}
