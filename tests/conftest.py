"""Before any test: TensorFlow is imported without its start-up messages."""

import re
import sys
from pathlib import Path

import fast_tf  # noqa: F401
import pytest

from tests.helpers.program import PROJECT

# tests that fork, kill processes, limit files and memory or read /proc, as Linux lets them
ON_LINUX = re.compile(r'\bforks\b|\bfork\(|/proc/|bash')

if sys.platform != 'linux':
    files = Path(__file__).parent.glob('test_*.py')
    collect_ignore = [file.name for file in files if ON_LINUX.search(file.read_text('utf-8'))]


@pytest.fixture
def forks(tmp_path):
    """Runs ddpg.py in an empty folder."""
    from tests.helpers.forks import Forks

    return Forks(PROJECT / 'ddpg.py', tmp_path)
