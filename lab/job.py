"""What a comparison is made of: columns, and one run of a column with one seed."""

import hashlib
import itertools
import json
import os
import sys
import time
from collections import namedtuple
from contextlib import closing, contextmanager


from fast_tf import make_callable
from lab import folder
from lab.checkpoints import Variables
from lab.environments import make_env
from lab.evaluation import BestPolicyTracker, check_finite, episode_seed, held_out_starts
from lab.evaluation import make_evaluator
from lab.hyperparameters import capitals, hyperparameters, load, parse_overrides, replacements
from lab.hyperparameters import stem, variant
from lab.messages import UsageError

# rewards, explore: of each episode; last, kept: mean greedy return of the two policies over the
# held-out starts, kept None where none was kept; seconds: processor time of training
Result = namedtuple('Result', 'rewards explore last kept seconds')

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# label: what a table calls it; way: the name of its replacement, None for the lesson's first
Version = namedtuple('Version', 'label path way')

# One column of a table: a version with its hyperparameters. `key` names all that decides its runs.
Column = namedtuple('Column', 'label path numbers replacement env episodes key')


def make_columns(versions, words=(), varied=(), env=None, episodes=None):
    """Return the Columns of each version with each combination of the varied hyperparameters.

    Args:
        versions: Versions.
        words: of --set, for all columns.
        varied: the words of --vary, such as 'HIDDEN_UNITS=30,100'.
        env: the environment's name; None takes the first version's own.
        episodes: of each run; None takes MAX_EPISODES.

    Raises:
        UsageError: naming what cannot work, or two columns that would be the same.
    """
    choices, found = [], []
    for word in varied:
        name, equals, values = word.partition('=')
        if not equals or not all(values.split(',')):
            raise UsageError(f'--vary {word}: needs NAME=VALUE,VALUE,...')
        choices.append([f'{name}={value}' for value in values.split(',')])
    for version in versions:
        for chosen in itertools.product(*choices):
            parts = [version.label] if len(versions) > 1 or not chosen else []
            label = ', '.join([*parts, *chosen])
            column = _column(label, version, [*words, *chosen], env, episodes)
            env = column.env
            same = [other.label for other in found if other.key == column.key]
            if same:
                raise UsageError(f'{same[0]} and {label} are the same')
            if label in [other.label for other in found]:
                raise UsageError(f'two versions are called {label}: rename one')
            found.append(column)
    return found


def _column(label, version, words, env, episodes):
    with imports_beside(version.path):
        lesson = load(version.path)
        if not hasattr(lesson, 'main'):
            raise UsageError(f'{version.path} is no lesson: it has no main(run)')
        ways = replacements(lesson)
        chosen = ways[version.way or next(iter(ways))] if ways else None
        numbers, replacement = parse_overrides(words, hyperparameters(lesson), chosen)
        env, episodes = env or capitals(lesson)['ENV_NAME'], episodes or numbers['MAX_EPISODES']
        column = Column(label, version.path, numbers, replacement, env, episodes, None)
        return column._replace(key=_key(column, lesson))


def made_of(column):
    """Return all that determines the results of a column except its code, {name: value}."""
    numbers = {name: value for name, value in column.numbers.items() if name != 'MAX_EPISODES'}
    made = dict(program=stem(column.path), replacement=column.replacement, hyperparameters=numbers)
    return dict(made, episodes=column.episodes, env=column.env, versions=folder.versions())


def _key(column, lesson):
    """Return a short name for all that determines the runs of `column`, its code included.

    Its code is the lesson's file, and the memory.py that it imports.
    """
    made = hashlib.sha256(json.dumps(made_of(column), sort_keys=True).encode())
    modules = lesson, sys.modules.get('memory', lesson)
    for path in [column.path, *(module.__file__ for module in modules)]:
        with open(path, 'rb') as file:
            made.update(file.read())
    return made.hexdigest()[:16]


@contextmanager
def imports_beside(path):
    """While this lasts, what lies beside the lesson in the file `path` is imported from there.

    Afterwards it is forgotten, for a lesson in another folder has a memory.py of its own.
    """
    folder, before = os.path.dirname(path), dict(sys.modules)
    sys.path.insert(0, folder)
    sys.modules.pop('memory', None)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - set(before):
            if os.path.dirname(getattr(sys.modules[name], '__file__', None) or '') == folder:
                del sys.modules[name]
        sys.modules.update(before)


def train(column, seed):
    """Train a column with one seed, and measure its last and its kept policy.

    Returns:
        A Result.

    Raises:
        UsageError, TrainingError: and whatever the lesson and the environment raise.
    """
    max_steps = column.numbers['MAX_EP_STEPS']
    with closing(make_env(column.env, max_steps)) as env, imports_beside(column.path):
        lesson = load(column.path)
        if _key(column, lesson) != column.key:
            raise UsageError('its files, or the versions of packages, are not those of the start')
        job = _Job(column, seed, env)
        variant(lesson, column.numbers).main(job)
    return job.result


class _Job(object):
    """The `run` of a lesson's main that keeps everything in memory; see lab/program.py."""

    start, var = 0, None

    def __init__(self, column, seed, env):
        self.seed, self.replacement, self.episodes = seed, column.replacement, column.episodes
        self._env, self._max_steps = env, column.numbers['MAX_EP_STEPS']
        self._tracker = BestPolicyTracker(env, None, self._max_steps)
        self._rewards, self._explore, self._learning, self._best = [], [], False, None

    def make_env(self, name):
        """Return the comparison's environment, whatever the lesson's."""
        return self._env

    def begin(self, sess, M, S, a, q, loss):
        """Get ready for the first episode."""
        self._sess, self._act, self._variables = sess, make_callable(sess, a, [S]), Variables(sess)
        self._first, self._began = self._variables.weights(), time.process_time()
        self._env.seed(episode_seed(self.seed, 0))

    def record(self, episode):
        """Keep an episode; evaluate if it is time to."""
        check_finite(episode)
        done = episode.index + 1
        self._rewards.append(float(episode.reward))
        self._explore.append(float(episode.var))
        self._learning = self._learning or self._variables.differ_from(self._first)
        if self._learning and self._tracker.is_best(self._act, done, self.episodes):
            self._best = self._variables.values()
        self._env.seed(episode_seed(self.seed, done))

    def end(self):
        """Measure the two policies."""
        seconds = time.process_time() - self._began
        evaluate = make_evaluator(self._env, held_out_starts(self._env), self._max_steps)
        last, kept = float(evaluate(self._act).mean()), None
        if self._best:
            self._variables.restore(self._best, 'the kept policy')
            kept = float(evaluate(self._act).mean())
        self._sess.close()
        self.result = Result(self._rewards, self._explore, last, kept, seconds)
