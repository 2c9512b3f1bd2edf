"""What the networks of ddpg.py have learned: `python -m docs.seeing`.

A run with seed 1 is looked at between its episodes. At four moments the two eval_nets are asked
over all angles and velocities (seeing.png), and Q's estimate is held against the true discounted
return that greedy episodes from many starts give (value.png). The table has a row a moment.
"""

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
from collections import namedtuple
from pathlib import Path

import ddpg
import numpy as np
from PIL import Image

from comparison.job import STARTS
from experiment.options import Parser
from pictures.figures import new_figure, save_figure
from support import environment
from support.messages import ends_in_one_line, say

HERE = Path(__file__).parent
SEED = 1
MOMENTS = 50, 60, 100, 170, 200  # episodes: 50 fill the memory, then learning begins
PICTURED = MOMENTS[:4]
BEYOND = 200  # steps that are played on after an episode: GAMMA ** 200 is 7e-10
WIDTH = 0.5  # of the pieces into which the true returns are sorted
ANGLES, VELOCITIES = np.linspace(-180, 180, 181), np.linspace(-8, 8, 161)  # degrees, rad/s

# What a moment shows: q, a (161, 181) on the map; path (2, steps) in degrees and rad/s; of all
# steps of the episodes, (200, n), estimate and truth; returns (n,) of the episodes.
Moment = namedtuple('Moment', 'q a path estimate truth returns')


class Greedy(object):
    """The eval_nets of a run, asked about states of the pendulum and acting without noise.

    n states are (2, n): angle in radians and angular velocity in rad/s.
    """

    def __init__(self, sess, actor, critic):
        self._run, self._S = sess.run, actor.S
        self._fetches = critic.q, actor.a  # nothing is fed for a: it is the actor's own
        self._env = environment.make(ddpg.ENV_NAME).unwrapped

    def ask(self, states):
        """Return Q(s, mu(s)) and mu(s), (n,) each."""
        angle, velocity = states
        b_s = np.transpose([np.cos(angle), np.sin(angle), velocity])
        return [values[:, 0] for values in self._run(self._fetches, {self._S: b_s})]

    def play(self, states, steps):
        """Act from `states` on; return states (steps, 2, n), Q(s, mu(s)) and r (steps, n)."""
        seen, values, rewards = [], [], []
        self._env.state = np.array(states)  # gym's pendulum takes arrays for numbers
        for _ in range(steps):
            q, a = self.ask(self._env.state)
            seen.append(self._env.state)
            values.append(q)
            rewards.append(self._env.step(a[np.newaxis])[1])
        return np.array(seen), np.array(values), np.array(rewards)


def discounted(rewards, gamma):
    """Return the discounted sum of rewards from each step on: (steps, ...), as `rewards`."""
    sums, later = np.zeros_like(rewards, float), 0.0
    for k in reversed(range(len(rewards))):
        sums[k] = later = rewards[k] + gamma * later
    return sums


def starts():
    """Return the states in which the episodes with the seeds STARTS begin, (2, n)."""
    env, states = environment.make(ddpg.ENV_NAME), []
    for seed in STARTS:
        env.seed(seed)
        env.reset()
        states.append(env.unwrapped.state)
    return np.transpose(states)


def look(greedy, first):
    """Return the Moment as it is now; the episodes begin in the states `first`."""
    steps = ddpg.MAX_EP_STEPS
    grid = np.array(np.meshgrid(np.radians(ANGLES), VELOCITIES))
    q, a = [values.reshape(grid[0].shape) for values in greedy.ask(grid.reshape(2, -1))]
    hanging = np.array([[np.pi], [0.0]])
    angle, velocity = greedy.play(hanging, steps)[0][:, :, 0].T
    _, estimate, rewards = greedy.play(first, steps + BEYOND)
    truth = discounted(rewards / ddpg.REWARD_SCALE, ddpg.GAMMA)
    path = np.degrees(angle), velocity
    return Moment(q, a, path, estimate[:steps], truth[:steps], rewards[:steps].sum(axis=0))


def train():
    """Train as `python ddpg.py` does; return {moment: its Moment}."""
    env = environment.make(ddpg.ENV_NAME)
    sess, actor, critic = ddpg.build(env, seed=SEED)
    state_dim, action_dim = env.observation_space.shape[0], env.action_space.shape[0]
    M = ddpg.Memory(ddpg.MEMORY_CAPACITY, dims=2 * state_dim + action_dim + 1)
    greedy, first, moments = Greedy(sess, actor, critic), starts(), {}
    for e in ddpg.train(env, actor, critic, M, max(MOMENTS)):
        if e.index + 1 in MOMENTS:
            moments[e.index + 1] = look(greedy, first)
    return moments


