"""Jobs for the tests of experiment/sweep.py."""

import os
import signal
import time


def square(number):
    return number * number


def square_but_not_of_two(number):
    if number == 2:
        raise ValueError('two\nis refused')
    return number * number


def square_but_two_kills_its_worker(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def square_but_two_kills_its_worker_once(number, folder):
    if number == 2:
        try:
            os.mkdir(os.path.join(folder, 'tried'))
        except FileExistsError:
            return 4
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def process_ids(number):
    time.sleep(0.2)  # so that the other worker gets some of the jobs
    return os.getpid()
