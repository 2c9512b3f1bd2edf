"""The programs' command line: train a new run, go on with one, or play one; and how that ends."""

import json
import signal
from collections import namedtuple
from contextlib import contextmanager

from experiment import environment, folder, play, session
from experiment.errors import BadInput, told_in_a_line
from experiment.options import parse
from experiment.painter import Shown
from experiment.quiet import no_garbage
from experiment.training import Training

# What the program drives, whichever version of the algorithm is behind it:
#   sess            the TensorFlow session, with all variables
#   memory          the replay memory
#   choose_action   s (state_dim,) -> a (action_dim,), without noise
#   choose_actions  b_s (n, state_dim) -> (n, action_dim), the same for many states
#   learn           (b_s, b_a, b_r, b_s_) -> None, one learning step
#   losses          (b_s, b_a, b_r, b_s_) -> {name: loss}, measured without learning
Agent = namedtuple('Agent', 'sess memory choose_action choose_actions learn losses')


def main(program, build_agent, train, replacements, constants):
    """Run from the command line; leave with a line and an exit code where that does not work.

    Args:
        program: its name, 'ddpg'.
        build_agent: (env, replacement, seed) -> Agent.
        train: (env, memory, choose_action, learn, episodes, start, var) -> iterator of Episode.
        replacements: the choices of --replacement, {name: dict}, the default first.
        constants: the program's globals(); numbers and dicts in capitals are hyperparameters.
    """
    hyperparameters = hyperparameters_in(constants)
    with told_in_a_line(f'{program}.py'):
        for name, value in hyperparameters.items():
            if isinstance(value, int) and value < 1:
                raise BadInput(f'{name} = {value} at the top of the file must be at least 1')
        options = parse(program, list(replacements))
        if options.play:
            play.main(program, build_agent, hyperparameters['MAX_EP_STEPS'], options)
            return
        with _stop_signals() as stop_asked:
            if options.resume:
                config = _resumed(program, options, replacements, hyperparameters)
            else:
                config = _new(program, options, replacements, hyperparameters)
            env = environment.make(config['env'])
            session.THREADS = config['threads']
            with no_garbage():
                agent = build_agent(env, config['replacement'], config['seed'])
            if options.render:
                env = Shown(env, config['env'])
            path = options.resume or folder.create(program, options.run)
            with folder.locked(path):
                steps = hyperparameters['MAX_EP_STEPS']
                Training(
                    *(path, config, env, agent, train, steps, stop_asked),
                    quiet=options.quiet,
                ).run()


def hyperparameters_in(constants):
    """Return the numbers and dicts whose names are in capitals."""
    return {
        name: value
        for name, value in constants.items()
        if name.isupper() and isinstance(value, (int, float, dict))
    }


def _new(program, options, replacements, hyperparameters):
    """Return what a new run is made of: the options, and the defaults of those not given."""
    chosen = options.replacement or next(iter(replacements))
    return dict(
        program=program,
        env=options.env or 'Pendulum-v0',
        seed=1 if options.seed is None else options.seed,
        episodes=options.episodes or hyperparameters['MAX_EPISODES'],
        replacement=replacements[chosen],
        threads=options.threads or 1,
        hyperparameters=hyperparameters,
    )


def _resumed(program, options, replacements, hyperparameters):
    """Return what the run in the folder options.resume is made of.

    Raises:
        BadInput: naming what differs, if options or hyperparameters are not those of the run.
    """
    path = options.resume
    there = folder.config_of(path)
    if there['program'] != program:
        raise BadInput(f'{path} is a run of {there["program"]}.py, so go on with that')
    folder.check_env(path, there['env'], options.env)
    here = dict(there['hyperparameters'])
    here.update(json.loads(json.dumps(hyperparameters)))
    pairs = [
        (name, here[name], there['hyperparameters'].get(name))
        for name in sorted(here)
        if name != 'MAX_EPISODES' and not isinstance(here[name], dict)
    ]
    name = options.replacement or there['replacement'].get('name')
    pairs.append(('replacement', replacements.get(name, name), there['replacement']))
    for name in ('env', 'seed', 'threads'):
        given = getattr(options, name)
        pairs.append((name, there[name] if given is None else given, there[name]))
    differ = [f'{name} is {now} now and was {then}' for name, now, then in pairs if now != then]
    if differ:
        raise BadInput(f'{path} cannot be gone on with: {"; ".join(differ)}')
    return dict(there, episodes=options.episodes or there['episodes'])


@contextmanager
def _stop_signals():
    """While this lasts, Ctrl-C and SIGTERM are only noted, for the step at work to end.

    A second Ctrl-C interrupts at once.

    Yields:
        A function that returns the number of the signal that came, or None.
    """
    came = []

    def note(signum, frame):
        came.append(int(signum))
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(signum, note) for signum in signals]
    try:
        yield lambda: came[0] if came else None
    finally:
        for signum, handler in zip(signals, before):
            signal.signal(signum, handler)
