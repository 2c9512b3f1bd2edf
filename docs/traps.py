"""The traps in numbers: `python -m docs.traps` for the third, `... runs/compare-1` for the others.

For the third, ddpg.py takes the same 200 steps twice in each of ten sessions. Printed is how far
two sessions are apart in any weight, and how far one is from NumPy in float64, each time. For the
others, how far the returns of compare.py's versions are from those of the first.
"""

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
from functools import partial
from itertools import chain
from unittest import mock

import ddpg
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.contenders import versions
from comparison.results import Results
from comparison.table import common_seeds, interval
from comparison.versions import VERSIONS
from experiment.options import Parser, text
from support import environment, session
from support.messages import BadInput, ends_in_one_line, say
from tests.helpers import graphs, lessons, reference

# whether variables are resources, and whether the actor's gradient is gated
KINDS = {'reference': (False, False), 'reference, gated': (False, True), 'resource': (True, False)}


def build(env, resource, gated):
    """Return ddpg.py's networks in a session as TensorFlow has it by default, with its threads."""
    (tf.enable_resource_variables if resource else tf.disable_resource_variables)()
    by_default = mock.patch.object(session, 'config', tf.ConfigProto)
    gradients = partial(tf.gradients, gate_gradients=gated)
    with by_default, mock.patch.object(tf, 'gradients', gradients):
        built = lessons.Built(ddpg, env, seed=1)
    tf.enable_resource_variables()
    return built


def prepare(env, size, steps):
    """Return {net: weights} to begin with, random batches, and what NumPy gets from both."""
    random, built = np.random.RandomState(1), build(env, resource=True, gated=False)
    start = built.values()
    built.sess.close()
    learner, batches = built.reference(start), []
    while len(batches) < steps:
        drawn = graphs.batch(random, 3, [-2], [2], size)
        learner, clear = reference.learn_clear_of_jumps(learner, [drawn])
        batches += clear
    return start, batches, flat([learner.actor, learner.actor_, learner.critic, learner.critic_])


def flat(nets):
    """Return all weights of some networks as one vector."""
    return np.concatenate([np.ravel(weights) for weights in chain(*nets)])


def learn(env, how, start, batches):
    """Return the weights after each of two times in a new session, (2, weights)."""
    built, found = build(env, *how), []
    forget = graphs.forgetting(built.sess, chain(*built.nets.values()))
    for _ in range(2):
        built.sess.run(forget)  # Adam's averages
        for name, net in built.nets.items():
            graphs.set_values(built.sess, net, start[name])
        for b in batches:
            built.learn(*b)
        found.append(flat(built.values().values()))
    built.sess.close()
    return np.array(found)


def third(sizes=(32, 512), steps=200, sessions=10):
    """Print the table of trap 3."""
    env = environment.make(ddpg.ENV_NAME)
    say(f'{versions()}; {steps} steps in each of {sessions} sessions\n')
    say('| variables | batch | apart | from NumPy | apart, again | from NumPy, again |')
    say('|---|---:|---:|---:|---:|---:|')
    for size in sizes:
        start, batches, wanted = prepare(env, size, steps)
        for kind, how in KINDS.items():
            found = np.array([learn(env, how, start, batches) for _ in range(sessions)])
            apart = np.ptp(found, axis=0).max(axis=1)
            error = np.abs(found - wanted).max(axis=(0, 2))
            cells = [f'{value:.1e}' for pair in zip(apart, error) for value in pair]
            say(f'| {kind} | {size} | {" | ".join(cells)} |')


def others(path):
    """Print, seed by seed, how far returns are from the first version's, early and late."""
    done = Results(path)
    runs = {v.label: done.of(v.label) for v in VERSIONS.values() if done.of(v.label)}
    seeds = common_seeds(runs) if runs else []
    if not seeds:
        raise BadInput(f'{path} holds no runs of compare.py that can be compared')
    begin = ddpg.MEMORY_CAPACITY // ddpg.MAX_EP_STEPS  # episodes that only fill the memory
    say(f'| episodes | {begin + 1} to {begin + 50} | from {begin + 51} |\n|---|---:|---:|')
    (_, base), *rest = runs.items()
    for label, those in rest:
        cells = []
        for part in (slice(begin, begin + 50), slice(begin + 50, None)):
            apart = [
                np.mean(those[s].rewards[part]) - np.mean(base[s].rewards[part]) for s in seeds
            ]
            cells.append('{:+.0f} ({:+.0f} to {:+.0f})'.format(*interval(apart)))
        say(f'| {label} | {" | ".join(cells)} |')


def main(arguments=None):
    """Print a table; `arguments` is a list of words, None takes the command line's."""
    parser = Parser(prog='docs.traps', description=__doc__)
    parser.add_argument('run', nargs='?', type=text, metavar='RUN', help='as runs/compare-1')
    path = parser.parse_args(arguments).run
    third() if path is None else others(path)


if __name__ == '__main__':
    with ends_in_one_line('docs.traps'):
        main()
