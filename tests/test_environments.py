"""lab/environments.py: what is accepted, and the line for everything that is not."""

import os
import random
import subprocess
import sys
import warnings

import gym
import numpy as np
import pytest
from gym import spaces
from gym.envs.classic_control import PendulumEnv

from lab.drawing import draw_pendulum
from lab.environments import EnvAdapter, make_env
from lab.messages import TrainingError, UsageError
from tests.helpers.environments import Odd, box, come_off
from tests.helpers.program import OURS, PROJECT

ONE = np.array([0.5, 2.0, -20.0], np.float32)
Z = np.zeros(3)


def one_line(error):
    """Return the text of an error that was raised, which is one line and not too long."""
    text = str(error.value)
    assert '\n' not in text and len(text) < 400
    return text


# ---------------------------------------------------------------- at the door


@pytest.mark.parametrize('name, says', [
    ('Pendulum-v1', r"no environment 'Pendulum-v1' \(but Pendulum-v0\).* gymnasium:Pendulum-v1"),
    ('', "no environment ''"),
    (OURS + 'ThreeJoints-v1', r'registers no .*\(but ThreeJoints-v0\).*"Your own environment"'),
    ('tests.nomodule.inside:Thing-v0', r"there is no module 'tests\.nomodule'"),
    ('./boat:Boat-v0', 'there is no module'),
])  # fmt: skip
def test_a_name_of_no_environment_is_refused_in_a_line_that_helps(name, says):
    with pytest.raises(UsageError, match=says) as refusal:
        make_env(name)
    assert one_line(refusal).startswith((name.partition(':')[0], 'gym'))


def test_a_library_that_is_missing_or_another_one_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'gymnasium', None)
    with pytest.raises(UsageError, match="there is no module 'gymnasium'; install it"):
        make_env('gymnasium:Pendulum-v1')
    monkeypatch.delitem(gym.envs.registry.env_specs, 'Pendulum-v0')
    monkeypatch.setattr(gym, '__version__', '0.26.2')
    with pytest.raises(UsageError, match=r'^gym 0\.26\.2 has no .*: pip install gym==0\.17\.3$'):
        make_env('Pendulum-v0')


@pytest.mark.parametrize('text, kind', [('import nomodule', ImportError), ('1 +', SyntaxError)])
def test_a_mistake_in_a_module_keeps_its_traceback(text, kind, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'faulty.py').write_text(text)
    with pytest.raises(kind):
        make_env('faulty:Thing-v0')


@pytest.mark.parametrize('about, says', [
    (dict(action_space=spaces.Discrete(2)), r'takes the actions Discrete\(2\).*"Discrete actions"'),
    (dict(action_space=box([-1], [np.inf])), 'make them finite'),
    (dict(action_space=box([-1, 1], [1, 1])), r'\[1\. 1\.\]: make .* the lower below the upper'),
    (dict(action_space=None, observation_space=None), 'no observation_space and no action_space'),
    (dict(observation_space=spaces.Box(0, 1, (4, 4, 3))), 'take a vector: FlattenObservation'),
    (dict(first=lambda s: s[:2]), r'gave the observation \[.*\], not 3 numbers'),
    (dict(answer=lambda s, *rest: (s, None, False, {})), 'gave the reward None'),
])  # fmt: skip
def test_an_environment_that_cannot_be_used_is_refused_in_a_line(about, says):
    with pytest.raises(UsageError, match=f'^Boat-v0.*{says}') as refusal:
        EnvAdapter(Odd(**about), 'Boat-v0').validate()
    one_line(refusal)


def test_making_one_changes_nobodys_random_numbers():
    random.seed(5), np.random.seed(5)
    states = random.getstate(), repr(np.random.get_state())
    make_env('Pendulum-v0')
    assert (random.getstate(), repr(np.random.get_state())) == states


def test_one_instance_is_made_and_it_can_be_closed():
    """A second one, or one left open, would find the port taken."""
    for _ in range(2):
        make_env(OURS + 'Port-v0').close()
    make_env(OURS + 'GlobalRandom-v0').close()  # it has nothing to close


