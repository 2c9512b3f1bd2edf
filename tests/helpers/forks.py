"""Runs the programs many times for the price of one import of TensorFlow.

As a script it imports what all programs import and then, for each line of JSON on its standard
input, runs programs in forked processes as `python program *words` would. `Forks` starts it.
"""

import importlib
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
Done = namedtuple('Done', 'returncode out err')


class Forks(object):
    """Runs `program`, each time as `python program *words` in `folder`, in today's os.environ."""

    server = None

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, *words, **how):
        """Run it to its end; a single word is a line of words.

        Args:
            how: `out`: a file for what it prints, which is not in the Done then; `file_size`: a
                limit of a file's size in bytes; `kill`: 'posix.replace:3' kills it before its
                third call of this function, which is written in C.
        """
        return self.run_together(words[0] if len(words) == 1 else words, **how)[0]

    def run_together(self, *lines, **how):
        """Run it once with each of `lines`, all at the same time; return a list of Done."""
        if Forks.server is None:
            pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)
            Forks.server = subprocess.Popen([sys.executable, __file__], **pipes)
        with tempfile.TemporaryDirectory() as printed:
            jobs = []
            for i, line in enumerate(lines):
                job = dict(program=str(self.program), folder=str(self.folder), **how)
                job.update(environ=dict(os.environ), words=_words(line), err=f'{printed}/err{i}')
                job.setdefault('out', f'{printed}/out{i}')
                jobs.append(job)
            Forks.server.stdin.write(json.dumps(jobs) + '\n')
            Forks.server.stdin.flush()
            statuses = json.loads(Forks.server.stdout.readline())
            return [
                Done(
                    -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
                    *(_text(f'{printed}/{name}{i}') for name in ('out', 'err')),
                )
                for i, status in enumerate(statuses)
            ]


def train_here(folder):
    """Return the new folder `here` in `folder`, of a short run with a best policy."""
    small = '--set MEMORY_CAPACITY=200 MAX_EP_STEPS=40 HIDDEN_UNITS=9'
    done = Forks(PROJECT / 'ddpg.py', folder).run(f'--episodes 9 --run here {small}')
    assert done.returncode == 0, done.err
    return folder / 'here'


def _words(line):
    return line.split() if isinstance(line, str) else line


def _text(path):
    return Path(path).read_text(encoding='utf-8') if os.path.exists(path) else ''


def _serve():
    sys.path[0], sys.argv[0] = str(PROJECT), str(PROJECT / 'ddpg.py')
    for module in ('fast_tf', 'lab.program', 'matplotlib.figure'):
        importlib.import_module(module)
    for line in sys.stdin:
        pids = []
        for job in json.loads(line):
            pid = os.fork()
            if pid == 0:
                _become(**job)
            pids.append(pid)
        print(json.dumps([os.waitpid(pid, 0)[1] for pid in pids]), flush=True)


def _become(program, words, folder, environ, out, err, file_size=None, kill=None):
    signal.alarm(300)  # the end of one that hangs
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as where the tests are not run by nohup
    for number, path in enumerate((os.devnull, out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | (path != os.devnull) * os.O_TRUNC), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    added = os.path.dirname(program), *environ.get('PYTHONPATH', '').split(os.pathsep)
    sys.path[:0] = filter(None, added)
    sys.argv, code = [program, *words], 0
    if file_size:
        # Python 3.7 would leave torn bytecode files behind
        os.environ['PYTHONDONTWRITEBYTECODE'], sys.dont_write_bytecode = '1', True
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    if kill:
        sys.setprofile(_killer(*kill.split(':')))
    try:
        runpy.run_path(program, run_name='__main__')
    except SystemExit as ending:
        code = ending.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    os._exit(code)


def _killer(name, count):
    """Return a profiler that kills the process before call number `count` of a function of C."""
    left = int(count)

    def profile(frame, event, function):
        nonlocal left
        if event == 'c_call' and name == f'{function.__module__}.{function.__qualname__}':
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return profile


if __name__ == '__main__':
    _serve()
