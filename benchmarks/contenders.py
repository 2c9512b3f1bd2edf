"""What the benchmarks measure: the lesson's own loop on Pendulum, with different things in it.

A contender is a function: environment -> an endless iterator of episodes.
"""

import os
import random
import sys
import time
from types import SimpleNamespace

import ddpg
import gym
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.numpy_ddpg import NumpyDDPG
from lab.checkpoints import Variables
from lab.folder import versions
from lab.messages import echo
from lab.options import Parser, whole_number

# Processor time, where it is exact: what other programs do meanwhile does not count.
CLOCK = time.perf_counter if os.name == 'nt' else time.process_time
ENDLESS = 10**9


def original(env, lesson=ddpg):
    """ddpg.py as it is; `lesson` may be a variant of it."""
    sess, actor, critic, M = lesson.build(env, seed=1)
    return lesson.train(env, actor, critic, fill(M, env), ENDLESS)


def simplified(env, lesson):
    """ddpg_update.py or ddpg_update2.py."""
    agent = lesson.build(env, seed=1)
    fill(agent.memory, env)
    return lesson.train(env, agent, ENDLESS)


def textbook(env):
    """The same graph as ddpg.py's in a default session, one sess.run with a feed dict for each."""
    sess, actor, critic, M = ddpg.build(env, seed=1)
    tau, plain = ddpg.SOFT['tau'], tf.Session(graph=sess.graph)
    Variables(plain).restore(Variables(sess).values(), 'the other session')
    with sess.graph.as_default():
        replace = {
            net: [tf.assign(t, (1 - tau) * t + tau * e) for t, e in zip(net.t_params, net.e_params)]
            for net in (actor, critic)
        }

    def choose_action(s):
        return plain.run(actor.a, {actor.S: s[np.newaxis, :]})[0]

    def learn(b_s, b_a, b_r, b_s_):
        feed = {critic.S: b_s, critic.a: b_a, critic.R: b_r, critic.S_: b_s_}
        plain.run(critic.train_op, feed)
        plain.run(replace[critic])
        plain.run(actor.train_op, {actor.S: b_s})
        plain.run(replace[actor])

    return in_the_loop(env, choose_action, learn, M)


def in_numpy(env):
    """The same networks and updates by hand."""
    sess, actor, critic, M = ddpg.build(env, seed=1)
    weights, space = sess.run([actor.e_params, critic.e_params]), env.action_space
    by_hand = NumpyDDPG(*weights, space.low, space.high)
    return in_the_loop(env, by_hand.choose_action, by_hand.learn, M)


def in_the_loop(env, choose_action, learn, M):
    """Return the episodes of ddpg.py's loop, in which `learn` is both updates in one."""
    actor = SimpleNamespace(choose_action=choose_action, learn=lambda b_s: None)
    return ddpg.train(env, actor, SimpleNamespace(learn=learn), fill(M, env), ENDLESS)


def fill(M, env):
    """Return the memory `M`, filled with transitions that a random policy meets."""
    env.seed(1)
    np.random.seed(1)
    s, rows = env.reset(), []
    for _ in range(1000):
        a = np.random.uniform(env.action_space.low, env.action_space.high)
        s_, r, _, _ = env.step(a)
        rows.append(np.concatenate((s, a, (r / ddpg.REWARD_SCALE,), s_)))
        s = s_
    M.data[:] = np.resize(rows, M.data.shape)
    M.pointer = M.capacity + 1
    return M


def stable_baselines3(_):
    """Stable-Baselines3's DDPG with the lesson's sizes; ImportError without it."""
    # Triton, for GPUs only, and TensorFlow each bring an LLVM, and the second one ends the process.
    sys.modules['triton'] = None
    import stable_baselines3
    import torch

    torch.set_num_threads(1)
    how = dict(batch_size=ddpg.BATCH_SIZE, buffer_size=ddpg.MEMORY_CAPACITY, device='cpu')
    how.update(learning_starts=ddpg.BATCH_SIZE, train_freq=1, gradient_steps=1)
    how.update(policy_kwargs=dict(net_arch=[ddpg.HIDDEN_UNITS]))
    model = stable_baselines3.DDPG('MlpPolicy', 'Pendulum-v1', **how)
    model.learn(2 * ddpg.BATCH_SIZE)
    while True:
        yield model.learn(ddpg.MAX_EP_STEPS, reset_num_timesteps=False)


def loop(contender, steps=ddpg.MAX_EP_STEPS, clock=CLOCK):
    """Return a function that runs an episode of `steps` steps: microseconds a step."""
    episodes = contender(gym.make('Pendulum-v0').env)

    def microseconds():
        start = clock()
        next(episodes)
        return (clock() - start) / steps * 1e6

    return microseconds


def take_turns(functions, rounds):
    """Call each of {name: function} once a round; return {name: what it gave, (rounds, ...)}.

    A slow moment of the machine so hits all alike. The first round only warms up. Each round has an
    order of its own: nobody always comes after the same one, whose threads may not have gone to
    sleep yet.
    """
    given, order = {name: [] for name in functions}, list(functions)
    shuffle = random.Random(1).shuffle
    for number in range(rounds + 1):
        shuffle(order)
        for name in order:
            value = functions[name]()
            if number:
                given[name].append(value)
    return {name: np.array(values) for name, values in given.items()}


def begin(program, description, rounds, cores=1):
    """Read the option --rounds, keep to one core if `cores` is 1, and print what runs here."""
    parser = Parser(program, description)
    how = dict(type=whole_number(1), default=rounds, help='episodes each (default: %(default)s)')
    parser.add_argument('--rounds', **how)
    options = parser.parse_args()
    if cores == 1 and hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = ', '.join(f'{name} {version}' for name, version in versions().items())
    echo(f'{found}, cores {cores} of {os.cpu_count()}\n')
    return options.rounds
