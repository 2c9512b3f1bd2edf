"""What the benchmarks measure: the lesson's own loop on Pendulum, with different things in it."""

import os
import platform
import random
import sys
import time

import ddpg
import gym
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.numpy_ddpg import NumpyDDPG
from support.agent import Agent

# Processor time, where it is exact: what other programs do meanwhile does not count.
EXACT = time.get_clock_info('process_time').resolution < 1e-5
CLOCK = time.process_time if EXACT else time.perf_counter


def lesson(module, threads=1):
    """Return a contender, env -> an endless iterator of episodes: a version as it is run."""

    def contender(env):
        agent = Agent(module, env, module.SOFT, seed=1, threads=threads)
        fill(agent.memory, env)
        return agent.train(10**9)

    return contender


def textbook(env):
    """The same graph as ddpg.py's in a default session, one sess.run with a feed dict for each."""
    sess, actor, critic = ddpg.build(env, seed=1)
    with sess.graph.as_default():
        tau = ddpg.SOFT['tau']
        replace = {
            net: [tf.assign(t, (1 - tau) * t + tau * e) for t, e in zip(net.t_params, net.e_params)]
            for net in (actor, critic)
        }
        plain = tf.Session()
        plain.run(tf.global_variables_initializer())
        for net in (actor, critic):
            plain.run([tf.assign(t, e) for t, e in zip(net.t_params, net.e_params)])

    def choose_action(s):
        return plain.run(actor.a, {actor.S: s[np.newaxis, :]})[0]

    def learn(b_s, b_a, b_r, b_s_):
        feed = {critic.S: b_s, critic.a: b_a, critic.R: b_r, critic.S_: b_s_}
        plain.run(critic.train_op, feed)
        plain.run(replace[critic])
        plain.run(actor.train_op, {actor.S: b_s})
        plain.run(replace[actor])

    return paired(env, choose_action, learn)


def in_numpy(env):
    """The same networks and updates by hand."""
    sess, actor, critic = ddpg.build(env, seed=1)
    weights = sess.run(actor.e_params), sess.run(critic.e_params)
    by_hand = NumpyDDPG(*weights, env.action_space.low, env.action_space.high)
    return paired(env, by_hand.choose_action, by_hand.learn)


class Pair(object):
    """Takes an actor's and a critic's place in ddpg.train: `learn` is both updates at once."""

    def __init__(self, choose_action, learn):
        self.choose_action, self._learn = choose_action, learn

    def learn(self, b_s, *rest):
        if rest:  # as the critic; as the actor it has nothing left to do
            self._learn(b_s, *rest)


def paired(env, choose_action, learn):
    """Return the episodes of ddpg.py's loop for the given acting and learning."""
    pair = Pair(choose_action, learn)
    return ddpg.train(env, pair, pair, full_memory(env), episodes=10**9)


def full_memory(env):
    """Return a memory of ddpg.py's size, filled on Pendulum."""
    memory = ddpg.Memory(ddpg.MEMORY_CAPACITY, dims=8)
    fill(memory, env)
    return memory


def fill(memory, env):
    """Fill a memory with transitions that a random policy meets."""
    env.seed(1)
    np.random.seed(1)
    s = env.reset()
    rows = []
    for _ in range(1000):
        a = np.random.uniform(env.action_space.low, env.action_space.high)
        s_, r, done, _ = env.step(a)
        rows.append(np.concatenate((s, a, (r / ddpg.REWARD_SCALE,), s_)))
        s = s_
    memory.data[:] = np.resize(rows, memory.data.shape)
    memory.pointer = memory.capacity + 1


def loop(contender, clock=CLOCK):
    """Return a function that runs one episode and gives its microseconds a step."""
    episodes = contender(gym.make('Pendulum-v0').env)
    return timed(lambda: next(episodes), clock)


def timed(episode, clock=CLOCK):
    """Return a function that calls `episode` and gives its microseconds a step."""

    def microseconds():
        start = clock()
        episode()
        return (clock() - start) / ddpg.MAX_EP_STEPS * 1e6

    return microseconds


def stable_baselines3():
    """Stable-Baselines3's DDPG with the lesson's sizes, as `loop` gives it, or None without it."""
    # Triton, for GPUs only, and TensorFlow each bring an LLVM, and the second one ends the process.
    sys.modules['triton'] = None
    try:
        import gymnasium
        import stable_baselines3
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    model = stable_baselines3.DDPG(
        'MlpPolicy',
        gymnasium.make('Pendulum-v1'),
        policy_kwargs=dict(net_arch=[ddpg.HIDDEN_UNITS]),
        batch_size=ddpg.BATCH_SIZE,
        buffer_size=ddpg.MEMORY_CAPACITY,
        learning_starts=ddpg.BATCH_SIZE,
        train_freq=1,
        gradient_steps=1,
        device='cpu',
    )
    model.learn(2 * ddpg.BATCH_SIZE)
    return timed(lambda: model.learn(ddpg.MAX_EP_STEPS, reset_num_timesteps=False))


def take_turns(contenders, rounds):
    """Call each of {name: function} once a round and return {name: what it gave in each round}.

    A slow moment of the machine so hits all alike. The first round only warms up. Each round has an
    order of its own: nobody always comes after the same one, whose threads may not have gone to
    sleep yet.
    """
    given = {name: [] for name in contenders}
    order, shuffle = list(contenders), random.Random(1).shuffle
    for number in range(rounds + 1):
        shuffle(order)
        for name in order:
            value = contenders[name]()
            if number > 0:
                given[name].append(value)
    return given


def versions():
    """Return what the times hang on, in words."""
    return (
        f'Python {platform.python_version()}, TensorFlow {tf.__version__}, '
        f'numpy {np.__version__}, {os.cpu_count()} cores'
    )


def on_one_core():
    """Keep this process on one core, where the system can do so, and return `versions` with it."""
    if not hasattr(os, 'sched_setaffinity'):
        return versions()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return f'{versions()}, of which one is used'
