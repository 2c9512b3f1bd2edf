"""lab/environments.py: what is accepted, and the line for everything that is not."""

import os
import random
import subprocess
import sys
import warnings

import gym
import numpy as np
import pytest

from lab.drawing import draw_pendulum
from lab.environments import EnvAdapter, make_env
from lab.messages import Diverged, TrainingError, UsageError
from tests.helpers.environments import GlobalRandom, InPlace, Joints, Odd, Today, box
from tests.helpers.environments import come_off, exit_program
from tests.helpers.program import OURS, PROJECT

ONE = np.array([0.5, 2.0, -20.0], np.float32)


def one_line(error):
    """Return the text of an error that was raised, which is one line and not too long."""
    text = str(error.value)
    assert '\n' not in text and len(text) < 400
    return text


# ---------------------------------------------------------------- at the door

REFUSED = {
    'Pendulum-v1': r"no environment 'Pendulum-v1' \(but Pendulum-v0\).* gymnasium:Pendulum-v1",
    'Nonesuch-v0': r"no environment 'Nonesuch-v0': .*module:Nonesuch-v0",
    'no name': "no environment 'no name'",
    '': "no environment ''",
    ':ThreeJoints-v1': r'\(but ThreeJoints-v0\)',
    OURS + 'ThreeJoints-v1': r'registers no .*-v1.*\(but ThreeJoints-v0\).*"Your own environment"',
    OURS + 'Joints': r"registers no environment 'Joints'",
    'nomodule:Thing-v0': "there is no module 'nomodule'",
    'nomodule.inside:Thing-v0': "there is no module 'nomodule'",
    'tests.nomodule:Thing-v0': r"there is no module 'tests\.nomodule'",
    './boat:Boat-v0': 'there is no module',
    'memory.py:Boat-v0': r"there is no module 'memory\.py'",
    'a:b:Boat-v0': "there is no module 'a:b'",
    'CartPole-v0': r'takes the actions Discrete\(2\).*"Discrete actions" in docs/running',
    OURS + 'Unbounded-v0': 'make them finite',
    OURS + 'WidthOverflows-v0': 'make them finite',
    OURS + 'UpsideDown-v0': r'\[1\. 1\.\]: make them finite, the lower below the upper',
    OURS + 'MatrixOfActions-v0': r'\(2, 2\).*a vector of numbers',
    OURS + 'ImageObservation-v0': 'take a vector: FlattenObservation',
    OURS + 'DictObservation-v0': r'Dict\(.*\), the networks take a vector',
    OURS + 'NoSpaces-v0': 'has no observation_space and no action_space: see',
    OURS + 'Neither-v0': 'has no observation_space and no action_space: see',
    OURS + 'ThreeValues-v0': 'step 3 values .*not observation, reward, done and info',
    OURS + 'ShortObservation-v0': r'gave the observation \[.*\], not 3 numbers',
    OURS + 'HugeReward-v0': r'gave the reward -1e\+300, not one finite number',
    OURS + 'NoReward-v0': 'gave the reward None',
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_cannot_be_used_is_refused_in_a_line_that_helps(name):
    with pytest.raises(UsageError, match=REFUSED[name]) as refusal:
        make_env(name)
    assert one_line(refusal).startswith((name, name.partition(':')[0], 'gym'))


@pytest.mark.parametrize('text, kind', [
    ('import nomodule', ModuleNotFoundError),
    ('from json import nothing', ImportError),
    ('1 +', SyntaxError),
    ('import sys; sys.exit()', SystemExit),
])  # fmt: skip
def test_a_mistake_in_a_module_keeps_its_traceback(text, kind, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'faulty.py').write_text(text)
    with pytest.raises(kind):
        make_env('faulty:Thing-v0')


@pytest.mark.parametrize('name, kind', [('FailsToStart', TypeError), ('FailsToReset', ValueError)])
def test_what_an_environment_raises_at_the_door_passes_through(name, kind):
    with pytest.raises(kind) as error:
        make_env(f'{OURS}{name}-v0')
    assert error.traceback[-1].path.name == 'environments.py'
    assert error.traceback[-1].path.parent.name == 'helpers'


@pytest.mark.parametrize('where', ['seed', 'reset', 'step'])
def test_each_is_tried_at_the_door(where):
    inner = Odd()
    setattr(inner, where, come_off)
    with pytest.raises(ValueError):
        EnvAdapter(inner).validate()


def test_another_gym_than_the_one_with_pendulum_v0_is_told_which_has_it(monkeypatch):
    monkeypatch.delitem(gym.envs.registry.env_specs, 'Pendulum-v0')
    monkeypatch.setattr(gym, '__version__', '0.26.2')
    with pytest.raises(UsageError, match=r'^gym 0\.26\.2 has no .*: pip install gym==0\.17\.3$'):
        make_env('Pendulum-v0')


def test_the_random_numbers_of_whoever_makes_an_environment_stay_as_they_were():
    def draw():
        random.seed(5)
        np.random.seed(5)
        make()
        return random.random(), np.random.rand()

    make = int
    before, make = draw(), lambda: make_env('Pendulum-v0')
    assert draw() == before


def test_one_instance_is_made_and_it_can_be_closed():
    """A second one, or one left open, would find the port taken."""
    for _ in range(2):
        make_env(OURS + 'Port-v0').close()
    make_env(OURS + 'GlobalRandom-v0').close()  # it has nothing to close


# ---------------------------------------------------------------- time limits and notes


def test_the_time_limit_of_gym_is_taken_off():
    env = make_env('Pendulum-v0')
    env.reset()
    assert not any(env.step(env.action_space.low)[2] for _ in range(450))


def test_a_limit_that_was_taken_off_is_noted_where_the_lessons_is_another():
    name = 'MountainCarContinuous-v0'
    note = f'{name} has a limit of 999 steps; here MAX_EP_STEPS = 200 ends an episode'
    assert make_env(name, 200).notes == [note]
    assert make_env(name, 999).notes == make_env(name).notes == []
    assert make_env('Pendulum-v0', 200).notes == []
    assert make_env(OURS + 'ThreeJoints-v0', 200).notes == []


def limited():
    return gym.wrappers.TimeLimit(Joints(), 7)


def test_a_time_limit_of_the_authors_own_stays(monkeypatch):
    monkeypatch.delitem(gym.envs.registry.env_specs, 'Limited-v0')
    gym.register(id='Limited-v0', entry_point=limited, max_episode_steps=50)
    env = make_env('Limited-v0')
    env.reset()
    assert [env.step(ONE)[2] for _ in range(7)] == [False] * 6 + [True]


@pytest.mark.parametrize('low, high, start, says', [
    ([0, -2], [1000, 2], 1, 'an action is up to 1000, and'),
    ([-1, -0.002], [1, 0.002], 1, 'an action is up to 0.002, and'),
    ([-1, -49], [1, 49], 49, None),
    ([-1, -1], [1, 0.02], 0, None),
    ([-1, -1], [1, 1], -2000, 'its first observation is up to 2000, and'),
    ([-1, -1], [1, 1], 0.001, 'its first observation is up to 0.001, and'),
])  # fmt: skip
def test_numbers_far_from_1_are_noted(low, high, start, says):
    env = EnvAdapter(Odd(lambda s: (start, start / 2), low=low, high=high), 'Boat-v0')
    env.validate()
    assert len(env.notes) == (says is not None)
    assert says is None or env.notes[0].startswith(f'Boat-v0: {says}')
    assert says is None or env.notes[0].endswith('docs/running, "Scale"')


# ---------------------------------------------------------------- what an environment gives


@pytest.mark.parametrize('given', [list, tuple, np.float32, lambda s: np.repeat(s, 2)[::2]])
def test_observations_of_other_kinds_are_converted(given):
    env = EnvAdapter(Odd(first=given, answer=lambda s, *rest: (given(s), *rest)))
    plain = EnvAdapter(Odd())
    env.seed(3), plain.seed(3)
    for s, want in ((env.reset(), plain.reset()), (env.step(ONE)[0], plain.step(ONE)[0])):
        assert (s.dtype, s.shape) == (np.float32, (3,))
        assert s == pytest.approx(want, abs=1e-6)


def test_an_observation_is_a_copy_and_no_later_step_changes_it():
    env = EnvAdapter(InPlace())
    s = env.reset()
    before = s.copy()
    s_ = env.step(ONE)[0]
    assert s.tolist() == before.tolist()
    assert s_ == pytest.approx(before + 1)


@pytest.mark.parametrize('r', [-1, np.float32(-1), np.array(-1.0), np.array([-1]), [-1.0], True])
@pytest.mark.parametrize('done', [True, np.bool_(True), np.array([True]), 1])
def test_rewards_and_ends_of_other_kinds_are_converted(r, done):
    env = EnvAdapter(Odd(answer=lambda s, *rest: (s, r, done, {})))
    env.reset()
    _, reward, end, _ = env.step(ONE)
    assert (type(reward), end) == (float, True)
    assert abs(reward) == 1


class Unspeakable(object):
    """Raises whatever is asked of it."""

    def _raise(self):
        raise RuntimeError

    __str__ = __repr__ = __float__ = __bool__ = __abs__ = __array__ = _raise


Z = np.zeros(3)
HOSTILE = dict(
    short=(Z[:2], 0.0, False, {}),
    matrix=(Z[np.newaxis], 0.0, False, {}),
    not_finite=(Z * np.nan, 0.0, False, {}),
    complex=(Z + 1j, 0.0, False, {}),
    words=(['1', '2', '3'], 0.0, False, {}),
    ragged=([[1], 2, [3, 4]], 0.0, False, {}),
    huge=([10**400, 1, 2], 0.0, False, {}),
    overflows=(Z + 1e39, 0.0, False, {}),
    objects=([Unspeakable()] * 3, 0.0, False, {}),
    observation=(Unspeakable(), 0.0, False, {}),
    reward=(Z, Unspeakable(), False, {}),
    infinite_reward=(Z, -np.inf, False, {}),
    nan_reward=(Z, np.nan, False, {}),
    two_rewards=(Z, [1, 1], False, {}),
    huge_reward=(Z, 10**400, False, {}),
    large_reward=(Z, 1e300, False, {}),
    word_as_reward=(Z, '5', False, {}),
    complex_reward=(Z, 1j, False, {}),
    done=(Z, 0.0, Unspeakable(), {}),
    none_as_done=(Z, 0.0, None, {}),
    word_as_done=(Z, 0.0, 'no', {}),
    two_ends=(Z, 0.0, [True, True], {}),
    word_as_truncated=(Z, 0.0, True, 'no', {}),
    nothing=None,
    three=(Z, 0.0, False),
    six=(Z, 0.0, False, False, {}, {}),
    a_list=[Z, 0.0, False, {}],
)


@pytest.mark.parametrize('what', HOSTILE)
def test_what_makes_no_sense_in_the_loop_is_a_line(what):
    env = EnvAdapter(Odd(answer=lambda *answer: HOSTILE[what]))
    env.reset()
    with warnings.catch_warnings(record=True) as warned, pytest.raises(TrainingError) as error:
        warnings.simplefilter('always')
        env.step(ONE)
    assert not warned
    assert one_line(error).startswith('the environment gave ')


@pytest.mark.parametrize('fault, kind', [(come_off, ValueError), (exit_program, SystemExit)])
@pytest.mark.parametrize('where', ['reset', 'step', 'seed', 'close', 'render'])
def test_whatever_an_environment_raises_passes_through(where, fault, kind):
    inner = Odd()
    env = EnvAdapter(inner)
    setattr(inner, where, fault)
    with pytest.raises(kind):
        getattr(env, where)(*{'step': [ONE], 'seed': [1]}.get(where, []))


# ---------------------------------------------------------------- what it gets


@pytest.mark.parametrize('kind', ['float32', 'float64', 'float16', 'int8', 'uint8', 'int32'])
def test_an_action_comes_in_the_boxs_kind_of_numbers_and_within_its_bounds(kind):
    there = box([3, 3, 3], [100, 100, 100], kind)
    inner = Odd(action_space=there)
    env = EnvAdapter(inner)
    assert env.action_space.low.dtype == np.float32
    env.reset()
    env.step(np.array([np.nextafter(np.float32(100), np.float32(200)), 2.99999, 20.6]))
    assert inner.action.dtype == kind and there.contains(inner.action)
    assert inner.action[2] == (21 if 'int' in kind else np.dtype(kind).type(20.6))


def test_an_action_that_is_not_finite_is_the_networks_fault():
    env = EnvAdapter(Odd())
    env.reset()
    with pytest.raises(Diverged, match="^the actor's output became "):
        env.step(ONE * np.nan)


# ---------------------------------------------------------------- randomness


def begin_and_go_on(env, seed):
    env.seed(seed)
    return [env.reset().tolist(), env.step(env.action_space.sample())[0].tolist()] * 2


@pytest.mark.parametrize('name', [
    'Pendulum-v0', OURS + 'ThreeJoints-v0', OURS + 'DrawsFromEverywhere-v0',
    OURS + 'GlobalRandom-v0', OURS + 'Today-v0', OURS + 'Simulator-v0',
])  # fmt: skip
def test_a_seed_repeats_all_that_is_random(name):
    env = make_env(name)
    first = begin_and_go_on(env, 1)
    assert begin_and_go_on(env, 2) != first
    random.random(), np.random.rand(), env.reset(), env.action_space.sample()
    assert begin_and_go_on(env, 1) == first


def test_a_seed_of_todays_api_is_for_the_next_reset_only():
    inner = Today()
    env = EnvAdapter(inner)
    env.seed(np.int64(4))
    first, second = env.reset(), env.reset()
    assert inner.seeds == [4, None] and first.tolist() != second.tolist()
    assert inner.action_space.seeds == inner.observation_space.seeds == [4]


class PassesOn(object):
    """A wrapper that passes on whatever reset gets, with a space of its own."""

    def __init__(self, inner):
        self.unwrapped, self.step = inner, inner.step
        self.action_space, self.observation_space = box([-2], [2]), inner.observation_space

    def reset(self, **kwargs):
        return self.unwrapped.reset(**kwargs)


class PassesNothingOn(PassesOn):
    def reset(self):
        return self.unwrapped.reset()


@pytest.mark.parametrize('wrapper, inner, seeds', [
    (PassesOn, Today(), [4]), (PassesOn, GlobalRandom(), [None]), (PassesNothingOn, Today(), [None])
])  # fmt: skip
def test_a_seed_reaches_what_is_inside_a_wrapper_if_both_take_it(wrapper, inner, seeds):
    env = EnvAdapter(wrapper(inner))
    env.env.seed = 3  # a number of its own, no method
    env.seed(4)
    env.reset()
    assert inner.seeds == seeds
    assert inner.action_space.seeds == [4]  # it may draw from its own


# ---------------------------------------------------------------- today's API


@pytest.mark.parametrize('name', ['Today', 'Half'])
def test_an_environment_of_todays_api_looks_like_one_of_gyms(name):
    env = make_env(f'{OURS}{name}-v0')
    assert isinstance(env.action_space, gym.spaces.Box)
    assert (env.action_space.shape, env.observation_space.shape) == ((1,), (2,))
    env.seed(1)
    assert env.reset().dtype == np.float32
    steps = [env.step(np.zeros(1)) for _ in range(40)]
    assert [len(step) for step in steps] == [4] * 40
    assert [step[2] for step in steps] == [False] * 39 + [True]  # truncated
    env.reset()
    ends = [env.step(np.ones(1))[2] for _ in range(39)]
    assert any(ends)  # terminated, before it is truncated


def test_gymnasium_where_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, 'gymnasium', None)
    with pytest.raises(UsageError, match="there is no module 'gymnasium'; install it"):
        make_env('gymnasium:Pendulum-v1')
    make_env('Pendulum-v0')


