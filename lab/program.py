"""The programs' command line: train a new run, resume one, or play one.

What a lesson's main(run) asks of `run`, be it a training, a playing or a comparison's run:

    make_env(name)                  the environment
    replacement, seed               for build
    begin(sess, M, S, a, q, loss)   what build has made: the session, the memory, and the tensors of
                                    states, the actor's actions, Q, and the critic's loss
    episodes, start, var            for train; set at the latest by begin
    record(episode)                 an episode has ended
    end()                           so has the training
"""

from typing import List, Optional

from fast_tf import check_packages
from lab import folder
from lab.hyperparameters import capitals, hyperparameters, load, parse_overrides, replacements
from lab.hyperparameters import stem, variant
from lab.messages import UsageError, exit_cleanly
from lab.options import parse
from lab.playing import PlayingRun
from lab.signals import deferred_signals
from lab.training import TrainingRun


def run_program(path: str, arguments: Optional[List[str]] = None) -> None:
    """Run the lesson in the file `path` from the command line.

    Args:
        arguments: a list of words; None takes the command line's.
    """
    program = stem(path)
    with exit_cleanly(f'{program}.py'):
        lesson = load(path)
        ways, own_env = replacements(lesson), capitals(lesson)['ENV_NAME']
        options = parse(program, own_env, list(ways), arguments)
        check_packages()
        with deferred_signals() as stop_requested:
            path = options.play or options.resume
            if path:
                config = folder.config_for(program, lesson, path, options.env)
            else:
                config = _new(program, lesson, options, ways)
            if options.play:
                run = PlayingRun(config, options, stop_requested)
            else:
                gone = config['hyperparameters'].keys() - hyperparameters(lesson).keys()
                if gone:  # only a run that is resumed can have one
                    what = f'{path} has a {min(gone)}'
                    raise UsageError(f'{what} that {program}.py as it is now has not')
                command = folder.command_of(config, own_env)
                run = TrainingRun(config, options, command, stop_requested)
            with run.reporting():
                variant(lesson, config['hyperparameters']).main(run)


def _new(program, lesson, options, ways):
    """Return what a new run is made of: the options, and the defaults of those not given."""
    chosen = ways[options.replacement or next(iter(ways))] if ways else None
    numbers, replacement = parse_overrides(options.set, hyperparameters(lesson), chosen)
    config = dict(program=program, env=options.env or capitals(lesson)['ENV_NAME'])
    config.update(seed=1 if options.seed is None else options.seed)
    config.update(episodes=numbers['MAX_EPISODES'], eval_episodes=options.eval_episodes)
    config.update(replacement=replacement, hyperparameters=numbers)
    return dict(config, versions=folder.versions())
