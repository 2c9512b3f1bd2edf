"""The robot arm (机器手臂): the networks and the loop of `ddpg.py` learn another task.

This file is an environment and its hyperparameters; the algorithm is in ddpg.py. An environment of
your own is named in the same way: `python ddpg.py --env robot_arm:Arm-v0`.
"""

import os

import gym
import numpy as np
from gym.envs.registration import register
from gym.utils import seeding

#####################  hyperparameters  #####################

ENV_NAME = 'robot_arm:Arm-v0'
MAX_EPISODES = 400
MEMORY_CAPACITY = 30000  # transitions
BATCH_SIZE = 64
HIDDEN_UNITS = 300  # in the one hidden layer of each network
VAR = 1.0  # initial exploration, in rad/s: the actions lie in [-1, 1]
VAR_DECAY = 0.99998  # VAR is multiplied by this at every learning step
REWARD_SCALE = 1  # rewards are small already

#####################  环境 (the environment)  #####################


class Arm(gym.Env):
    """An arm of two links, seen from above, turns its joints to reach a goal and to stay there.

    The base is at (0, 0). Angles are counterclockwise: the first joint's from the x axis, the
    second's from the first link. The goal's centre lies in the square of 1 m around the base, which
    is all within reach. Each episode begins with random angles and a random goal.

    ===========  =====  ========================================================================
    what         shape  description
    ===========  =====  ========================================================================
    action       (2,)   angular velocities of the two joints, in [-1, 1] rad/s, for 0.1 s
    observation  (7,)   elbow relative to the goal, x and y in m (it is where the links meet)
                        finger relative to the goal, x and y in m (it is the second link's end)
                        goal relative to the base, x and y in m
                        1 while the finger is within the goal's circle, else 0
    reward              minus the distance from finger to goal in m, plus 1 within the circle
    done                always False: MAX_EP_STEPS ends an episode. The target bootstraps from s_,
                        so after an end at the goal Q would still count the rewards of staying
    ===========  =====  ========================================================================

    In a window the mouse moves the goal.
    """

    metadata = {'render.modes': ['rgb_array'], 'video.frames_per_second': 30}
    link = 0.5  # m, the length of each
    dt = 0.1  # s
    goal_radius = 0.075  # m
    goal_bound = 0.5  # m, of each coordinate of the goal's centre
    view = 1.1  # m from the base to the picture's edge
    side = 400  # pixels of the picture

    def __init__(self):
        self.action_space = gym.spaces.Box(-1, 1, (2,), np.float32)
        high = np.array([1, 1, 1.5, 1.5, 0.5, 0.5, 1], np.float32)
        low = np.array([-1, -1, -1.5, -1.5, -0.5, -0.5, 0], np.float32)
        self.observation_space = gym.spaces.Box(low, high, dtype=np.float32)
        self.seed()

    def seed(self, seed=None):
        """Seed the generator of angles and goals."""
        self.np_random, seed = seeding.np_random(seed)
        return [seed]

    def reset(self):
        """Begin an episode and return its first observation."""
        self.angles = self.np_random.uniform(0, 2 * np.pi, 2)
        self.goal = self.np_random.uniform(-self.goal_bound, self.goal_bound, 2)
        return self._observation()

    def step(self, action):
        """Turn the joints; return the observation, the reward, False and an empty dict."""
        turn = np.clip(action, self.action_space.low, self.action_space.high) * self.dt
        self.angles = (self.angles + turn) % (2 * np.pi)
        s_ = self._observation()
        return s_, self._at_goal() - self._distance(), False, {}

    def joints(self):
        """Return the positions of elbow and finger, (2,) each, in m."""
        first, second = self.angles[0], self.angles.sum()
        elbow = self.link * np.array([np.cos(first), np.sin(first)])
        return elbow, elbow + self.link * np.array([np.cos(second), np.sin(second)])

    def _distance(self):
        return float(np.linalg.norm(self.joints()[1] - self.goal))

    def _at_goal(self):
        return float(self._distance() <= self.goal_radius)

    def _observation(self):
        elbow, finger = self.joints()
        parts = elbow - self.goal, finger - self.goal, self.goal, [self._at_goal()]
        return np.concatenate(parts).astype(np.float32)

    def on_mouse(self, x, y):
        """Move the goal to the mouse, or as near to it as goals lie; `x` and `y` in 0..1."""
        place = (np.array([x, y]) * 2 - 1) * self.view
        self.goal = np.clip(place, -self.goal_bound, self.goal_bound)

    def render(self, mode='rgb_array'):
        """Return a picture of the arm, (side, side, 3), uint8."""
        from lab.drawing import Canvas  # here: to learn, one needs no pictures

        canvas = Canvas(self.side, self.view)
        base, (elbow, finger) = np.zeros(2), self.joints()
        colour = (77, 204, 102) if self._at_goal() else (77, 128, 230)  # green once it is there
        canvas.disc(self.goal, self.goal_radius, colour)
        for start, end in ((base, elbow), (elbow, finger)):
            canvas.rod(start, end, 0.08, (204, 77, 77))
        for joint in (base, elbow):
            canvas.disc(joint, 0.02, (0, 0, 0))
        canvas.disc(finger, 0.03, (242, 191, 26))
        return canvas.picture()


#####################  主程序 (the program)  #####################


def lesson():
    """Return ddpg.py, its build, train and main, as a module with the hyperparameters above."""
    from lab.hyperparameters import load

    numbers = {name: value for name, value in globals().items() if name.isupper()}
    return load(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ddpg.py'), numbers)


if __name__ == '__main__':
    from lab.program import run_program  # the command line, the run's folder, pictures

    run_program(__file__)
elif __name__ == ENV_NAME.partition(':')[0]:  # once: the lab loads this file under other names too
    register(id='Arm-v0', entry_point=Arm)