# ---------------------------------------------------------------- pictures


def test_gyms_pendulum_is_drawn_as_it_is_now():
    env = make_env('Pendulum-v0')
    env.seed(3), env.reset(), env.step(np.ones(1))
    theta = env.unwrapped.state[0]
    assert (env.render() == draw_pendulum(theta, 1.0)).all()
    assert (env.render() != draw_pendulum(theta, -1.0)).any()
    assert env.frames_per_second == 30
    env.env.metadata = {'video.frames_per_second': 50}
    assert env.frames_per_second == 50


def test_a_picture_with_an_alpha_channel_becomes_rgb_and_is_asked_for_only_where_it_is_drawn():
    env = make_env(OURS + 'Today-v0', drawn=True)
    env.reset(), env.step(np.zeros(1))
    assert (env.render().shape, env.render().max()) == ((20, 30, 3), 1)
    assert env.frames_per_second == 20
    assert make_env(OURS + 'Today-v0').unwrapped.render_mode is None
    env = make_env(OURS + 'ThreeJoints-v0', drawn=True)  # takes any argument, and gym's API
    assert not hasattr(env.unwrapped, 'render_mode')


@pytest.mark.parametrize('display, drawn, backend', [
    ('', True, 'egl'), (':0', True, None), ('', False, None)
])  # fmt: skip
def test_mujoco_is_asked_to_draw_without_a_display_where_there_is_none(
    display, drawn, backend, monkeypatch
):
    monkeypatch.setenv('DISPLAY', display)
    monkeypatch.setenv('MUJOCO_GL', '')  # so that it is put back
    monkeypatch.delenv('MUJOCO_GL')
    make_env('Pendulum-v0', drawn=drawn)
    assert os.environ.get('MUJOCO_GL') == (backend if sys.platform == 'linux' else None)


