"""What keeping costs a run: its checkpoints, its tries of the policy, and its curve.

`python -m benchmarks.keeping` trains `ddpg.py` for its 200 episodes and prints the share of each.
"""

import sys
import tempfile
import time

import ddpg
from experiment import program
from experiment.best import Best
from experiment.checkpoints import Checkpoints
from experiment.errors import told_in_a_line
from experiment.output import say
from experiment.training import Training

spent = {'checkpoints': 0.0, 'tries of the policy': 0.0, 'curve': 0.0, 'whole run': 0.0}


def timed(function, name):
    """Return `function`, its time added to spent[name]."""

    def call(*args):
        start = time.perf_counter()
        try:
            return function(*args)
        finally:
            spent[name] += time.perf_counter() - start

    return call


def main():
    # a try that finds a better policy has it saved, which counts as a checkpoint
    parts = (
        (Training, 'run', 'whole run'),
        (Training, '_draw', 'curve'),
        (Checkpoints, 'save', 'checkpoints'),
        (Best, '_try', 'tries of the policy'),
    )
    for owner, method, name in parts:
        setattr(owner, method, timed(getattr(owner, method), name))
    with tempfile.TemporaryDirectory() as folder:
        sys.argv = ['ddpg.py', '--quiet', '--run', folder]
        replacements = dict(soft=ddpg.SOFT, hard=ddpg.HARD)
        program.main('ddpg', ddpg.agent, ddpg.train, replacements, vars(ddpg))
    whole = spent['whole run']
    say('| part of a run | seconds | share |\n|---|---:|---:|')
    for name, seconds in spent.items():
        say(f'| {name} | {seconds:.2f} | {seconds / whole:.1%} |')


if __name__ == '__main__':
    with told_in_a_line('benchmarks.keeping'):
        main()
