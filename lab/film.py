"""A film of one or more episodes, as a GIF."""

import io
import os

import numpy as np

from lab.drawing import write
from lab.files import atomic_write

SIDE = 300  # pixels of a frame's longer side
COLOURS = 32  # of the whole film: enough for drawings, and what keeps the file small


class Film:
    """The frames of a film of `env`, an EnvAdapter; each is kept as a PNG, which takes little room.

    Raises:
        UsageError, TrainingError: if the environment draws nothing.
    """

    def __init__(self, env):
        env.render()  # what draws nothing is refused before anything is played
        self._env, self._frames = env, []

    def add(self):
        """Add a picture of the environment as it is now, with the return so far written into it."""
        from PIL import Image

        image = Image.fromarray(self._env.render())
        image.thumbnail((SIDE, SIDE), Image.HAMMING)
        image = Image.fromarray(write(np.asarray(image), f'return {round(self._env.total)}'))
        png = io.BytesIO()
        image.save(png, 'PNG', compress_level=1)
        self._frames.append(png)

    def save(self, path):
        """Write the film to the file `path`, which appears complete or not at all.

        Returns:
            A dict of the number of frames, the file's size in bytes and the film's length in
            seconds.

        Raises:
            OutputError: if it cannot be written.
        """
        from PIL import Image

        pause = max(round(100 / self._env.frames_per_second), 2) * 10  # ms; GIF has hundredths of s
        count = len(self._frames)
        some = [np.asarray(Image.open(png)) for png in self._frames[:: max(count // 30, 1)]]
        colours = Image.fromarray(np.concatenate(some)).quantize(
            COLOURS, Image.Quantize.MAXCOVERAGE
        )
        alike = dict(palette=colours, dither=Image.Dither.NONE)
        images = (Image.open(png).quantize(**alike) for png in self._frames)
        how = dict(save_all=True, append_images=images, duration=pause, loop=0)
        with atomic_write(path) as temp_path:
            next(images).save(temp_path, 'GIF', **how)
        seconds = count * pause / 1000
        return dict(frames=count, size=os.path.getsize(path), seconds=seconds)
