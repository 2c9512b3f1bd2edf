"""The best possible returns on the pendulum: `python -m docs.optimum`.

From each of the 1000 starts that measure a policy it looks for the largest return of an episode, by
dynamic programming on a grid of angles and speeds, with gym's own dynamics. What it finds is played
on gym's pendulum, so these returns can be reached. Printed is a Markdown table: doing nothing, and
the optimum by two grids, the second twice as fine; its last column is what the grid's values say of
the starts before anything is played. It takes about a minute and half a gigabyte of memory.
"""

import argparse

import numpy as np
from gym.envs.classic_control import PendulumEnv

STARTS = range(3000, 4000)  # the environment's seeds
STEPS = 200
FINENESS = 6, 12  # the grids: speeds are 0.1 / fineness rad/s apart
TRIED = 21  # torques at once when playing
ZOOMS = 2  # how often it then looks between the two beside the best

PENDULUM = PendulumEnv()
DT = PENDULUM.dt


def step(states, torques):
    """Return gym's next states (2, ...) and rewards (...): its arithmetic works on arrays too.

    Args:
        states: angles (rad, 0 is upright) and speeds (rad/s), (2, ...).
        torques: N m, (...).
    """
    PENDULUM.state = np.broadcast_arrays(*states, torques)[:2]
    _, rewards, _, _ = PENDULUM.step(np.asarray(torques)[np.newaxis])
    return PENDULUM.state, rewards


def start_states(seeds):
    """Return the states, (2, n), in which an episode begins with these seeds."""
    states = []
    for seed in seeds:
        PENDULUM.seed(seed)
        PENDULUM.reset()
        states.append(PENDULUM.state)
    return np.transpose(states)


class Grid(object):
    """The largest return of the next STEPS steps, from every state on a grid.

    A step takes the speed to w and then the angle DT w further. The angles are DT times as far
    apart as the speeds, so from one angle of the grid each speed of the grid leads to another one,
    and only between speeds do values have to be interpolated. That blurs the edges of the value as
    little as it can: where one state just reaches the top, the next one may need another swing.

    The values hardly depend on the number of steps left, so one array serves the whole episode.
    """

    def __init__(self, fineness):
        self.n = round(2 * np.pi / (0.1 / fineness * DT))
        self.angle = 2 * np.pi / self.n
        self.speed = self.angle / DT  # 0.1 / fineness, to 1e-4 of it
        self.top = 80 * fineness  # speeds from -top to top, in units of self.speed: 8 rad/s
        self.values = np.zeros((self.n, 2 * self.top + 1), np.float32)
        self._iterate(2 * fineness + 1)

    def _after(self, j, k):
        """Return where `values` has what follows a step from angle j that gives speed k.

        Gym moves the angle by a speed that it clips only then.
        """
        column = np.clip(k, -self.top, self.top) + self.top
        return (j + k) % self.n * self.values.shape[1] + column

    def _iterate(self, torques):
        """Value iteration with so many torques: they give speeds that are 3 of the grid's apart.

        With fewer the values next to each other differ by chance, and play worse.
        """
        costs = [np.float32(-step((0.0, 0.0), u)[1]) for u in np.linspace(-2, 2, torques)]
        reach = self.top + 3 * (torques // 2)
        angles, columns = np.arange(self.n // 2 + 1), np.arange(-reach, reach + 2)
        speeds = np.arange(-self.top, self.top + 1) * self.speed
        change = step((angles * self.angle, 0.0), 0.0)[0][1] / self.speed  # without a torque
        whole = np.floor(change).astype(int)
        part = np.float32(change - whole)[:, np.newaxis]
        blocks = []  # of rows that fit into the processor's cache
        for rows in np.array_split(angles, self.values.size // 2**17 + 1):
            where = self._after(rows[:, np.newaxis], whole[rows, np.newaxis] + columns)
            rewards = step((rows[:, np.newaxis] * self.angle, speeds), 0.0)[1]
            blocks.append((rows, where, np.float32(rewards)))
        new = np.empty_like(self.values)
        for _ in range(STEPS):
            for rows, where, rewards in blocks:
                found = self.values.ravel()[where]
                found = found[:, :-1] + part[rows] * np.diff(found)
                best = np.full_like(rewards, -np.inf)
                for i, cost in enumerate(costs):
                    np.maximum(best, found[:, 3 * i : 3 * i + len(speeds)] - cost, out=best)
                new[rows] = best + rewards
                new[-rows] = new[rows, ::-1]  # the other half is its mirror image
            self.values, new = new, self.values

    def after(self, angles, speeds):
        """Return the values, (...), after steps from these angles that give these speeds."""
        j, k = angles / self.angle, speeds / self.speed
        j0, k0 = np.floor(j).astype(int), np.floor(k).astype(int)
        near = [[self.values.ravel()[self._after(j0 + y, k0 + x)] for x in (0, 1)] for y in (0, 1)]
        low, high = (row[0] + (k - k0) * (row[1] - row[0]) for row in near)
        return low + (j - j0) * (high - low)

    def choose(self, states):
        """Return the torques, (n,), with the largest reward plus value of the state after it."""
        best, width = np.zeros(states.shape[1]), 2.0
        for _ in range(1 + ZOOMS):
            tried = np.clip(best + np.linspace(-width, width, TRIED)[:, np.newaxis], -2, 2)
            after, rewards = step(states[:, np.newaxis], tried)
            returns = rewards + self.after(states[0], (after[0] - states[0]) / DT)
            best = np.take_along_axis(tried, returns.argmax(0)[np.newaxis], 0)[0]
            width *= 2 / (TRIED - 1)
        return best


def play(states, choose):
    """Return the returns, (n,), of an episode from each state; choose: (2, n) -> torques (n,)."""
    returns = 0.0
    for _ in range(STEPS):
        states, rewards = step(states, choose(states))
        returns = returns + rewards
    return returns


def main():
    """Print the table."""
    argparse.ArgumentParser(prog='docs.optimum', description=__doc__).parse_args()
    starts = start_states(STARTS)

    def print_row(name, returns, expected=''):
        numbers = f'{returns.mean():.2f} | {np.median(returns):.2f} | {returns.min():.2f}'
        print(f'| {name} | {numbers} | {expected} |', flush=True)

    print('| policy | mean return | median | worst | mean of the values |')
    print('|---' + '|---:' * 4 + '|')
    print_row('torque 0', play(starts, lambda states: np.zeros(states.shape[1])))
    for fineness in FINENESS:
        grid = Grid(fineness)
        name = 'optimum, {} angles x {} speeds'.format(*grid.values.shape)
        expected = grid.after(starts[0] - DT * starts[1], starts[1]).mean()
        print_row(name, play(starts, grid.choose), f'{expected:.2f}')


if __name__ == '__main__':
    main()
