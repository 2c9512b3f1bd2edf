"""Train in a run's folder: show and record every episode, save now and then, keep the best."""

import json
import os
import shlex
import shutil
import sys
import time
from contextlib import closing, nullcontext
from datetime import timedelta

import numpy as np

from experiment import environment, folder
from experiment.best import Best
from experiment.checkpoints import Checkpoints
from experiment.errors import BadInput, RunFailed, Stopped, one_line
from experiment.figures import draw_run_apart
from experiment.loop import Loop
from experiment.output import OutputLost, say
from experiment.painter import Shown
from experiment.state import Variables, load_array, save_array

SAVE_EVERY = 10  # episodes between two checkpoints
LAST = 20  # episodes in the closing line's mean
WINDOW = 10  # episodes in the mean of the progress bar and of the curve
RENDER_ABOVE = -300  # with --render, the return from which on the environment is shown
CURVE = 'curve.png'
POSITION, MEMORY, POLICY = 'position.json', 'memory.npy', 'policy.json'


def checkpoints_in(path):
    """Return the checkpoints of the run in the folder `path`; its last two are kept."""
    return Checkpoints(os.path.join(path, 'checkpoints'), keep=2)


def best_in(path):
    """Return the best policy of the run in the folder `path`, as checkpoints of which one stays."""
    return Checkpoints(os.path.join(path, 'best'), keep=1)


