"""Hostile use: what must end in one line, or change nothing. Tables of cases, most in process."""

import functools
import json
import os
import random
import signal
import types
import warnings

import gym
import numpy as np
import pytest

import compare
import ddpg
from comparison import results, sweep
from experiment import folder, options
from experiment.checkpoints import Checkpoints, Damaged
from experiment.variables import Variables
from pictures import film
from support import settings, signals
from support.environment import Checked
from support.messages import BadInput, RunFailed
from support.random_states import random_states, set_random_states, undisturbed
from tests.helpers.environments import Joints, Odd, box
from tests.helpers.jobs import square

# ---------------------------------------------------------------- the environment


class Reuses(Joints):
    """Joints that gives its own state away, and changes it in place; it notes its actions."""

    def reset(self):
        self.state = super().reset()
        return self.state

    def step(self, action):
        self.action, self.state[:] = action, self.state + 1
        return self.state, 0.0, False, {}


def test_an_observation_is_a_copy_and_no_later_step_changes_it():
    env = Checked(Reuses())
    s = env.reset()
    before = s.copy()
    s_ = env.step(np.array([0, 1, -20]))[0]
    assert s.tolist() == before.tolist()
    assert np.allclose(s_, before + 1)


@pytest.mark.parametrize('kind', ['float32', 'float64', 'float16', 'int8', 'uint8', 'int32'])
def test_an_action_outside_its_bounds_by_a_rounding_is_brought_inside(kind):
    box_there = box([3], [100], kind)
    env = Checked(Reuses(low=[0], high=[1], action_space=box_there))
    env.reset()
    for beyond in (np.nextafter(np.float32(100), np.float32(200)), np.float32(2.99999)):
        env.step(np.array([beyond]))
        assert box_there.contains(env.env.action.astype(kind)), env.env.action
    assert kind == 'float32' or env.env.action.dtype == kind


class Unspeakable(object):
    """Raises whatever is asked of it."""

    def _raise(self):
        raise RuntimeError

    __str__ = __repr__ = __float__ = __bool__ = __abs__ = __array__ = _raise


class Unspoken(BaseException):
    __str__ = Unspeakable._raise


Z = np.zeros(3)
GIVEN = dict(
    complex=(Z + 1j, 0.0, False),
    words=(['1', '2', '3'], 0.0, False),
    huge=([10**400, 1, 2], 0.0, False),
    overflows=(Z + 1e39, 0.0, False),
    objects=([Unspeakable()] * 3, 0.0, False),
    observation=(Unspeakable(), 0.0, False),
    reward=(Z, Unspeakable(), False),
    huge_reward=(Z, 10**400, False),
    large_reward=(Z, 1e300, False),
    word_as_reward=(Z, '5', False),
    done=(Z, 0.0, Unspeakable()),
    none_as_done=(Z, 0.0, None),
    word_as_done=(Z, 0.0, 'no'),
)


@pytest.mark.parametrize('what', GIVEN)
def test_what_an_environment_gives_is_converted_or_refused_in_a_line(what):
    env = Checked(Odd(answer=lambda *answer: (*GIVEN[what], {})))
    env.reset()
    with warnings.catch_warnings(), pytest.raises(RunFailed, match='^the environment gave '):
        warnings.simplefilter('error')
        env.step(np.array([0, 1, -20]))


@pytest.mark.parametrize('error', [Unspoken, GeneratorExit, RecursionError])
def test_whatever_an_environment_raises_is_a_line(error):
    def answer(*args):
        raise error

    env = Checked(Odd(answer=answer))
    env.reset()
    with pytest.raises(RunFailed, match=f'^the environment failed with {error.__name__}: '):
        env.step(np.array([0, 1, -20]))


# ---------------------------------------------------------------- random generators


class Slotted(object):
    __slots__ = 'generator'