def draw_maps(moments, path):
    """Draw Q and mu over angle and velocity, and the path from hanging: a row a moment."""
    from matplotlib import patheffects

    figure = new_figure(7, 13)
    heights = dict(height_ratios=[0.09] + [1] * len(moments))
    bars, *rows = figure.subplots(len(moments) + 1, 2, gridspec_kw=heights)
    outline = [patheffects.withStroke(linewidth=5, foreground='black')]
    white = dict(markersize=14, markerfacecolor='white', markeredgecolor='black', clip_on=False)
    for row, (episodes, moment) in zip(rows, moments.items()):
        for panel, bar, values, levels, colours, name in (
            (row[0], bars[0], moment.q, np.linspace(-10, 0.5, 22), 'viridis', 'Q(s, μ(s))'),
            (row[1], bars[1], moment.a, np.linspace(-2, 2, 17), 'cividis', 'μ(s)'),
        ):
            drawn = panel.contourf(ANGLES, VELOCITIES, values, levels, cmap=colours)
            if bar is bars[1]:
                panel.contour(ANGLES, VELOCITIES, values, [0], colors='white', linestyles='--')
            angle, velocity = moment.path
            for turn in range(-1440, 1441, 360):  # the part of the path within each whole turn
                line = dict(color='white', linewidth=2.2, path_effects=outline)
                panel.plot(angle + turn, velocity, **line)
            panel.plot([-180, 180], [0, 0], 'o', **white)
            panel.plot((angle[-1] + 180) % 360 - 180, velocity[-1], 's', **white)
            panel.set_title(f'{episodes} episodes', fontsize=18)
            panel.set(xlim=(-180, 180), xticks=range(-180, 181, 90), yticks=range(-8, 9, 4))
            panel.tick_params(labelsize=14)
            figure.colorbar(drawn, cax=bar, orientation='horizontal', ticks=levels[::4])
            bar.set_title(name, fontsize=20)
            bar.tick_params(labelsize=14)
        row[0].set_ylabel('ω  (rad/s)', fontsize=18)
    for panel in rows[-1]:
        panel.set_xlabel('θ  (°)', fontsize=18)
    save_figure(figure, str(path))
    Image.open(str(path)).quantize(128).save(str(path), optimize=True)


def draw_values(moments, path):
    """Draw Q(s, mu(s)) against the true return G, a panel a moment: median and middle 90 %."""
    figure = new_figure(7, 7.5)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for panel, (episodes, moment) in zip(panels.flat, moments.items()):
        truth, estimate, bands = moment.truth.ravel(), moment.estimate.ravel(), []
        for low in np.arange(-12, 0, WIDTH):
            values = estimate[(low <= truth) & (truth < low + WIDTH)]
            if len(values) >= 100:
                bands.append([low + WIDTH / 2, *np.percentile(values, [5, 50, 95])])
        middle, low, median, high = np.transpose(bands)
        panel.fill_between(middle, low, high, color='#9bb4d4')
        panel.plot(middle, median, color='#1b3a6b', linewidth=3)
        panel.plot([-11, 1], [-11, 1], '--', color='black', linewidth=1.5)
        panel.set_title(f'{episodes} episodes', fontsize=20)
        panel.set(xlim=(-11, 1), ylim=(-11, 1), xticks=[-10, -5, 0], yticks=[-10, -5, 0])
        panel.tick_params(labelsize=18)
        panel.grid(alpha=0.3)
    for panel in panels[1]:
        panel.set_xlabel('G', fontsize=20)
    for panel in panels[:, 0]:
        panel.set_ylabel('Q(s, μ(s))', fontsize=20)
    save_figure(figure, str(path))


def main(arguments=None):
    """Train, print the table and draw; `arguments` is a list of words, None the command line's."""
    Parser(prog='docs.seeing', description=__doc__).parse_args(arguments)
    moments = train()
    columns = 'mean return | mean Q | mean G | mean of Q - G | its standard deviation'
    say(f'| episodes | {columns} | steps with Q > G |')
    say('|---:|---:|---:|---:|---:|---:|---:|')
    for episodes, moment in moments.items():
        ahead = moment.estimate - moment.truth
        means = moment.estimate.mean(), moment.truth.mean(), ahead.mean(), ahead.std()
        shown = ' | '.join(f'{number:.2f}' for number in means)
        say(
            f'| {episodes} | {moment.returns.mean():.0f} | {shown} | '
            f'{100 * (ahead > 0).mean():.0f} % |'
        )
    pictured = {episodes: moments[episodes] for episodes in PICTURED}
    draw_maps(pictured, HERE / 'seeing.png')
    draw_values(pictured, HERE / 'value.png')


if __name__ == '__main__':
    with ends_in_one_line('docs.seeing'):
        main()
