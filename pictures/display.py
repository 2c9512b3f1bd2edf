"""A display for gym's renderer, which draws nothing without one."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from unittest import mock

from support.messages import BadInput


def is_there():
    """Return whether windows can be opened here."""
    import pyglet  # when it is needed: it takes a moment

    try:
        pyglet.canvas.Display()  # not get_display, which may return that of an Xvfb that has ended
    except Exception:  # each system has an error of its own
        return False
    return True


def needed():
    """Raise BadInput if no window can be opened here."""
    if not is_there():
        raise BadInput('--render opens a window, and there is no display here: leave it out')


@contextmanager
def any_display():
    """Start a virtual display, if there is none, for as long as this lasts.

    Raises:
        BadInput: if that cannot be done, with what to install.
    """
    if is_there():
        yield
        return
    if not sys.platform.startswith('linux') or not shutil.which('Xvfb'):
        how = 'on Debian and Ubuntu: apt-get install xvfb libgl1 libglu1-mesa'
        raise BadInput(f'a film needs a display, there is none here: install a virtual one, {how}')
    read, write = os.pipe()
    # -terminate: it ends by itself when this process does, however that happens
    command = ['Xvfb', '-displayfd', str(write), '-screen', '0', '1024x768x24', '-terminate']
    how = dict(stderr=subprocess.DEVNULL, start_new_session=True)  # Ctrl-C is not for it
    server = subprocess.Popen(command, pass_fds=[write], **how)
    os.close(write)
    try:
        with os.fdopen(read) as number, mock.patch.dict(os.environ):
            os.environ['DISPLAY'] = f':{number.readline().strip()}'
            if not is_there():
                raise BadInput('a film needs a display, and Xvfb did not start: try it by hand')
            yield
    finally:
        server.terminate()
        server.wait()
