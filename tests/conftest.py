"""Before any test: TensorFlow is imported in silence."""

import support.quiet  # noqa: F401

import pytest

from tests.helpers.forks import Forks
from tests.helpers.program import PROJECT


@pytest.fixture
def forks(tmp_path):
    """Starts ddpg.py in an empty folder."""
    forks = Forks(PROJECT / 'ddpg.py', tmp_path)
    yield forks
    forks.close()