def no_opengl(*args, **kwargs):
    raise ImportError('no OpenGL')


@pytest.mark.parametrize('render, kind, says', [
    (gym.Env().render, UsageError, '^Boat-v0 draws no picture of itself$'),
    (None, UsageError, '^Boat-v0 draws no picture of itself$'),
    (no_opengl, UsageError, '^Boat-v0 cannot be drawn here: ImportError: no OpenGL$'),
    (lambda: None, TrainingError, 'no picture'),
    (lambda mode: Z, TrainingError, 'no picture'),
    (lambda mode: 'a word', TrainingError, 'no picture'),
])  # fmt: skip
def test_what_draws_nothing_is_a_line(render, kind, says):
    inner = Odd()
    inner.render = render
    with pytest.raises(kind, match=says) as error:
        EnvAdapter(inner, 'Boat-v0').render()
    one_line(error)


# ---------------------------------------------------------------- which it is


def test_only_gyms_pendulum_itself_is_plain():
    env = make_env('Pendulum-v0')
    assert env.is_plain_pendulum
    assert env.action_space is env.env.action_space  # a second one would take time to seed

    class Heavier(gym.envs.classic_control.PendulumEnv):
        pass

    pendulum = gym.make('Pendulum-v0').unwrapped
    assert EnvAdapter(pendulum).is_plain_pendulum
    assert not EnvAdapter(gym.Wrapper(pendulum)).is_plain_pendulum
    assert not EnvAdapter(Heavier()).is_plain_pendulum
    pendulum.step = pendulum.step
    assert not EnvAdapter(pendulum).is_plain_pendulum


