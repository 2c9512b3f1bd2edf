"""How long a learning step takes, and where its time goes: `python -m benchmarks.step_time`.

All contenders run the lesson's own loop on Pendulum in one process, on one core, with the same
memory, and take turns, one episode each, so that a slow moment of the machine hits all alike.
"""

import multiprocessing
import os
import platform
import random
import signal
import sys
import time

import ddpg
import ddpg_update
import ddpg_update2
import gym
import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.numpy_ddpg import NumpyDDPG
from experiment.options import Parser, whole_number
from memory import Memory
from pictures.figures import new_figure, save_figure
from support.agent import Agent
from support.messages import RunFailed, ends_in_one_line, say


class Pair(object):
    """Takes an actor's and a critic's place in ddpg.train: `learn` is both updates at once."""

    def __init__(self, choose_action, learn):
        self.choose_action, self._learn = choose_action, learn

    def learn(self, b_s, *rest):
        if rest:  # as the critic; as the actor it has nothing left to do
            self._learn(b_s, *rest)


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


def paired(env, choose_action, learn):
    """Return what ddpg.py's loop yields for the given acting and learning, with a full memory."""
    pair, M = Pair(choose_action, learn), Memory(ddpg.MEMORY_CAPACITY, 2 * 3 + 1 + 1)
    fill(M, env)
    return ddpg.train(env, pair, pair, M, episodes=10**9)


def lesson(module, threads=1):
    """Return a contender: the given version as the program runs it."""

    def contender(env):
        agent = Agent(module, env, module.SOFT, seed=1, threads=threads)
        fill(agent.memory, env)
        return agent.train(10**9)

    return contender


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
        s = env.reset() if done else s_
    memory.data[:] = np.resize(rows, memory.data.shape)
    memory.pointer = memory.capacity + 1


def loop(contender):
    """Return a function that runs one episode of the loop and gives its microseconds a step.

    Args:
        contender: env -> an endless iterator of episodes.
    """
    episodes = contender(gym.make('Pendulum-v0').env)

    def episode():
        start = time.perf_counter()
        next(episodes)
        return (time.perf_counter() - start) / ddpg.MAX_EP_STEPS * 1e6

    return episode


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

    def episode():
        start = time.perf_counter()
        model.learn(ddpg.MAX_EP_STEPS, reset_num_timesteps=False)
        return (time.perf_counter() - start) / ddpg.MAX_EP_STEPS * 1e6

    return episode


def take_turns(contenders, rounds):
    """Return {name: microseconds a step in each round}; the first round only warms up.

    Each round has an order of its own: nobody always comes after the same one, whose threads may
    not have gone to sleep yet.
    """
    times = {name: [] for name in contenders}
    order, shuffle = list(contenders), random.Random(1).shuffle
    for number in range(rounds + 1):
        shuffle(order)
        for name in order:
            microseconds = contenders[name]()
            if number > 0:
                times[name].append(microseconds)
    return times


def parts():
    """Return {part of a step of ddpg.py: function}, each part by itself."""
    env = gym.make('Pendulum-v0').env
    _, actor, critic = ddpg.build(env, seed=1)
    M = Memory(ddpg.MEMORY_CAPACITY, 2 * 3 + 1 + 1)
    fill(M, env)
    b_M = M.sample(ddpg.BATCH_SIZE)
    b_s, b_a, b_r, b_s_ = b_M[:, :3], b_M[:, 3:4], b_M[:, 4:5], b_M[:, 5:]
    s, low, high = env.reset(), env.action_space.low, env.action_space.high
    a = actor.choose_action(s)
    return {
        'act': lambda: actor.choose_action(s),
        'noise': lambda: np.clip(np.random.normal(a, 0.1), low, high),
        'environment': lambda: env.step(a),
        'store': lambda: M.store_transition(s, a, 0.1, s),
        'sample': lambda: M.sample(ddpg.BATCH_SIZE),
        'critic': lambda: critic.learn(b_s, b_a, b_r, b_s_),
        'actor': lambda: actor.learn(b_s),
    }


def repeated(call, times=100):
    """Return a function that calls `call` so often and gives its microseconds a call."""

    def timed():
        start = time.perf_counter()
        for _ in range(times):
            call()
        return (time.perf_counter() - start) / times * 1e6

    return timed


ORIGINAL = lesson(ddpg)


def compare(rounds):
    """Print the contenders' table and the parts of a step."""
    contenders = {
        'textbook': loop(textbook),
        'ddpg.py': loop(ORIGINAL),
        'ddpg_update.py': loop(lesson(ddpg_update)),
        'ddpg_update2.py': loop(lesson(ddpg_update2)),
        'NumPy by hand': loop(in_numpy),
    }
    theirs = stable_baselines3()
    if theirs is not None:
        contenders['Stable-Baselines3'] = theirs
    times = take_turns(contenders, rounds)

    ours = np.array(times['ddpg.py'])
    say('| | microseconds a learning step, median | quarter to three quarters | to ddpg.py |')
    say('|---|---:|---:|---:|')
    for name, values in times.items():
        quarter, median, three = np.percentile(values, [25, 50, 75])
        ratio = np.median(np.array(values) / ours)
        say(f'| {name} | {median:.0f} | {quarter:.0f} to {three:.0f} | {ratio:.2f} |')
    if theirs is None:
        say('(Stable-Baselines3 is not installed here: pip install stable-baselines3)')

    calls = {part: repeated(call) for part, call in parts().items()}
    say('\n| part of a step of ddpg.py | microseconds, median |')
    say('|---|---:|')
    for part, values in take_turns(calls, 21).items():
        say(f'| {part} | {np.median(values):.1f} |')


