"""A run's folder: its names, config.json and rewards.csv, and its lock. It is data, never code."""

import errno
import json
import os
import platform
import re
import shlex
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import gym
import numpy as np
import tensorflow.compat.v1 as tf

from lab import files
from lab.hyperparameters import capitals, hyperparameters, replacements, validate
from lab.messages import OutputError, UsageError, print_error, truncate

CONFIG, REWARDS, CURVE, PAGE, LOCK = 'config.json', 'rewards.csv', 'curve.png', 'run.html', '.lock'
CHECKPOINT, BEST = 'checkpoint.npz', 'best.npz'
NAMES = CONFIG, REWARDS, CURVE, PAGE, CHECKPOINT, BEST
HEADER = 'episode,reward,explore'
ASKED = 'seed', 'episodes', 'eval_episodes'
KINDS = dict(program=str, env=str, seed=int, episodes=int, eval_episodes=(int, type(None)))
KINDS.update(replacement=(dict, type(None)), hyperparameters=dict, versions=dict, resumed=list)


def create(stem, path=None, names=NAMES):
    """Make the folder of a new run and return its path.

    Args:
        stem: 'runs/ddpg' makes the first free one of runs/ddpg-1, runs/ddpg-2, ...
        path: the folder to use instead; it may exist, if it holds none of `names`.

    Raises:
        UsageError: if it does, or the folder cannot be written.
    """
    if path is None:
        return _first_free(stem)
    there = [name for name in names if os.path.lexists(os.path.join(path, name))]
    if there:
        raise UsageError(f'{path} already holds {there[0]}: name another folder with --run')
    try:
        os.makedirs(path, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        files.reject_special_files(path)
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
    return UsageError(f'{path} cannot be written ({reason}): name another with --run')


def versions():
    """Return the versions on which a run's numbers depend, {name: version}."""
    found = dict(python=platform.python_version(), tensorflow=tf.__version__)
    return dict(found, numpy=np.__version__, gym=gym.__version__)


def read_config(path):
    """Return what is in the config.json of the run in the folder `path`.

    Raises:
        UsageError: if there is none, or it is not one of ours.
    """
    if not os.path.isdir(path):
        raise UsageError(f'there is no folder {path}: name one that a run has left, as runs/ddpg-1')
    place = os.path.join(path, CONFIG)
    try:
        files.reject_special_files(path)
        with open(place, encoding='utf-8') as file:
            config = json.load(file)
        config.setdefault('resumed', [])  # on other versions: [{'episode': e, 'versions': {}}]
        right = all(isinstance(config[key], kind) for key, kind in KINDS.items())
        right = right and all(isinstance(each['versions'], dict) for each in config['resumed'])
        if not (right and (config['program'] + config['env']).isprintable()):
            raise ValueError
        way = {key: value for key, value in (config['replacement'] or {}).items() if key != 'name'}
        asked = {key: config[key] for key in ASKED if config[key] is not None}
        validate({**config['hyperparameters'], **way, **asked}, f' in {place}')
    except UsageError:
        raise
    except FileNotFoundError:
        raise UsageError(f'{path} holds no run: it has no {CONFIG}')
    except OSError as error:
        raise UsageError(f'{place} cannot be read ({error.strerror})')
    except Exception:  # JSON can hold anything
        raise UsageError(f'{place} is damaged, or of another program')
    return config


def config_for(program, lesson, path, env):
    """Return what read_config does, of a run of `program` in the environment `env` (None: its own).

    A folder may come from anywhere, and must not choose what is imported: an environment from a
    module has to be named by the lesson or by the user.

    Raises:
        UsageError: also if it is a run of something else.
    """
    config, own = read_config(path), capitals(lesson).get('ENV_NAME')
    if config['program'] != program:
        raise UsageError(f'{path} is a run of {config["program"]}.py: use that')
    if env is None and ':' in config['env'] and config['env'] != own:
        needs = f'--env {config["env"]}'
        raise UsageError(f'{path} needs an environment of its own: say so with {needs}')
    if env not in (None, config['env']):
        raise UsageError(f'{path} is a run in {config["env"]}, not in {env}')
    way = config['replacement'] or {}
    if way and way.keys() != replacements(lesson).get(str(way.get('name')), {}).keys():
        what = f'replacement {truncate(way)}'
        raise UsageError(f'{path} has a {what} that {program}.py as it is now has not')
    # a hyperparameter added to the lesson since then has the lesson's value
    config['hyperparameters'] = {**hyperparameters(lesson), **config['hyperparameters']}
    return config


def write_config(path, config):
    """Write config.json."""
    files.write_text(os.path.join(path, CONFIG), _text(config))


def keep_config(path, config):
    """Rewrite config.json, and say so, where it is not as write_config has left it."""
    place, same = os.path.join(path, CONFIG), False
    with suppress(OSError, ValueError):  # whatever it has become
        same = os.path.isfile(place) and Path(place).read_text('utf-8') == _text(config)
    if not same:
        print_error(f'{place} was removed or changed meanwhile: it is rewritten')
        write_config(path, config)


def _text(config):
    return json.dumps(config, indent=2) + '\n'


def remove_parts(path, names=NAMES):
    """Remove what killed processes left half written; this one must have the lock."""
    for name in os.listdir(path):
        part = re.match(r'(.+)\.[0-9a-f]{8}\.part$', name)
        if part and part[1] in names:
            os.remove(os.path.join(path, name))


def command_of(config, own_env):
    """Return a function: (option, folder) -> the command line that resumes or plays a run.

    Args:
        own_env: the name of the environment that the program has without --env.
    """
    named = ':' in config['env'] and config['env'] != own_env
    env = f' --env {quoted(config["env"])}' if named else ''

    def command(option, path):
        path = os.path.join('.', path) if path.startswith('-') else path  # else it is an option
        return f'python {config["program"]}.py --{option} {quoted(path)}{env}'

    return command


def quoted(text, windows=os.name == 'nt'):
    """Return `text` as one word of a command: for sh, or for both of Windows' shells."""
    if windows:  # its folders have a backslash, which is no reason to quote
        return text if re.match(r'[\w@%+=:,./\\-]+$', text) else f'"{text}"'
    return shlex.quote(text)


@contextmanager
def locked(path):
    """Keep other processes from writing in the folder `path` while this lasts.

    Raises:
        UsageError: if one does, or the folder cannot be written.
    """
    lock = filelock.FileLock(os.path.join(os.path.abspath(path), LOCK))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise UsageError(f'another process is writing in {path}: wait for its end, or stop it')
    except OSError as error:
        raise _unwritable(path, error)
    try:
        yield
    finally:
        lock.release()


class Rewards(object):
    """The rows (reward, explore) of rewards.csv, here and in the file, which is only appended to.

    Args:
        path: the run's folder.
        rows: those of the episodes before; what else the file holds is cut off.

    Raises:
        OutputError: here and in the methods; no row is left half-written.
    """

    def __init__(self, path, rows=()):
        self.rows, self._path, self._file = list(rows), os.path.join(path, REWARDS), None
        self._write_all()

    def _write_all(self):
        self.close()
        lines = [HEADER, *(_line(i, *row) for i, row in enumerate(self.rows)), '']
        files.write_text(self._path, '\n'.join(lines))
        self._file = open(self._path, 'ab', buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size

    def add(self, reward, explore):
        """Add an episode, whole or not at all."""
        line = (_line(len(self.rows), reward, explore) + '\n').encode('ascii')
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._file.truncate(self._size)
            raise OutputError(f'{self._path} could not be written ({error.strerror})')
        self._size += len(line)
        self.rows.append((reward, explore))

    def sync(self):
        """Sync the rows to disk; rewrite the file, and say so, if it was removed or changed."""
        os.fsync(self._file.fileno())
        ours, there = os.fstat(self._file.fileno()), os.path.lexists(self._path)
        if not (
            there and os.path.samestat(ours, os.lstat(self._path)) and ours.st_size == self._size
        ):
            print_error(f'{self._path} was removed or changed meanwhile: it is rewritten')
            self._write_all()

    def close(self):
        """Close the file."""
        if self._file:
            self._file.close()


def _line(episode, reward, explore):
    return f'{episode},{float(reward)!r},{float(explore)!r}'


def read_rows(path, count=None):
    """Return the first `count` rows (reward, explore) of the rewards.csv in the folder `path`.

    Raises:
        CorruptCheckpoint: if it is not such a table, or has fewer.
    """
    place = os.path.join(path, REWARDS)
    try:
        with open(place, encoding='utf-8') as file:
            header, *lines = file.read().splitlines()
        cells = [line.split(',') for line in lines[:count]]
        if header != HEADER or [cell[0] for cell in cells] != [str(i) for i in range(len(cells))]:
            raise ValueError('it is no table of episodes')
        rows = [(float(reward), float(explore)) for _, reward, explore in cells]
        right = np.isfinite(rows).all() and all(explore >= 0 for _, explore in rows)
        if not right or len(rows) < (count or 0):
            raise ValueError('rows are missing, or not finite')
        return rows
    except (OSError, ValueError) as error:
        raise files.CorruptCheckpoint(f'{place} cannot be used ({error}): bring back a copy of it')
