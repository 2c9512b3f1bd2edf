"""One run of a comparison: train a version with one seed, and measure its policies."""

import support.quiet  # noqa: F401  a worker begins with this module: TensorFlow in silence
import os
import tempfile
import threading
import time
from functools import partial

from comparison.versions import VERSIONS, building, spoil
from experiment.best import Best, is_due
from experiment.evaluate import player
from experiment.variables import Variables
from support import environment, settings
from support.agent import Agent
from support.random_states import undisturbed

# The environment's seeds for the starts that measure a policy: plain ones, not chosen for their
# outcome, and none that the choice of the best policy has seen.
STARTS = range(3000, 4000)


def train(version, words, seed, env_name, episodes, parent=None):
    """Train a version and measure its last and its best policy.

    Args:
        version: a name among VERSIONS.
        words: other numbers, such as ('GAMMA=0.95',).
        parent: the process with whose end this one ends too; None for a cluster's.

    Returns:
        (rows, last, best, seconds): rows (index, reward, explore) of the episodes; the mean returns
        of both policies over STARTS, best None if the run was too short to keep one; seconds of
        processor time, which other programs on the machine lengthen little.
    """
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _, lesson, replacement, faults = VERSIONS[version]
    numbers, replacement = settings.changed(settings.numbers_of(lesson), replacement, words)
    make_env, max_steps = partial(environment.make, env_name), numbers['MAX_EP_STEPS']

    with settings.applied(lesson, numbers), tempfile.TemporaryDirectory() as kept:
        env = make_env()
        with building(faults):
            agent = Agent(lesson, env, replacement, seed)
        spoil(agent, faults)
        variables = Variables(agent.sess)
        best = Best(make_env, agent.choose_actions, max_steps, lambda returns: variables.save(kept))
        rows, start = [], time.process_time()
        for e in agent.train(episodes, 0, numbers['VAR']):
            rows.append((e.index, float(e.reward), float(e.var)))
            if agent.learns and is_due(e.index + 1, episodes):
                with undisturbed(env):
                    best.try_policy()
        seconds = time.process_time() - start
        play = player(make_env, STARTS, max_steps)
        last, of_best = float(play(agent.choose_actions).mean()), None
        if best.returns is not None:
            variables.restore(kept)
            of_best = float(play(agent.choose_actions).mean())
    agent.sess.close()
    return rows, last, of_best, seconds


def _end_with(parent):
    """End this process soon after its parent has ended, however that happened."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
