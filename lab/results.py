"""The folder of a comparison: every episode of every run, in two tables that only grow."""

import csv
import io
import json
import os
from contextlib import closing, contextmanager

from tqdm import tqdm

from lab import files, folder, job, sweep
from lab.messages import Interrupted, OutputError, TrainingError, UsageError
from lab.messages import echo, print_error, truncate
from lab.report import PICTURE, TABLE, Run
from lab.signals import deferred_signals

CONFIG, EPISODES, RUNS = 'compare.json', 'episodes.csv', 'runs.csv'
HEADERS = {
    EPISODES: ('column', 'key', 'seed', 'episode', 'reward', 'explore'),
    RUNS: ('column', 'key', 'seed', 'last', 'kept', 'seconds'),
}
NAMES = (CONFIG, TABLE, PICTURE, EPISODES, RUNS, *folder.NAMES)


@contextmanager
def opened(path, columns, numbered=False):
    """Make a comparison's folder, or take the one that is there, and yield its Results.

    Args:
        path: absolute.
        columns: what compare.json is to know.
        numbered: take the first free one of path-1, path-2, ...

    Raises:
        UsageError: if it holds something else, cannot be read or cannot be written.
        TrainingError, Interrupted: of the block, with how to resume.
    """
    if numbered or not os.path.lexists(os.path.join(path, CONFIG)):
        path = folder.create(path, None if numbered else path, NAMES)
    files.reject_special_files(path)
    with folder.locked(path):
        done = Results(path)
        made = {c.key: dict(label=c.label, **job.made_of(c)) for c in columns}
        files.write_text(os.path.join(path, CONFIG), json.dumps({**done.made, **made}, indent=2))
        try:
            yield done
        except (TrainingError, Interrupted) as ending:
            again = f'resume with the same command and --run {folder.quoted(path)}'
            ending.args = (f'{ending}; what finished is in {path}; {again}',)
            raise


class Results(object):
    """The finished runs in the folder `path`, of whatever columns.

    Attributes: `runs`, {(column's key, seed): Run}; `made`, {key: what makes its runs}.

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
        if os.path.lexists(os.path.join(self.path, CONFIG)):
            self.made = dict(json.loads(files.read_text(os.path.join(self.path, CONFIG))))
        rewards = {}
        for _, key, seed, index, reward, _ in self._rows(EPISODES):
            rewards.setdefault((key, int(seed)), {})[int(index)] = float(reward)
        for _, key, seed, last, kept, seconds in self._rows(RUNS):
            by_index = rewards[key, int(seed)]
            measured = float(last), float(kept) if kept else None, float(seconds)
            ordered = [by_index[i] for i in range(len(by_index))]
            self.runs[key, int(seed)] = Run(ordered, *measured)

    def _rows(self, name):
        if not os.path.lexists(os.path.join(self.path, name)):
            return []
        text = files.read_text(os.path.join(self.path, name))
        whole = text[: text.rfind('\n') + 1]  # the last line may be torn
        header, *rows = csv.reader(io.StringIO(whole, newline=''))
        if tuple(header) != HEADERS[name] or any(len(row) != len(header) for row in rows):
            raise ValueError(f'{name} is damaged, or of another program')
        return rows

    def of(self, column):
        """Return {seed: Run} of a Column."""
        return {seed: run for (key, seed), run in sorted(self.runs.items()) if key == column.key}

    def add(self, column, seed, rows, last, kept, seconds):
        """Keep a run, on the disk when this returns; runs.csv last: what it names is there.

        Raises:
            OutputError: if it cannot be written.
        """
        run = column.label, column.key, seed
        self._append(EPISODES, [(*run, *row) for row in rows])
        self._append(RUNS, [(*run, last, kept, seconds)])
        self.runs[column.key, seed] = Run([reward for _, reward, _ in rows], last, kept, seconds)

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
                        self.add(column, seed, *result)
                    else:
                        failed += 1
                        with bar.external_write_mode():
                            print_error(f'{column.label} with seed {seed} failed: {reason}')
                    bar.update()
            if stop_requested():
                raise Interrupted('stopped', stop_requested())
        return failed

    def _append(self, name, rows):
        path = os.path.join(self.path, name)
        try:
            with open(path, 'a+b') as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - 10000))
                tail = file.read()
                torn = len(tail) - (tail.rfind(b'\n') + 1)  # by a power cut, or a full disk
                file.truncate(end - torn)
                text = io.StringIO()
                headers = [] if end > torn else [HEADERS[name]]
                csv.writer(text, lineterminator='\n').writerows([*headers, *rows])
                file.write(text.getvalue().encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f'{path} could not be written ({error.strerror})')
