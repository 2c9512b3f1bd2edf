"""Train in a run's folder: record every episode, save periodically, keep the best policy."""

import os
import sys
import time
import traceback
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta

import numpy as np
import tensorflow.compat.v1 as tf
from tqdm import tqdm

from fast_tf import latest_feed, make_callable
from lab import files, folder
from lab.checkpoints import Moments, Variables, check, not_finite, with_prefix, without_prefix
from lab.environments import make_env
from lab.evaluation import LAST, WINDOW, BestPolicyTracker, check_finite, episode_seed, good_return
from lab.events import EventFile
from lab.messages import Diverged, Interrupted, OutputError, TrainingError, UsageError
from lab.messages import echo, not_enough_memory, one_line, print_error, truncate
from lab.playing import write_page_of
from lab.plots import draw_run

SAVE_EVERY = 10  # episodes between two checkpoints


class TrainingRun(object):
    """The `run` of a lesson's main that trains, from the last checkpoint on if there is one.

    Args:
        config: what goes into config.json.
        options: the command line's.
        command: (option, folder) -> the command line that resumes or plays this run.
        stop_requested: () -> the number of the signal that asks to stop, or None.
    """

    def __init__(self, config, options, command, stop_requested):
        self.config, self._options, self._command = config, options, command
        self._stop_requested = stop_requested
        self.seed, self.replacement = config['seed'], config['replacement']
        config['episodes'] = options.episodes or config['episodes']
        self.episodes, self.start, self.var = config['episodes'], 0, None
        self._stack, self._path, self._shown_path = ExitStack(), None, None
        self._done, self._learning, self._best = 0, False, {}  # best: what best.npz holds
        self._rewards, self._window, self._showing = None, None, False
        # made absolute now: an environment may change the current folder
        asked = options.resume or options.run
        self._asked = asked and os.path.abspath(asked)
        self._stem = os.path.abspath(os.path.join('runs', config['program']))

    # ------------------------------------------------------------ what main calls

    def make_env(self, name):
        """Return the environment: the one of --env, or the lesson's `name`."""
        numbers, shown = self.config['hyperparameters'], self._options.render
        if not self._options.resume:
            self.config['env'] = self._options.env or name
        name = self.config['env']
        self._env = make_env(name, numbers['MAX_EP_STEPS'], drawn=shown)
        self._stack.callback(self._env.close)
        self._good = good_return(name, self._env)
        self._tracker = BestPolicyTracker(
            self._env, self.config['eval_episodes'], numbers['MAX_EP_STEPS']
        )
        if shown:
            from lab.drawing import Window  # pygame takes a moment

            self._window = Window(self._env)
        return self._env

    def begin(self, sess, M, S, a, q, loss):
        """Make the run's folder, or go back to its checkpoint; see lab/program.py."""
        self._sess, self._memory = sess, M
        self._S, self._a, self._q, self._loss = S, a, q, loss
        self._act, self._variables = make_callable(sess, a, [S]), Variables(sess)
        self._moments = Moments()
        self._moments.add(0, self._variables.weights)
        for name, value in M.state_dict().items():
            if not isinstance(value, (np.ndarray, np.generic, int, float)):
                kind = type(value).__name__
                raise UsageError(f'the memory has a {kind}, {name}: make it an array or a number')
        self._infinite = not_finite(self._state())  # such as the best return so far
        enter = self._stack.enter_context
        path = self._asked if self._options.resume else folder.create(self._stem, self._asked)
        asked = self._options.resume or self._options.run
        self._path, self._shown_path = path, asked or os.path.join('runs', os.path.basename(path))
        enter(folder.locked(path))
        rows = self._load() if self._options.resume else []
        if self.start > self.episodes:
            there = f'{self._shown_path} has {self.start} episodes already'
            raise UsageError(f'{there}: ask for more by --episodes')
        folder.remove_parts(path)
        folder.write_config(path, self.config)
        self._rewards = folder.Rewards(path, rows)
        self._stack.callback(self._rewards.close)
        self._events = EventFile(path, sess.graph, self.start)
        self._stack.callback(self._events.close)
        terminal = sys.stderr and sys.stderr.isatty() and not self._options.quiet
        about = dict(total=self.episodes, initial=self.start, unit='episode', leave=False)
        self._bar = enter(tqdm(disable=not terminal, **about))
        for note in self._env.notes:
            print_error(note)
        self._began, self._time = self.start, time.perf_counter()
        self._seed_episode()
        self._stop_if_requested()

    def record(self, episode):
        """Record an episode; save and evaluate when that is due."""
        self._env.watch = None  # evaluations are not shown
        check_finite(episode)
        self._rewards.add(episode.reward, episode.var)
        self._done = episode.index + 1
        self._moments.add(self._done, self._variables.weights)
        self._learning = self._learning or self._variables.differ_from(self._moments.first)
        scalars = dict(reward=episode.reward, explore=episode.var)
        if self._learning:
            scalars.update(self._losses())
            if self._tracker.is_best(self._act, self._done, self.episodes):
                self._best = self._policy()
                files.save_npz(self._file(folder.BEST), self._best)
                scalars.update(best=self._tracker.best)
        self._events.add(episode.index, scalars)
        try:
            self._show(episode)
        except OutputError:  # the terminal was closed, or whoever read it has gone
            self._save()
            raise
        if self._done % SAVE_EVERY == 0:
            self._save()
        self._stop_if_requested()
        self._seed_episode()

    def end(self):
        """Save, draw, and print the closing line."""
        self._save()
        # the file may be of a later episode, which a killed run had and lost
        if self._best:
            files.save_npz(self._file(folder.BEST), self._best)
        elif os.path.lexists(self._file(folder.BEST)):
            os.remove(self._file(folder.BEST))
        seconds = round(time.perf_counter() - self._time)
        self._draw()
        last = [reward for reward, _ in self._rewards.rows[-LAST:]]
        which = 'kept' if self._best else 'last'
        page = f' (open {self._name(folder.PAGE)} in a browser)' if self._write_page() else ''
        echo(
            f'Trained {self._done - self._began} episodes in {timedelta(seconds=seconds)}, '
            f'mean return of the last {len(last)}: {np.mean(last):.1f}. '
            f'The run is in {self._shown_path}{page}; '
            f'see its {which} policy with: {self._command("play", self._shown_path)}'
        )
        if not self._learning:
            echo(
                'Nothing was learned: no weight has changed. Learning begins once the memory is '
                f'full (MEMORY_CAPACITY = {self.config["hyperparameters"]["MEMORY_CAPACITY"]}): '
                'train more --episodes, or --set MEMORY_CAPACITY to less.'
            )

    # ------------------------------------------------------------ how it ends otherwise

    @contextmanager
    def reporting(self):
        """While main runs: whatever ends it, say what was saved, and how to resume."""
        try:
            with self._stack:
                yield
            return
        except UsageError as error:
            if self._rewards is None:
                raise
            ending = TrainingError(error)
        except (MemoryError, tf.errors.ResourceExhaustedError) as error:
            ending = TrainingError(not_enough_memory(error))
        except (TrainingError, Interrupted) as error:
            ending = error
        except KeyboardInterrupt:
            ending = Interrupted('stopped at once')
        except (Exception, SystemExit):  # a mistake in the lesson or the environment
            traceback.print_exc()
            ending = TrainingError('the error above ended the run')
        if self._path is None or not os.path.lexists(self._file(folder.CONFIG)):
            ending.args = (f'{ending}; nothing was written',)
        else:
            with suppress(KeyboardInterrupt):
                if not isinstance(ending, OutputError):
                    self._draw()
            when = f'after episode {self._done - 1}' if self._done else 'in the first episode'
            hint = ending.hint.format(self._command('resume', self._shown_path))
            ending.args = (f'{ending}, {when}; {hint}',)
        raise ending

    def _stop_if_requested(self):
        signum = self._stop_requested()
        if signum:
            self._save()
            raise Interrupted('stopped', signum)

    # ------------------------------------------------------------ an episode

    def _seed_episode(self):
        """Seed all that is random in the next episode; from now on it may be shown."""
        self._env.seed(episode_seed(self.seed, self._done))
        self._env.watch = self._window.show if self._showing else None

    def _losses(self):
        """Return {name: value} for the batch that was last learned from, if its feed is known."""
        feed = latest_feed(self._sess, self._loss)
        if feed is None or self._S not in feed:
            return {}
        loss = np.mean(self._sess.run(self._loss, feed))
        q = self._sess.run(self._q, {self._S: feed[self._S]})  # a is the actor's: it is not fed
        return {'loss/critic': float(loss), 'loss/actor': -float(np.mean(q))}

    def _show(self, episode):
        """Print a line about an episode, and bring the progress bar up to date."""
        if not self._options.quiet:
            with self._bar.external_write_mode():
                text = f'Episode: {episode.index}  Reward: {episode.reward:.0f}'
                echo(f'{text}  Explore: {episode.var:.2f}')
        mean = np.mean([reward for reward, _ in self._rewards.rows[-WINDOW:]])
        text = f'{episode.reward:.0f}, mean of {WINDOW} {mean:.0f}'
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update()
        if self._options.render and (self._good is None or episode.reward > self._good):
            self._showing = True

    # ------------------------------------------------------------ files

    def _file(self, name):
        return os.path.join(self._path, name)

    def _name(self, name):
        return os.path.join(self._shown_path, name)

    def _save(self):
        """Save the run as it is now, between two episodes."""
        self._rewards.sync()
        folder.keep_config(self._path, self.config)
        state = self._state()
        for name in not_finite(state):
            if name not in self._infinite:
                raise Diverged(f'{name} is not finite any more')
        files.save_npz(self._file(folder.CHECKPOINT), state)

    def _state(self):
        """Return what the checkpoint of the run as it is now holds, {name: array or number}."""
        run = dict(episode=self._done, learning=self._learning, best=self._tracker.best)
        state = {**self._variables.values(), **with_prefix('run', run)}
        state.update(with_prefix('memory', self._memory.state_dict()))
        state.update(with_prefix('moments', self._moments.state_dict()))
        return dict(state, **with_prefix('best', self._best))

    def _policy(self):
        """Return what best.npz holds if the policy of now is the best, {name: array or number}."""
        about = with_prefix('run', dict(episode=self._done - 1, mean=self._tracker.best))
        return {**self._variables.values(), **about}

    def _load(self):
        """Go back to the checkpoint, and return the rows of rewards.csv at that time."""
        path = self._file(folder.CHECKPOINT)
        try:
            arrays = files.load_npz(path)
        except FileNotFoundError:
            there = os.path.lexists(self._file(folder.REWARDS))
            if there and len(folder.read_rows(self._path)) > SAVE_EVERY:
                raise UsageError(f'{path} is missing: bring back a copy of it, or start a new run')
            return []  # it was stopped before the first one
        except files.CorruptCheckpoint as error:
            raise UsageError(f'{error}: bring back a copy of it, or start a new run')
        now = self._state()
        if any(name.startswith('best:') for name in arrays):
            now.update(with_prefix('best', self._policy()))
        check(path, arrays, now)
        if not set(not_finite(arrays)) <= set(self._infinite):
            raise files.CorruptCheckpoint(f'{path} is no checkpoint of this program')
        run = without_prefix('run', arrays)
        rows = folder.read_rows(self._path, run['episode'])
        self._variables.restore(arrays, path)
        self._memory.load_state_dict(without_prefix('memory', arrays))
        self._moments.load_state_dict(without_prefix('moments', arrays))
        self._best = {k[len('best:') :]: v for k, v in arrays.items() if k.startswith('best:')}
        self._learning, self._tracker.best = run['learning'], run['best']
        self._done = self.start = run['episode']
        self.var = rows[-1][1] if rows else None
        self._note_versions()
        return rows

    def _note_versions(self):
        before = [self.config, *self.config['resumed']][-1]['versions']
        now = folder.versions()
        changed = [name for name in now if before.get(name) != now[name]]
        if changed:
            self.config['resumed'].append(dict(episode=self.start, versions=now))
            words = [f'{name} {now[name]} (was {truncate(before.get(name))})' for name in changed]
            print_error(f'resumed on {", ".join(words)}: rewards may differ from here on')

    def _draw(self):
        rows = self._rewards.rows if self._rewards else []
        best = self._best and [self._best[f'run:{name}'] for name in ('episode', 'mean')]
        if rows:
            self._try(folder.CURVE, lambda path: draw_run(rows, WINDOW, best, path))

    def _write_page(self):
        def write(path):
            return write_page_of(
                self._path, path, self.config, self._sess, self._S, self._a, self._q
            )

        return self._try(folder.PAGE, write)

    def _try(self, name, write):
        """Return write(path), or False after a line: no picture is worth a run."""
        try:
            return write(self._file(name))
        except Exception as error:  # a student's own networks, for example
            print_error(f'{name} could not be written: {one_line(error)}')
            return False
