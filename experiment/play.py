"""Play a trained policy: load it from a run's folder, and let it act without noise."""

import numpy as np

from experiment import folder
from experiment.checkpoints import Damaged, best_in, checkpoints_in
from experiment.evaluate import greedy_returns
from experiment.options import PLAYED
from experiment.variables import Variables
from pictures import film
from pictures.painter import DrawnElsewhere
from support import environment, settings
from support.agent import Agent
from support.messages import BadInput, Stopped, say


def load_policy(lesson, path, last=False, env=None):
    """Load a policy that a lesson has trained.

    Args:
        lesson: the module that trained it, such as ddpg.
        path: the folder of the run, such as 'runs/ddpg-1'.
        last: take the last policy in place of the best.
        env: the name of the run's environment, needed where that is 'module:Name-v0'.

    Returns:
        choose_action: s (state_dim,) -> a (action_dim,), float32, without noise.

    Raises:
        BadInput: with one line that says what is wrong and what to do.
    """
    return _load(lesson, path, last, env)[2].choose_action


def _load(lesson, path, last, env_name):
    """Return (config, environment, Agent, 'best' or 'last') of a run, its policy as saved."""
    config = folder.config_for(lesson, path, env_name)
    last = last or not best_in(path).steps()  # a run too short to learn has kept no best one
    saved = checkpoints_in(path) if last else best_in(path)
    if not saved.steps():
        raise BadInput(f'{path} holds no policy yet')
    advice = 'play the last policy with --last'
    if last:
        advice = 'delete that folder, and the one before it is played'
    env = environment.make(config['env'])
    folder.check_sizes(path, config, env)
    with settings.applied(lesson, config['hyperparameters']):
        agent = Agent(lesson, env, config['replacement'], threads=config['threads'])
    variables = Variables(agent.sess)
    while True:
        steps = saved.steps()
        try:
            with saved.reading(steps[-1], advice) as source:
                variables.restore(source)
            return config, env, agent, 'last' if last else 'best'
        except (Damaged, IndexError):
            if saved.steps() == steps:  # else a training has just put another in its place
                raise


def main(lesson, options, stop_asked):
    """Play greedy episodes from fresh starts, and print their returns; or film one.

    Args:
        options: the command line's.
        stop_asked: () -> the number of the signal that asks to stop, or None.
    """
    path = options.play
    if options.gif:
        film.check(options.gif, options.force)
    config, env, agent, which = _load(lesson, path, options.last, options.env)
    if options.gif or options.render:
        env = DrawnElsewhere(env, config['env'], options.gif, played=not options.gif)
        env.showing = True
    count = options.episodes or (1 if options.gif else PLAYED)
    starts = np.random.RandomState(options.seed).randint(2**31, size=count)
    max_steps, returns = config['hyperparameters']['MAX_EP_STEPS'], []
    for i, start in enumerate(starts):
        returns.extend(greedy_returns([env], agent.choose_actions, [int(start)], max_steps))
        _end_if(stop_asked)
        if not options.quiet:
            say(f'Episode: {i}  Reward: {returns[-1]:.0f}')
    answer = env.close()  # writing a film takes a while
    _end_if(stop_asked)
    policy = f'the {which} policy of {path}'
    if which == 'last' and not options.last:
        policy += ' (too short a run to keep a best one)'
    if options.gif:
        say(
            f'Filmed {policy}: {answer["frames"]} frames, {answer["seconds"]:.1f} seconds, '
            f'{answer["size"] / 1000:.0f} kB in {options.gif}'
        )
    else:
        say(
            f'Played {policy} for {count} episodes: mean return {np.mean(returns):.1f}, '
            f'standard deviation {np.std(returns):.1f}'
        )


def _end_if(stop_asked):
    if stop_asked():
        raise Stopped('stopped', stop_asked())
