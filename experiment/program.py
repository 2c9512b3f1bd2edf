"""The program around the lesson: options, environment, run folder, messages, and how a run ends."""

import os
import signal
import sys
import time
from collections import deque, namedtuple
from contextlib import closing, contextmanager
from datetime import timedelta

import numpy as np
from tqdm import tqdm

from experiment import environment, folder, session
from experiment.errors import BadInput, RunFailed, Stopped
from experiment.options import parse

LAST = 20  # episodes in the closing line's mean

# What the program drives, whichever version of the algorithm is behind it:
#   sess           the TensorFlow session, for its graph
#   memory         the replay memory
#   choose_action  s (state_dim,) -> a (action_dim,), without noise
#   learn          (b_s, b_a, b_r, b_s_) -> None, one learning step
#   losses         (b_s, b_a, b_r, b_s_) -> {name: loss}, measured without learning
Agent = namedtuple('Agent', 'sess memory choose_action learn losses')


def main(program, build_agent, train, replacements, constants):
    """Train from the command line; leave with a line and an exit code where that does not work.

    Args:
        program: its name, 'ddpg'.
        build_agent: (env, replacement, seed) -> Agent.
        train: (env, memory, choose_action, learn, episodes) -> iterator of Episode.
        replacements: the choices of --replacement, {name: dict}, the default first.
        constants: the program's globals(); numbers and dicts in capitals are hyperparameters.
    """
    hyperparameters = hyperparameters_in(constants)
    try:
        for name, value in hyperparameters.items():
            if isinstance(value, int) and value < 1:
                raise BadInput(f'{name} = {value} at the top of the file must be at least 1')
        with _ctrl_c() as stop_asked:
            options = parse(program, hyperparameters['MAX_EPISODES'], replacements)
            env = environment.make(options.env)
            session.THREADS = options.threads
            agent = build_agent(env, options.replacement, options.seed)
            options.run = folder.create(program, options.run)
            config = dict(program=program, **vars(options), hyperparameters=hyperparameters)
            _train(env, agent, train, config, stop_asked)
    except (BadInput, RunFailed, Stopped) as ending:
        print(f'{program}.py: {ending}', file=sys.stderr)
        sys.exit(ending.exit_code)
    except KeyboardInterrupt:  # the second Ctrl-C
        print(f'{program}.py: stopped at once', file=sys.stderr)
        sys.exit(Stopped.exit_code)


def hyperparameters_in(constants):
    """Return the numbers and dicts whose names are in capitals."""
    return {
        name: value
        for name, value in constants.items()
        if name.isupper() and isinstance(value, (int, float, dict))
    }


def _train(env, agent, train, config, stop_asked):
    """Run the episode loop; show and record each episode in the folder config['run']."""
    path, episodes = config['run'], config['episodes']
    last_rewards = deque(maxlen=LAST)
    batch = []  # the one that was learned from last
    done = 0

    def choose_action(s):
        if stop_asked():
            raise Stopped('stopped')
        a = agent.choose_action(s)
        if not np.isfinite(a).all():
            _blame(s, a)
        return a

    def learn(*b):
        batch[:] = b
        agent.learn(*b)

    try:
        recorder = folder.Recorder(path, config, agent.sess.graph)
    except OSError as error:
        raise RunFailed(f'{path} cannot be written ({error.strerror}); free some space there')

    started = time.time()
    try:
        with closing(recorder), tqdm(
            total=episodes, unit='episode', disable=None, leave=False
        ) as bar:
            for episode in train(env, agent.memory, choose_action, learn, episodes):
                recorder.record(episode, agent.losses(*batch) if batch else {})
                last_rewards.append(episode.reward)
                done += 1
                bar.write(
                    f'Episode: {episode.index}  Reward: {episode.reward:.0f}  '
                    f'Explore: {episode.var:.2f}',
                    file=sys.stdout,
                )
                bar.update()
        print(
            f'Trained {done} episodes in {timedelta(seconds=round(time.time() - started))}, '
            f'mean return of the last {len(last_rewards)}: {np.mean(last_rewards):.1f}. The run is '
            f'in {path}; see it with: tensorboard --logdir {os.path.dirname(path) or "."}',
            flush=True,
        )
    except (RunFailed, Stopped) as ending:
        raise type(ending)(f'{ending} in episode {done}; those before it are in {path}')
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush
        raise RunFailed(f'the output was closed after episode {done}; the run is in {path}')
    except OSError as error:
        raise RunFailed(
            f'episode {done} could not be written ({error.strerror}): free some space; '
            f'those before it are in {path}'
        )


def _blame(s, a):
    """Stop the run: the action is not finite, because the state is not or the networks are not."""
    if not np.isfinite(s).all():
        raise RunFailed(f'the environment gave the observation {s}')
    raise RunFailed(f"the actor's output became {a} (smaller learning rates may help)")


@contextmanager
def _ctrl_c():
    """While this lasts, Ctrl-C is only noted, for the step at work to end; a second one interrupts.

    Yields:
        A function that says whether Ctrl-C came.
    """
    came = []

    def note(signum, frame):
        came.append(signum)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, before)