# ---------------------------------------------------------------- time limits and notes


def test_gyms_time_limit_is_taken_off_and_noted_and_the_authors_own_stays():
    name = OURS + 'Limited-v0'  # 50 steps by gym, 7 by its author
    note = f'{name} has a limit of 50 steps; here MAX_EP_STEPS = 200 ends an episode'
    assert make_env(name, 200).notes == [note]
    assert make_env('Pendulum-v0', 200).notes == make_env(OURS + 'ThreeJoints-v0', 200).notes == []
    for env, ends in ((make_env(name, 50), [7]), (make_env('Pendulum-v0'), [])):
        assert env.notes == []
        env.reset()
        middle = (env.action_space.low + env.action_space.high) / 2
        assert [k for k in range(1, 202) if env.step(middle)[2]][:1] == ends


@pytest.mark.parametrize('high, start, says', [
    (1000, 1, 'an action is up to 1000, and'),
    (1, 0.001, 'its first observation is up to 0.001, and'),
    (1, -1, None),
])  # fmt: skip
def test_numbers_far_from_1_are_noted(high, start, says):
    env = EnvAdapter(Odd(lambda s: (start, start / 2), low=[0, -1], high=[high, 1]), 'Boat-v0')
    env.validate()
    assert len(env.notes) == (says is not None)
    for note in env.notes:
        assert note.startswith(f'Boat-v0: {says}') and note.endswith('docs/running, "Scale"')


# ---------------------------------------------------------------- what an environment gives


@pytest.mark.parametrize('given', [list, np.float32, lambda s: np.repeat(s, 2)[::2]])
def test_observations_of_other_kinds_are_converted(given):
    env = EnvAdapter(Odd(first=given, answer=lambda s, *rest: (given(s), *rest)))
    plain = EnvAdapter(Odd())
    env.seed(3), plain.seed(3)
    for s, want in ((env.reset(), plain.reset()), (env.step(ONE)[0], plain.step(ONE)[0])):
        assert (s.dtype, s.shape) == (np.float32, (3,))
        assert s == pytest.approx(want, abs=1e-6)


def test_an_observation_is_a_copy_and_no_later_step_changes_it():
    own = np.zeros(3, np.float32)
    env = EnvAdapter(Odd(first=lambda s: own, answer=lambda *given: (own, 0.0, False, {})))
    observations = [env.reset()]
    for _ in range(2):
        own += 1
        observations.append(env.step(ONE)[0])
    assert np.array(observations).tolist() == [[0] * 3, [1] * 3, [2] * 3]


@pytest.mark.parametrize('r, done', [
    (-1, True), (np.float32(-1), np.bool_(True)), (np.array([-1]), np.array([True])), ([-1.0], 1)
])  # fmt: skip
def test_rewards_and_ends_of_other_kinds_are_converted(r, done):
    env = EnvAdapter(Odd(answer=lambda s, *rest: (s, r, done, {})))
    env.reset()
    _, reward, end, _ = env.step(ONE)
    assert (type(reward), reward, end) == (float, -1, True)


@pytest.mark.parametrize('given', [
    (Z[:2], 0.0, False, {}), (Z * np.nan, 0.0, False, {}), (Z + 1e39, 0.0, False, {}),
    (Z + 1j, 0.0, False, {}), (['1', '2', '3'], 0.0, False, {}), (Z, np.nan, False, {}),
    (Z, 1e300, False, {}), (Z, '5', False, {}), (Z, [1, 1], False, {}), (Z, 0.0, None, {}),
    (Z, 0.0, True, 'no', {}), None, (Z, 0.0, False),
])  # fmt: skip
def test_what_makes_no_sense_in_the_loop_is_a_line(given):
    env = EnvAdapter(Odd(answer=lambda *answer: given))
    env.reset()
    with warnings.catch_warnings(record=True) as warned, pytest.raises(TrainingError) as error:
        warnings.simplefilter('always')
        env.step(ONE)
    assert not warned
    assert one_line(error).startswith('the environment gave ')


