"""The robot arm (机器手臂): the networks and the loop of `ddpg.py` learn another task.

This file is an environment and its numbers; nothing of the algorithm is here. An environment of
your own is named as this one may be: `python ddpg.py --env robot_arm:Arm-v0`.
"""

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
import sys

import gym
import numpy as np
from gym.envs.registration import register
from gym.utils import seeding

from ddpg import Memory, build, train  # noqa: F401  the lesson, with these numbers of our own:

#####################  hyperparameters  #####################

ENV_NAME = 'robot_arm:Arm-v0'
MAX_EPISODES = 400
MEMORY_CAPACITY = 30000  # transitions
BATCH_SIZE = 64
HIDDEN_UNITS = 300  # in the one hidden layer of each network
VAR = 1.0  # exploration at first, in rad/s: the actions lie within 1 of 0
VAR_DECAY = 0.99998  # factor of the exploration at every learning step
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
    observation  (7,)   elbow from the goal, x and y in m (the elbow is where the links meet)
                        finger from the goal, x and y in m (the finger is the second link's end)
                        goal from the base, x and y in m
                        1 while the finger is within the goal's circle, else 0
    reward              minus the distance from finger to goal in m, plus 1 within the circle
    done                always False: MAX_EP_STEPS ends an episode. The target looks on from s_,
                        so an end at the goal would teach that the rewards of staying go on
    ===========  =====  ========================================================================

    In a window the mouse moves the goal, see `user_input`.
    """

    metadata = {'render.modes': ['human', 'rgb_array'], 'video.frames_per_second': 30}
    link = 0.5  # m, the length of each
    dt = 0.1  # s
    goal_radius = 0.075  # m
    goal_bound = 0.5  # m, of each coordinate of the goal's centre
    view = 1.1  # m from the base to the window's edge
    side = 400  # pixels of the window

    def __init__(self):
        self.action_space = gym.spaces.Box(-1, 1, (2,), np.float32)
        high = np.array([1, 1, 1.5, 1.5, 0.5, 0.5, 1], np.float32)
        low = np.array([-1, -1, -1.5, -1.5, -0.5, -0.5, 0], np.float32)
        self.observation_space = gym.spaces.Box(low, high, dtype=np.float32)
        self.viewer = None
        self.user_input = None  # where the mouse has put the goal, [x, y]
        self.seed()

    def seed(self, seed=None):
        """Seed the generator of angles and goals."""
        self.np_random, seed = seeding.np_random(seed)
        return [seed]

    def reset(self):
        """Begin an episode and return its first observation."""
        self.angles = self.np_random.uniform(0, 2 * np.pi, 2)
        self.goal = self.np_random.uniform(-self.goal_bound, self.goal_bound, 2)
        self.user_input = None
        return self._observation()

    def step(self, action):
        """Turn the joints; return the observation, the reward, False and an empty dict."""
        if self.user_input is not None:
            self.goal = np.array(self.user_input)
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

    def on_mouse_motion(self, x, y, dx, dy):
        """Move the goal to the mouse, at `x`, `y` in pixels, or as near to it as goals lie."""
        place = (np.array([x, y]) / self.side * 2 - 1) * self.view
        self.user_input = np.clip(place, -self.goal_bound, self.goal_bound).tolist()

    def render(self, mode='human'):
        """Draw the arm, or return the picture for mode 'rgb_array'."""
        from gym.envs.classic_control import rendering  # here: it fails where there is no display

        if self.viewer is None:
            self.viewer = rendering.Viewer(self.side, self.side)
            self.viewer.set_bounds(-self.view, self.view, -self.view, self.view)
            self.viewer.window.on_mouse_motion = self.on_mouse_motion
        elbow, finger = self.joints()

        def draw(shape, colour, place, angle=0.0):
            shape.set_color(*colour)
            shape.add_attr(rendering.Transform(place, angle))
            self.viewer.add_onetime(shape)

        colour = (0.3, 0.8, 0.4) if self._at_goal() else (0.3, 0.5, 0.9)  # green once it is there
        draw(rendering.make_circle(self.goal_radius), colour, self.goal)
        for place, angle in (((0, 0), self.angles[0]), (elbow, self.angles.sum())):
            draw(rendering.make_capsule(self.link, 0.08), (0.8, 0.3, 0.3), place, angle)
        for place in ((0, 0), elbow):
            draw(rendering.make_circle(0.02), (0, 0, 0), place)
        draw(rendering.make_circle(0.03), (0.95, 0.75, 0.1), finger)
        return self.viewer.render(return_rgb_array=mode == 'rgb_array')

    def close(self):
        """Close the window."""
        if self.viewer:
            self.viewer.close()
            self.viewer = None


if __name__ == '__main__':
    from experiment import program  # the command line, the run's folder, pictures

    program.main(sys.modules[__name__])
else:  # run as a program, this file is imported once more: as the `robot_arm` of ENV_NAME
    register(id='Arm-v0', entry_point=Arm)
