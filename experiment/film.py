"""A film of an episode: a GIF, or a PNG with a strip of frames."""

import functools
import os

import numpy as np

from experiment.errors import BadInput, RunFailed
from experiment.files import whole

SIDE = 300  # pixels of a frame's longer side
COLOURS = 32  # enough for gym's drawings, and what keeps the file small
STRIP = 8  # frames in a PNG, at even distances


def check(path, force):
    """Refuse a file name that cannot be written to, before anything else is done.

    Raises:
        BadInput: with the line to print.
    """
    if not path.lower().endswith(('.gif', '.png')):
        raise BadInput(f'--gif {path}: the name must end in .gif, or in .png for a strip of frames')
    if os.path.exists(path) and not force:
        raise BadInput(f'{path} is already there: name another file, or replace it with --force')
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
    text = f'return {total:.0f}'
    ImageDraw.Draw(image).text((8, 6), text, fill=(0, 0, 0), font=_font())
    return image


def save(frames, env, path):
    """Write the film; the file appears complete or not at all.

    Args:
        frames: of `frame`, one a step.
        env: says how many frames a second it has.
        path: ends in .gif or .png.

    Returns:
        A dict of the number of frames, the file's size in bytes and the film's length in seconds.

    Raises:
        RunFailed: if it cannot be written.
    """
    seconds = 0.0
    try:
        with whole(path) as part:
            if path.lower().endswith('.png'):
                _strip(frames).save(part, 'PNG', optimize=True)
            else:
                rate = env.metadata.get('video.frames_per_second') or 30
                pause = max(round(100 / rate), 2) * 10  # milliseconds; a GIF counts in hundredths
                seconds = len(frames) * pause / 1000
                small = _with_one_palette(frames)
                small[0].save(
                    *(part, 'GIF'), save_all=True, append_images=small[1:], duration=pause, loop=0
                )
    except OSError as error:
        raise RunFailed(f'{path} could not be written ({error.strerror}): free some space')
    return dict(frames=len(frames), size=os.path.getsize(path), seconds=seconds)


def _strip(frames):
    """Return STRIP of the frames side by side."""
    from PIL import Image

    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, STRIP).astype(int)]
    width, height = chosen[0].size
    strip = Image.new('RGB', (width * len(chosen), height))
    for i, frame in enumerate(chosen):
        strip.paste(frame, (i * width, 0))
    return strip


def _with_one_palette(frames):
    """Return the frames in the same few colours, so that only what moves takes space."""
    from PIL import Image

    some = frames[:: max(len(frames) // 10, 1)]
    width, height = some[0].size
    together = Image.new('RGB', (width, height * len(some)))
    for i, frame in enumerate(some):
        together.paste(frame, (0, i * height))
    palette = together.quantize(COLOURS)
    return [frame.quantize(palette=palette, dither=Image.NONE) for frame in frames]


@functools.lru_cache(maxsize=None)
def _font():
    """Return DejaVu Sans, which comes with matplotlib."""
    import matplotlib
    from PIL import ImageFont

    folder = os.path.join(matplotlib.get_data_path(), 'fonts', 'ttf')
    return ImageFont.truetype(os.path.join(folder, 'DejaVuSans.ttf'), 18)