# ---------------------------------------------------------------- gymnasium itself

THEIRS = """
import gymnasium
import numpy as np


class Boat(gymnasium.Env):
    metadata = {'render_modes': ['rgb_array'], 'render_fps': 4}

    def __init__(self, limit=9, render_mode=None):
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,))
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,))
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.x, {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.x += action / 10
        return self.x, -float(abs(self.x).sum()), False, False, {}

    def render(self):
        return np.zeros((4, 6, 3), np.uint8)


def scaled():
    return gymnasium.wrappers.RescaleAction(Boat(), np.float32(-3), np.float32(3))


gymnasium.register(id='Boat-v0', entry_point=Boat, max_episode_steps=9)
gymnasium.register(id='Scaled-v0', entry_point=scaled, max_episode_steps=9)
"""


@pytest.fixture
def their_boat(tmp_path, monkeypatch):
    gymnasium = pytest.importorskip('gymnasium')
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'their_boat.py').write_text(THEIRS)
    yield gymnasium
    sys.modules.pop('their_boat', None)
    for name in ('Boat-v0', 'Scaled-v0'):
        gymnasium.registry.pop(name, None)


def test_an_environment_written_for_gymnasium_is_used_as_it_is(their_boat):
    env = make_env('their_boat:Boat-v0', 200, drawn=True)
    assert type(env.env).__name__ == 'Boat'
    assert env.notes == [
        'their_boat:Boat-v0 has a limit of 9 steps; here MAX_EP_STEPS = 200 ends an episode'
    ]
    env.seed(7)
    s = env.reset()
    assert s.tolist() == their_boat.make('Boat-v0').reset(seed=7)[0].tolist()
    assert not any(env.step(np.array([0.1, 0.2]))[2] for _ in range(20))  # float64: it gets float32
    assert (env.render().shape, env.frames_per_second) == ((4, 6, 3), 4)
    assert begin_and_go_on(env, 1) == begin_and_go_on(env, 1)


