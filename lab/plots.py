"""Pictures. Matplotlib is imported when the first is drawn, for it takes a second."""

import itertools
import logging
import os

import numpy as np

from lab.files import atomic_write


def new_figure(*size):
    """Return a matplotlib Figure of `size` inches, for a file: pyplot is for windows."""
    logging.getLogger('matplotlib').setLevel(logging.ERROR)  # at first it tells of its font cache
    os.environ['MPLBACKEND'] = 'agg'  # a notebook's would fail to be imported elsewhere
    from matplotlib.figure import Figure

    return Figure(figsize=size)


def draw_curves(curves, window, path):
    """Draw learning curves: the median over seeds, with the interquartile range as a band.

    Args:
        curves: (label, rewards (seeds, episodes)) of each version.
        window: how many episodes the curve is a running mean of.
        path: of the PNG.
    """
    figure, window = new_figure(4.8, 3.8), min(window, *(len(rows[0]) for _, rows in curves))
    axes = figure.subplots()
    # dark, middle and light, so that a grey print still tells them apart
    colours = '#1b3a6b', '#c4501b', '#2fa58a', '#8a6d1f', '#7a4fa3', '#555555'
    styles = itertools.cycle(zip(colours, itertools.cycle(('-', '--', '-.', ':'))))
    for (label, rewards), (colour, line) in zip(curves, styles):
        quartiles = np.percentile(running_means(rewards, window), [50, 25, 75], axis=0)
        draw_band(axes, window, quartiles, line, color=colour, label=label)
    axes.set_xlabel('episode')
    axes.set_ylabel(f'return, mean of {window} episodes')
    axes.set_title(f'median and interquartile range of {len(rewards)} seeds', fontsize=10)
    axes.legend()
    save_figure(figure, path)


def running_means(rewards, window):
    """Return the means of `window` episodes, (seeds, episodes - window + 1)."""
    return np.array([np.convolve(row, np.ones(window) / window, 'valid') for row in rewards])


def draw_band(axes, first_episode, middle_low_high, *style, **colour):
    """Draw a line, `middle`, and the band from `low` to `high`, a value per episode."""
    middle, low, high = middle_low_high
    episodes = np.arange(first_episode, first_episode + len(middle))
    axes.fill_between(episodes, low, high, color=colour['color'], alpha=0.12, linewidth=0)
    axes.plot(episodes, middle, *style, linewidth=2, **colour)
    axes.grid(alpha=0.3)


def draw_run(rows, window, best, path):
    """Draw a run: its returns and their running mean, and the exploration on an axis of its own.

    Args:
        rows: (return, explore) of every episode.
        window: how many episodes the mean is over.
        best: (episode, mean return of the evaluation) of the kept policy, or None.
        path: of the PNG.
    """
    returns, explore = np.array(rows, float).T
    figure = new_figure(6.5, 5)
    axes = figure.subplots()
    right = axes.twinx()
    right.plot(explore, ':', color='#777777', label='exploration')
    right.set_ylabel('exploration (standard deviation of the noise)')
    right.set_ylim(bottom=0)
    axes.plot(returns, color='#9bb4d4', linewidth=1, label='return')
    if len(returns) >= window:
        mean = np.convolve(returns, np.ones(window) / window, 'valid')
        episodes = np.arange(window - 1, len(returns))
        axes.plot(episodes, mean, color='#1b3a6b', linewidth=2, label=f'mean of {window} episodes')
    learning = np.flatnonzero(explore < explore[0])
    if len(learning):
        axes.axvline(learning[0], color='#2fa58a', linestyle='--', label='learning begins')
    if best:
        style = dict(marker='*', markersize=14, linestyle='', color='#c4501b', zorder=5)
        episode, mean = best
        label = f'kept policy: {mean:.0f} on average, without noise'
        axes.plot([episode], [mean], label=label, **style)
    axes.set_xlabel('episode')
    axes.set_ylabel('return (sum of rewards)')
    axes.set_zorder(right.get_zorder() + 1)  # the returns in front of the exploration
    axes.patch.set_visible(False)
    axes.grid(alpha=0.3)
    lines = [line for side in (axes, right) for line in side.get_lines()]
    place = dict(loc='lower left', bbox_to_anchor=(0, 1))  # above: a bad episode may come anywhere
    style = dict(ncol=2, frameon=False, handlelength=1.5, columnspacing=1.2)
    axes.legend(handles=lines, **place, **style)
    save_figure(figure, path)


def save_figure(figure, path):
    """Write the PNG, which appears complete or not at all."""
    figure.tight_layout()
    with atomic_write(path) as temp_path:
        figure.savefig(temp_path, dpi=120, format='png')
