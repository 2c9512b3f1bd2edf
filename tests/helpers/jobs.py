"""Jobs for the tests of lab/sweep.py."""

import json
import os
import select
import signal
import subprocess
import sys
import time


def square(number):
    return number * number


def square_unless(number):
    """Return the square of `number`, which for some numbers makes trouble."""
    if number == 'raises':
        raise ValueError('it\nis refused')
    if number == 'raises in a library':
        json.loads('{')
    if number == 'exits':
        sys.exit(3)
    if number == 'is killed':
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 'is killed and leaves a process':  # which holds what the worker had open
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 'talks':
        print('this is no result', flush=True)
        os.write(1, b'nor is this\n')
        return os.read(0, 1) if select.select([0], [], [], 5)[0] else 'it waits for input'
    return square(number)


def write_pids(path):
    """Write the ids of this process and of one that it starts to the file `path`, and wait."""
    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
    with open(path + '.part', 'w') as file:
        file.write(f'{os.getpid()} {child.pid}')
    os.replace(path + '.part', path)
    time.sleep(60)


def who(number):
    """Return the id of the process."""
    return os.getpid()
