"""A run's folder: its names, config.json and rewards.csv, and its lock. It is data, never code."""

import errno
import json
import os
import platform
import shlex
from contextlib import contextmanager

import filelock
import gym
import numpy as np
import tensorflow.compat.v1 as tf

from experiment.options import BOUNDS
from support import files, settings
from support.messages import BadInput

CONFIG, REWARDS, CURVE, LOCK = 'config.json', 'rewards.csv', 'curve.png', '.lock'
CHECKPOINTS, BEST = 'checkpoints', 'best'
HEADER = 'episode,reward,explore'
KINDS = dict(program=str, env=str, seed=int, episodes=int, threads=int)
KINDS.update(replacement=dict, hyperparameters=dict, sizes=dict)


def create(program, path=None, names=(CONFIG, REWARDS, CURVE, CHECKPOINTS, BEST)):
    """Make the folder of a new run and return its path.

    Args:
        program: 'ddpg' makes the first free one of runs/ddpg-1, runs/ddpg-2, ...
        path: the folder to use instead; it may exist, if it holds none of `names`.

    Raises:
        BadInput: if it does, or the folder cannot be written.
    """
    if path is None:
        return _first_free(os.path.join('runs', program))
    there = [name for name in names if os.path.lexists(os.path.join(path, name))]
    if there:
        raise BadInput(f'{path} already holds {there[0]}: name another folder with --run')
    try:
        os.makedirs(path, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        files.refuse_strangers(path)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error)
    return path


def _first_free(stem):
    """Make and return the first of stem-1, stem-2, ... that is free; two runs never share one."""
    number = 1
    while True:
        path = f'{stem}-{number}'
        try:
            os.makedirs(path)
            return path
        except OSError as error:
            if not os.path.lexists(path):
                raise _unwritable(path, error)
        number += 1


def _unwritable(path, error):
    reason = getattr(error, 'strerror', None) or error
    return BadInput(f'{path} cannot be written ({reason}): name another with --run')


def config_of(path):
    """Return what is in the config.json of the run in the folder `path`.

    Raises:
        BadInput: if there is none, or it is not one of ours.
    """
    if not os.path.isdir(path):
        raise BadInput(f'there is no folder {path}: name one that a run has left, as runs/ddpg-1')
    place = os.path.join(path, CONFIG)
    try:
        config = json.loads(files.read(place))
        fits = all(type(config[key]) is kind for key, kind in KINDS.items())
        chosen = dict(config['replacement'], **config['hyperparameters'])
        fits = fits and isinstance(chosen.pop('name'), str)
        if not (fits and all(a <= config[key] <= z for key, (a, z) in BOUNDS.items())):
            raise ValueError
        settings.checked(chosen)
    except FileNotFoundError:
        raise BadInput(f'{path} holds no run: it has no {CONFIG}')
    except OSError as error:
        raise BadInput(f'{place} cannot be read ({error.strerror})')
    except Exception:  # JSON can hold anything
        raise BadInput(f'{place} is damaged, or of another program')
    try:
        files.refuse_strangers(path)
    except OSError as error:
        raise BadInput(f'{path} cannot be read ({error.strerror})')
    return config


def config_for(lesson, path, env):
    """Return what config_of does, of a run of `lesson` in the environment `env` (None: its own).

    A folder may come from anywhere, and must not choose what is imported: an environment from a
    module has to be named by the lesson or by the user.

    Raises:
        BadInput: also if it is a run of something else.
    """
    config = config_of(path)
    if config['program'] != settings.name(lesson):
        raise BadInput(f'{path} is a run of {config["program"]}.py: use that')
    if env is None and ':' in config['env'] and config['env'] != settings.env_of(lesson):
        raise BadInput(f'{path} needs an environment of its own: say so with --env {config["env"]}')
    if env not in (None, config['env']):
        raise BadInput(f'{path} is a run in {config["env"]}, not in {env}')
    chosen, others = config['replacement'], settings.replacements_of(lesson)
    now = {**settings.numbers_of(lesson), **others.get(chosen['name'], {})}
    differ = ', '.join(sorted(now.keys() ^ {*config['hyperparameters'], *chosen}))
    if differ:
        now = f'{config["program"]}.py has now'
        raise BadInput(f'{path} is a run with other numbers than {now}: {differ}')
    return config


