// Arm-v0 as robot_arm.py has it: two links, whose end, the finger, is to reach a goal and to stay.
// A state is [first, second, x, y]: the angles of the joints in radians, and the goal in m.

const arm = {
  name: 'arm', link: 0.5, dt: 0.1, goal_radius: 0.075, goal_bound: 0.5, view: 1.1,

  // Random angles and a random goal.
  reset() {
    const random = (most) => most * (2 * Math.random() - 1);
    return [random(Math.PI), random(Math.PI), random(arm.goal_bound), random(arm.goal_bound)];
  },

  // Where elbow and finger are, [x, y] each, in m from the base.
  joints([first, second]) {
    const link = (angle) => [arm.link * Math.cos(angle), arm.link * Math.sin(angle)];
    const elbow = link(first), forearm = link(first + second);
    return [elbow, [elbow[0] + forearm[0], elbow[1] + forearm[1]]];
  },

  distance(state) {
    const [x, y] = arm.joints(state)[1];
    return Math.hypot(x - state[2], y - state[3]);
  },

  at_goal: (state) => Number(arm.distance(state) <= arm.goal_radius),

  // s: elbow and finger as seen from the goal, the goal, and 1 while the finger is in its circle.
  observation(state) {
    const [x, y] = state.slice(2);
    const seen = arm.joints(state).flatMap((place) => [place[0] - x, place[1] - y]);
    return [...seen, x, y, arm.at_goal(state)].map(Math.fround);
  },

  // One step of dt seconds: return the next state and the reward.
  step([first, second, x, y], a) {
    const turn = Array.from(a, (velocity) => clip(Math.fround(velocity), -1, 1) * arm.dt);
    const angles = [first + turn[0], second + turn[1]].map((angle) => mod(angle, 2 * Math.PI));
    const state = [...angles, x, y];
    return [state, arm.at_goal(state) - arm.distance(state)];
  },
};