class Training(object):
    """A run in the folder `path`, from its last checkpoint on if it has one.

    Args:
        path: the folder, which no other process writes to.
        config: what goes into config.json; `program`, `env` and `episodes` are needed here too.
        env, agent, train: what is trained, and the lesson's episode loop. An `env` that is a
            painter.Shown is shown once an episode's return is above RENDER_ABOVE.
        max_steps: the length of an episode.
        stop_asked: () -> the number of the signal that asks to stop, or None.
        quiet: print the closing line only.

    Raises:
        Damaged: if the last checkpoint or the best policy is not as it was written.
        BadInput: if more episodes have been trained than `config` asks for.
    """

    def __init__(self, path, config, env, agent, train, max_steps, stop_asked, quiet=False):
        self.path, self.config, self.agent = path, config, agent
        self._env, self._stop_asked, self._quiet = env, stop_asked, quiet
        self._loop = Loop(env, agent, train, stop_asked)
        self._variables = Variables(agent.sess)
        self._checkpoints, self._bests = checkpoints_in(path), best_in(path)
        self._rewards = folder.HEADER  # of the episodes before, as rewards.csv has them
        self._rows = []  # (return, explore) of every episode
        self._load()
        self._best = Best(
            lambda: environment.make(config['env']),
            agent.choose_actions,
            max_steps,
            self._keep,
            self._returns_of_best(),
        )

    # ------------------------------------------------------------ training

    def run(self):
        """Train to the end, and print a line an episode and a closing line.

        Raises:
            RunFailed, Stopped: what was recorded before is kept, and the text says how to go on.
        """
        begun, start = self._loop.episode, time.time()
        try:
            self._train(begun, self.config['episodes'])
        except (RunFailed, Stopped):
            self._draw()
            raise
        seconds = time.time() - start
        failure = self._draw()
        if failure:
            print(f'{CURVE} could not be drawn: {failure}', file=sys.stderr)
        try:
            say(self._closing_line(begun, seconds))
        except OutputLost as error:
            raise OutputLost(f'{error}; the run is complete in {self.path}')

    def _train(self, begun, episodes):
        graph = self.agent.sess.graph
        try:
            recorder = folder.Recorder(self.path, self.config, graph, begun, self._rewards)
        except OSError as error:
            raise RunFailed(
                f'{self.path} cannot be written ({error.strerror}); free some space there'
            )
        try:
            with closing(recorder), self._bar(begun, episodes) as bar:
                for episode in self._episodes(episodes):
                    self._record(episode, recorder)
                    self._show(episode, bar)
                    if self._loop.episode % SAVE_EVERY == 0:
                        self._save()
                self._save()
        except OutputLost as error:
            raise OutputLost(
                f'{error} after episode {self._loop.episode - 1}; go on with: '
                f'{self._command("resume")}'
            )
        except OSError as error:
            raise RunFailed(
                f'what follows episode {self._loop.episode - 1} could not be written '
                f'({error.strerror}): free some space, then go on with: '
                f'{self._command("resume")}'
            )

    def _bar(self, begun, episodes):
        """Return tqdm's progress bar on a terminal, and elsewhere a context with None."""
        if self._quiet or not (sys.stderr and sys.stderr.isatty()):
            return nullcontext()
        from tqdm import tqdm  # when it is needed: it takes a moment

        return tqdm(total=episodes, initial=begun, unit='episode', leave=False)

    def _episodes(self, episodes):
        """Yield the loop's episodes; if it ends early, save where it is and say how to go on."""
        try:
            yield from self._loop.episodes(episodes)
        except RunFailed as ending:
            raise RunFailed(
                f'{ending} in episode {self._loop.episode}; what was saved before goes on with: '
                f'{self._command("resume")}'
            )
        except Stopped:
            self._save()
            raise Stopped(
                f'stopped in episode {self._loop.episode}; go on with: {self._command("resume")}',
                self._stop_asked(),
            )

    def _record(self, episode, recorder):
        """Record an episode, and try the policy if it is time to."""
        scalars = {}
        if self._loop.batch:  # it learns
            scalars = self.agent.losses(*self._loop.batch)
            better = self._best.after(self._loop.episode)
            if better is not None:
                scalars['best'] = better
        recorder.record(episode, scalars)
        self._rows.append((episode.reward, episode.var))

    def _show(self, episode, bar):
        """Print a line about an episode, and bring the progress bar up to date."""
        if not self._quiet:
            with bar.external_write_mode() if bar else nullcontext():
                say(
                    f'Episode: {episode.index}  Reward: {episode.reward:.0f}  '
                    f'Explore: {episode.var:.2f}'
                )
        if bar:
            mean = np.mean([reward for reward, _ in self._rows[-WINDOW:]])
            bar.set_postfix_str(f'{episode.reward:.0f}, mean of {WINDOW} {mean:.0f}', refresh=False)
            bar.update()
        if isinstance(self._env, Shown) and episode.reward > RENDER_ABOVE:
            self._env.showing = True

    def _draw(self):
        """Draw curve.png; return what went wrong in a line, for no picture is worth a run."""
        if not self._rows:
            return None
        try:
            steps = self._bests.steps()
            best = steps and _read(os.path.join(self._bests.folder(steps[-1]), POLICY))['episode']
            return draw_run_apart(self._rows, WINDOW, best or None, os.path.join(self.path, CURVE))
        except Exception as error:  # whatever it is, the run is done and saved
            return one_line(error)

    def _command(self, option):
        """Return the command line that resumes or plays this run."""
        env = self.config['env']
        own = f' --env {env}' if ':' in env else ''
        return f'python {self.config["program"]}.py --{option} {shlex.quote(self.path)}{own}'

    def _closing_line(self, begun, seconds):
        done, last = self._loop.episode - begun, [reward for reward, _ in self._rows[-LAST:]]
        line = (
            f'Trained {done} episodes in {timedelta(seconds=round(seconds))}, '
            f'mean return of the last {len(last)}: {np.mean(last):.1f}. The run is in {self.path}; '
        )
        if self._bests.steps():
            return f'{line}see its best policy with: {self._command("play")}'
        return f'{line}see it with: tensorboard --logdir {os.path.dirname(self.path) or "."}'

    # ------------------------------------------------------------ saving

    def _save(self):
        """Save the run as it is now."""
        self._checkpoints.save(self._loop.steps, self._write)

    def _write(self, to):
        self._variables.save(to)
        memory = self.agent.memory
        save_array(os.path.join(to, MEMORY), memory.data[: self._loop.steps])
        _dump(self._loop.position(), os.path.join(to, POSITION))
        shutil.copyfile(os.path.join(self.path, folder.REWARDS), os.path.join(to, folder.REWARDS))

    def _keep(self, returns):
        """Save the policy as the best."""
        about = dict(episode=self._loop.episode - 1, returns=list(returns))

        def write(to):
            self._variables.save(to)
            _dump(about, os.path.join(to, POLICY))

        self._bests.save(self._loop.steps, write)

    # ------------------------------------------------------------ going on

    def _load(self):
        steps = self._checkpoints.steps()
        if not steps:
            return
        older = f'goes on from step-{steps[-2]}' if steps[1:] else 'begins anew'
        advice = f'delete that folder, and --resume {older}'
        with self._checkpoints.reading(steps[-1], advice) as source:
            self._variables.restore(source)
            memory, rows = self.agent.memory, load_array(os.path.join(source, MEMORY))
            memory.data[: len(rows)] = rows
            self._loop.go_to(_read(os.path.join(source, POSITION)))
            with open(os.path.join(source, folder.REWARDS), encoding='ascii') as file:
                self._rewards = file.read()
            lines = self._rewards.splitlines()[1:]
            self._rows = [tuple(float(word) for word in line.split(',')[1:]) for line in lines]
            whole = min(steps[-1], memory.capacity), self._loop.episode, steps[-1]
            if (len(rows), len(lines), self._loop.steps) != whole:
                raise ValueError('its files do not fit together')
        if self._loop.episode > self.config['episodes']:
            raise BadInput(
                f'{self.path} has {self._loop.episode} episodes already: ask for more of them '
                'with --episodes'
            )

    def _returns_of_best(self):
        steps = self._bests.steps()
        if not steps:
            return None
        advice = 'delete that folder, and --resume keeps the best from there on'
        with self._bests.reading(steps[-1], advice) as source:
            return np.array(_read(os.path.join(source, POLICY))['returns'], float)


def _dump(content, path):
    with open(path, 'w') as file:
        json.dump(content, file)


def _read(path):
    with open(path) as file:
        return json.load(file)
