// Pendulum-v0 line by line as gym 0.17.3 has it. A state is [th, thdot]: the angle in radians, 0
// being upright, and the angular velocity in rad/s. A positive torque turns counterclockwise.

const clip = (x, low, high) => Math.min(Math.max(x, low), high);
const mod = (x, n) => ((x % n) + n) % n; // never negative, as in Python
const angle_normalize = (x) => mod(x + Math.PI, 2 * Math.PI) - Math.PI;

const pendulum = {
  name: 'pendulum', g: 10, m: 1, l: 1, dt: 0.05, max_speed: 8, max_torque: 2,

  // Hanging at rest: the hardest start, and always the same, so that returns can be compared.
  reset: () => [Math.PI, 0],

  // s in float32, as the networks get it.
  observation: ([th, thdot]) => [Math.cos(th), Math.sin(th), thdot].map(Math.fround),

  // One step of dt seconds: return the next state and the reward.
  step([th, thdot], a) {
    const { g, m, l, dt, max_speed, max_torque } = pendulum;
    const u = clip(Math.fround(a[0]), -max_torque, max_torque);
    const costs = angle_normalize(th) ** 2 + 0.1 * thdot ** 2 + 0.001 * u ** 2;
    const gravity = ((-3 * g) / (2 * l)) * Math.sin(th + Math.PI);
    const newthdot = thdot + (gravity + (3 / (m * l ** 2)) * u) * dt;
    const newth = th + newthdot * dt;
    return [[newth, clip(newthdot, -max_speed, max_speed)], -costs];
  },
};
