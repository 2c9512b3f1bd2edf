"""Make the pictures of the pages: `python -m docs.make`.

It trains `ddpg.py` once with seed 1, and leaves in this folder

    curve.png           the run's curve
    swing.gif           an episode of its best policy
    graph.png           the graph tab of TensorBoard
    graph_open.png      there too, Critic and Actor opened
    actor_update.svg    drawn from actor_update.dot
    critic_update.svg   drawn from critic_update.dot
    seeing.png          what the networks have learned, as docs/seeing.py draws it
    value.png           Q against the true return, from there too

`python -m docs.make graph diagrams` makes only some of them. The graph needs selenium, Chromium and
its driver, the film a display or Xvfb, and the diagrams Graphviz's `dot`.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.messages import BadInput, RunFailed, ends_in_one_line, one_line

HERE = Path(__file__).parent
START = '12'  # the seed of a start near the bottom


def command(*words):
    """Run a program; RunFailed if it is not there or fails, which it has told itself."""
    try:
        subprocess.run(words, cwd=str(HERE.parent), check=True)
    except FileNotFoundError:
        raise RunFailed(f'{words[0]} is not installed')
    except subprocess.CalledProcessError as error:
        raise RunFailed(f'{" ".join(words)} ended with exit code {error.returncode}')


def lesson(*words):
    command(sys.executable, 'ddpg.py', *words)


def curve(run):
    shutil.copy(str(run / 'curve.png'), str(HERE))


def film(run):
    lesson('--play', str(run), '--seed', START, '--gif', str(HERE / 'swing.gif'), '--force')


def graph(run):
    try:
        from docs.graph import pictures
        from docs.browser import tensorboard

        with tensorboard(run) as address:
            for image, name in zip(pictures(address), ('graph.png', 'graph_open.png')):
                image.quantize(64).save(str(HERE / name), optimize=True)
    except Exception as error:  # no selenium, no browser, no driver: each says it in its own way
        raise RunFailed(f'the graph needs selenium, Chromium and its driver ({one_line(error)})')


def diagrams(run):
    for name in ('actor_update', 'critic_update'):
        command('dot', '-Tsvg', str(HERE / f'{name}.dot'), '-o', str(HERE / f'{name}.svg'))


def seeing(run):
    command(sys.executable, '-m', 'docs.seeing')


PICTURES = dict(curve=curve, film=film, graph=graph, diagrams=diagrams, seeing=seeing)


def main(chosen):
    """Make the pictures of these names, all if there is none."""
    if not set(chosen) <= set(PICTURES):
        raise BadInput(f'choose from {" ".join(PICTURES)}')
    chosen = chosen or list(PICTURES)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / 'run'
        if set(chosen) - {'diagrams', 'seeing'}:
            lesson('--seed', '1', '--quiet', '--run', str(run))
        for name in chosen:
            PICTURES[name](run)


if __name__ == '__main__':
    with ends_in_one_line('docs.make'):
        main(sys.argv[1:])
