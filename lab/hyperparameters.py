"""The hyperparameters of a lesson: the names in capitals at the top of its file.

For a run with others the file is loaded once more, as a module of its own, and gets its numbers
before anything is built: no module that somebody else uses is ever changed.
"""

import importlib.util
import itertools
import os
import sys
from collections import namedtuple

from lab.messages import UsageError

LARGEST_COUNT = 10**9  # of episodes, of steps
Rule = namedtuple('Rule', 'kind least most')

_COUNT, _RATE = Rule(int, 1, LARGEST_COUNT), Rule(float, 0, 1e30)
_SHARE = Rule(float, 0, 1)
RULES = dict(
    MAX_EPISODES=_COUNT,
    MAX_EP_STEPS=_COUNT,
    LR_A=_RATE,
    LR_C=_RATE,
    GAMMA=_SHARE,
    TAU=_SHARE,
    tau=_SHARE,
    rep_iter_a=_COUNT,
    rep_iter_c=_COUNT,
    MEMORY_CAPACITY=Rule(int, 1, 10**8),
    BATCH_SIZE=Rule(int, 1, 10**6),
    HIDDEN_UNITS=Rule(int, 1, 10**5),
    VAR=_RATE,
    VAR_DECAY=_SHARE,
    REWARD_SCALE=Rule(float, 1e-30, 1e30),
    seed=Rule(int, 0, 2**32 - 1),  # numpy's global generator takes no larger one
    episodes=_COUNT,
    eval_episodes=Rule(int, 0, 100000),
)
_NOUNS = {int: 'a whole number', float: 'a number', bool: 'True or False'}
_BOOLS = {'True': True, 'False': False}
_names = itertools.count(1)


def load(path, numbers=()):
    """Return the lesson in the file `path` as a new module, with `numbers`, {name: value}.

    Where the file has a function `lesson`, as robot_arm.py does, it is what that returns.
    """
    path, name = os.path.abspath(path), f'{stem(path)}_{next(_names)}'
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(numbers)
    return module.lesson() if hasattr(module, 'lesson') else module


def variant(lesson, numbers):
    """Return the module `lesson` loaded once more, with its capitals as they are now.

    Its hyperparameters get their values from `numbers`; what else is in there is left out.
    """
    chosen = {name: numbers.get(name, value) for name, value in hyperparameters(lesson).items()}
    return load(lesson.__file__, {**capitals(lesson), **chosen})


def stem(path):
    """Return the name of the file `path` without its ending, such as 'ddpg'."""
    return os.path.splitext(os.path.basename(path))[0]


def capitals(lesson):
    """Return all that the module `lesson` has in capitals except classes, {name: value}."""
    found = vars(lesson).items()
    return {name: value for name, value in found if name.isupper() and not isinstance(value, type)}


def hyperparameters(lesson):
    """Return those that are numbers, or True or False, {name: number}.

    Raises:
        UsageError: naming one that cannot work, such as HIDDEN_UNITS = 30.0.
    """
    found = capitals(lesson).items()
    found = {name: v for name, v in found if name in RULES or isinstance(v, (int, float))}
    return validate(found, ' at the top of the file')


def replacements(lesson):
    """Return the ways to replace the targets that the lesson knows, {'soft': SOFT, ...}.

    Raises:
        UsageError: naming a number in them that cannot work.
    """
    found = [v for v in capitals(lesson).values() if isinstance(v, dict) and 'name' in v]
    for way in found:
        validate({key: value for key, value in way.items() if key != 'name'})
    return {way['name']: dict(way) for way in found}


def validate(numbers, where=''):
    """Return `numbers`, each of the kind that its rule wants; UsageError if a rule forbids one."""
    checked = {}
    for name, value in numbers.items():
        rule = _rule(name, value)
        fits = isinstance(value, (int, rule.kind)) and (type(value) is bool) == (rule.kind is bool)
        if not (fits and rule.least <= value <= rule.most):
            raise UsageError(f'{name} = {value!r}{where} must be {_words(rule)}')
        checked[name] = rule.kind(value)
    return checked


def _rule(name, value):
    """Return the rule of a hyperparameter; one that a student has added keeps its kind."""
    kind = type(value) if type(value) in _NOUNS else float
    return RULES.get(name, Rule(kind, 0, 1) if kind is bool else Rule(kind, -1e30, 1e30))


def _words(rule):
    noun = _NOUNS[rule.kind]
    return noun if rule.kind is bool else f'{noun} from {rule.least:g} to {rule.most:g}'


def parse_overrides(words, numbers, replacement=None):
    """Return (numbers, replacement) with what `words`, such as 'GAMMA=0.95', say instead.

    Args:
        words: of --set; each name once.
        numbers: as `hyperparameters` gives them.
        replacement: one of those that `replacements` gives, or None.

    Raises:
        UsageError: naming the known ones, if a word names none, or the rule that it breaks.
    """
    numbers, replacement, seen = dict(numbers), dict(replacement or {}), set()
    for word in words:
        name, equals, text = word.partition('=')
        target = numbers if name in numbers else replacement
        if not equals or name == 'name' or name not in target:
            names = ', '.join([*numbers, *(key for key in replacement if key != 'name')])
            raise UsageError(f'--set {word}: needs NAME=VALUE, with a NAME among {names}')
        if name in seen:
            raise UsageError(f'--set {word}: {name} is set twice')
        seen.add(name)
        rule = _rule(name, target[name])
        try:
            value = _BOOLS[text] if rule.kind is bool else rule.kind(text)
        except (KeyError, ValueError):
            raise UsageError(f'--set {word}: {name} must be {_words(rule)}')
        target.update(validate({name: value}))
    return numbers, replacement or None