@pytest.mark.parametrize('where', ['seed', 'reset', 'step', 'render', 'close'])
def test_what_an_environment_raises_passes_through(where):
    inner = Odd()
    env = EnvAdapter(inner)
    setattr(inner, where, come_off)
    with pytest.raises(ValueError, match='came off'):
        getattr(env, where)(*{'step': [ONE], 'seed': [1]}.get(where, []))
    if where in ('seed', 'reset', 'step'):  # they are tried before training
        with pytest.raises(ValueError, match='came off'):
            env.validate()


# ---------------------------------------------------------------- what it gets


@pytest.mark.parametrize('kind, rounded', [('float64', 20.6), ('uint8', 21)])
def test_an_action_comes_in_the_boxs_kind_of_numbers_and_within_its_bounds(kind, rounded):
    there = box([3, 3, 3], [100, 100, 100], kind)
    inner = Odd(action_space=there)
    env = EnvAdapter(inner)
    assert env.action_space.low.dtype == np.float32
    env.reset()
    env.step(np.array([np.nextafter(np.float32(100), np.float32(200)), 2.99999, 20.6]))
    assert inner.action.dtype == kind and there.contains(inner.action)
    assert inner.action.tolist() == [100, 3, rounded]


# ---------------------------------------------------------------- randomness, today's API


def begin_and_go_on(env, seed):
    env.seed(seed)
    return [env.reset().tolist(), env.step(env.action_space.sample())[0].tolist()] * 2


@pytest.mark.parametrize('name', [
    'Pendulum-v0', OURS + 'DrawsFromEverywhere-v0', OURS + 'GlobalRandom-v0', OURS + 'Today-v0'
])  # fmt: skip
def test_a_seed_repeats_all_that_is_random(name):
    env = make_env(name)
    first = begin_and_go_on(env, 1)
    assert begin_and_go_on(env, 2) != first
    random.random(), np.random.rand(), env.reset(), env.action_space.sample()
    assert begin_and_go_on(env, 1) == first


def test_an_environment_of_todays_api_looks_like_one_of_gyms():
    env = make_env(OURS + 'Today-v0')
    assert isinstance(env.action_space, gym.spaces.Box)
    assert (env.action_space.shape, env.observation_space.shape) == ((1,), (2,))
    env.seed(np.int64(4))
    first, second = env.reset(), env.reset()
    assert env.unwrapped.seeds[-2:] == [4, None] and first.tolist() != second.tolist()
    assert env.unwrapped.action_space.seeds[-1] == 4
    steps = [env.step(np.zeros(1)) for _ in range(40)]
    assert [len(step) for step in steps] == [4] * 40
    assert [step[2] for step in steps] == [False] * 39 + [True]  # truncated
    env.reset()
    assert any([env.step(np.ones(1))[2] for _ in range(39)])  # terminated, before it is truncated


# ---------------------------------------------------------------- pictures


def test_gyms_pendulum_is_drawn_as_it_is_now():
    env = make_env('Pendulum-v0')
    env.seed(3), env.reset(), env.step(np.ones(1))
    assert (env.render() == draw_pendulum(env.unwrapped.state[0], 1.0)).all()
    assert env.frames_per_second == 30


def test_a_picture_with_an_alpha_channel_becomes_rgb_and_is_asked_for_only_where_it_is_drawn():
    env = make_env(OURS + 'Today-v0', drawn=True)
    env.reset(), env.step(np.zeros(1))
    assert (env.render().shape, env.render().max()) == ((20, 30, 3), 1)
    assert env.frames_per_second == 20
    assert make_env(OURS + 'Today-v0').unwrapped.render_mode is None


def no_opengl(*args, **kwargs):
    raise ImportError('no OpenGL')


@pytest.mark.parametrize('render, kind, says', [
    (gym.Env().render, UsageError, '^Boat-v0 draws no picture of itself$'),
    (no_opengl, UsageError, '^Boat-v0 cannot be drawn here: ImportError: no OpenGL$'),
    (lambda: 'a\npicture', TrainingError, '^the environment draws no picture'),
    (lambda mode: np.zeros((20, 30), np.uint8), TrainingError, '^the environment draws no picture'),
    (lambda mode: np.zeros((20, 30, 3)), TrainingError, '^the environment draws no picture'),
])  # fmt: skip
def test_what_draws_nothing_is_a_line(render, kind, says):
    inner = Odd()
    inner.render = render
    with pytest.raises(kind, match=says) as error:
        EnvAdapter(inner, 'Boat-v0').render()
    one_line(error)


