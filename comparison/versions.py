"""What can be compared: the lesson's versions; what its traps lead to; and one without replay."""

from collections import namedtuple
from contextlib import contextmanager
from itertools import product
from unittest import mock

import tensorflow.compat.v1 as tf

import ddpg
import ddpg_update
import ddpg_update2
from support import settings
from support.messages import BadInput

Version = namedtuple('Version', 'label lesson replacement faults')
VERSIONS = {
    'soft': Version('original, soft', ddpg, ddpg.SOFT, ()),
    'hard': Version('original, hard', ddpg, ddpg.HARD, ()),
    'simplified': Version('simplified', ddpg_update, ddpg_update.SOFT, ()),
    'averages': Version('moving averages', ddpg_update2, ddpg_update2.SOFT, ()),
    'no-var-list': Version('without var_list', ddpg, ddpg.SOFT, ('no-var-list',)),
    'random-targets': Version('random targets', ddpg, ddpg.SOFT, ('random-targets',)),
    'as-printed': Version('as printed', ddpg, ddpg.SOFT, ('no-var-list', 'random-targets')),
    'no-replay': Version('without replay', ddpg, ddpg.SOFT, ('newest-rows',)),
}
DEFAULT = ('soft', 'hard', 'simplified', 'averages')

# One column of the table: a version with other numbers, such as ('GAMMA=0.95',).
Column = namedtuple('Column', 'label version words')


def columns(versions, words, varied):
    """Return the Columns of each version with each combination of the varied numbers.

    Args:
        versions: names among VERSIONS.
        words: the words of --set, for all columns.
        varied: the words of --vary, such as 'HIDDEN_UNITS=30,100'.

    Raises:
        BadInput: naming a word that cannot work.
    """
    choices = []
    for word in varied:
        name, equals, values = word.partition('=')
        if not equals or not all(values.split(',')):
            raise BadInput(f'--vary {word}: needs NAME=VALUE,VALUE,...')
        choices.append([f'{name}={value}' for value in values.split(',')])
    found = []
    for name in versions:
        version = VERSIONS[name]
        for chosen in product(*choices):
            numbers = settings.numbers_of(version.lesson)
            settings.changed(numbers, version.replacement, [*words, *chosen])
            parts = [version.label] if len(versions) > 1 or not chosen else []
            found.append(Column(', '.join([*parts, *chosen]), name, (*words, *chosen)))
    if len({column.label for column in found}) < len(found):
        raise BadInput('--vary names a value twice')
    return found


@contextmanager
def building(faults):
    """While this lasts, the critic's `minimize` takes no var_list, if `faults` say so."""
    minimize = tf.train.Optimizer.minimize

    def as_faults_say(optimizer, loss, var_list):
        return minimize(optimizer, loss, var_list=None if 'no-var-list' in faults else var_list)

    with mock.patch.object(tf.train.Optimizer, 'minimize', as_faults_say):
        yield


def spoil(agent, faults):
    """Let targets begin at random, or each batch be the newest rows, if `faults` say so."""
    if 'random-targets' in faults:
        variables = agent.sess.graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
        agent.sess.run([v.initializer for v in variables if '/target_net/' in v.name])
    if 'newest-rows' in faults:
        agent.memory.sample = agent.newest_rows
