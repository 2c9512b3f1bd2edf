"""The tests' processes keep their output back as most users' do, until it is flushed."""

import os

os.environ.pop('PYTHONUNBUFFERED', None)
