"""A film of one or more episodes, as a GIF."""

import functools
import os

import numpy as np

from support import files
from support.messages import BadInput, RunFailed

SIDE = 300  # pixels of a frame's longer side
COLOURS = 32  # enough for gym's drawings, and what keeps the file small


def check(path, force):
    """Refuse a file name that cannot be written to, before anything else is done.

    Raises:
        BadInput: with the line to print.
    """
    if not path.lower().endswith('.gif'):
        raise BadInput(f'--gif {path}: the name must end in .gif')
    for there in (path, files.part_of(path)):
        if os.path.lexists(there) and not force:
            raise BadInput(f'{there} is already there: name another file, or --force to replace it')
    above = os.path.dirname(path) or '.'
    if os.path.isdir(path) or not os.path.isdir(above) or not os.access(above, os.W_OK):
        raise BadInput(f'{path} cannot be written: there is no such folder, or it is protected')


def frame(env, total):
    """Return a picture of `env` in gym's own drawing, with the return so far written into it.

    Raises:
        RunFailed: if it draws none.
    """
    from PIL import Image, ImageDraw

    picture = env.render('rgb_array')
    if not isinstance(picture, np.ndarray) or picture.ndim != 3:
        raise RunFailed('the environment draws no picture of itself')
    image = Image.fromarray(picture.astype(np.uint8))
    image.thumbnail((SIDE, SIDE), Image.LANCZOS)
    ImageDraw.Draw(image).text((8, 6), f'return {total:.0f}', fill=(0, 0, 0), font=_font())
    return image


def save(frames, env, path):
    """Write the film; the file appears complete or not at all.

    Args:
        frames: of `frame`, one a step.
        env: says how many frames a second it has.
        path: ends in .gif.

    Returns:
        A dict of the number of frames, the file's size in bytes and the film's length in seconds.

    Raises:
        RunFailed: if it cannot be written.
    """
    rate = env.metadata.get('video.frames_per_second') or 30
    pause = max(round(100 / rate), 2) * 10  # milliseconds; a GIF counts in hundredths
    first, *others = _with_one_palette(frames)
    try:
        with files.atomically(path) as part:
            first.save(part, 'GIF', save_all=True, append_images=others, duration=pause, loop=0)
    except OSError as error:
        raise RunFailed(f'{path} could not be written ({error.strerror}): free some space')
    seconds = len(frames) * pause / 1000
    return dict(frames=len(frames), size=os.path.getsize(path), seconds=seconds)


def _with_one_palette(frames):
    """Return the frames in the same few colours, so that only what moves takes space."""
    from PIL import Image

    some = frames[:: max(len(frames) // 10, 1)]
    width, height = some[0].size
    together = Image.new('RGB', (width, height * len(some)))
    for i, image in enumerate(some):
        together.paste(image, (0, i * height))
    palette = together.quantize(COLOURS)
    return [image.quantize(palette=palette, dither=Image.NONE) for image in frames]


@functools.lru_cache(maxsize=None)
def _font():
    """Return DejaVu Sans, which comes with matplotlib."""
    import matplotlib
    from PIL import ImageFont

    folder = os.path.join(matplotlib.get_data_path(), 'fonts', 'ttf')
    return ImageFont.truetype(os.path.join(folder, 'DejaVuSans.ttf'), 18)
