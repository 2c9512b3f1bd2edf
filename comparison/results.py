"""The folder of a comparison: every episode of every run, in two tables that are always whole."""

import csv
import io
import json
import os

import numpy as np

from experiment import folder
from experiment.errors import BadInput

EPISODES = ('version', 'seed', 'episode', 'reward', 'explore')
RUNS = ('version', 'seed', 'last', 'best', 'seconds', 'microseconds')


def opened(program, path, config):
    """Make a folder, or take the one at `path` if it holds a comparison of the same `config`.

    Raises:
        BadInput: if it holds another one, cannot be read or cannot be written.
    """
    name = 'compare.json'
    if path is None or not os.path.exists(os.path.join(path, name)):
        path = folder.create(program, path)
        folder.write_whole(os.path.join(path, name), json.dumps(config, indent=2))
        return Comparison(path)
    try:
        with open(os.path.join(path, name)) as file:
            before = json.load(file)
        different = [key for key in config if before[key] != config[key]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f'{path} cannot be read ({error}): name another folder with --run')
    if different:
        raise BadInput(
            f'{path} holds a comparison with other {" and ".join(different)}: '
            'name another folder with --run'
        )
    return Comparison(path)


class Comparison(object):
    """What was trained so far, in memory and in the folder's episodes.csv and runs.csv."""

    def __init__(self, path):
        self.path = path
        self.runs = {}  # (version, seed) -> the values under RUNS[2:]
        self.episodes = {}  # (version, seed) -> [(index, reward, explore), ...]
        if os.path.exists(os.path.join(path, 'runs.csv')):
            self._read()

    def add(self, version, seed, rows, run):
        """Keep a finished run, on disk when this returns; runs.csv last: what it names is there."""
        self.episodes[version, seed] = rows
        self.runs[version, seed] = run
        self._write(
            'episodes.csv', EPISODES, [k + row for k in self.runs for row in self.episodes[k]]
        )
        self._write('runs.csv', RUNS, [k + values for k, values in self.runs.items()])

    def rewards(self, version):
        """Return the rewards of a version's runs, (runs, episodes)."""
        runs = [self.episodes[key] for key in sorted(self.runs) if key[0] == version]
        return np.array([[reward for _, reward, _ in rows] for rows in runs])

    def column(self, version, name):
        """Return one column of runs.csv for a version."""
        values = [
            run[RUNS.index(name) - 2] for key, run in sorted(self.runs.items()) if key[0] == version
        ]
        return np.array(values, float)  # None becomes nan

    def _write(self, name, header, rows):
        text = io.StringIO()
        csv.writer(text, lineterminator='\n').writerows([header] + rows)
        folder.write_whole(os.path.join(self.path, name), text.getvalue().rstrip())

    def _read(self):
        try:
            for version, seed, *values in self._rows('runs.csv', RUNS):
                self.runs[version, int(seed)] = tuple(float(v) if v else None for v in values)
                self.episodes[version, int(seed)] = []
            for version, seed, index, reward, explore in self._rows('episodes.csv', EPISODES):
                if (version, int(seed)) in self.runs:
                    row = int(index), float(reward), float(explore)
                    self.episodes[version, int(seed)].append(row)
        except (OSError, ValueError) as error:
            raise BadInput(f'{self.path} cannot be read ({error}): name another folder with --run')

    def _rows(self, name, header):
        with open(os.path.join(self.path, name), newline='') as file:
            rows = list(csv.reader(file))
        if not rows or tuple(rows[0]) != header or any(len(row) != len(header) for row in rows):
            raise ValueError(f'{name} is damaged')
        return rows[1:]
