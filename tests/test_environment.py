"""support/environment.py: what is accepted, and the line for everything that is not."""

import gym
import numpy as np
import pytest

from support import environment
from support.environment import Checked
from support.messages import BadInput, RunFailed
from tests.helpers.environments import Odd, box

OURS = 'tests.helpers.environments:'


@pytest.mark.parametrize('name, says', [
    ('CartPole-v0', r'takes the actions Discrete\(2\)'),
    (OURS + 'Unbounded-v0', r'make them finite'),
    (OURS + 'WidthOverflows-v0', r'make them finite'),
    (OURS + 'UpsideDown-v0', r'the lower below the upper'),
    (OURS + 'MatrixOfActions-v0', r'\(2, 2\).*a vector'),
    (OURS + 'ImageObservation-v0', r'take a vector'),
    (OURS + 'DiscreteObservation-v0', r'Discrete\(5\).*take a vector'),
    (OURS + 'CannotBeMade-v0', r'cannot be made: .*TypeError'),
    ('Nonesuch-v0', r"knows no environment 'Nonesuch-v0'"),
    ('no name', r'cannot be made: .*Error: .*malformed'),
    ('nomodule:Thing-v0', r'cannot be made: .*Error: .*nomodule'),
])  # fmt: skip
def test_what_ddpg_cannot_learn_in_is_refused_in_one_line(name, says):
    with pytest.raises(BadInput, match=says) as refusal:
        environment.make(name)
    assert '\n' not in str(refusal.value)


def test_a_gym_without_pendulum_v0_is_told_which_has_it(monkeypatch):
    monkeypatch.delitem(gym.envs.registry.env_specs, 'Pendulum-v0')
    with pytest.raises(BadInput, match=r'pip install gym==0\.17\.3$'):
        environment.make('Pendulum-v0')


# ---------------------------------------------------------------- what an environment gives

ONE = np.array([0.5, 2.0, -20.0])


def test_the_time_limit_of_gym_is_taken_off():
    env = environment.make('Pendulum-v0')
    env.reset()
    assert not any(env.step(env.action_space.low)[2] for _ in range(450))


@pytest.mark.parametrize('given', [list, tuple, np.float32, lambda s: np.repeat(s, 2)[::2]])
def test_observations_of_other_kinds_are_converted(given):
    env = Checked(Odd(first=given, answer=lambda s, *rest: (given(s), *rest)))
    plain = Checked(Odd())
    env.seed(3), plain.seed(3)
    for s, want in ((env.reset(), plain.reset()), (env.step(ONE)[0], plain.step(ONE)[0])):
        assert (s.dtype, s.shape) == (np.float32, (3,))
        assert s == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize('r', [-1, np.float32(-1), np.array(-1.0), np.array([-1]), [-1.0], True])
@pytest.mark.parametrize('done', [True, np.bool_(True), np.array([True]), 1])
def test_rewards_and_ends_of_other_kinds_are_converted(r, done):
    env = Checked(Odd(answer=lambda s, *rest: (s, r, done, {})))
    env.reset()
    _, reward, end, _ = env.step(ONE)
    assert (type(reward), end) == (float, True)
    assert abs(reward) == 1


WRONG = {
    'short': lambda s, r, done, info: (s[:2], r, done, info),
    'matrix': lambda s, r, done, info: (s[np.newaxis], r, done, info),
    'not finite': lambda s, r, done, info: (s * np.nan, r, done, info),
    'an infinite reward': lambda s, r, done, info: (s, -np.inf, done, info),
    'two rewards': lambda s, r, done, info: (s, [r, r], done, info),
    'two ends': lambda s, r, done, info: (s, r, [done, done], info),
    'nothing': lambda *answer: None,
    'as newer gyms': lambda s, r, done, info: (s, r, done, False, info),
}


@pytest.mark.parametrize('how', WRONG)
def test_a_step_that_makes_no_sense_is_one_line(how):
    env = Checked(Odd(answer=WRONG[how]))
    env.reset()
    with pytest.raises(RunFailed, match='^the environment gave ') as failure:
        env.step(ONE)
    assert '\n' not in str(failure.value)
    assert ('newer gyms' in str(failure.value)) == (how == 'as newer gyms')


def test_a_reset_as_newer_gyms_have_it_is_one_line():
    with pytest.raises(RunFailed, match=r'as newer gyms do: the lesson needs gym 0\.17\.3'):
        Checked(Odd(first=lambda s: (s, {}))).reset()


class Unspoken(BaseException):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize('what', [SystemExit, GeneratorExit, ValueError, RecursionError, Unspoken])
@pytest.mark.parametrize('where', ['reset', 'step', 'seed', 'close', 'render'])
def test_whatever_an_environment_raises_is_one_line(where, what):
    inner = Odd()
    env = Checked(inner)

    def fail(*args, **kwargs):
        raise what

    setattr(inner, where, fail)
    with pytest.raises(RunFailed, match=f'^the environment failed with {what.__name__}: '):
        getattr(env, where)(*([ONE] if where == 'step' else []))


@pytest.mark.parametrize('kind', [np.float64, np.float16, np.int32, np.int8])
def test_boxes_of_other_kinds_of_numbers_get_actions_of_their_kind(kind):
    inner = Odd(action_space=box([-3, 0, -30], [3, 5, -10], kind))
    env = Checked(inner)
    assert env.action_space.low.dtype == np.float32
    env.reset()
    env.step(np.array([0.7, 2.2, -20.6], np.float32))
    assert inner.action.dtype == kind
    if np.issubdtype(kind, np.integer):
        assert inner.action.tolist() == [1, 2, -21]


def test_a_seed_goes_to_the_spaces_too():
    env = Checked(Odd())
    drawn = [env.seed(seed) and env.action_space.sample().tolist() for seed in (1, 2, 1)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_an_action_that_is_not_finite_is_the_networks_fault():
    env = Checked(Odd())
    env.reset()
    with pytest.raises(RunFailed, match="the actor's output became"):
        env.step(ONE * np.nan)
