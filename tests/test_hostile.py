"""Hostile use: what must end in one line, or change nothing. Tables of cases, most in process."""

import numpy as np
import pytest

from support.environment import Checked
from tests.helpers.environments import Joints, box

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
