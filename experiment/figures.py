"""Pictures. Matplotlib is imported when the first is drawn, for it takes a second."""

import logging
import os

import numpy as np


def pyplot():
    """Return matplotlib.pyplot, drawing into files: no display is needed."""
    logging.getLogger('matplotlib').setLevel(logging.ERROR)  # at first it tells of its font cache
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    return plt


def draw_curves(curves, window, path):
    """Draw learning curves: the median over seeds, in a band that holds the middle half of them.

    Args:
        curves: (label, rewards (seeds, episodes)) of each version, three at most.
        window: how many episodes the curve is a running mean of.
        path: of the PNG.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8, 4.5))
    # dark, middle and light, so that a grey print still tells them apart
    styles = (('#1b3a6b', '-'), ('#c4501b', '--'), ('#2fa58a', '-.'))
    for (label, rewards), (colour, line) in zip(curves, styles):
        window = min(window, rewards.shape[1])
        means = np.array([np.convolve(row, np.ones(window) / window, 'valid') for row in rewards])
        episodes = np.arange(window, rewards.shape[1] + 1)
        low, middle, high = np.percentile(means, [25, 50, 75], axis=0)
        axes.fill_between(episodes, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(episodes, middle, line, color=colour, label=label)
    axes.set_xlabel('episode')
    axes.set_ylabel(f'return (sum of rewards), mean of {window} episodes')
    axes.set_title(f'median of {len(rewards)} seeds, and the middle half of them', fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    try:
        figure.savefig(path, dpi=120)
    except OSError:
        if os.path.exists(path):
            os.remove(path)
        raise
    finally:
        plt.close(figure)
