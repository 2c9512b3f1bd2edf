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

from docs.graph import pictures
from tests.helpers.browser import tensorboard

HERE = Path(__file__).parent
START = '12'  # the seed of a start near the bottom


def lesson(*words):
    subprocess.run([sys.executable, str(HERE.parent / 'ddpg.py'), *words], check=True)


def curve(run):
    shutil.copy(str(run / 'curve.png'), str(HERE))


def film(run):
    lesson('--play', str(run), '--seed', START, '--gif', str(HERE / 'swing.gif'), '--force')


def graph(run):
    with tensorboard(run) as address:
        for image, name in zip(pictures(address), ('graph.png', 'graph_open.png')):
            image.quantize(64).save(str(HERE / name), optimize=True)


def diagrams(run):
    for name in ('actor_update', 'critic_update'):
        dot = ['dot', '-Tsvg', str(HERE / f'{name}.dot'), '-o', str(HERE / f'{name}.svg')]
        subprocess.run(dot, check=True)


def seeing(run):
    subprocess.run([sys.executable, '-m', 'docs.seeing'], cwd=str(HERE.parent), check=True)


PICTURES = dict(curve=curve, film=film, graph=graph, diagrams=diagrams, seeing=seeing)

if __name__ == '__main__':
    chosen = sys.argv[1:] or list(PICTURES)
    if set(chosen) - set(PICTURES):
        sys.exit(f'docs.make: choose from {" ".join(PICTURES)}')
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / 'run'
        if set(chosen) - {'diagrams', 'seeing'}:
            lesson('--seed', '1', '--quiet', '--run', str(run))
        for name in chosen:
            PICTURES[name](run)
