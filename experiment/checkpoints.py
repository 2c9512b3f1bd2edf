"""Checkpoints: folders that are there whole or not at all, and that notice any change of a byte."""

import hashlib
import os
import re
import shutil
from contextlib import contextmanager

from experiment import folder
from support import files
from support.messages import BadInput, one_line

SUMS = 'SHA256SUMS'  # as `sha256sum` writes it: `sha256sum -c SHA256SUMS` checks it by hand


class Damaged(BadInput):
    """A checkpoint is not as it was written."""


class Checkpoints(object):
    """Folders step-1000, step-2000, ... inside the folder `path`, named by the steps so far.

    Each is written under another name, brought to the disk, and only then renamed; so whatever
    happens, a power cut included, what bears the name is complete. No other name is ever deleted.

    Args:
        path: the folder; it is made by the first save.
        keep: how many stay, the newest.
    """

    def __init__(self, path, keep):
        self.path, self.keep = path, keep

    def steps(self):
        """Return the steps at which there are checkpoints, ascending."""
        return sorted(int(name[5:]) for name in self._folders(r'step-(0|[1-9]\d{0,14})$'))

    def _folders(self, pattern):
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BadInput(f'{self.path} cannot be read ({error.strerror}): mend or remove it')
        names = [name for name in names if re.match(pattern, name, re.ASCII)]
        return [name for name in names if files.is_folder(os.path.join(self.path, name))]

    def folder(self, step):
        """Return the path of the checkpoint at `step`."""
        return os.path.join(self.path, f'step-{step}')

    def save(self, step, write):
        """Make the checkpoint at `step`, unless there is one; nothing changes if that fails.

        Args:
            write: (folder) -> None, writes the checkpoint's files.

        Raises:
            OSError: if it cannot be written.
        """
        if step in self.steps():  # the same run at the same step
            return
        part = self.folder(step) + '.part'
        try:
            for name in self._folders(r'step-(0|[1-9]\d{0,14})\.part$'):  # a killed process left it
                shutil.rmtree(os.path.join(self.path, name))
            if not os.path.isdir(self.path):
                os.mkdir(self.path)  # an error if the run's folder has been deleted
            os.mkdir(part)
            write(part)
            with open(os.path.join(part, SUMS), 'w') as file:
                file.write(_sums(part))
            for name in os.listdir(part):
                files.sync(os.path.join(part, name))
            files.sync(part)
            self._drop_all_but(max(self.keep - 1, 1))
            os.rename(part, self.folder(step))
            files.sync(self.path)
            files.sync(os.path.dirname(self.path) or '.')
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        self._drop_all_but(self.keep)

    @contextmanager
    def reading(self, step, advice):
        """Yield the path of the checkpoint at `step`, every byte of which is as it was written.

        Args:
            advice: what the user can do where it is not.

        Raises:
            Damaged: naming what is damaged; also if what is read from it makes no sense.
        """
        place = self.folder(step)
        try:
            damaged = _damaged_in(place)
            if damaged:
                raise ValueError(f'damaged: {", ".join(damaged)}')
            yield place
        except Exception as error:  # whatever comes of reading something else
            what = str(error) if isinstance(error, ValueError) else one_line(error)
            raise Damaged(f'{place} cannot be used ({what}): {advice}')

    def _drop_all_but(self, count):
        for step in self.steps()[:-count]:
            part = self.folder(step) + '.part'  # renamed first, for it is complete or not there
            os.rename(self.folder(step), part)
            shutil.rmtree(part)


def checkpoints_in(path):
    """Return the checkpoints of the run in the folder `path`; its last two are kept."""
    return Checkpoints(os.path.join(path, folder.CHECKPOINTS), keep=2)


def best_in(path):
    """Return the best policy of the run in the folder `path`, as checkpoints of which one stays."""
    return Checkpoints(os.path.join(path, folder.BEST), keep=1)


def _damaged_in(place):
    """Return the names of the files that are not as the sums say."""
    now = _sums(place)
    with files.open_regular(os.path.join(place, SUMS)) as file:
        then = file.read().decode('ascii', 'replace')
    if now == then:
        return []
    names = {line[66:] for line in set(now.splitlines()) ^ set(then.splitlines())}
    return sorted(names & set(os.listdir(place))) or [SUMS]


def _sums(place):
    """Return a line with the SHA-256 sum and the name of each file, but for the sums themselves."""
    lines = []
    for name in sorted(os.listdir(place)):
        if name != SUMS:
            with files.open_regular(os.path.join(place, name)) as file:
                lines.append(f'{hashlib.sha256(file.read()).hexdigest()}  {name}\n')
    return ''.join(lines)
