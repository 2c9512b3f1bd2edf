"""A reader may copy a lesson's file with memory.py and fast_tf.py, and has all that learns."""

import os
import shutil
import subprocess
import sys

from tests.helpers.lessons import three_lessons
from tests.helpers.program import PROJECT

TRAIN = """
import gym, LESSON as lesson, numpy as np
lesson.MEMORY_CAPACITY = 200
env = gym.make('Pendulum-v0')
built = lesson.build(env, seed=1)
args = built[1:] if isinstance(built, tuple) else (built,)
before = args[0].choose_action(np.ones(3))
rewards = [episode.reward for episode in lesson.train(env, *args, episodes=2)]
after = args[0].choose_action(np.ones(3))
print(len(rewards), np.isfinite(rewards).all(), (after != before).all())
"""
SAYS = b"No module named 'lab': the command line needs the folder lab of the project beside this"


@three_lessons
def test_copied_with_two_files_into_an_empty_folder_it_is_imported_and_trains(tmp_path, lesson):
    """And as a program it says what is missing, and writes nothing."""
    name = lesson.__name__
    for file in (f'{name}.py', 'memory.py', 'fast_tf.py'):
        shutil.copy(str(PROJECT / file), str(tmp_path))
    env = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
    how = dict(cwd=str(tmp_path), env=dict(env, PYTHONDONTWRITEBYTECODE='1'))
    how.update(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    words = ['-c', TRAIN.replace('LESSON', name)], [f'{name}.py', '--episodes', '2']
    trained, program = (subprocess.run([sys.executable, *each], **how) for each in words)
    assert trained.stdout == b'2 True True\n'
    assert (program.returncode, program.stdout, program.stderr.count(b'\n')) == (2, b'', 1)
    assert program.stderr.startswith(SAYS)
    assert len(list(tmp_path.iterdir())) == 3
