"""robot_arm.py: kinematics, reward, seeds, bounds and goal of the arm, and how it is learned."""

import numpy as np
import pytest

import ddpg
import robot_arm
from docs import robot_arm as measured
from lab.environments import make_env
from lab.hyperparameters import load, variant
from tests.helpers.lessons import Built


@pytest.fixture
def arm():
    arm = robot_arm.Arm()
    arm.seed(1)
    arm.reset()
    return arm


@pytest.mark.parametrize('angles, elbow, finger', [
    ((90, 0), (0, 0.5), (0, 1)),
    ((180, -90), (-0.5, 0), (-0.5, 0.5)),
    ((30, 30), (0.4330127, 0.25), (0.6830127, 0.6830127)),
])  # fmt: skip
def test_positions_are_those_worked_by_hand(arm, angles, elbow, finger):
    arm.angles, arm.goal = np.radians(angles), np.array([0.1, -0.2])
    s_, _, _, _ = arm.step(np.zeros(2))
    assert arm.joints() == (pytest.approx(elbow, abs=1e-6), pytest.approx(finger, abs=1e-6))
    wanted = [*np.subtract(elbow, arm.goal), *np.subtract(finger, arm.goal), *arm.goal, 0]
    assert s_ == pytest.approx(np.array(wanted), abs=1e-6)


@pytest.mark.parametrize('off, bonus', [(0, 1), (0.0749, 1), (0.0751, 0)])
def test_the_reward_is_minus_the_distance_plus_one_at_the_goal(arm, off, bonus):
    arm.angles, arm.goal = np.zeros(2), np.array([1 - off, 0])
    s_, r, _, _ = arm.step(np.zeros(2))
    assert (r, s_[6]) == (pytest.approx(bonus - off), bonus)


def test_actions_are_velocities_within_their_bounds(arm):
    arm.angles = np.array([1.0, 2.0])
    arm.step(np.array([0.5, -0.25]))
    assert arm.angles == pytest.approx([1.05, 1.975])
    arm.step(np.array([7.0, -7.0]))  # as 1 and -1
    assert arm.angles == pytest.approx([1.15, 1.875])


def test_seeds_decide_the_starts_and_all_lies_in_its_spaces(arm):
    starts = []
    for seed in (1, 1, 2):
        arm.seed(seed)
        starts.append([arm.reset() for _ in range(200)])
    assert np.array_equal(starts[0], starts[1]) and not np.array_equal(starts[0], starts[2])
    goals = np.abs(starts)[:, :, 4:6]
    assert 0.45 < goals.max() <= 0.5
    for _ in range(300):
        s_, r, done, info = arm.step(arm.action_space.sample())
        assert arm.observation_space.contains(s_)
        assert isinstance(r, float) and (done, info) == (False, {})


def test_the_mouse_moves_the_goal_as_far_as_goals_lie(arm):
    for mouse, goal in (((1, 0), (0.5, -0.5)), ((0.6, 0.4), (0.22, -0.22))):
        arm.on_mouse(*mouse)
        assert arm.step(np.zeros(2))[0][4:6] == pytest.approx(goal)


def test_the_table_counts_who_is_at_the_goal_and_stays():
    def cross(one, other):
        return one[0] * other[1] - one[1] * other[0]

    def straight_to_it(s):
        """Turn each joint by what that brings the finger nearer."""
        way = -s[2:4]
        return 20 * np.array([cross(s[2:4] + s[4:6], way), cross(s[2:4] - s[:2], way)])

    assert measured.reached(straight_to_it) == 100
    assert measured.reached(lambda s: np.zeros(2)) < 5


def test_ddpg_learns_it_with_its_own_numbers_from_the_command_line_and_from_python():
    for lesson in (robot_arm.lesson(), load(robot_arm.__file__)):
        built = Built(lesson, make_env(robot_arm.ENV_NAME), seed=1)
        assert (built.memory.capacity, built.nets['critic'][0].shape) == (30000, (7, 300))
        assert (variant(lesson, dict(GAMMA=0.5)).VAR, lesson.GAMMA) == (1, ddpg.GAMMA)
    assert ddpg.HIDDEN_UNITS == 30
