"""The programs' command line: train a new run, resume one, or play one."""

from experiment import folder, play
from experiment.options import parse
from experiment.training import Training
from pictures.painter import DrawnElsewhere
from support import environment, settings, signals
from support.agent import Agent
from support.messages import BadInput, ends_in_one_line


def main(lesson, arguments=None):
    """Run a lesson from the command line.

    Args:
        lesson: the module that hands itself in: ddpg, ddpg_update, or one like them.
        arguments: a list of words; None takes the command line's.
    """
    name = settings.name(lesson)
    with ends_in_one_line(f'{name}.py'):
        replacements = settings.replacements_of(lesson)
        options = parse(name, settings.env_of(lesson), list(replacements), arguments)
        with signals.noted() as stop_asked:
            if options.play:
                play.main(lesson, options, stop_asked)
                return
            if options.resume:
                config = _resumed(lesson, options)
            else:
                config = _new(lesson, options, replacements)
            with settings.applied(lesson, config['hyperparameters']):
                _train(lesson, config, options, stop_asked)


def _train(lesson, config, options, stop_asked):
    env = environment.make(config['env'])
    folder.check_sizes(options.resume, config, env)
    if options.render:
        env = DrawnElsewhere(env, config['env'])
    agent = Agent(lesson, env, config['replacement'], config['seed'], config['threads'])
    path = options.resume or folder.create(config['program'], options.run)
    with folder.locked(path):
        training = Training(path, config, env, agent, stop_asked, options.quiet)
        folder.write_config(path, config)
        training.run(folder.command(lesson, config, path))


def _new(lesson, options, replacements):
    """Return what a new run is made of: the options, and the defaults of those not given."""
    chosen = replacements[options.replacement or next(iter(replacements))]
    numbers, replacement = settings.changed(settings.numbers_of(lesson), chosen, options.set)
    env, seed = options.env or settings.env_of(lesson), 1 if options.seed is None else options.seed
    episodes, threads = options.episodes or numbers['MAX_EPISODES'], options.threads or 1
    config = dict(program=settings.name(lesson), env=env, seed=seed, episodes=episodes)
    return dict(config, replacement=replacement, threads=threads, hyperparameters=numbers)


def _resumed(lesson, options):
    """Return what the run in the folder options.resume is made of.

    Raises:
        BadInput: naming what the options contradict.
    """
    path = options.resume
    config = folder.config_for(lesson, path, options.env)
    given = {name: getattr(options, name) for name in ('env', 'seed', 'threads')}
    pairs = [(name, value, config[name]) for name, value in given.items() if value is not None]
    if options.replacement:
        pairs.append(('replacement', options.replacement, config['replacement']['name']))
    before = config['hyperparameters'], config['replacement']
    for now, then in zip(settings.changed(*before, options.set), before):
        pairs.extend((name, value, then[name]) for name, value in now.items())
    differ = [f'{name} was {then}, not {now}' for name, now, then in pairs if now != then]
    if differ:
        raise BadInput(f'{path} cannot be resumed so: its {"; its ".join(differ)}')
    return dict(config, episodes=options.episodes or config['episodes'])
