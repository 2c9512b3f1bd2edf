"""The folder of a comparison: every episode of every run, in two tables that are always whole."""

import csv
import io
import json
import os

from comparison.table import Run
from experiment import folder
from support import files
from support.messages import BadInput, one_line, short

CONFIG, TABLE, PICTURE = 'compare.json', 'compare.md', 'compare.png'
EPISODES = ('column', 'seed', 'episode', 'reward', 'explore')
RUNS = ('column', 'seed', 'last', 'best', 'seconds')
NAMES = (CONFIG, TABLE, PICTURE, 'episodes.csv', 'runs.csv', folder.CONFIG, folder.REWARDS)


def open_folder(path, config):
    """Make a folder, or take the one at `path` if it holds a comparison with the same `config`.

    Returns:
        Its path.

    Raises:
        BadInput: if it holds another one, cannot be read or cannot be written.
    """
    if path is None or not os.path.lexists(os.path.join(path, CONFIG)):
        path = folder.create('compare', path, NAMES)
    files.refuse_strangers(path)
    place = os.path.join(path, CONFIG)
    try:
        with folder.locked(path):
            if not os.path.lexists(place):
                files.write_atomically(place, json.dumps(config, indent=2))
            before = json.loads(files.read(place))
        different = [key for key in config if before[key] != config[key]]
    except BadInput:
        raise
    except Exception as error:  # JSON can hold anything
        raise BadInput(f'{path} cannot be used ({one_line(error)}): name another with --run')
    if different:
        other = ' and '.join(different)
        raise BadInput(f'{path} holds a comparison with other {other}: name another with --run')
    return path


class Results(object):
    """The finished runs, in memory and in the folder's episodes.csv and runs.csv.

    Attributes: `runs`, {(column's label, seed): Run}.
    """

    def __init__(self, path):
        self.path, self.runs, self._episodes = path, {}, {}
        if os.path.lexists(os.path.join(path, 'runs.csv')):
            self._read()

    def add(self, column, seed, rows, last, best, seconds):
        """Keep a run, on disk when this returns; runs.csv last: what it names is there."""
        self._episodes[column, seed] = rows
        self.runs[column, seed] = Run([reward for _, reward, _ in rows], last, best, seconds)
        self._write('episodes.csv', EPISODES, [k + r for k in self.runs for r in self._episodes[k]])
        self._write('runs.csv', RUNS, [key + run[1:] for key, run in self.runs.items()])

    def of(self, column):
        """Return {seed: Run} of a column."""
        return {seed: run for (label, seed), run in sorted(self.runs.items()) if label == column}

    def _write(self, name, header, rows):
        text = io.StringIO()
        csv.writer(text, lineterminator='\n').writerows([header, *rows])
        files.write_atomically(os.path.join(self.path, name), text.getvalue().rstrip())

    def _read(self):
        try:
            for column, seed, index, reward, explore in self._rows('episodes.csv', EPISODES):
                row = int(index), float(reward), float(explore)
                self._episodes.setdefault((column, int(seed)), []).append(row)
            for column, seed, last, best, seconds in self._rows('runs.csv', RUNS):
                key = column, int(seed)
                rewards = [reward for _, reward, _ in self._episodes[key]]
                best = float(best) if best else None
                self.runs[key] = Run(rewards, float(last), best, float(seconds))
        except Exception as error:  # a table can hold anything
            raise BadInput(f'{self.path} cannot be used ({short(error)}): name another with --run')

    def _rows(self, name, header):
        rows = list(csv.reader(io.StringIO(files.read(os.path.join(self.path, name)))))
        if not rows or tuple(rows[0]) != header or any(len(row) != len(header) for row in rows):
            raise ValueError(f'{name} is damaged')
        return rows[1:]