def test_the_authors_own_wrapper_of_gymnasium_stays(their_boat):
    env = make_env('their_boat:Scaled-v0', drawn=True)  # which its maker cannot be asked for
    assert type(env.env).__name__ == 'RescaleAction' and env.action_space.high.tolist() == [3, 3]
    s = env.reset()
    assert env.step(np.full(2, 3))[0] == pytest.approx(s + 0.1)
    with pytest.raises(UsageError, match=r"no environment 'Boat-v1' \(but Boat-v0\)"):
        make_env('their_boat:Boat-v1')


def test_pendulum_v1_of_gymnasium_is_gyms_pendulum():
    pytest.importorskip('gymnasium')
    env, gyms = make_env('gymnasium:Pendulum-v1', 200), make_env('Pendulum-v0')
    assert env.notes == [] and not env.is_plain_pendulum
    env.seed(3)
    s = env.reset()
    gyms.reset()
    gyms.unwrapped.state = np.array(env.unwrapped.state)
    for action in np.random.RandomState(0).uniform(-2, 2, (50, 1)):
        (s, r, done, _), (want, reward, _, _) = env.step(action), gyms.step(action)
        assert s == pytest.approx(want, abs=1e-5) and r == pytest.approx(reward, abs=1e-5)
        assert not done
    with pytest.raises(UsageError, match=r"no environment 'Pendulum-v0' \(but Pendulum-v1\)"):
        make_env('gymnasium:Pendulum-v0')