def test_only_gyms_pendulum_itself_is_plain():
    class Heavier(PendulumEnv):
        pass

    pendulum = PendulumEnv()
    assert make_env('Pendulum-v0').is_plain_pendulum and EnvAdapter(pendulum).is_plain_pendulum
    assert not EnvAdapter(gym.Wrapper(pendulum)).is_plain_pendulum
    assert not EnvAdapter(Heavier()).is_plain_pendulum
    pendulum.step = pendulum.step
    assert not EnvAdapter(pendulum).is_plain_pendulum


# ---------------------------------------------------------------- gymnasium itself


def test_pendulum_v1_of_gymnasium_is_gyms_pendulum():
    pytest.importorskip('gymnasium')
    env, gyms = make_env('gymnasium:Pendulum-v1', 200), make_env('Pendulum-v0')
    assert env.notes == [] and not env.is_plain_pendulum
    env.seed(3)
    s = env.reset()
    gyms.reset()
    gyms.unwrapped.state = np.array(env.unwrapped.state)
    for action in np.random.RandomState(0).uniform(-2, 2, (201, 1)):
        (s, r, done, _), (want, reward, _, _) = env.step(action), gyms.step(action)
        assert s == pytest.approx(want, abs=1e-4) and r == pytest.approx(reward, abs=1e-4)
        assert not done
    for name, package in (('', 'gym'), ('gymnasium:', 'gymnasium')):  # both have this one
        env = make_env(f'{name}MountainCarContinuous-v0')
        assert type(env.unwrapped).__module__.partition('.')[0] == package


SCALED = """
import gymnasium
import numpy as np

def scaled():
    pendulum = gymnasium.envs.classic_control.PendulumEnv()
    return gymnasium.wrappers.RescaleAction(pendulum, np.float32(-3), np.float32(3))

gymnasium.register(id='Scaled-v0', entry_point=scaled, max_episode_steps=9)
"""


def test_a_module_may_register_with_gymnasium_and_its_own_wrapper_stays(tmp_path, monkeypatch):
    pytest.importorskip('gymnasium')
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'scaled.py').write_text(SCALED)
    env = make_env('scaled:Scaled-v0', 200, drawn=True)  # which its maker cannot be asked for
    note = 'scaled:Scaled-v0 has a limit of 9 steps; here MAX_EP_STEPS = 200 ends an episode'
    assert env.notes == [note]
    assert type(env.env).__name__ == 'RescaleAction' and env.action_space.high.tolist() == [3]
    assert begin_and_go_on(env, 1) == begin_and_go_on(env, 1) != begin_and_go_on(env, 2)
    with pytest.raises(UsageError, match=r"no environment 'Scaled-v1' \(but Scaled-v0\)"):
        make_env('scaled:Scaled-v1')


def test_mujoco_beside_tensorflow():
    """In a process of its own: only there it is found out how MuJoCo draws without a display."""
    pytest.importorskip('gymnasium')
    pytest.importorskip('mujoco')
    env = make_env('gymnasium:Reacher-v5', 50)
    assert (env.observation_space.shape, env.action_space.shape) == ((10,), (2,))
    assert begin_and_go_on(env, 5) == begin_and_go_on(env, 5) != begin_and_go_on(env, 6)
    code = 'import fast_tf; from lab.environments import make_env; '
    code += 'env = make_env("gymnasium:Reacher-v5", drawn=True); env.reset(); '
    code += 'assert env.render().std() > 10; env.close()'
    environ = dict(os.environ, PYTHONPATH=str(PROJECT), DISPLAY='')
    done = subprocess.run([sys.executable, '-c', code], stderr=subprocess.PIPE, env=environ)
    assert (done.returncode, done.stderr.decode()) == (0, '')
