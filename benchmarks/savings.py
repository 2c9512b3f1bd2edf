"""What each line that is there for speed saves: `python -m benchmarks.savings`.

Each contender is ddpg.py with one of those lines undone.
"""

from functools import partial
from unittest import mock

import ddpg
import fast_tf
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks import contenders
from benchmarks.contenders import loop, take_turns
from lab.messages import echo, exit_cleanly


def undone(target, name, value):
    """Return a contender: ddpg.py as it is built while `target.name` is `value`."""

    def contender(env):
        with mock.patch.object(target, name, value):
            return contenders.original(env)

    return contender


def with_config(change):
    """Return a contender: ddpg.py in a session whose configuration went through `change`."""
    proto = fast_tf.config()
    change(proto)
    return undone(fast_tf, 'config', lambda: proto)


def in_two_calls(env):
    """ddpg.py, where each update is a call and each replacement another."""
    sess, actor, critic, M = ddpg.build(env, seed=1)
    make, tau = partial(fast_tf.make_callable, sess), ddpg.SOFT['tau']
    train_actor = make(actor.train_op, [actor.S])
    train_critic = make(critic.train_op, [critic.S, critic.a, critic.R, critic.S_])
    with sess.graph.as_default():
        replace = [ddpg.replace_op(net.t_params, net.e_params, tau) for net in (actor, critic)]
    replace_actor, replace_critic = map(sess.make_callable, replace)

    def learn(b_s, b_a, b_r, b_s_):
        train_critic(b_s, b_a, b_r, b_s_)
        replace_critic()
        train_actor(b_s)
        replace_actor()

    return contenders.in_the_loop(env, actor.choose_action, learn, M)


def in_float64(env):
    """ddpg.py with a memory as NumPy would have made it."""
    sess, actor, critic, M = ddpg.build(env, seed=1)
    M.data = M.data.astype(np.float64)
    return ddpg.train(env, actor, critic, contenders.fill(M, env), contenders.ENDLESS)


CONTENDERS = {  # what is undone
    'nothing': contenders.original,
    'SINGLE_THREADED_EXECUTOR': with_config(lambda proto: proto.ClearField('experimental')),
    'rewrite_options': with_config(lambda proto: proto.graph_options.ClearField('rewrite_options')),
    'make_callable': undone(ddpg, 'make_callable', tf.Session.make_callable),
    'train and replace in one call': in_two_calls,
    'float32 memory': in_float64,
}

if __name__ == '__main__':
    with exit_cleanly('benchmarks.savings'):
        rounds = contenders.begin('benchmarks.savings', __doc__, 81)
        times = take_turns({name: loop(each) for name, each in CONTENDERS.items()}, rounds)
        echo('| undone | microseconds a learning step, median | it saves |\n|---|---:|---:|')
        for name, values in times.items():
            saved = np.median(1 - times['nothing'] / values)
            echo(f'| {name} | {np.median(values):.0f} | {saved:.1%} |')
