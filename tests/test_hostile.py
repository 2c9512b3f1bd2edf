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
from experiment import options
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


# ---------------------------------------------------------------- random generators


class Slotted(object):
    __slots__ = 'generator'

    def __init__(self, generator):
        self.generator = generator


class Holder(gym.Env):
    """Draws from a generator that it holds somewhere."""

    def __init__(self, hold, draw):
        self.held = hold(np.random.RandomState(1))
        self.draw = lambda: draw(self.held)


def in_a_class(generator):
    Holder.shared = generator


def at_the_top(generator):
    globals()['AT_THE_TOP'] = generator


def space(generator):
    held = gym.spaces.Dict(x=box([0], [1]))
    held.seed(1)
    return held


PLACES = dict(
    slot=(Slotted, lambda held: held.generator.normal()),
    a_class=(in_a_class, lambda held: Holder.shared.normal()),
    module=(at_the_top, lambda held: AT_THE_TOP.normal()),  # noqa: F821
    keys=(
        lambda g: {1: g, '1': np.random.RandomState(2)},
        lambda held: held[1].normal() + held['1'].normal(),
    ),
    new=(lambda g: [np.random.Generator(np.random.PCG64(2))], lambda held: held[0].normal()),
    python=(
        lambda g: {'of dicts': types.SimpleNamespace(inner=random.Random(1))},
        lambda held: held['of dicts'].inner.gauss(0, 1),
    ),
    space=(space, lambda held: held.sample()['x'].item()),
    method=(lambda g: g.normal, lambda held: held()),
    partial=(lambda g: functools.partial(g.normal, 5), lambda held: held()),
    closure=(lambda g: lambda: g.normal(), lambda held: held()),
    a_set=(lambda g: {g}, lambda held: [each.normal() for each in held]),
    globals=(id, lambda held: np.random.normal() + random.random()),
)


@pytest.mark.parametrize('place', PLACES)
def test_a_generator_is_found_wherever_the_environment_holds_it(place):
    env = gym.Wrapper(Holder(*PLACES[place]))
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
    of_term, before = signal.getsignal(signal.SIGTERM), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.noted() as stop_asked:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop_asked() is None
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop_asked() == signal.SIGTERM
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) == of_term
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
