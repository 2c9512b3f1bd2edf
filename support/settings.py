"""The numbers of a lesson: which there are, what each may be, and how a run changes them.

A lesson is one of the files that people run, as a module. Its numbers are the names in capitals at
its top. Where it takes `build` or `train` from another file, that file's numbers count too, but its
own come first.
"""

import numbers
from collections import namedtuple
from contextlib import contextmanager

from support.messages import BadInput

LARGEST_COUNT = 10**9  # of episodes, of steps
Rule = namedtuple('Rule', 'allows words')


def _rule(kind, least, most, words=None):
    noun = 'whole number' if kind is numbers.Integral else 'number'
    words = words or f'a {noun} from {least} to {most}'
    return Rule(lambda value: isinstance(value, kind) and least <= value <= most, words)


_WHOLE, _REAL, _HUGE = numbers.Integral, numbers.Real, 1e30
_COUNT, _SHARE = _rule(_WHOLE, 1, LARGEST_COUNT), _rule(_REAL, 0, 1)
_RULES = {
    **dict.fromkeys(('MAX_EPISODES', 'MAX_EP_STEPS', 'rep_iter_a', 'rep_iter_c'), _COUNT),
    **dict.fromkeys(('GAMMA', 'VAR_DECAY', 'tau'), _SHARE),
    **dict.fromkeys(('LR_A', 'LR_C', 'VAR'), _rule(_REAL, 0, _HUGE, 'a number of at least 0')),
    'REWARD_SCALE': _rule(_REAL, 1e-30, _HUGE, 'a number above 0'),
    'MEMORY_CAPACITY': _rule(_WHOLE, 1, 10**8),
    'BATCH_SIZE': _rule(_WHOLE, 1, 10**6),
    'HIDDEN_UNITS': _rule(_WHOLE, 1, 10**5),
}
_ANY = _rule(_REAL, -_HUGE, _HUGE, 'a number')  # one that a student has added
_FLOATS = {key for key, rule in _RULES.items() if rule.allows(0.5)}  # written as 3, may become 3.5


def name(lesson):
    """Return the name of the lesson's file without its ending, such as 'ddpg'."""
    return lesson.__file__.replace('\\', '/').rpartition('/')[2][: -len('.py')]


def env_of(lesson):
    """Return the name of the lesson's environment."""
    return _capitals(lesson)['ENV_NAME']


def _capitals(lesson):
    """Return everything in capitals that the lesson works with, its own first."""
    found = {}
    for namespace in _namespaces(lesson):
        found.update((key, value) for key, value in namespace.items() if key.isupper())
    return found


def _namespaces(lesson):
    """Return the globals of the files that the lesson consists of, its own last."""
    return lesson.train.__globals__, lesson.build.__globals__, vars(lesson)


def numbers_of(lesson):
    """Return the lesson's numbers, {name: number}, each as its rule wants it.

    Raises:
        BadInput: naming one that cannot work, as HIDDEN_UNITS = 30.0.
    """
    found = _capitals(lesson).items()
    found = {key: v for key, v in found if key in _RULES or isinstance(v, numbers.Real)}
    return checked(found, 'at the top of the file ')


def replacements_of(lesson):
    """Return the ways to replace the targets that the lesson knows, {'soft': SOFT, ...}.

    Raises:
        BadInput: naming a number in them that cannot work.
    """
    found = {}
    for key, value in _capitals(lesson).items():
        if isinstance(value, dict) and 'name' in value:
            given = {k: v for k, v in value.items() if k != 'name'}
            found[value['name']] = dict(value, **checked(given, f'in {key} '))
    return found


def checked(given, where=''):
    """Return `given` in Python's own kinds of numbers; BadInput if a rule forbids one."""
    for key, value in given.items():
        rule = _RULES.get(key, _ANY)
        if isinstance(value, bool) or not rule.allows(value):
            raise BadInput(f'{key} = {value!r} {where}must be {rule.words}')
    return {key: int(v) if isinstance(v, _WHOLE) else float(v) for key, v in given.items()}


def changed(numbers, replacement, words):
    """Return (numbers, replacement) with what `words`, such as 'GAMMA=0.95', say instead.

    Args:
        numbers: as numbers_of gives them.
        replacement: one of those that replacements_of gives.

    Raises:
        BadInput: naming the known ones, if a word names none, or the rule that it breaks.
    """
    numbers, replacement = dict(numbers), dict(replacement)
    for word in words:
        key, equals, text = word.partition('=')
        target = numbers if key in numbers else replacement
        if not equals or key == 'name' or key not in target:
            names = ', '.join([*numbers, *(key for key in replacement if key != 'name')])
            raise BadInput(f'--set {word}: needs NAME=VALUE, with a NAME among {names}')
        kind = int if isinstance(target[key], int) and key not in _FLOATS else float
        try:
            value = kind(text)
        except ValueError:
            raise BadInput(f'--set {word}: {key} must be {_RULES.get(key, _ANY).words}')
        target.update(checked({key: value}))
    return numbers, replacement


@contextmanager
def applied(lesson, given):
    """While this lasts, the lesson builds and trains with the numbers `given`, {name: number}."""
    before = [(namespace, dict(namespace)) for namespace in _namespaces(lesson)]
    for namespace in _namespaces(lesson):
        namespace.update((key, value) for key, value in given.items() if key in namespace)
    try:
        yield
    finally:
        for namespace, old in before:
            namespace.update((key, old[key]) for key in given if key in old)
