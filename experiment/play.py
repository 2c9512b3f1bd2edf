"""Play a trained policy: load it from a run's folder, and let it act without noise."""

import experiment.quiet  # noqa: F401  before TensorFlow: silences its start-up messages
import importlib

import numpy as np

from experiment import environment, film, folder, session
from experiment.checkpoints import Damaged
from experiment.errors import BadInput
from experiment.evaluate import greedy_returns
from experiment.output import say
from experiment.painter import Shown
from experiment.state import Variables
from experiment.training import best_in, checkpoints_in

EPISODES = 10
PROGRAMS = ('ddpg', 'ddpg_update')  # what a folder may name, for nothing else is ever imported


def load_policy(path, last=False, env=None):
    """Load a policy that `ddpg.py` or `ddpg_update.py` has trained.

    Args:
        path: the folder of the run, such as 'runs/ddpg-1'.
        last: take the last policy in place of the best.
        env: the name of the run's environment, needed where that is 'module:Name-v0'.

    Returns:
        choose_action: s (state_dim,) -> a (action_dim,), float32, without noise.

    Raises:
        BadInput: with one line that says what is wrong and what to do.
    """
    config = folder.config_of(path)
    program = config['program']
    if program not in PROGRAMS:
        raise BadInput(f'{path} is a run of {program!r}, which is none of {" and ".join(PROGRAMS)}')
    _, agent = load(path, config, importlib.import_module(program).agent, last, env)
    return agent.choose_action


def load(path, config, build_agent, last, env_name):
    """Return the environment and the Agent of a run, the agent's variables as they were saved.

    Args:
        config: what the run's config.json holds.
        build_agent: (env, replacement, seed) -> Agent, of the run's program.
        path, last, env_name: as in load_policy.

    Raises:
        BadInput: with one line that says what is wrong and what to do.
    """
    folder.check_env(path, config['env'], env_name)
    if env_name not in (None, config['env']):
        raise BadInput(f'{path} is a run in {config["env"]}, not in {env_name}')
    saved = checkpoints_in(path) if last else best_in(path)
    advice = 'play the last policy with --last'
    if not saved.steps():
        what = 'no checkpoint yet' if last else f'no best policy yet: {advice}'
        raise BadInput(f'{path} holds {what}')
    if last:
        advice = 'delete that folder, and the one before it is played'
    env = environment.make(config['env'])
    session.THREADS = config['threads']
    agent = build_agent(env, config['replacement'], None)
    variables = Variables(agent.sess)
    while True:
        steps = saved.steps()
        try:
            with saved.reading(steps[-1], advice) as source:
                variables.restore(source)
            return env, agent
        except (Damaged, IndexError):
            if saved.steps() == steps:  # else a training has just put another in its place
                raise


def main(program, build_agent, max_steps, options):
    """Play greedy episodes from fresh starts, and print their returns; or film one."""
    path, which = options.play, 'last' if options.last else 'best'
    config = folder.config_of(path)
    if config['program'] != program:
        raise BadInput(f'{path} is a run of {config["program"]}.py: play it with that')
    if options.gif:
        film.check(options.gif, options.force)
    env, agent = load(path, config, build_agent, options.last, options.env)
    if options.gif or options.render:
        env = Shown(env, config['env'], options.gif)
        env.showing = True
    count = 1 if options.gif else options.episodes or EPISODES
    starts = np.random.RandomState(options.seed).randint(2**31, size=count)
    returns = []
    for i, start in enumerate(starts):
        returns.extend(greedy_returns([env], agent.choose_actions, [int(start)], max_steps))
        if not options.quiet:
            say(f'Episode: {i}  Reward: {returns[-1]:.0f}')
    made = env.close()
    if options.gif:
        say(
            f'Filmed the {which} policy of {path}: {made["frames"]} frames, '
            f'{made["seconds"]:.1f} seconds, {made["size"] / 1000:.0f} kB in {options.gif}'
        )
        return
    say(
        f'Played the {which} policy of {path} for {count} episodes: mean return '
        f'{np.mean(returns):.1f}, standard deviation {np.std(returns):.1f}'
    )
