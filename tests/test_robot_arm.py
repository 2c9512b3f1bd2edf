"""robot_arm.py: kinematics, reward, seeds and bounds of the arm, and runs in it."""

import gym
import numpy as np
import pytest

import ddpg
import robot_arm
from docs import robot_arm as measured
from lab.environments import make_env
from tests.helpers.program import python_blocks, rows


@pytest.fixture
def arm():
    arm = robot_arm.Arm()
    arm.seed(1)
    arm.reset()
    return arm


@pytest.mark.parametrize('angles, elbow, finger', [
    ((0, 0), (0.5, 0), (1, 0)),
    ((90, 0), (0, 0.5), (0, 1)),
    ((0, 90), (0.5, 0), (0.5, 0.5)),
    ((180, -90), (-0.5, 0), (-0.5, 0.5)),
    ((30, 30), (0.4330127, 0.25), (0.6830127, 0.6830127)),
    ((45, 180), (0.3535534, 0.3535534), (0, 0)),
])  # fmt: skip
def test_positions_are_those_worked_by_hand(arm, angles, elbow, finger):
    arm.angles = np.radians(angles)
    arm.goal = np.array([0.1, -0.2])
    for got, want in zip(arm.joints(), (elbow, finger)):
        assert got == pytest.approx(want, abs=1e-6)
    s = arm._observation()
    assert s[:2] == pytest.approx(np.subtract(elbow, arm.goal), abs=1e-6)
    assert s[2:4] == pytest.approx(np.subtract(finger, arm.goal), abs=1e-6)
    assert s[4:6] == pytest.approx(arm.goal)


@pytest.mark.parametrize('off, bonus', [(0, 1), (0.0749, 1), (0.0751, 0), (0.4, 0)])
def test_the_reward_is_minus_the_distance_plus_one_at_the_goal(arm, off, bonus):
    arm.angles, arm.goal = np.zeros(2), np.array([1 - off, 0])
    s_, r, _, _ = arm.step(np.zeros(2))
    assert r == pytest.approx(bonus - off)
    assert s_[6] == bonus


def test_actions_are_velocities_within_their_bounds(arm):
    arm.angles = np.array([1.0, 2.0])
    arm.step(np.array([0.5, -0.25]))
    assert arm.angles == pytest.approx([1.05, 1.975])
    arm.step(np.array([7.0, -7.0]))  # as 1 and -1
    assert arm.angles == pytest.approx([1.15, 1.875])


def test_seeds_decide_the_starts_which_lie_within_square_and_reach(arm):
    starts = [arm.reset() for _ in range(200)]
    arm.seed(1)
    arm.reset()
    assert (np.array([arm.reset() for _ in range(200)]) == starts).all()
    arm.seed(2)
    assert (arm.reset() != starts[0]).any()
    goals = np.array(starts)[:, 4:6]
    assert np.abs(goals).max() <= 0.5 and np.abs(goals).max() > 0.45
    assert np.linalg.norm(goals, axis=1).max() <= 1


def test_it_keeps_gyms_promises(arm):
    """What gym's own tests ask of gym's own environments."""
    assert arm.observation_space.contains(arm.reset())
    for _ in range(300):
        s_, r, done, info = arm.step(arm.action_space.sample())
        assert arm.observation_space.contains(s_)
        assert isinstance(r, float) and -2 < r <= 1
        assert (done, info) == (False, {})


def test_the_mouse_moves_the_goal_as_far_as_goals_lie(arm):
    for mouse, goal in (((0.5, 0.5), (0, 0)), ((1, 0), (0.5, -0.5)), ((0.6, 0.4), (0.22, -0.22))):
        arm.on_mouse(*mouse)
        assert arm.goal == pytest.approx(goal)
    assert arm.step(np.zeros(2))[0][4:6] == pytest.approx([0.22, -0.22])


def test_the_table_counts_who_is_at_the_goal_and_stays():
    def cross(one, other):
        return one[0] * other[1] - one[1] * other[0]

    def straight_to_it(s):
        """Turn each joint by what that brings the finger nearer."""
        way = -s[2:4]
        return 20 * np.array([cross(s[2:4] + s[4:6], way), cross(s[2:4] - s[:2], way)])

    assert measured.reached(straight_to_it) == 100
    assert measured.reached(lambda s: np.zeros(2)) < 5


def test_it_is_registered_and_trains_ddpg_with_its_own_numbers():
    env = make_env(robot_arm.ENV_NAME)
    assert isinstance(env.unwrapped, gym.Env) and env.action_space.shape == (2,)
    lesson = robot_arm.lesson()
    assert (lesson.HIDDEN_UNITS, lesson.GAMMA) == (300, ddpg.GAMMA)
    assert lesson.build(env)[1].e_params[0].shape == (7, 300)
    assert ddpg.HIDDEN_UNITS == 30


def test_the_pages_environment_of_your_own_is_one_to_learn_in(forks, tmp_path, monkeypatch):
    (block,) = (text for text in python_blocks('running') if 'class Boat(' in text)
    (tmp_path / 'boat.py').write_text(block)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    words = '--env boat:Boat-v0 --episodes 60 --set MEMORY_CAPACITY=1000 MAX_EP_STEPS=100'
    done = forks.run(words)
    assert (done.returncode, done.err) == (0, '')
    played = forks.run('--play runs/ddpg-1 --env boat:Boat-v0 --episodes 1')
    assert (played.returncode, played.err) == (0, '')
    returns = [float(row['reward']) for row in rows(tmp_path / 'runs' / 'ddpg-1')]
    assert np.mean(returns[-10:]) > np.mean(returns[:10]) / 2
