"""Before any test: TensorFlow is imported without its start-up messages."""

import fast_tf  # noqa: F401

import pytest

from tests.helpers.forks import Forks
from tests.helpers.program import PROJECT


@pytest.fixture
def forks(tmp_path):
    """Runs ddpg.py in an empty folder."""
    return Forks(PROJECT / 'ddpg.py', tmp_path)
