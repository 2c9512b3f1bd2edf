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
rewards = [episode.reward for episode in lesson.train(env, *args, episodes=3)]
after = args[0].choose_action(np.ones(3))
print(len(rewards), np.isfinite(rewards).all(), (after != before).all())
"""
SAYS = (
    "No module named 'lab': the command line needs the folder lab of the project beside this file"
)


@three_lessons
def test_copied_with_two_files_into_an_empty_folder_it_is_imported_and_trains(tmp_path, lesson):
    """And as a program it says what is missing, and writes nothing."""
    name = lesson.__name__
    for file in (f'{name}.py', 'memory.py', 'fast_tf.py'):
        shutil.copy(str(PROJECT / file), str(tmp_path))
    how = dict(cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    how.update(env={key: value for key, value in os.environ.items() if key != 'PYTHONPATH'})
    how['env']['PYTHONDONTWRITEBYTECODE'] = '1'
    words = ['-c', TRAIN.replace('LESSON', name)], [f'{name}.py', '--episodes', '2']
    started = [subprocess.Popen([sys.executable, *each], **how) for each in words]
    (out, _), (program_out, line) = (each.communicate() for each in started)
    assert out.decode() == '3 True True\n'
    assert (started[1].returncode, program_out) == (2, b'')
    assert line.decode().startswith(SAYS) and line.count(b'\n') == 1
    assert len(list(tmp_path.iterdir())) == 3
