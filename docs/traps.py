"""The traps in numbers: `python -m docs.traps third`, `python -m docs.traps costs`.

For the third trap ddpg.py takes the same 200 steps in each of ten sessions; printed is how far two
sessions are apart in any weight, and how far one is from NumPy in float64. For the costs ddpg.py
is compared with what each change of FAULTS on the page makes of it; runs/traps keeps what finished.
Beside what compare.py prints, there are the differences in the first episodes of learning and in
the later ones, and in traps.png those in all.
"""

import os
import sys
import tempfile
from functools import partial
from types import SimpleNamespace
from unittest import mock

import compare
import ddpg
import fast_tf
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.numpy_ddpg import NumpyDDPG
from docs import patch
from lab.checkpoints import Variables
from lab.environments import make_env
from lab.evaluation import WINDOW, interval
from lab.messages import echo, exit_cleanly
from lab.plots import draw_band, new_figure, running_means, save_figure
from lab.report import difference
from lab.results import Results

# whether variables are resources, and whether the actor's gradient is gated
KINDS = {'reference': (False, False), 'reference, gated': (False, True), 'resource': (True, False)}
SIZES, STEPS, SESSIONS = (32, 512), 200, 10
FAULTS, OPTIONS = ('no-var-list', 'random-targets', 'as-printed'), ['--seeds', '1-20']
EARLY = 50  # episodes of learning
PICTURE = os.path.splitext(os.path.abspath(__file__))[0] + '.png'


class Learner(NumpyDDPG):
    """Learns only where no ReLU is near its kink at 0, where rounding decides on the gradient."""

    def slope(self, h):
        """Return ReLU's derivative at h, and note how near to the kink that is."""
        self.nearest = min(self.nearest, np.abs(h).min())
        return super().slope(h)

    def learn(self, *batch):
        """Learn from a batch and return True, or learn nothing."""
        self.nearest, nets = np.inf, (self.actor, self.critic)
        before = [(net.state.copy(), net.t) for net in nets]
        super().learn(*map(np.float64, batch))
        if self.nearest > 1e-5:
            return True
        for net, (state, net.t) in zip(nets, before):
            net.state[:] = state


def build(resource, gated):
    """Return ddpg.py's networks in a session as TensorFlow has it by default, with its threads."""
    (tf.enable_resource_variables if resource else tf.disable_resource_variables)()
    by_default = mock.patch.object(fast_tf, 'config', tf.ConfigProto)
    gradients = partial(tf.gradients, gate_gradients=gated)
    with by_default, mock.patch.object(tf, 'gradients', gradients):
        return ddpg.build(make_env(ddpg.ENV_NAME), seed=1)


def prepare(size):
    """Return {name: value} to begin with, random batches, and the weights that NumPy gets."""
    sess, actor, critic, _ = build(True, False)
    weights, bounds = sess.run([actor.e_params, critic.e_params]), np.array([[-2.0], [2.0]])
    random, batches, learner = np.random.RandomState(1), [], Learner(*weights, *bounds, np.float64)
    while len(batches) < STEPS:
        b_s, b_s_ = random.normal(size=(2, size, 3))
        b_a, b_r = random.uniform(-2, 2, (size, 1)), random.normal(size=(size, 1))
        batch = [np.float32(part) for part in (b_s, b_a, b_r, b_s_)]
        if learner.learn(*batch):
            batches.append(batch)
    nets = learner.actor, learner.critic
    wanted = np.concatenate([v for net in nets for v in (net.vector, net.target)])
    return Variables(sess).values(), batches, wanted


def learn(how, start, batches):
    """Return all weights after the batches, in a new session."""
    sess, actor, critic, _ = build(*how)
    Variables(sess).restore(start, 'the first session')
    for b in batches:
        critic.learn(*b)
        actor.learn(b[0])
    found = sess.run([actor.e_params, actor.t_params, critic.e_params, critic.t_params])
    sess.close()
    return np.concatenate([np.ravel(value) for net in found for value in net])


def third():
    """Print the table of trap 3."""
    echo('| variables | batch | apart | to NumPy |\n|---|---:|---:|---:|')
    for size in SIZES:
        start, batches, wanted = prepare(size)
        for kind, how in KINDS.items():
            found = np.array([learn(how, start, batches) for _ in range(SESSIONS)])
            apart, error = np.ptp(found, axis=0).max(), np.abs(found - wanted).max()
            echo(f'| {kind} | {size} | {apart:.1e} | {error:.1e} |')


def draw(others, first):
    """Draw how far the rewards (seeds, episodes) of `others` are from `first`, a panel each.

    The line is the median of the seeds' differences, the band its 95 % interval.
    """
    figure = new_figure(4.8, 5.5)
    panels = figure.subplots(len(others), sharex=True, sharey=True)
    for axes, fault, rewards in zip(panels, FAULTS, others):
        axes.axhline(0, color='#555555', linewidth=1)
        apart = running_means(rewards, WINDOW) - running_means(first, WINDOW)
        bands = np.transpose([interval(seeds) for seeds in apart.T])
        draw_band(axes, WINDOW, bands, color='#1b3a6b')
        axes.set_title(f'{fault}.py \N{MINUS SIGN} ddpg.py', fontsize=10)
    save_figure(figure, PICTURE)


def costs():
    """Train, and print the tables."""
    path, found = os.path.abspath('runs/traps'), {}
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)  # so that the tables have the files' names alone
        for fault in FAULTS:
            patch.main('traps', fault, f'{fault}.py')
        versions = ','.join(['soft', *(f'{fault}.py' for fault in FAULTS)])
        compare.main(['--versions', versions, '--run', path, *OPTIONS])
        os.chdir(os.path.dirname(path))
    done = Results(path)
    for key, made in done.made.items():
        runs = done.of(SimpleNamespace(key=key)).values()
        found[made['label']] = np.array([run.rewards for run in runs])
    begin = ddpg.MEMORY_CAPACITY // ddpg.MAX_EP_STEPS  # episodes that only fill the memory
    end, (first, *others) = begin + EARLY, found.values()
    echo(f'\n| episodes | {begin + 1} to {end} | from {end + 1} |\n|---|---:|---:|')
    for fault, rewards in zip(FAULTS, others):
        parts = (rewards - first)[:, begin:end], (rewards - first)[:, end:]
        cells = [difference(part.mean(axis=1)) for part in parts]
        echo(f'| {fault} | {" | ".join(cells)} |')
    draw(others, first)


if __name__ == '__main__':
    with exit_cleanly('docs.traps'):
        costs() if sys.argv[1:] == ['costs'] else third()