def check_sizes(path, config, env):
    """Note in a new run's config how long a state and an action of `env` are.

    Raises:
        BadInput: if those of the run at `path` were others.
    """
    sizes = dict(state=env.observation_space.shape[0], action=env.action_space.shape[0])
    if config.setdefault('sizes', sizes) != sizes:
        was = f'{path} was trained in an environment with the sizes {config["sizes"]}'
        raise BadInput(f'{was}, and {config["env"]} has {sizes} now: bring back the old one')


def command(lesson, config, path):
    """Return a function: option -> the command line that resumes or plays this run."""
    own = ':' in config['env'] and config['env'] != settings.env_of(lesson)
    env = f' --env {shlex.quote(config["env"])}' if own else ''
    return lambda option: f'python {config["program"]}.py --{option} {shlex.quote(path)}{env}'


@contextmanager
def locked(path):
    """Keep other processes from writing in the folder `path` while this lasts.

    Raises:
        BadInput: if one does, or the folder cannot be written.
    """
    lock = filelock.FileLock(os.path.join(path, LOCK))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise BadInput(f'another process is writing in {path}: wait for its end, or stop it')
    except OSError as error:
        raise _unwritable(path, error)
    try:
        yield
    finally:
        lock.release()


def write_config(path, config):
    """Write config.json, with the versions of Python, tensorflow, numpy and gym."""
    versions = dict(python=platform.python_version(), tensorflow=tf.__version__)
    versions.update(numpy=np.__version__, gym=gym.__version__)
    text = json.dumps(dict(config, versions=versions), indent=2)
    try:
        files.write_atomically(os.path.join(path, CONFIG), text)
    except OSError as error:
        raise _unwritable(path, error)


class Rewards(object):
    """The rows of rewards.csv, here and in the file; what was added is on disk.

    Args:
        path: the run's folder.
        rows: (reward, explore) of the episodes before.

    Raises:
        OSError: here and in `add`; no row is left half-written.
    """

    def __init__(self, path, rows=()):
        self.rows = list(rows)
        place = os.path.join(path, REWARDS)
        files.write_atomically(place, table(self.rows).rstrip('\n'))
        self._file = open(place, 'ab', buffering=0)

    def add(self, reward, explore):
        """Add an episode, whole or not at all."""
        end = self._file.seek(0, os.SEEK_END)
        line = (_line(len(self.rows), reward, explore) + '\n').encode('ascii')
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            self._file.truncate(end)
            raise
        self.rows.append((reward, explore))

    def close(self):
        """Close the file."""
        self._file.close()


def table(rows):
    """Return the text of a rewards.csv, in full precision."""
    return '\n'.join([HEADER, *(_line(i, *row) for i, row in enumerate(rows)), ''])


def _line(episode, reward, explore):
    return f'{episode},{float(reward)!r},{float(explore)!r}'


def rows_in(text):
    """Return the (reward, explore) of each episode in the text of a rewards.csv.

    Raises:
        ValueError: if it is none.
    """
    header, *lines = text.splitlines()
    cells = [line.split(',') for line in lines]
    if header != HEADER or [cell[0] for cell in cells] != [str(i) for i in range(len(cells))]:
        raise ValueError(f'{REWARDS} is no table of episodes')
    rows = [(float(reward), float(explore)) for _, reward, explore in cells]
    if not np.isfinite(rows).all():
        raise ValueError(f'{REWARDS} holds numbers that are not finite')
    return rows
