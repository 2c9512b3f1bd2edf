"""Runs the command line many times for the price of one import of TensorFlow.

As a script, `python forks.py LESSON` imports what `LESSON` imports and then, for each line of JSON
on its standard input, runs it in a forked process as `python LESSON *words` would. `Forks` starts
it.
"""

import importlib
import itertools
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
from pathlib import Path


_COUNT = itertools.count(1)
_SERVERS = {}  # by the lesson, and the environment variables that matter


class Forks(object):
    """Starts processes of the program `lesson`, each as `python lesson *words` in `folder`.

    One at a time: another that is to run beside it needs a server of its `own`. Servers are kept
    for later tests that have the same environment variables.
    """

    def __init__(self, lesson, folder, own=False):
        self.folder, self._own, self._process = folder, own, None
        key = str(lesson), os.environ.get('DISPLAY'), os.environ.get('PATH')
        self._server = None if own else _SERVERS.get(key)
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(lesson)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                universal_newlines=True,
            )
            if not own:
                _SERVERS[key] = self._server

    def start(self, *words, **limits):
        """Start a process; `file_size` limits that of its files; with `obeys` it obeys a
        folder's permissions even as root."""
        stem = self.folder / f'process-{next(_COUNT)}'
        job = dict(words=words, folder=str(self.folder), stem=str(stem), **limits)
        self._server.stdin.write(json.dumps(job) + '\n')
        self._server.stdin.flush()
        self._process = Forked(int(self._server.stdout.readline()), stem, self._server)
        return self._process

    def run(self, *words, **limits):
        """Start a process, and wait for its end."""
        return self.start(*words, **limits).wait()

    def close(self):
        """End what a failed test left running."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        if self._own:
            self._server.stdin.close()
            self._server.stdout.close()
            self._server.wait()


class Forked(object):
    """A process under way; after wait() `returncode`, `out` and `err` are there."""

    def __init__(self, pid, stem, server):
        self.pid, self._stem, self._server = pid, stem, server
        self.returncode = None

    def send_signal(self, signum):
        os.kill(self.pid, signum)

    def shown(self):
        """Return what it has printed so far."""
        path = Path(f'{self._stem}.out')
        return path.read_text() if path.exists() else ''

    def wait(self):
        """Wait for its end, for which `kill` has been sent or which comes by itself."""
        guard = threading.Timer(150, os.kill, (self.pid, signal.SIGKILL))
        guard.start()
        status = int(self._server.stdout.readline())
        guard.cancel()
        self.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self.err = Path(f'{self._stem}.err').read_text()
        self.out = self.shown()
        return self


def _serve(lesson):
    os.chdir(os.path.dirname(lesson))
    sys.path[0] = os.path.dirname(lesson)
    for module in ('support.quiet', 'experiment.program', 'memory'):
        importlib.import_module(module)

    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(lesson, job)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


def _become(lesson, job):
    if 'file_size' in job:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (job['file_size'],) * 2)
    out = job.get('out', job['stem'] + '.out')
    for number, name in ((0, os.devnull), (1, out), (2, job['stem'] + '.err')):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
        os.dup2(os.open(name, flags), number)
    os.chdir(job['folder'])
    if job.get('obeys') and os.getuid() == 0:
        _obey_permissions()
    sys.argv = [lesson, *job['words']]
    code = 0
    try:
        runpy.run_path(lesson, run_name='__main__')
    except SystemExit as ending:
        code = ending.code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def _obey_permissions():
    """Give up root's capability of passing over a file's permissions (Linux, capset(2))."""
    import ctypes

    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    words = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, twice
    assert libc.capget(header, words) == 0
    words[0] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    assert libc.capset(header, words) == 0


if __name__ == '__main__':
    _serve(sys.argv[1])
