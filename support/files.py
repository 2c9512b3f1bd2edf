"""Files that are there whole or not at all, and on the disk; and none that is a link."""

import errno
import os
import stat
from contextlib import contextmanager

from support.messages import BadInput


def part_of(path):
    """Return the name that the file `path` has while it is written."""
    return path + '.part'


@contextmanager
def atomically(path):
    """Yield the name to write the file `path` under; it gets its own name once it is complete.

    That name is made anew, so nothing that was put in its place is written through.
    """
    part = part_of(path)
    remove(part)  # a killed process left it
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield part
        sync(part)
        os.replace(part, path)
    finally:
        remove(part)


def write(path, text):
    """Write `text` to the file `path`."""
    with open(path, 'w', encoding='utf-8', newline='\n') as file:
        file.write(text)


def write_atomically(path, text):
    """Write `text` and a newline to the file `path`, which appears complete or not at all."""
    with atomically(path) as part:
        write(part, text + '\n')


def read(path):
    """Return the text of the regular file `path`.

    Raises:
        OSError, ValueError: if it cannot be read, or is something else, such as a link or a pipe.
    """
    with open_regular(path) as file:
        return file.read().decode('utf-8')


def open_regular(path):
    """Open the file `path` to read bytes; OSError if it is no regular file of its own."""
    if not is_regular(path):
        if not os.path.lexists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        raise OSError(errno.EINVAL, 'it is no regular file', path)
    return open(path, 'rb')


def is_regular(path):
    """Return whether `path` is a file, and no link, pipe or device."""
    return os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode)


def is_folder(path):
    """Return whether `path` is a folder, and no link to one."""
    return os.path.isdir(path) and not os.path.islink(path)


def refuse_strangers(path):
    """Refuse to work in the folder `path` where a link or a special file lies in it.

    Raises:
        BadInput: naming the first one.
    """
    for name in sorted(os.listdir(path)):
        inner = os.path.join(path, name)
        if not (is_regular(inner) or is_folder(inner)):
            raise BadInput(f'{inner} is a link or a special file: remove it, runs hold none')


def remove(path):
    """Remove the file or the link `path`, where there is one."""
    if os.path.lexists(path):
        os.remove(path)


def sync(path):
    """Bring a file, or a folder's list of names, to the disk."""
    if os.name == 'nt' and os.path.isdir(path):  # Windows has no such thing
        return
    descriptor = os.open(path, os.O_RDWR if os.name == 'nt' else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
