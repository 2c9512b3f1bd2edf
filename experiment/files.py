"""Files that are there whole or not at all, and on the disk."""

import os
from contextlib import contextmanager


@contextmanager
def whole(path):
    """Yield the name to write the file `path` under; it gets its own name once it is complete."""
    part = path + '.part'
    try:
        yield part
        sync(part)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)


def sync(path):
    """Bring a file, or a folder's list of names, to the disk."""
    if os.name == 'nt' and os.path.isdir(path):  # Windows has no such thing
        return
    descriptor = os.open(path, os.O_RDWR if os.name == 'nt' else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
