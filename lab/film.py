"""A film of one or more episodes, as a GIF."""

import io
import os

import numpy as np

from lab.drawing import first_picture, write
from lab.files import atomic_write

SIDE = 300  # pixels of a frame's longer side
COLOURS = 32  # of the whole film: enough for drawings, and what keeps the file small


class Film:
    """The frames of a film of `env`, an EnvAdapter; each is kept as a PNG, which takes little room.

    Raises:
        UsageError: if the environment draws nothing.
    """

    def __init__(self, env):
        first_picture(env)
        self._env, self._frames = env, []

    def add(self, total):
        """Add a picture of the environment as it is now, with the return so far written into it."""
        from PIL import Image

        image = Image.fromarray(self._env.render())
        image.thumbnail((SIDE, SIDE), Image.HAMMING)
        image = Image.fromarray(write(np.asarray(image), f'return {total:.0f}'))
        png = io.BytesIO()
        image.save(png, 'PNG', compress_level=1)
        self._frames.append(png.getvalue())

    def save(self, path):
        """Write the film to the file `path`, which appears complete or not at all.

        Returns:
            A dict of the number of frames, the file's size in bytes and the film's length in
            seconds.

        Raises:
            OutputError: if it cannot be written.
        """
        pause = max(round(100 / self._env.frames_per_second), 2) * 10  # ms; GIF has hundredths of s
        with atomic_write(path) as temp_path, open(temp_path, 'wb') as file:
            file.writelines(_gif(self._frames, pause))
        seconds = len(self._frames) * pause / 1000
        return dict(frames=len(self._frames), size=os.path.getsize(path), seconds=seconds)


def _gif(frames, pause):
    """Yield a GIF's bytes piece by piece: Pillow's own way to save one holds all frames at once.

    Args:
        frames: PNGs.
        pause: how long each is seen, in ms.
    """
    from PIL import GifImagePlugin, Image, ImageChops

    palette, before = _palette(frames), None
    for frame in frames:
        image = _image(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        if before is None:
            box = (0, 0, *image.size)
            yield from GifImagePlugin.getheader(image, info=dict(loop=0))[0]
        else:  # only what moves takes space
            box = ImageChops.subtract_modulo(image, before).getbbox() or (0, 0, 1, 1)
        yield from GifImagePlugin.getdata(image.crop(box), box[:2], duration=pause)
        before = image
    yield b';'


def _palette(frames):
    """Return an image with the colours of the film, chosen from some of its frames."""
    some = [np.asarray(_image(frame)) for frame in frames[:: max(len(frames) // 30, 1)]]
    from PIL import Image

    return Image.fromarray(np.concatenate(some)).quantize(COLOURS, Image.Quantize.MAXCOVERAGE)


def _image(png):
    from PIL import Image

    return Image.open(io.BytesIO(png))
