"""Files that are written whole or not at all, and synced to disk."""

import os
import stat
import uuid
from contextlib import contextmanager

import numpy as np

from lab.messages import OutputError, UsageError, one_line


class CorruptCheckpoint(UsageError):
    """A file is not as it was written."""


@contextmanager
def atomic_write(path):
    """Yield a name to write the file `path` under; it gets its own name once it is complete.

    Raises:
        OutputError: if it cannot be written; nothing changes then.
    """
    temp_path = f'{os.path.abspath(path)}.{uuid.uuid4().hex[:8]}.part'
    try:
        open(temp_path, 'x').close()  # a new file, so no link is followed
        yield temp_path
        fsync(temp_path)
        os.replace(temp_path, path)
        fsync(os.path.dirname(temp_path))
    except OSError as error:
        raise OutputError(f'{path} could not be written ({error.strerror or error})')
    finally:
        if os.path.lexists(temp_path):
            os.remove(temp_path)


def absolute(path):
    """Return `path` made absolute: an environment may change the current folder.

    Raises:
        UsageError: if the current folder no longer exists.
    """
    try:
        return os.path.abspath(path)
    except OSError:
        raise UsageError('the current folder is gone: change to another one')


def write_text(path, text):
    """Write `text` to the file `path`, which appears complete or not at all."""
    with atomic_write(path) as temp_path, open(temp_path, 'w', encoding='utf-8', newline='\n') as f:
        f.write(text)


def reject_special_files(path):
    """Refuse to work in the folder `path` where a link or a special file lies in it.

    A link could lead anywhere, and the end of a pipe might never come.

    Raises:
        UsageError: naming the first one.
    """
    for name in sorted(os.listdir(path)):
        mode = os.lstat(os.path.join(path, name)).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise UsageError(
                f'{os.path.join(path, name)} is a link or a special file: remove it, runs hold none'
            )


def save_npz(path, arrays):
    """Write {name: array or number} to the .npz file `path`, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
        TypeError: naming what is neither.
    """
    arrays = {name: np.asanyarray(value) for name, value in arrays.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f'{name} is no array and no number, and a checkpoint keeps only those')
    with atomic_write(path) as temp_path, open(temp_path, 'wb') as file:
        np.savez(file, **arrays)


def load_npz(path):
    """Return {name: array} of the .npz file `path`; FileNotFoundError if there is none.

    Raises:
        CorruptCheckpoint: if it is not as it was written: the zip's CRC tells.
    """
    try:
        with open(path, 'rb') as file, np.load(file, allow_pickle=False) as arrays:
            file.seek(-12, os.SEEK_END)  # the number of files: a damaged length would hide some
            if int.from_bytes(file.read(2), 'little') != len(arrays.files):
                raise ValueError('arrays are missing')
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except (FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # numpy, zipfile, zlib and struct each have their own
        raise CorruptCheckpoint(f'{path} is damaged, or no file of ours ({one_line(error)})')


def check_new(path, ending, force=False):
    """Refuse a name to which no new file can be written, before anything else is done.

    Args:
        path: of the file.
        ending: that it must have, such as '.gif'.
        force: whether a file that is there may be replaced.

    Raises:
        UsageError: with the line to print.
    """
    if not path.lower().endswith(ending):
        raise UsageError(f'{path}: the name must end in {ending}')
    if os.path.lexists(path) and not force:
        raise UsageError(f'{path} is already there: name another file, or --force to replace it')
    above = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.path.isdir(above) or not os.access(above, os.W_OK):
        raise UsageError(f'{path} cannot be written: there is no such folder, or it is protected')


def fsync(path):
    """Sync a file, or a folder's list of names, to disk."""
    if os.name == 'nt' and os.path.isdir(path):  # Windows has no such thing
        return
    descriptor = os.open(path, os.O_RDWR if os.name == 'nt' else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
