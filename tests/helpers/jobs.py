"""Jobs for the tests of comparison/sweep.py."""

import os
import signal


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
