"""Runs the programs many times for the price of one import of TensorFlow.

As a script it imports what all programs import and then, for each line of JSON on its standard
input, runs a program in a forked process as `python program *words` would. `Forks` starts it.
"""

import importlib
import json
import os
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
            how: `out`, `err`: a file for what it prints, which is not in the Done then;
                `file_size`: the limit of a file's size in bytes.
        """
        if Forks.server is None:
            pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)
            Forks.server = subprocess.Popen([sys.executable, __file__], **pipes)
        with tempfile.TemporaryDirectory() as printed:
            job = dict(program=str(self.program), folder=str(self.folder), environ=dict(os.environ))
            job.update(out=f'{printed}/out', err=f'{printed}/err')
            places = [Path(job['out']), Path(job['err'])]
            job.update(how, words=words[0].split() if len(words) == 1 else words)
            Forks.server.stdin.write(json.dumps(job) + '\n')
            Forks.server.stdin.flush()
            status = int(Forks.server.stdout.readline())
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            texts = [place.read_text() if place.exists() else '' for place in places]
            return Done(code, *texts)


def _serve():
    sys.path[0], sys.argv[0] = str(PROJECT), str(PROJECT / 'ddpg.py')
    for module in ('support.quiet', 'experiment.program', 'memory'):
        importlib.import_module(module)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(**json.loads(line))
        print(os.waitpid(pid, 0)[1], flush=True)


def _become(program, words, folder, environ, out, err, file_size=None):
    signal.alarm(300)  # the end of one that hangs
    if file_size:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    for number, path in enumerate((os.devnull, out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | (path != os.devnull) * os.O_TRUNC), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    added = os.path.dirname(program), *environ.get('PYTHONPATH', '').split(os.pathsep)
    sys.path[:0] = filter(None, added)
    sys.argv, code = [program, *words], 0
    try:
        runpy.run_path(program, run_name='__main__')
    except SystemExit as ending:
        code = ending.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    os._exit(code)


if __name__ == '__main__':
    _serve()
