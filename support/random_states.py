"""The states of random generators, to be kept and brought back."""

import random
import types
from collections import deque

import numpy as np

KINDS = (np.random.RandomState, np.random.Generator, random.Random)


def random_states(env):
    """Return the states of the global generators and of every generator that `env` holds.

    Held are those in the environment's attributes, its spaces, what it wraps, and in lists, tuples,
    dicts and objects there, each once.

    Returns:
        A dict that JSON can hold.
    """
    states = {
        'numpy': _plain(np.random.get_state(legacy=False)),
        'python': _plain(random.getstate()),
    }
    states.update((name, _plain(_state(generator))) for name, generator in _generators(env))
    return states


def set_random_states(env, states):
    """Bring all generators into `states`, which random_states returned.

    Raises:
        ValueError: if `env` does not hold the same generators as the one they are from.
    """
    generators = dict(_generators(env))
    missing = set(states) - {'numpy', 'python'} - set(generators)
    new = set(generators) - set(states)
    if missing or new:
        names = ', '.join(sorted(missing | new))
        raise ValueError(f'the environment holds other random generators: {names}')
    np.random.set_state(states['numpy'])
    random.setstate(_of_python(states['python']))
    for name, generator in generators.items():
        state = states[name]
        if isinstance(generator, np.random.RandomState):
            generator.set_state(state)
        elif isinstance(generator, random.Random):
            generator.setstate(_of_python(state))
        else:
            generator.bit_generator.state = state


def _state(generator):
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.bit_generator.state


def _of_python(state):
    version, words, gauss = state
    return version, tuple(words), gauss


def _generators(env):
    """Yield (name, generator) for every random generator that is reached from `env`."""
    seen, waiting = {}, [('env', env)]
    while waiting:
        name, value = waiting.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value  # kept, so that no other object gets its id
        if isinstance(value, KINDS):
            yield name, value
            continue
        waiting.extend((f'{name}.{key}', inner) for key, inner in reversed(_inside(value)))


def _inside(value):
    """Return (name, object) for each thing in a container or an object that may hold generators."""
    if isinstance(value, dict):
        pairs = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, (list, tuple, deque)):
        pairs = [(str(i), inner) for i, inner in enumerate(value)]
    elif isinstance(value, _NOT_SEARCHED) or type(value).__module__.startswith('pyglet'):
        return []
    else:
        slots = [slot for kind in type(value).__mro__ for slot in vars(kind).get('__slots__', ())]
        pairs = [(slot, getattr(value, slot)) for slot in slots if hasattr(value, slot)]
        pairs = sorted([*getattr(value, '__dict__', {}).items(), *pairs], key=lambda pair: pair[0])
    return [(name, inner) for name, inner in pairs if not isinstance(inner, _PLAIN)]


_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.ndarray, np.generic)
_NOT_SEARCHED = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
)


def _plain(state):
    """Return `state` with lists in place of arrays and tuples."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    if isinstance(state, tuple):
        return [_plain(value) for value in state]
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
