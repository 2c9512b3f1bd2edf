"""A reader may copy a lesson's file with three others, and have all that trains."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.helpers.program import PROJECT

TRAIN = """
import gym, numpy as np, LESSON as lesson
lesson.MEMORY_CAPACITY = 200
env = gym.make('Pendulum-v0')
built = lesson.build(env, seed=1)
args = (*built[1:], lesson.Memory(200, 8)) if isinstance(built, tuple) else (built,)
act = args[0].choose_action
before = act(np.ones(3))
rewards = [episode.reward for episode in lesson.train(env, *args, episodes=3)]
print(len(rewards), np.isfinite(rewards).all(), (act(np.ones(3)) != before).all())
"""


@pytest.mark.parametrize('lesson', ['ddpg', 'ddpg_update'])
def test_copied_into_an_empty_folder_it_trains(tmp_path, lesson):
    (tmp_path / 'support').mkdir()
    for name in (f'{lesson}.py', 'memory.py', 'support/quiet.py', 'support/session.py'):
        shutil.copy(str(PROJECT / name), str(tmp_path / name))
    done = subprocess.run(
        [sys.executable, '-c', TRAIN.replace('LESSON', lesson)],
        cwd=str(tmp_path),
        env={key: value for key, value in os.environ.items() if key != 'PYTHONPATH'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    assert done.stdout == '3 True True\n'
