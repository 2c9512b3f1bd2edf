"""All that a run needs around the lesson."""

from lab.playing import load_policy

__all__ = ['load_policy']
