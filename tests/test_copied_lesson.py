"""A reader may copy a lesson's file with what it imports, and have all that trains."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
TRAIN = """
import gym, numpy as np, LESSON as lesson
lesson.MEMORY_CAPACITY = 200
env = gym.make('Pendulum-v0')
built = lesson.build(env, seed=1)
if isinstance(built, tuple):
    sess, actor, critic = built
    weights, args = actor.e_params, (actor, critic, lesson.Memory(200, 8))
else:
    sess, weights, args = built.sess, built.ae_params, (built,)
before = sess.run(weights)
rewards = [episode.reward for episode in lesson.train(env, *args, episodes=3)]
changed = any((a != b).any() for a, b in zip(before, sess.run(weights)))
print(len(rewards), np.isfinite(rewards).all(), changed)
"""


def needed(path, found):
    """Add to `found` the file at `path` and those of this project that it imports at once."""
    found.add(path)
    for node in ast.parse((PROJECT / path).read_text(encoding='utf-8')).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f'{node.module}.{alias.name}' for alias in node.names)]
        for name in names:
            below = Path(name.replace('.', '/') + '.py')
            if (PROJECT / below).exists() and below not in found:
                needed(below, found)
    return found


@pytest.mark.parametrize('lesson', ['ddpg', 'ddpg_update'])
def test_copied_into_an_empty_folder_it_trains(tmp_path, lesson):
    for path in needed(Path(f'{lesson}.py'), set()):
        assert path.parts[0] in (f'{lesson}.py', 'memory.py', 'support'), path
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(str(PROJECT / path), str(tmp_path / path))
    done = subprocess.run(
        [sys.executable, '-c', TRAIN.replace('LESSON', lesson)],
        cwd=str(tmp_path),
        env={key: value for key, value in os.environ.items() if key != 'PYTHONPATH'},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert (done.stdout, done.stderr) == ('3 True True\n', '')
