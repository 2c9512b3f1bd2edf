"""Processes that draw beside the one that trains, without TensorFlow."""

import os
import sys


def python(module, *words):
    """Return what subprocess needs to start `python -m module words...`, as keyword arguments."""
    return dict(
        args=[sys.executable, '-m', module, *words],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),  # it finds what is found here
    )
