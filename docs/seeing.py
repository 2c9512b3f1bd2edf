"""What the networks of ddpg.py have learned: `python -m docs.seeing runs/ddpg-1`.

Drawn is what the two eval_nets of a run were like at four moments, over all angles and velocities
(seeing.png), and Q's estimate against the true discounted return that greedy episodes from many
starts give (value.png). The table has a row a moment.
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from PIL import Image

from benchmarks.numpy_ddpg import NumpyDDPG
from docs.optimum import STARTS, STEPS, start_states, step
from lab import folder
from lab.checkpoints import without_prefix
from lab.files import load_npz
from lab.messages import UsageError, echo, exit_cleanly
from lab.options import Parser, text
from lab.plots import new_figure, save_figure

HERE = Path(__file__).parent
MOMENTS = 48, 60, 100, 188, 200  # episodes: 50 fill the memory, then learning begins
DRAWN = MOMENTS[:4]
BEYOND = 200  # steps that are played on after an episode: GAMMA ** 200 is 7e-10
ANGLES, VELOCITIES = np.linspace(-180, 180, 181), np.linspace(-8, 8, 161)  # degrees, rad/s


def networks(path):
    """Return {episodes: NumpyDDPG}: those that the run in the folder `path` has kept."""
    moments = without_prefix('moments', load_npz(str(Path(path) / folder.CHECKPOINT)))
    found, bound = {}, np.array([2.0])
    for i, episodes in enumerate(moments.pop('episodes').tolist()):
        weights = {name: values[i] for name, values in moments.items()}
        nets = [[w for n, w in weights.items() if n.startswith(net)] for net in ('Actor', 'Critic')]
        found[episodes] = NumpyDDPG(*nets, -bound, bound, float)
    return found


def ask(nets, states):
    """Return Q(s, mu(s)) and mu(s), (n,) each, in `states`, (2, n) in rad and rad/s."""
    s = np.transpose([np.cos(states[0]), np.sin(states[0]), states[1]])
    a = nets.mu(nets.actor.params, s)[0]
    return nets.q(nets.critic.params, s, a)[0][:, 0], a[:, 0]


def play(nets, states, steps):
    """Act from `states` on; return states (steps, 2, n), Q(s, mu(s)) and r (steps, n)."""
    seen = []
    for _ in range(steps):
        q, a = ask(nets, states)
        after, r = step(states, a)
        seen.append((states, q, r))
        states = after
    return [np.array(each) for each in zip(*seen)]


def discounted(rewards, gamma):
    """Return the discounted sum of rewards from each step on: (steps, ...), as `rewards`."""
    sums, later = np.zeros_like(rewards, float), 0.0
    for k in reversed(range(len(rewards))):
        sums[k] = later = rewards[k] + gamma * later
    return sums


def judge(nets, numbers):
    """Return estimates and truth, (steps, n) each, and returns (n,) of greedy episodes."""
    _, estimate, rewards = play(nets, start_states(STARTS), STEPS + BEYOND)
    truth = discounted(rewards / numbers['REWARD_SCALE'], numbers['GAMMA'])
    return estimate[:STEPS], truth[:STEPS], rewards[:STEPS].sum(axis=0)


def draw_maps(nets, path):
    """Draw Q and mu over angle and velocity, and the path from hanging: a row a moment."""
    figure, heights = new_figure(7, 13), dict(height_ratios=[0.09] + [1] * len(DRAWN))
    bars, *rows = figure.subplots(len(DRAWN) + 1, 2, gridspec_kw=heights)
    q, a = ('Q(s, μ(s))', np.linspace(-10, 0.5, 22)), ('μ(s)', np.linspace(-2, 2, 17))
    marks = dict(markersize=14, markerfacecolor='white', markeredgecolor='black', clip_on=False)
    grid = np.array(np.meshgrid(np.radians(ANGLES), VELOCITIES))
    for row, episodes in zip(rows, DRAWN):
        maps = ask(nets[episodes], grid.reshape(2, -1))
        angle, velocity = play(nets[episodes], np.array([[np.pi], [0.0]]), STEPS)[0][:, :, 0].T
        angle = np.degrees(angle)
        for panel, bar, values, (name, levels, cmap) in zip(
            row, bars, maps, ((*q, 'viridis'), (*a, 'cividis'))
        ):
            values = values.reshape(grid[0].shape)
            drawn = panel.contourf(ANGLES, VELOCITIES, values, levels, cmap=cmap)
            for width, colour in ((5, 'black'), (2, 'white')):
                for turn in range(-1440, 1441, 360):  # the part of the path in each whole turn
                    panel.plot(angle + turn, velocity, color=colour, linewidth=width)
            panel.plot([-180, 180], [0, 0], 'o', **marks)
            panel.plot((angle[-1] + 180) % 360 - 180, velocity[-1], 's', **marks)
            panel.set(title=episodes, xticks=range(-180, 181, 90), yticks=range(-8, 9, 4))
            panel.set(xlim=(-180, 180), xlabel='θ  (°)', ylabel='ω  (rad/s)')
            panel.label_outer()
            figure.colorbar(drawn, cax=bar, orientation='horizontal', ticks=levels[::4])
            bar.set_title(name)
        row[1].contour(ANGLES, VELOCITIES, values, [0], colors='white', linestyles='--')
    save_figure(figure, str(path))
    Image.open(str(path)).quantize(128).save(str(path))  # a third of the size


def draw_values(judged, path):
    """Draw how often Q(s, mu(s)) was what, against the true return G: a panel a moment."""
    figure = new_figure(7, 7.5)
    panels, places = figure.subplots(2, 2, sharex=True, sharey=True), np.linspace(-11, 1, 61)
    for panel, episodes in zip(panels.flat, DRAWN):
        estimate, truth, _ = judged[episodes]
        panel.hist2d(truth.ravel(), estimate.ravel(), places, cmap='Blues', norm=LogNorm())
        panel.plot(places[[0, -1]], places[[0, -1]], '--', color='black', linewidth=1.5)
        panel.set(title=episodes, xticks=[-10, -5, 0], yticks=[-10, -5, 0])
        panel.set(xlabel='G', ylabel='Q(s, μ(s))')
        panel.label_outer()
    save_figure(figure, str(path))


def main():
    """Print the table and draw."""
    parser = Parser('docs.seeing', __doc__)
    parser.add_argument('run', type=text, help='folder of a run of ddpg.py on the pendulum')
    path = parser.parse_args().run
    numbers, nets = folder.read_config(path)['hyperparameters'], networks(path)
    if not set(MOMENTS) <= set(nets):
        raise UsageError(f'{path} has not kept the moments {MOMENTS}: a run of 200 episodes does')
    judged = {episodes: judge(nets[episodes], numbers) for episodes in MOMENTS}
    columns = 'mean return | mean Q | mean G | mean of Q - G | its standard deviation'
    echo(f'| episodes | {columns} | steps with Q > G |\n|{"---:|" * 7}')
    for episodes, (estimate, truth, returns) in judged.items():
        ahead = estimate - truth
        means = estimate.mean(), truth.mean(), ahead.mean(), ahead.std()
        shown = ' | '.join(f'{round(mean, 2) + 0:.2f}' for mean in means)  # no -0.00
        above = 100 * (ahead > 0).mean()
        echo(f'| {episodes} | {returns.mean():.0f} | {shown} | {above:.0f} % |')
    matplotlib.rcParams['font.size'] = 16
    draw_maps(nets, HERE / 'seeing.png')
    draw_values(judged, HERE / 'value.png')


if __name__ == '__main__':
    with exit_cleanly('docs.seeing'):
        main()