def test_what_both_have_is_gymnasiums_if_that_is_asked_for():
    pytest.importorskip('gymnasium')
    for name, package in (('', 'gym'), ('gymnasium:', 'gymnasium')):
        env = make_env(f'{name}MountainCarContinuous-v0')
        assert type(env.unwrapped).__module__.partition('.')[0] == package


def test_reacher_v5_of_mujoco():
    pytest.importorskip('gymnasium')
    pytest.importorskip('mujoco')
    env = make_env('gymnasium:Reacher-v5', 50)
    assert type(env.env).__name__ == 'ReacherEnv' and env.notes == []
    assert (env.observation_space.shape, env.action_space.shape) == ((10,), (2,))
    assert begin_and_go_on(env, 5) == begin_and_go_on(env, 5) != begin_and_go_on(env, 6)


def test_mujoco_draws_beside_tensorflow():
    pytest.importorskip('gymnasium')
    pytest.importorskip('mujoco')
    code = 'import fast_tf; from lab.environments import make_env; '
    code += 'env = make_env("gymnasium:Reacher-v5", drawn=True); env.reset(); '
    run_python(code + 'assert env.render().std() > 10; env.close()')


# ---------------------------------------------------------------- in a process of its own


def run_python(code):
    """Run `code` in a new Python, which must succeed and print nothing to standard error."""
    environ = dict(os.environ, PYTHONPATH=str(PROJECT))
    environ.pop('DISPLAY', None)
    done = subprocess.run([sys.executable, '-c', code], stderr=subprocess.PIPE, env=environ)
    assert (done.returncode, done.stderr.decode()) == (0, '')


def test_nothing_is_printed_and_gymnasium_is_imported_for_its_own_only():
    code = 'import sys; from lab.environments import make_env; '
    code += f'make_env("Pendulum-v0"), make_env("{OURS}Today-v0"); '
    run_python(code + 'assert "gymnasium" not in sys.modules')
