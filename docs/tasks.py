"""Where the lesson's code learns, and where not: `python -m docs.tasks`, for some of the tasks
`python -m docs.tasks Reacher`.

Each of TASKS is trained with three seeds, in parallel on all cores, with the hyperparameters named
there; what is not named is as at the top of the file. Printed is a Markdown table: the mean return
of the first ten episodes, which only explore; that of the kept policy over 100 held-out starts; and
the processor time of a run. Where all runs fail, the reason stands there.
"""

import re
import sys
import tempfile
from pathlib import Path

import numpy as np

from compare import VERSIONS
from docs import patch
from lab.job import Version, make_columns, train
from lab.messages import echo, exit_cleanly
from lab.options import Parser
from lab.sweep import run

SEEDS = range(1, 4)
POLE = 'HIDDEN_UNITS=100 BATCH_SIZE=64 GAMMA=0.98 VAR=1 REWARD_SCALE=1 MAX_EP_STEPS=1000'
TASKS = {  # a change of docs/change.md or none, the environment, the hyperparameters
    'Pendulum': (None, 'gymnasium:Pendulum-v1', ''),
}
