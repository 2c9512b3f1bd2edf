"""Train in a run's folder: show and record every episode, save now and then, keep the best."""

import json
import os
import sys
import time
from contextlib import ExitStack, closing, nullcontext
from datetime import timedelta
from functools import partial

import numpy as np

from experiment import folder
from experiment.best import ALL, Best, is_due
from experiment.checkpoints import best_in, checkpoints_in
from experiment.evaluate import LAST, WINDOW, good_return
from experiment.events import EventFile
from experiment.variables import Variables, load_array, save_array
from pictures.figures import draw_run
from pictures.painter import DrawnElsewhere
from support import environment, files
from support.messages import BadInput, OutputLost, RunFailed, Stopped, complain, one_line, say
from support.random_states import random_states, set_random_states, undisturbed

SAVE_EVERY = 10  # episodes between two checkpoints
POSITION, MEMORY, POLICY = 'position.json', 'memory.npy', 'policy.json'


class Training(object):
    """A run in the folder `path`, from its last checkpoint on if it has one.

    Args:
        path: the folder, which no other process writes to.
        config: what goes into config.json.
        env, agent: what is trained; a DrawnElsewhere `env` is shown once a return is good.
        stop_asked: () -> the number of the signal that asks to stop, or None.
        quiet: print the closing line only.

    Raises:
        Damaged: if the last checkpoint or the best policy is not as it was written.
        BadInput: if more episodes have been trained than `config` asks for.
    """

    def __init__(self, path, config, env, agent, stop_asked, quiet):
        self.path, self.config, self.agent = path, config, agent
        self._shown = env if isinstance(env, DrawnElsewhere) else None
        self._env = env.env if self._shown else env
        self._good = good_return(config['env'], self._env)
        self._stop_asked, self._quiet = stop_asked, quiet
        self._variables = Variables(agent.sess)
        self._checkpoints, self._bests = checkpoints_in(path), best_in(path)
        numbers = config['hyperparameters']
        self._episode, self._var = 0, numbers['VAR']
        self._rows = []  # (reward, explore) of every episode before
        self._load()
        make_env, max_steps = partial(environment.make, config['env']), numbers['MAX_EP_STEPS']
        best = self._returns_of_best()
        self._best = Best(make_env, agent.choose_actions, max_steps, self._keep, best)

    # ------------------------------------------------------------ training

    def run(self, command):
        """Train to the end, and print a line an episode and a closing line.

        Args:
            command: option -> the command line that resumes or plays this run.

        Raises:
            RunFailed, Stopped: what was saved before is kept, and the text says how to resume.
        """
        begun, start, resume = self._episode, time.time(), command('resume')
        try:
            self._train(self.config['episodes'])
            seconds = round(time.time() - start)
            self._draw()
            last = [reward for reward, _ in self._rows[-LAST:]]
            which = 'best' if self._bests.steps() else 'last'  # too short to keep a best one
            say(
                f'Trained {self._episode - begun} episodes in {timedelta(seconds=seconds)}, '
                f'mean return of the last {len(last)}: {np.mean(last):.1f}. '
                f'The run is in {self.path}; see its {which} policy with: {command("play")}'
            )
        except Stopped as ending:
            self._draw()
            raise Stopped(f'stopped after {self._done()}; resume with: {resume}', ending.signum)
        except KeyboardInterrupt:
            raise Stopped(f'stopped at once; resume what was saved before with: {resume}')
        except OutputLost as error:
            raise OutputLost(f'{error} after {self._done()}; resume with: {resume}')
        except (RunFailed, BadInput) as error:  # an environment may be made but once
            self._draw()
            saved = f'resume what was saved before with: {resume}'
            raise RunFailed(f'{error} in episode {self._episode}; {saved}')
        except OSError as error:
            what = f'what follows {self._done()} could not be written ({error.strerror})'
            raise RunFailed(f'{what}: mend that, then resume with: {resume}')

    def _done(self):
        return f'episode {self._episode - 1}' if self._episode else 'the start'

    def _train(self, episodes):
        with ExitStack() as stack:
            rewards = stack.enter_context(closing(folder.Rewards(self.path, self._rows)))
            self._rows = rewards.rows
            graph = self.agent.sess.graph
            events = stack.enter_context(closing(EventFile(self.path, graph, self._episode)))
            bar = stack.enter_context(self._bar(episodes))
            self._stop_if_asked()
            for episode in self.agent.train(episodes, self._episode, self._var):
                self._episode, self._var = episode.index + 1, episode.var
                rewards.add(episode.reward, episode.var)
                events.add(episode.index, self._scalars(episode, episodes))
                self._show(episode, bar)
                if self._episode % SAVE_EVERY == 0:
                    self._save()
                self._stop_if_asked()
            self._save()

    def _scalars(self, episode, episodes):
        """Return what TensorBoard shows of an episode; try the policy if it is time to."""
        scalars = dict(reward=episode.reward, explore=episode.var)
        if self.agent.learns:
            scalars.update(self.agent.losses())
            if is_due(self._episode, episodes):
                with undisturbed(self._env):
                    better = self._best.try_policy()
                scalars.update({} if better is None else dict(best=better))
        return scalars

    def _stop_if_asked(self):
        signum = self._stop_asked()
        if signum:
            self._save()
            raise Stopped('stopped', signum)

    def _bar(self, episodes):
        """Return tqdm's progress bar on a terminal, and elsewhere a context with None."""
        if self._quiet or not (sys.stderr and sys.stderr.isatty()):
            return nullcontext()
        from tqdm import tqdm  # when it is needed: it takes a moment

        return tqdm(total=episodes, initial=self._episode, unit='episode', leave=False)

    def _show(self, episode, bar):
        """Print a line about an episode, and bring the progress bar up to date."""
        if not self._quiet:
            with bar.external_write_mode() if bar else nullcontext():
                text = f'Episode: {episode.index}  Reward: {episode.reward:.0f}'
                say(f'{text}  Explore: {episode.var:.2f}')
        if bar:
            mean = np.mean([reward for reward, _ in self._rows[-WINDOW:]])
            bar.set_postfix_str(f'{episode.reward:.0f}, mean of {WINDOW} {mean:.0f}', refresh=False)
            bar.update()
        if self._shown and (self._good is None or episode.reward > self._good):
            self._shown.showing = True

    def _draw(self):
        """Draw curve.png; no picture is worth a run, so a failure is only a line."""
        if not self._rows:
            return
        try:
            steps = self._bests.steps()
            best = self._read_policy(steps[-1])['episode'] if steps else None
            draw_run(self._rows, WINDOW, best, os.path.join(self.path, folder.CURVE))
        except Exception as error:  # whatever it is, the run is done and saved
            complain(f'{folder.CURVE} could not be drawn: {one_line(error)}')

    # ------------------------------------------------------------ saving

    def _save(self):
        """Save the run as it is now, between two episodes."""
        steps, position = self.agent.memory.pointer, dict(episode=self._episode, var=self._var)
        position.update(pointer=steps, random=random_states(self._env))

        def write(to):
            self._variables.save(to)
            save_array(os.path.join(to, MEMORY), self.agent.memory.data[:steps])
            files.write(os.path.join(to, POSITION), json.dumps(position))
            files.write(os.path.join(to, folder.REWARDS), folder.table(self._rows))

        self._checkpoints.save(steps, write)

    def _keep(self, returns):
        """Save the policy as the best."""
        about = dict(episode=self._episode - 1, returns=list(returns))

        def write(to):
            self._variables.save(to)
            files.write(os.path.join(to, POLICY), json.dumps(about))

        self._bests.save(self.agent.memory.pointer, write)

    # ------------------------------------------------------------ resuming

    def _load(self):
        steps = self._checkpoints.steps()
        if not steps:
            return
        older = f'resumes from step-{steps[-2]}' if steps[1:] else 'begins anew'
        advice = f'delete that folder, and --resume {older}'
        with self._checkpoints.reading(steps[-1], advice) as source:
            position = json.loads(files.read(os.path.join(source, POSITION)))
            rows = load_array(os.path.join(source, MEMORY))
            self._rows = folder.rows_in(files.read(os.path.join(source, folder.REWARDS)))
            memory, pointer = self.agent.memory, position['pointer']
            self._episode, self._var = position['episode'], float(position['var'])
            shape = min(pointer, memory.capacity), memory.dims
            fits = (pointer, self._episode) == (steps[-1], len(self._rows))
            fits = fits and (rows.dtype, rows.shape) == (np.float32, shape)
            if not (fits and np.isfinite(rows).all() and 0 <= self._var < np.inf):
                raise ValueError('its files do not fit together')
            memory.data[: len(rows)] = rows
            memory.pointer = pointer
            self._variables.restore(source)
            set_random_states(self._env, position['random'])
        if self._episode > self.config['episodes']:
            there = f'{self.path} has {self._episode} episodes already'
            raise BadInput(f'{there}: ask for more by --episodes')

    def _returns_of_best(self):
        steps = self._bests.steps()
        return np.array(self._read_policy(steps[-1])['returns'], float) if steps else None

    def _read_policy(self, step):
        advice = 'delete that folder, and --resume keeps the best from there on'
        with self._bests.reading(step, advice) as source:
            about = json.loads(files.read(os.path.join(source, POLICY)))
            fits = np.isfinite(about['returns']).all() and len(about['returns']) == ALL
            if not (fits and about['episode'] >= 0):
                raise ValueError(f'{POLICY} does not say how good it was, and when')
            return about
