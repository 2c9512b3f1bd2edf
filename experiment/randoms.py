"""The states of random generators, to be kept and brought back."""

import random

import numpy as np


def random_states(env):
    """Return the states of numpy's global generator and of every generator that `env` holds.

    Returns:
        A dict that JSON can hold.
    """
    states = {'numpy': _plain(np.random.get_state(legacy=False))}
    for name, generator in _generators(env):
        if isinstance(generator, np.random.RandomState):
            states[name] = _plain(generator.get_state(legacy=False))
        elif isinstance(generator, random.Random):
            states[name] = _plain(generator.getstate())
        else:
            states[name] = _plain(generator.bit_generator.state)
    return states


def set_random_states(env, states):
    """Bring all generators into `states`, which random_states returned; KeyError if one lacks."""
    np.random.set_state(states['numpy'])
    for name, generator in _generators(env):
        state = states[name]
        if isinstance(generator, np.random.RandomState):
            generator.set_state(state)
        elif isinstance(generator, random.Random):
            version, words, gauss = state
            generator.setstate((version, tuple(words), gauss))
        else:
            generator.bit_generator.state = state


def _generators(env):
    """Yield (name, generator) for every random generator in `env` and in what it wraps."""
    kinds = (np.random.RandomState, np.random.Generator, random.Random)
    layers = []
    while env is not None:
        layers.insert(0, env)
        env = vars(env).get('env')
    for number, layer in enumerate(layers):  # 0 is the innermost
        for name, value in sorted(vars(layer).items()):
            if isinstance(value, kinds):
                yield f'{number}.{name}', value


def _plain(state):
    """Return `state` with lists in place of arrays."""
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, (np.ndarray, np.generic)) else state
