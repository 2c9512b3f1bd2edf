"""What each line that is there for speed saves: `python -m benchmarks.savings`.

Each contender is ddpg.py with one of those lines undone.
"""

from unittest import mock

import ddpg
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.contenders import lesson, loop, on_one_core, paired, take_turns
from experiment.options import Parser, whole_number
from memory import Memory
from support import session
from support.messages import ends_in_one_line, say


def undone(target, name, value):
    """Return the `loop` of ddpg.py as built while `target.name` is `value`."""
    with mock.patch.object(target, name, value):
        return loop(lesson(ddpg))


def without(change):
    """Return the `loop` of ddpg.py in sessions whose configuration went through `change`."""
    proto = session.config()
    change(proto)
    return undone(session, 'config', lambda: proto)


def usual_executor(proto):
    """Choose the one that hands operations to a pool of threads."""
    proto.experimental.executor_type = ''


def graph_optimiser(proto):
    """Leave it as it is where nobody says otherwise."""
    proto.graph_options.ClearField('rewrite_options')


def in_two_calls(env):
    """ddpg.py, where each update is a call and each replacement another."""
    sess, actor, critic = ddpg.build(env, seed=1)
    with sess.graph.as_default():
        feeds = {actor: [actor.S], critic: [critic.S, critic.a, critic.R, critic.S_]}
        train = {net: session.make_callable(sess, net.train_op, feeds[net]) for net in feeds}
        tau = ddpg.SOFT['tau']
        replace = {
            net: sess.make_callable(ddpg.replace_op(net.t_params, net.e_params, tau))
            for net in feeds
        }

    def learn(b_s, b_a, b_r, b_s_):
        train[critic](b_s, b_a, b_r, b_s_)
        replace[critic]()
        train[actor](b_s)
        replace[actor]()

    return paired(env, actor.choose_action, learn)


class Float64Memory(Memory):
    """The memory as NumPy would have made it."""

    def __init__(self, capacity, dims):
        super().__init__(capacity, dims)
        self.data = self.data.astype(np.float64)


def contenders():
    """Return {what is undone: `loop` of it}, ddpg.py as it is first."""
    return {
        'nothing': loop(lesson(ddpg)),
        'SINGLE_THREADED_EXECUTOR': without(usual_executor),
        'rewrite_options': without(graph_optimiser),
        'make_callable': undone(ddpg, 'make_callable', tf.Session.make_callable),
        'train and replace in one call': loop(in_two_calls),
        'float32 memory': undone(ddpg, 'Memory', Float64Memory),
    }


def main():
    """Measure and print the table."""
    parser = Parser(prog='benchmarks.savings', description=__doc__)
    parser.add_argument(
        '--rounds', type=whole_number(1), default=81, help='episodes each (default: 81)'
    )
    rounds = parser.parse_args().rounds
    say(f'{on_one_core()}\n')
    times = take_turns(contenders(), rounds)
    ours = np.array(times['nothing'])
    say('| undone | microseconds a learning step, median | it saves |')
    say('|---|---:|---:|')
    for name, values in times.items():
        saved = np.median(1 - ours / values)
        say(f'| {name} | {np.median(values):.0f} | {saved:.1%} |')


if __name__ == '__main__':
    with ends_in_one_line('benchmarks.savings'):
        main()
