"""A reader may copy a lesson's file with what it imports, and have all that trains."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

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


def needed(path, found):
    """Add to `found` the file at `path` and those of this project that it imports at once."""
    found.add(path)
    for node in ast.parse((PROJECT / path).read_text(encoding='utf-8')).body:
        names = [alias.name for alias in getattr(node, 'names', ())]
        if isinstance(node, ast.ImportFrom):
            names = [node.module, *(f'{node.module}.{name}' for name in names)]
        for below in (Path(name.replace('.', '/') + '.py') for name in names):
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
