"""The folder of a comparison: a line of JSON for each finished run, in a file that only grows."""

import json
import os
from contextlib import closing, contextmanager, suppress

import numpy as np
from tqdm import tqdm

from lab import files, folder, job, sweep
from lab.messages import Interrupted, OutputError, TrainingError, UsageError
from lab.messages import echo, print_error, truncate
from lab.report import PICTURE, TABLE
from lab.signals import deferred_signals

CONFIG, RUNS = 'compare.json', 'runs.jsonl'
NAMES = (CONFIG, TABLE, PICTURE, RUNS, *folder.NAMES)


@contextmanager
def opened(path, columns, numbered=False):
    """Make a comparison's folder, or open an existing one, and yield its Results.

    Args:
        path: absolute.
        columns: what compare.json is to record.
        numbered: take the first free one of path-1, path-2, ...

    Raises:
        UsageError: if it holds something else, cannot be read or cannot be written.
        TrainingError, Interrupted: of the block, with how to resume.
    """
    if numbered or not any(os.path.lexists(os.path.join(path, name)) for name in (CONFIG, RUNS)):
        path = folder.create(path, None if numbered else path, NAMES)
    files.reject_special_files(path)
    with folder.locked(path):
        folder.remove_parts(path, NAMES)
        done = Results(path)
        made = {c.key: dict(label=c.label, **job.made_of(c)) for c in columns}
        files.write_text(os.path.join(path, CONFIG), json.dumps({**done.made, **made}, indent=2))
        try:
            yield done
            return
        except (TrainingError, Interrupted) as error:
            ending = error
        except KeyboardInterrupt:
            ending = Interrupted('stopped at once')
        again = f'resume with the same command and --run {folder.quoted(path)}'
        ending.args = (f'{ending}; what finished is in {path}; {again}',)
        raise ending


class Results(object):
    """The finished runs in the folder `path`, of whatever columns.

    Attributes: `runs`, {(column's key, seed): Result}; `made`, {key: what makes its runs}.

    Raises:
        UsageError: if they cannot be read.
    """

    def __init__(self, path):
        self.path, self.runs, self.made = path, {}, {}
        try:
            self._read()
        except Exception as error:  # a table can hold anything, and so can JSON
            raise UsageError(f'{path} cannot be used ({truncate(error)}): name another with --run')

    def _read(self):
        with suppress(FileNotFoundError, ValueError), open(os.path.join(self.path, CONFIG)) as file:
            self.made = dict(json.load(file))
        with suppress(FileNotFoundError), open(os.path.join(self.path, RUNS), 'rb') as file:
            for line in file:
                try:
                    found = json.loads(line.decode('ascii'))
                except ValueError:  # torn by a power cut, or a full disk: it is no finished run
                    continue
                each = [list(map(float, found[name])) for name in ('rewards', 'explore')]
                kept = None if found['kept'] is None else float(found['kept'])
                run = job.Result(*each, float(found['last']), kept, float(found['seconds']))
                if not each[0] or not np.isfinite([*each[0], run.last, kept or 0]).all():
                    raise ValueError(f'{RUNS} has a run without finite returns')
                self.runs[found['key'], int(found['seed'])] = run

    def of(self, column):
        """Return {seed: Result} of a Column."""
        return {seed: run for (key, seed), run in sorted(self.runs.items()) if key == column.key}

    def add(self, column, seed, run):
        """Keep a Result, on the disk when this returns.

        Raises:
            OutputError: if it cannot be written.
        """
        line = json.dumps(dict(column=column.label, key=column.key, seed=seed, **run._asdict()))
        path = os.path.join(self.path, RUNS)
        try:
            with open(path, 'a+b') as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
                begin = b'' if file.read() in (b'', b'\n') else b'\n'  # after a torn line
                file.write(begin + line.encode('ascii') + b'\n')
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f'{path} could not be written ({error.strerror})')
        self.runs[column.key, seed] = run

    def train(self, wanted, backend='processes'):
        """Train what is missing of `wanted`, pairs (Column, seed); return how many runs failed.

        Raises:
            TrainingError: if there can be no training at all, or nothing can be written.
            Interrupted: if the user wants to stop.
        """
        missing = [(column, seed) for column, seed in wanted if (column.key, seed) not in self.runs]
        there = len(wanted) - len(missing)
        echo(f'{len(missing)} runs to train, {there} are there already; all are in {self.path}')
        failed = 0
        with deferred_signals() as stop_requested:
            ends = sweep.run(job.train, missing, backend, stop_requested)
            bar = tqdm(total=len(missing), unit='run', disable=None, leave=False)
            with closing(ends), bar:
                for (column, seed), result, reason in ends:
                    if reason is None:
                        self.add(column, seed, result)
                    else:
                        failed += 1
                        with bar.external_write_mode():
                            print_error(f'{column.label} with seed {seed} failed: {reason}')
                    bar.update()
            if stop_requested():
                raise Interrupted('stopped', stop_requested())
        return failed