class Holder(gym.Env):
    """Draws from one generator, which `place` puts somewhere."""

    def __init__(self, place):
        self.draw = PLACES[place](self, np.random.RandomState(1))


def _slot(env, generator):
    env.held = Slotted()
    env.held.generator = generator
    return lambda: env.held.generator.normal()


def _class(env, generator):
    Holder.shared = generator
    return lambda: Holder.shared.normal()


def _module(env, generator):
    globals()['AT_THE_TOP'] = generator
    return lambda: AT_THE_TOP.normal()  # noqa: F821


def _keys(env, generator):
    env.held = {1: generator, '1': np.random.RandomState(2)}
    return lambda: env.held[1].normal() + env.held['1'].normal()


def _new(env, generator):
    env.held = [(np.random.Generator(np.random.PCG64(2)),)]
    return lambda: env.held[0][0].normal()


def _python(env, generator):
    env.held = {'of dicts': types.SimpleNamespace(inner=random.Random(1), back=env)}
    return lambda: env.held['of dicts'].inner.gauss(0, 1)


def _set(env, generator):
    env.held = {generator}
    return lambda: [each.normal() for each in env.held]


def _space(env, generator):
    env.observation_space = gym.spaces.Dict(x=box([0], [1]))
    env.observation_space.seed(1)
    return lambda: env.observation_space.sample()['x'].item()


PLACES = dict(
    slot=_slot,
    a_class=_class,
    module=_module,
    keys=_keys,
    new=_new,
    python=_python,
    space=_space,
    method=lambda env, generator: generator.normal,
    partial=lambda env, generator: functools.partial(generator.normal, 5),
    closure=lambda env, generator: lambda: generator.normal(),
    a_set=_set,
    globals=lambda env, generator: lambda: np.random.normal() + random.random(),
)


@pytest.mark.parametrize('place', PLACES)
def test_a_generator_is_found_wherever_the_environment_holds_it(place):
    env = gym.Wrapper(Holder(place))
    env.draw()
    states = json.loads(json.dumps(random_states(env)))
    ahead = [env.draw() for _ in range(9)]
    with undisturbed(env):
        env.draw()
    assert env.draw() not in ahead
    set_random_states(env, states)
    with undisturbed(env):
        env.draw()
    assert [env.draw() for _ in range(9)] == ahead


def test_a_generator_without_a_state_is_refused():
    env = Joints()
    env.held = random.SystemRandom()
    with pytest.raises(RunFailed, match='which no run can repeat'):
        random_states(env)


# ---------------------------------------------------------------- what is read

CONFIG = dict(
    program='ddpg',
    env='Pendulum-v0',
    seed=1,
    episodes=9,
    threads=1,
    replacement=dict(ddpg.SOFT),
    hyperparameters=settings.numbers_of(ddpg),
    sizes=dict(state=3, action=1),
)
NUMBERS = CONFIG['hyperparameters']
CONFIGS = dict(
    a_module_of_the_lesson=dict(hyperparameters=dict(NUMBERS, tf=3)),
    a_number_less=dict(hyperparameters={k: v for k, v in NUMBERS.items() if k != 'GAMMA'}),
    no_tau=dict(replacement=dict(name='soft')),
    of_the_other=dict(replacement=dict(name='hard', tau=0.1)),
    unknown=dict(replacement=dict(name='none', tau=0.1)),
    huge=dict(seed=10**4000),
)


@pytest.mark.parametrize('change', CONFIGS)
def test_a_config_that_the_lesson_cannot_follow_is_a_line(change, tmp_path):
    path = tmp_path / 'config.json'
    path.write_text(json.dumps(CONFIG))
    assert folder.config_for(ddpg, str(tmp_path), None) == CONFIG
    path.write_text(json.dumps(dict(CONFIG, **CONFIGS[change])))
    with pytest.raises(BadInput, match='with other numbers than|is damaged'):
        folder.config_for(ddpg, str(tmp_path), None)


