"""A run's folder: config.json, rewards.csv and TensorBoard's event file, and its lock."""

import errno
import json
import os
import platform
import shutil
from contextlib import contextmanager

import filelock
import gym
import numpy as np
import tensorflow.compat.v1 as tf

from experiment.errors import BadInput
from experiment.events import EventFile
from experiment.files import whole

CONFIG, REWARDS, LOCK = 'config.json', 'rewards.csv', '.lock'
HEADER = 'episode,reward,explore\n'


def create(program, path=None):
    """Make the folder of a new run and return its path.

    Args:
        program: 'ddpg' makes the first free one of runs/ddpg-1, runs/ddpg-2, ...
        path: the folder to use instead; it may exist, if it holds no run.

    Raises:
        BadInput: if `path` holds a run, or the folder cannot be written.
    """
    if path is None:
        return _first_free(os.path.join('runs', program))
    if any(os.path.exists(os.path.join(path, name)) for name in (CONFIG, REWARDS)):
        raise BadInput(f'{path} already holds a run: name another folder with --run')
    try:
        os.makedirs(path, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
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
        except FileExistsError:
            if not os.path.isdir(os.path.dirname(stem)):  # `runs` itself is a file
                raise _unwritable(path, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
            number += 1
        except OSError as error:
            raise _unwritable(path, error)


def _unwritable(path, error):
    return BadInput(f'{path} cannot be written ({error.strerror}): name another with --run')


def config_of(path):
    """Return what is in the config.json of the run in the folder `path`.

    Raises:
        BadInput: if there is none, or it is not one of ours.
    """
    if not os.path.isdir(path):
        raise BadInput(f'there is no folder {path}: name one that a run has left, as runs/ddpg-1')
    try:
        with open(os.path.join(path, CONFIG), encoding='utf-8') as file:
            config = json.load(file)
        kinds = dict(program=str, env=str, seed=int, episodes=int, replacement=dict, threads=int)
        kinds['hyperparameters'] = dict
        if not all(isinstance(config[key], kind) for key, kind in kinds.items()):
            raise TypeError
    except FileNotFoundError:
        raise BadInput(f'{path} holds no run: it has no {CONFIG}')
    except OSError as error:
        raise BadInput(f'{os.path.join(path, CONFIG)} cannot be read ({error.strerror})')
    except (ValueError, KeyError, TypeError):
        raise BadInput(f'{os.path.join(path, CONFIG)} is damaged, or of another program')
    return config


def check_env(path, env, given):
    """Refuse an environment from a module unless the user names it too.

    A folder may come from anywhere, and must not choose what is imported.
    """
    if ':' in env and given is None:
        raise BadInput(f'{path} needs an environment of its own: say so with --env {env}')


@contextmanager
def locked(path):
    """Keep other processes from training in the folder `path` while this lasts.

    Raises:
        BadInput: if one does, or the folder cannot be written.
    """
    lock = filelock.FileLock(os.path.join(path, LOCK))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise BadInput(f'another process is training in {path}: wait for its end, or stop it')
    except OSError as error:
        raise BadInput(f'{path} cannot be written ({error.strerror})')
    try:
        yield
    finally:
        lock.release()


class Recorder(object):
    """Writes a run into its folder. What `record` was given is on disk when it returns.

    Args:
        path: the folder.
        config: describes the run; the versions of Python, tensorflow, numpy and gym are added.
        graph: the TensorFlow graph, for TensorBoard.
        episode: the first that will be recorded.
        rewards: the content of rewards.csv before it.

    Raises:
        OSError: here and in `record`, if a file cannot be written. No row is left half-written,
            and nothing at all if it happens here.
    """

    def __init__(self, path, config, graph, episode=0, rewards=HEADER):
        versions = dict(
            python=platform.python_version(),
            tensorflow=tf.__version__,
            numpy=np.__version__,
            gym=gym.__version__,
        )
        config = json.dumps(dict(config, versions=versions), indent=2)
        before = set(os.listdir(path))
        try:
            write_whole(os.path.join(path, CONFIG), config)
            write_whole(os.path.join(path, REWARDS), rewards.rstrip())
            self._rewards = open(os.path.join(path, REWARDS), 'ab', buffering=0)
            self._events = EventFile(path, graph, episode)
        except OSError:
            if before <= {LOCK}:  # it was empty
                shutil.rmtree(path)
            else:
                for name in set(os.listdir(path)) - before:
                    os.remove(os.path.join(path, name))
            raise

    def record(self, episode, losses):
        """Add one Episode(index, reward, var), and the `losses` by name, {} before learning."""
        self._append(f'{episode.index},{float(episode.reward)!r},{float(episode.var)!r}')
        self._events.add(episode.index, dict(losses, reward=episode.reward, explore=episode.var))

    def close(self):
        """Close the files."""
        self._rewards.close()
        self._events.close()

    def _append(self, line):
        """Add `line` to rewards.csv, whole or not at all."""
        end = self._rewards.tell()
        data = (line + '\n').encode('ascii')
        try:
            if self._rewards.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            self._rewards.truncate(end)
            raise


def write_whole(path, text):
    """Write `text` to the file `path`, which appears complete or not at all."""
    with whole(path) as part, open(part, 'w', newline='\n') as file:
        file.write(text + '\n')
