"""The states of random generators, to be kept and brought back."""

import random
import sys
import types
from collections import deque
from contextlib import contextmanager, suppress

import numpy as np

from support.messages import RunFailed

KINDS = (np.random.RandomState, np.random.Generator, random.Random)


def random_states(env):
    """Return the states of the global generators and of every generator that `env` holds.

    Held are those at the top of the environment's file, and in its attributes and its class's, its
    spaces, what it wraps, and in containers, objects and functions there, each once.

    Returns:
        A dict that JSON can hold.

    Raises:
        RunFailed: if one is the operating system's, which has no state.
    """
    return {name: _plain(_state(generator)) for name, generator in _all(env).items()}


def set_random_states(env, states):
    """Bring all generators into `states`, which random_states returned.

    Raises:
        ValueError: if `env` does not hold the same generators as the one they are from.
    """
    generators = _all(env)
    differ = ', '.join(sorted(generators.keys() ^ states.keys()))
    if differ:
        raise ValueError(f'the environment holds other random generators: {differ}')
    for name, generator in generators.items():
        if hasattr(generator, 'setstate'):  # Python's
            version, words, gauss = states[name]
            generator.setstate((version, tuple(words), gauss))
        elif hasattr(generator, 'set_state'):  # numpy's old ones
            generator.set_state(states[name])
        else:
            generator.bit_generator.state = states[name]


@contextmanager
def undisturbed(env):
    """While this lasts, others may draw from the generators; at its end they are as before."""
    states = random_states(env)
    try:
        yield
    finally:
        set_random_states(env, states)


def _all(env):
    """Return {name: generator} of the global two and of all that `env` holds."""
    return {'numpy': np.random, 'python': random, **dict(_generators(env))}


def _state(generator):
    if isinstance(generator, random.SystemRandom):
        raise RunFailed('the environment draws from random.SystemRandom, which no run can repeat')
    if hasattr(generator, 'getstate'):
        return generator.getstate()
    if hasattr(generator, 'get_state'):
        return generator.get_state(legacy=False)
    return generator.bit_generator.state


def _generators(env):
    """Yield (name, generator) for every random generator that is reached from `env`."""
    seen, waiting = {}, [('env', env)]
    for kind in type(env.unwrapped).__mro__:  # what its file has made at the top
        for key, value in vars(sys.modules[kind.__module__]).items():
            if isinstance(value, KINDS):
                waiting.append((f'{kind.__module__}.{key}', value))
    while waiting:
        name, value = waiting.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value  # kept, so that no other object gets its id
        if isinstance(value, KINDS):
            yield name, value
            continue
        pairs = [(key, inner) for key, inner in _inside(value) if not isinstance(inner, _PLAIN)]
        waiting.extend((f'{name}.{key}', inner) for key, inner in reversed(pairs))


def _inside(value):
    """Return (name, object) for each thing in a container, an object or a function."""
    if isinstance(value, dict):
        return [(repr(key), inner) for key, inner in value.items()]
    if isinstance(value, (list, tuple, deque, set, frozenset)):
        return list(enumerate(value))
    if isinstance(value, (types.MethodType, types.BuiltinFunctionType)):
        return [('__self__', value.__self__)]
    if isinstance(value, types.FunctionType):
        with suppress(ValueError):  # a cell may still be empty
            return [(i, cell.cell_contents) for i, cell in enumerate(value.__closure__ or ())]
    if isinstance(value, _NOT_SEARCHED) or type(value).__module__.startswith('pyglet'):
        return []
    found = {}
    for kind in reversed(type(value).__mro__):
        for key, inner in vars(kind).items():
            if isinstance(inner, types.MemberDescriptorType):  # one of its __slots__
                if hasattr(value, key):
                    found[key] = getattr(value, key)
            elif not hasattr(inner, '__get__'):  # no method, no property
                found[key] = inner
    found.update(getattr(value, '__dict__', {}))
    return sorted(found.items(), key=lambda pair: str(pair[0]))


_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.ndarray, np.generic)
_NOT_SEARCHED = (type, types.ModuleType, types.FunctionType)


def _plain(state):
    """Return `state` with lists in place of arrays and tuples."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, tuple):
        return [_plain(value) for value in state]
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