def sized(changes, contender):
    """Return the contender's `loop` with other hyperparameters, {name: value}."""

    def change():
        for name, value in changes.items():
            setattr(ddpg, name, value)

    change()
    episode = loop(contender)

    def changed():
        change()  # the loop reads some of them at every step
        return episode()

    return changed


def serve(connection, sizes, threads):
    """In a process of its own, run an episode of ddpg.py of each size that comes; None ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the one that asks does
    episodes = [sized(changes, lesson(ddpg, threads)) for changes in sizes]
    for index in iter(connection.recv, None):
        connection.send(episodes[index]())


def steps(sizes):
    """Return the microseconds of a step at each of `sizes`, dicts of hyperparameters.

    All sizes take turns, as the contenders do. Each number of threads has a process, because
    TensorFlow makes a process's threads once, for its first session.

    Returns:
        {(index, contender): microseconds in each round}: ddpg.py with one thread (contender 1),
        with one a core (their number), and NumPy by hand.
    """
    spawn = multiprocessing.get_context('spawn')
    contenders, connections = {}, []

    def elsewhere(connection, index):
        def episode():
            connection.send(index)
            return connection.recv()

        return episode

    for threads in (1, os.cpu_count()):
        here, there = spawn.Pipe()
        spawn.Process(target=serve, args=(there, sizes, threads), daemon=True).start()
        connections.append(here)
        for index in range(len(sizes)):
            contenders[index, threads] = elsewhere(here, index)
    for index, changes in enumerate(sizes):
        contenders[index, 'NumPy'] = sized(changes, in_numpy)
    try:
        return take_turns(contenders, rounds=21)
    finally:
        for connection in connections:
            connection.send(None)


def scaling(path):
    """Print and plot the time of a step against batch size, width and memory capacity."""
    cores = os.cpu_count()
    figure = new_figure(14, 3.6)
    panels = figure.subplots(1, len(SIZES), sharey=True)
    for panel, (label, name, values, others) in zip(panels, SIZES):
        times = steps([dict(DEFAULTS, **others, **{name: value}) for value in values])
        indices = range(len(values))
        one, many, by_hand = (
            [np.median(times[index, who]) for index in indices] for who in (1, cores, 'NumPy')
        )
        say(f'\n| {label} | ddpg.py, 1 thread | {cores} threads | NumPy by hand |')
        say('|---:|---:|---:|---:|')
        for row in zip(values, one, many, by_hand):
            say('| {} | {:.0f} | {:.0f} | {:.0f} |'.format(*row))
        ratios = [np.median(np.divide(times[i, cores], times[i, 1])) for i in indices]
        pays = [str(value) for value, ratio in zip(values, ratios) if ratio < 0.9]
        say(f'More threads save a tenth or more at: {", ".join(pays) or "none of these"}')
        panel.loglog(values, one, 'o-', label='ddpg.py, 1 thread')
        panel.loglog(values, many, 's--', label=f'ddpg.py, {cores} threads')
        panel.loglog(values, by_hand, '^:', label='NumPy by hand')
        panel.set_xlabel(label)
    panels[0].set_ylabel('microseconds a learning step')
    panels[0].legend()
    try:
        save_figure(figure, path)
    except OSError as error:
        raise RunFailed(f'{path} could not be written ({error.strerror})')
    say(f'\nThe picture is {path}')


BATCHES = (32, 128, 512, 2048, 4096)
SIZES = (
    ('batch size', 'BATCH_SIZE', BATCHES, {}),
    ('batch size, 300 hidden units', 'BATCH_SIZE', BATCHES, dict(HIDDEN_UNITS=300)),
    ('hidden units', 'HIDDEN_UNITS', (30, 100, 300, 1024), {}),
    ('memory capacity', 'MEMORY_CAPACITY', (10**4, 10**5, 10**6), {}),
)
# what is not said there; short episodes, for the largest take long
DEFAULTS = dict(
    BATCH_SIZE=ddpg.BATCH_SIZE,
    HIDDEN_UNITS=ddpg.HIDDEN_UNITS,
    MEMORY_CAPACITY=ddpg.MEMORY_CAPACITY,
    MAX_EP_STEPS=40,
)


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


def main():
    """Measure; the contenders on one core."""
    parser = Parser(prog='benchmarks.step_time', description=__doc__.splitlines()[0])
    parser.add_argument(
        '--rounds', type=whole_number(1), default=41, help='episodes a contender (default: 41)'
    )
    parser.add_argument(
        '--scaling',
        metavar='PNG',
        nargs='?',
        const='step_time_scaling.png',
        help='the time against batch size, width and capacity instead (default: %(const)s)',
    )
    options = parser.parse_args()
    if options.scaling:
        say(versions())
        scaling(options.scaling)
    else:
        say(f'{on_one_core()}\n')
        compare(options.rounds)


if __name__ == '__main__':
    with ends_in_one_line('benchmarks.step_time'):
        main()
