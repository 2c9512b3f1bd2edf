"""Play a trained policy: load it from a run's folder, and let it act without noise."""

from fast_tf import make_callable  # first: it reports a missing package in one line

import os
from contextlib import closing, contextmanager
from types import ModuleType
from typing import Callable, Optional

import numpy as np

from lab import files, folder
from lab.checkpoints import Variables, without_prefix
from lab.environments import make_env
from lab.evaluation import greedy_return
from lab.hyperparameters import load, stem, variant
from lab.messages import Interrupted, TrainingError, UsageError, echo
from lab.options import PLAYED
from lab.page import has_page, write_page


class LoadedRun(object):
    """The `run` of a lesson's main that trains nothing, and gives the networks their weights.

    Args:
        path: the folder of the run.
        config: what is in its config.json.
        last: take the last policy in place of the kept one.
        drawn: whether the environment will be drawn.

    Attributes: `which`, 'kept' or 'last'; after main `env` and `choose_actions`.
    """

    episodes, start, var, seed, env = 0, 0, None, None, None

    def __init__(self, path, config, last=False, drawn=False):
        self.path, self.config, self._drawn = os.path.abspath(path), config, drawn
        self.replacement = config['replacement']
        self.arrays = {}  # what the files hold, read before the environment is made
        if not last:
            self.arrays = self._read(folder.BEST, 'play the last policy with --last')
        self.which = 'kept' if self.arrays else 'last'
        self.arrays = self.arrays or self._read(folder.CHECKPOINT, 'train it again in a new folder')
        if not self.arrays:
            raise UsageError(f'{path} holds no policy yet')

    def _read(self, name, hint):
        try:
            return files.load_npz(os.path.join(self.path, name))
        except FileNotFoundError:
            return {}
        except files.CorruptCheckpoint as error:
            raise UsageError(f'{error}: {hint}')

    def make_env(self, name):
        """Return the environment of the run."""
        numbers = self.config['hyperparameters']
        self.env = make_env(self.config['env'], numbers.get('MAX_EP_STEPS'), drawn=self._drawn)
        return self.env

    def begin(self, sess, M, S, a, q, loss):
        """Restore the weights."""
        name = folder.BEST if self.which == 'kept' else folder.CHECKPOINT
        self.variables = Variables(sess)
        self.variables.restore(self.arrays, os.path.join(self.path, name))
        self.choose_actions = make_callable(sess, a, [S])
        self.tensors = sess, S, a, q

    def close(self):
        """Close the environment, if it was made."""
        if self.env:
            self.env.close()

    def record(self, episode):
        """Nothing is trained."""

    def end(self):
        """Nothing is left to be done."""


def load_policy(
    lesson: ModuleType, path: str, last: bool = False, env: Optional[str] = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Load a policy that a lesson has trained.

    Args:
        lesson: the module that trained it, such as ddpg.
        path: the folder of the run, such as 'runs/ddpg-1'.
        last: take the last policy in place of the kept one.
        env: the name of the run's environment, needed where that is 'module:Name-v0'.

    Returns:
        choose_action: s (state_dim,) -> a (action_dim,), float32, without noise.

    Raises:
        UsageError: with one line that says what is wrong and what to do.
    """
    module = load(lesson.__file__) if hasattr(lesson, 'lesson') else lesson
    config = folder.config_for(stem(lesson.__file__), module, path, env)
    run = LoadedRun(path, config, last)
    with closing(run):
        variant(module, config['hyperparameters']).main(run)
    return lambda s: run.choose_actions(np.asarray(s)[np.newaxis])[0]


class PlayingRun(LoadedRun):
    """The `run` of a lesson's main that plays greedy episodes, films them, or writes the page.

    Args:
        config: what is in its config.json.
        options: the command line's.
        stop_requested: () -> the number of the signal that asks to stop, or None.
    """

    def __init__(self, config, options, stop_requested):
        drawn = bool(options.gif or options.render)
        given = options.gif, options.page
        for path, ending in zip(given, ('.gif', '.html')):
            if path:
                files.check_new(path, ending, options.force)
        super().__init__(options.play, config, options.last or bool(options.page), drawn)
        self._options, self._stop_requested = options, stop_requested
        self._gif, self._page = (path and os.path.abspath(path) for path in given)

    @contextmanager
    def reporting(self):
        """While main runs: nothing is to be saved; an environment's sys.exit is a mistake."""
        try:
            with closing(self):
                yield
        except SystemExit as error:
            raise TrainingError(f'the environment ended the program by sys.exit({error.code!r})')

    def end(self):
        """Play, and print the returns, their mean and standard deviation; or write the page."""
        if self._page:
            self._write_page()
        else:
            self._play()

    def _play(self):
        options, policy = self._options, f'the {self.which} policy of {self._options.play}'
        if self.which == 'last' and not options.last:
            policy += ' (none was kept)'
        self._film = self._window = None
        if self._gif or options.render:
            from lab.drawing import Window  # pygame and Pillow take a moment
            from lab.film import Film

            if self._gif:
                self._film = Film(self.env)
            else:
                self._window = Window(self.env)
        count, returns = options.episodes or (1 if self._gif else PLAYED), []
        starts = np.random.RandomState(options.seed).randint(2**31, size=count)
        max_steps = self.config['hyperparameters']['MAX_EP_STEPS']
        self.env.watch = self._watch
        for i, start in enumerate(starts):
            returns.append(greedy_return(self.env, self.choose_actions, int(start), max_steps))
            if not options.quiet:
                echo(f'Episode: {i}  Reward: {returns[-1]:.0f}')
        if self._film:
            about = self._film.save(self._gif)
            echo(
                f'Filmed {policy}: {about["frames"]} frames, {about["seconds"]:.1f} seconds, '
                f'{about["size"] / 1000:.0f} kB in {options.gif}'
            )
        else:
            echo(
                f'Played {policy} for {count} episodes: mean return {np.mean(returns):.1f}, '
                f'standard deviation {np.std(returns):.1f}'
            )

    def _watch(self):
        if self._stop_requested():
            raise Interrupted('stopped', self._stop_requested())
        if self._film:
            self._film.add()
        if self._window:
            self._window.show()

    def _write_page(self):
        try:
            there = write_page_of(self.path, self._page, self.config, *self.tensors)
        except (LookupError, TypeError, ValueError) as error:
            raise UsageError(f'{self._options.page} cannot be written: {error}')
        if not there:
            raise UsageError(f'{self.config["env"]} has no page: Pendulum-v0 has one, and the arm')
        echo(f'The page of {self._options.play} is {self._options.page}: open it in a browser')


def write_page_of(path, place, config, sess, S, a, q):
    """Write the page of the run in the folder `path` to the file `place`.

    Args:
        config: what is in its config.json.
        sess, S, a, q: the session, with the last weights, and the tensors of main's begin.

    Returns:
        Whether there is a page for this environment.
    """
    if not has_page(config):
        return False
    arrays = files.load_npz(os.path.join(path, folder.CHECKPOINT))
    moments, best = without_prefix('moments', arrays), without_prefix('best', arrays)
    episodes = moments.pop('episodes')
    b_s = np.random.RandomState(0).normal(size=(20, int(S.shape[1])))
    probe = [b_s, *sess.run([a, q], {S: b_s})]
    rewards = [reward for reward, _ in folder.read_rows(path, int(arrays['run:episode']))]
    if best:
        best = best['run:episode'] + 1, {name: best[name] for name in moments}
    last = {name: arrays[name] for name in moments}
    write_page(place, config, rewards, (episodes, moments), best or None, last, probe)
    return True
