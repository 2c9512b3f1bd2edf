"""Pictures of environments, and a window for them, by pygame: no OpenGL, and no display for films.

A picture is an array (height, width, 3), uint8. pygame is imported when the first one is drawn.
"""

import functools
import os
import sys
import warnings

import numpy as np

from lab.messages import TrainingError, UsageError

FINE = 4  # everything is drawn this many times larger, then scaled down: smooth edges
BLACK, RED = (0, 0, 0), (204, 77, 77)


@functools.lru_cache(maxsize=None)
def _pygame():
    """Import pygame; the variables that SDL below it reads must be set first."""
    os.environ['PYGAME_HIDE_SUPPORT_PROMPT'] = '1'
    os.environ['SDL_NO_SIGNAL_HANDLERS'] = '1'  # Ctrl-C and SIGTERM are the program's
    if sys.platform.startswith('linux'):
        # OpenGL's LLVM and TensorFlow's in one process crash it. Elsewhere there are not two, and
        # on macOS SDL has no window without acceleration.
        os.environ['SDL_FRAMEBUFFER_ACCELERATION'] = '0'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        import pygame

        pygame.font.init()  # alone: pygame.init() would also look for sound and joysticks
    return pygame


class Canvas:
    """A white square to draw on in metres: the origin is its middle, y points upwards.

    Args:
        side: of the square, in pixels.
        view: from the origin to an edge, in metres.
    """

    def __init__(self, side, view):
        self._side, self._view = side, view
        self._surface = _pygame().Surface((side * FINE, side * FINE))
        self._surface.fill((255, 255, 255))

    def polygon(self, points, colour):
        """Fill the polygon with the corners `points`, (n, 2) in metres."""
        pixels = (np.asarray(points) * (1, -1) / self._view + 1) / 2 * self._side * FINE
        _pygame().draw.polygon(self._surface, colour, pixels)

    def rod(self, start, end, width, colour):
        """Draw a rod with round ends whose centres are `start` and `end`."""
        start, end = np.asarray(start), np.asarray(end)
        along = np.arctan2(*(end - start)[::-1])
        cap = width / 2 * _circle(along - np.pi / 2, along + np.pi / 2)
        self.polygon(np.concatenate([end + cap, start - cap]), colour)

    def disc(self, centre, radius, colour):
        """Draw a filled circle."""
        self.rod(centre, centre, 2 * radius, colour)

    def picture(self):
        """Return what was drawn, (side, side, 3), uint8."""
        small = _pygame().transform.smoothscale(self._surface, (self._side, self._side))
        return _array(small)


def _circle(start, end, corners=60):
    """Return points on the unit circle from the angle `start` to `end`, (corners, 2)."""
    turn = np.linspace(start, end, corners)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _array(surface):
    pixels = np.frombuffer(_pygame().image.tostring(surface, 'RGB'), np.uint8)
    return pixels.reshape(surface.get_height(), surface.get_width(), 3).copy()


def draw_pendulum(theta, u, side=500):
    """Return a picture of the pendulum as gym has it.

    Args:
        theta: its angle in rad, counterclockwise, 0 upright.
        u: the torque that acts, in N m, or None: an arrow, counterclockwise where it is above 0.
    """
    canvas = Canvas(side, 2.2)
    up = theta + np.pi / 2
    canvas.rod((0, 0), (np.cos(up), np.sin(up)), 0.2, RED)
    canvas.disc((0, 0), 0.05, BLACK)
    if u:
        arc = _circle(np.pi / 2, -np.pi)  # clockwise, from the top to the left
        head = [(-0.46, 0.15), (-0.53, -0.05), (-0.46, -0.01), (-0.39, -0.05)]
        mirrored = np.array([-u, abs(u)]) / 2
        for points in (np.concatenate([0.475 * arc, 0.445 * arc[::-1]]), head):
            canvas.polygon(points * mirrored, BLACK)
    return canvas.picture()


def write(picture, text):
    """Return `picture` with `text` in its upper left corner, dark or light to suit the corner."""
    surface = _pygame().surfarray.make_surface(picture.swapaxes(0, 1))
    colour = BLACK if picture[:30, :120].mean() > 100 else (255, 255, 255)
    surface.blit(_font().render(text, True, colour), (8, 6))
    return _array(surface)


@functools.lru_cache(maxsize=None)
def _font():
    return _pygame().font.Font(None, 26)  # the one that comes with pygame


def as_picture(given):
    """Return what an environment's render('rgb_array') gave, RGB or RGBA, as a picture.

    Raises:
        TrainingError: if it is not one.
    """
    picture = np.asarray(given)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4):
        kind = f'{type(given).__name__} {picture.dtype} {picture.shape}'
        raise TrainingError(f"the environment draws no picture: render('rgb_array') gave {kind}")
    return picture[:, :, :3]


class Window:
    """A window that shows `env`, an EnvAdapter, at its frame rate.

    The mouse in it reaches the environment's own method on_mouse(x, y), if it has one: x to the
    right and y upwards, in 0..1. Closing the window does not end the run.

    Raises:
        UsageError: if there is no display here.
        UsageError, TrainingError: if the environment draws nothing.
    """

    def __init__(self, env):
        self._env, self._pygame = env, _pygame()
        self._on_mouse = getattr(env.unwrapped, 'on_mouse', None)
        self._size, self._clock = None, self._pygame.time.Clock()
        self.is_open = True
        display, size = self._pygame.display, env.render().shape[1::-1]
        if sys.platform.startswith('linux'):
            os.environ['SDL_VIDEODRIVER'] = 'x11'  # else, with no display, SDL draws unseen
        try:
            display.init()
            display.set_mode(size, self._pygame.HIDDEN)  # seen once there is something to show
        except self._pygame.error:
            self.close()
            raise UsageError('--render opens a window, and there is no display here: leave it out')

    def show(self):
        """Show the environment as it is now, and the return so far; nothing in a closed window."""
        if not self.is_open:
            return
        picture = write(self._env.render(), f'return {round(self._env.total)}')
        try:
            self._draw(picture)
            self._heed_user()
        except self._pygame.error:  # the display has gone: no picture is worth a run
            self.close()
        self._clock.tick(self._env.frames_per_second)

    def _draw(self, picture):
        display, size = self._pygame.display, picture.shape[1::-1]
        if size != self._size:
            self._size, self._surface = size, display.set_mode(size)
            display.set_caption(type(self._env.unwrapped).__name__)
        self._pygame.surfarray.blit_array(self._surface, picture.swapaxes(0, 1))
        display.flip()

    def _heed_user(self):
        width, height = self._size
        for event in self._pygame.event.get():
            if event.type == self._pygame.QUIT:
                self.close()
            elif event.type == self._pygame.MOUSEMOTION and any(event.rel) and self._on_mouse:
                x, y = event.pos  # rel: a window opening under the mouse is not a motion
                self._on_mouse((x + 0.5) / width, 1 - (y + 0.5) / height)

    def close(self):
        """Close the window."""
        self.is_open = False
        self._pygame.display.quit()
