"""Gym's window, and films of it, in a process of their own.

TensorFlow 2 and the libraries that draw with OpenGL bring two versions of LLVM, and a process that
loads both crashes. So what is to be seen is drawn by another process, which never loads TensorFlow:
it has the same environment, gets each episode's random states and its actions, and goes along.

An environment that a user may act upon keeps in its attribute `user_input` what its next step is to
go by: None, or what JSON can hold, which its window's handlers set. Played with a window, it gets
there what came in here.
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from importlib.machinery import ModuleSpec
from unittest.mock import MagicMock

if __name__ == '__main__':
    # What can be imported here is what can be there; the folder that one stands in is not searched.
    sys.path[:] = json.loads(sys.argv.pop(1))

import gym
import numpy as np

from pictures import display, film
from support import environment
from support.messages import BadInput, RunFailed, one_line
from support.random_states import random_states, set_random_states


class DrawnElsewhere(gym.Wrapper):
    """The environment itself; while `showing`, each episode that begins is drawn elsewhere.

    Args:
        env: an environment that begins each episode anew, but for its random generators.
        name: its name, for the other process to make it.
        path: of a film to write; None opens gym's window.
        played: whether what the user does in the window reaches `env`.

    Raises:
        BadInput: if nothing can be drawn here.
        RunFailed: from close(), if the film could not be made.
    """

    def __init__(self, env, name, path=None, played=False):
        super().__init__(env)
        self.showing = False
        self._began = False
        self._asks = played and hasattr(env.unwrapped, 'user_input')
        command = [sys.executable, __file__, json.dumps(sys.path), name, path or '']
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        # a session of its own: Ctrl-C is for this process, whose end ends that one
        how = dict(universal_newlines=True, start_new_session=True)
        self._painter = subprocess.Popen(command, **pipes, **how)
        self._answer()

    def reset(self):
        self._began = self.showing
        if self._began:
            self._send(random=random_states(self.env))
        return self.env.reset()

    def step(self, action):
        if self._began:
            action = np.asarray(action)
            self._send(action=action.tolist(), dtype=action.dtype.str, asks=self._asks)
        answer = self.env.step(action)
        if self._began and self._asks:  # what came in here while this step was drawn
            self.env.unwrapped.user_input = self._answer()['user_input']
        return answer

    def close(self):
        """Close the window, or write the film.

        Returns:
            A dict that says what came of it.
        """
        self.env.close()
        self._send(end=True)
        with suppress(BrokenPipeError):
            self._painter.stdin.close()
        return self._answer()

    def _send(self, **message):
        try:
            self._painter.stdin.write(json.dumps(message) + '\n')
            self._painter.stdin.flush()
        except BrokenPipeError:  # nothing worth a run; a film's close() will say why
            self.showing = self._began = False

    def _answer(self):
        line = self._painter.stdout.readline()
        answer = json.loads(line) if line else dict(error='the environment could not be drawn')
        if 'error' in answer:
            raise (BadInput if answer.get('bad_input') else RunFailed)(answer['error'])
        return answer


def _paint(answer, name, path):
    """Follow the messages on standard input; answer(key=value, ...) what came of it."""
    env, frames, total = environment.make(name), [], 0.0
    with ExitStack() as stack:
        if path:
            stack.enter_context(display.any_display())
        else:
            display.needed()
        answer(ready=True)
        for message in map(json.loads, sys.stdin):
            if 'end' in message:
                answer(**(film.save(frames, env, path) if path else {}))
            elif 'random' in message:
                set_random_states(env, message['random'])
                env.reset()
                total = 0.0
            else:
                _, r, _, _ = env.step(np.array(message['action'], message['dtype']))
                total += r
                if path:
                    frames.append(film.frame(env, total))
                else:
                    env.render()
                if message['asks']:
                    answer(user_input=env.unwrapped.user_input)
                elif hasattr(env.unwrapped, 'user_input'):
                    env.unwrapped.user_input = None  # what is drawn is what happens there
        env.close()  # at the end, or because the other process is gone


class _NoTensorFlow(object):
    """Imports TensorFlow as an object that does nothing, for a module that holds a lesson too."""

    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'tensorflow':
            return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MagicMock()

    def exec_module(self, module):
        pass


def _main():
    sys.meta_path.insert(0, _NoTensorFlow())
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what an environment prints is no answer

    def answer(**message):
        print(json.dumps(message), file=answers, flush=True)

    try:
        _paint(answer, *sys.argv[1:])
    except (BadInput, RunFailed) as error:
        answer(error=str(error), bad_input=isinstance(error, BadInput))
    except Exception as error:  # whatever the environment's drawing raises
        answer(error=f'the environment cannot be drawn ({one_line(error)})')


if __name__ == '__main__':
    _main()