@pytest.mark.parametrize('error', [OverflowError, MemoryError, ZeroDivisionError])
def test_whatever_comes_of_reading_a_checkpoint_is_a_line(error, tmp_path):
    saved = Checkpoints(str(tmp_path / 'saved'), keep=2)
    saved.save(3, lambda place: None)
    with pytest.raises(Damaged, match=error.__name__), saved.reading(3, 'advice'):
        raise error


def test_a_file_in_the_place_of_checkpoints_is_named_before_training_begins(tmp_path):
    (tmp_path / 'checkpoints').write_text('')
    with pytest.raises(BadInput, match='checkpoints cannot be read'):
        Checkpoints(str(tmp_path / 'checkpoints'), keep=2).steps()


def test_networks_of_another_width_are_refused(tmp_path):
    """TensorFlow's Saver takes them, and variables change their shapes without a word."""
    env = gym.make('Pendulum-v0')
    with settings.applied(ddpg, dict(HIDDEN_UNITS=31)):
        Variables(ddpg.build(env)[0]).save(str(tmp_path))
    with pytest.raises(ValueError, match='of other networks'):
        Variables(ddpg.build(env)[0]).restore(str(tmp_path))


# ---------------------------------------------------------------- where one stands


def test_workers_import_nothing_from_the_folder_that_one_stands_in(tmp_path, monkeypatch):
    for name in ('joblib', 'encodings', 'numpy'):
        (tmp_path / name).mkdir()
        (tmp_path / name / '__init__.py').write_text('open("ran", "w"); raise SystemExit')
    monkeypatch.chdir(tmp_path)
    assert list(sweep.run(square, [(3,)])) == [((3,), 9, None)]
    assert not (tmp_path / 'ran').exists() and os.getcwd() == str(tmp_path)


@pytest.mark.parametrize('name', ['o.gif', 'o.gif.part'])
def test_a_film_takes_no_file_of_somebodys_place(name, tmp_path):
    (tmp_path / name).write_text('mine')
    with pytest.raises(BadInput, match=f'{name} is already there'):
        film.check(str(tmp_path / 'o.gif'), force=False)
    film.check(str(tmp_path / 'o.gif'), force=True)


# ---------------------------------------------------------------- signals and options


def test_a_hangup_that_nohup_has_let_be_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.noted() as stop_asked:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop_asked() is None
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop_asked() == signal.SIGTERM
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_options_are_read_where_docstrings_are_stripped(monkeypatch):
    monkeypatch.setattr(compare, '__doc__', None)
    assert compare.parse([]).seeds == [1, 2, 3, 4, 5]


@pytest.mark.parametrize('name', ['', ' ', 'r\udcff', '\udce4\udcb8'])
def test_a_name_that_no_file_of_the_run_could_have_is_refused(name):
    for option in ('--run', '--resume', '--play', '--env'):
        with pytest.raises(BadInput, match='needs a name in UTF-8, got '):
            options.parse('ddpg', 'Pendulum-v0', ['soft'], [option, name])


TABLES = {
    'runs.csv': ['x', 'column,seed,last,best,seconds\nx\0,1\n', f'"{"x" * 200000}"\n'],
    'compare.json': ['null', '[' * 100000, '{}', '{"a": ' + '1' * 5000 + '}'],
}


@pytest.mark.parametrize(
    'name, i', [(name, i) for name in TABLES for i in range(len(TABLES[name]))]
)
def test_a_comparisons_folder_that_makes_no_sense_is_a_line(name, i, tmp_path):
    path = results.open_folder(str(tmp_path / 'new'), dict(env='x'))
    results.Results(path).add('soft', 1, [(0, -1.0, 3.0)], -1.0, None, 1.0)
    (tmp_path / 'new' / name).write_text(TABLES[name][i])
    with pytest.raises(BadInput, match='new cannot be used .*: name another with --run'):
        results.open_folder(path, dict(env='x'))
        results.Results(path)
