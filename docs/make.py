"""Make the pictures of the pages: `python -m docs.make`, or only some: `... film page`.

It trains `ddpg.py` and `robot_arm.py` with seed 1, and leaves in this folder

    film        swing.gif, an episode of its kept policy
    page        run.html, the run's page, and page.png and page.zh-CN.png, its upper part
    seeing      seeing.png and value.png, as docs/seeing.py draws them
    arm         robot_arm.gif, the first steps of some episodes of the arm's kept policy
    diagrams    an .svg of every .dot that lies here

The page's pictures need Chromium and a Chinese font, the diagrams Graphviz's `dot`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from lab.messages import TrainingError, UsageError, exit_cleanly

HERE = Path(__file__).resolve().parent
START, SEEN = 12, 60  # the seed of the film's start; steps of an episode of the arm
BROWSER = (
    '--headless --no-sandbox --disable-gpu --hide-scrollbars --virtual-time-budget=2000 '
    '--window-size=1280,1000 --force-device-scale-factor=1.25'
)
# on the page: play from the bottom up to a step in which the actor is not at a limit
SWING = """
now.running = false;
begin(world.reset());
do step();
while (now.steps < 30 || Math.abs(look().a[0]) > 1.5 || Math.abs(look().a_grad[0]) < 0.04);
"""


def command(*words):
    """Run a program in the project's folder."""
    words = [str(word) for word in words]
    try:
        subprocess.run(words, cwd=str(HERE.parent), check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise TrainingError(f'{" ".join(words)}: {error}')


def lesson(*words, program='ddpg.py'):
    """Run a lesson's program."""
    command(sys.executable, program, *words)


def film(run):
    lesson('--play', run, '--seed', START, '--gif', HERE / 'swing.gif', '--force')


def page(run):
    lesson('--play', run, '--page', HERE / 'run.html', '--force')
    text = (HERE / 'run.html').read_text('utf-8')
    (run.parent / 'swung.html').write_text(f'{text}<script>{SWING}</script>', 'utf-8')
    for language, name in (('en', 'page.png'), ('zh-CN', 'page.zh-CN.png')):
        words = f'{BROWSER} --accept-lang={language} --user-data-dir={run.parent}/profile'.split()
        shot = f'--screenshot={HERE / name}', (run.parent / 'swung.html').as_uri()
        command('chromium', *words, *shot)
        image = Image.open(str(HERE / name)).convert('RGB').quantize(192)
        image.save(str(HERE / name), optimize=True)


def seeing(run):
    command(sys.executable, '-m', 'docs.seeing', run)


def arm(run):
    run = run.parent / 'arm'
    lesson('--seed', 1, '--quiet', '--run', run, program='robot_arm.py')
    config = json.loads((run / 'config.json').read_text())
    config['hyperparameters']['MAX_EP_STEPS'] = SEEN  # later it only stays where it is
    (run / 'config.json').write_text(json.dumps(config))
    words = '--play', run, '--seed', 1, '--episodes', 4, '--gif', HERE / 'robot_arm.gif', '--force'
    lesson(*words, program='robot_arm.py')


def diagrams(run):
    for dot in HERE.glob('*.dot'):
        command('dot', '-Tsvg', dot, '-o', dot.with_suffix('.svg'))


PICTURES = {each.__name__: each for each in (film, page, seeing, arm, diagrams)}

if __name__ == '__main__':
    with exit_cleanly('docs.make'), tempfile.TemporaryDirectory() as folder:
        chosen, run = sys.argv[1:] or list(PICTURES), Path(folder) / 'run'
        if not set(chosen) <= set(PICTURES):
            raise UsageError(f'choose from {" ".join(PICTURES)}')
        if set(chosen) - {'arm', 'diagrams'}:
            lesson('--seed', 1, '--quiet', '--run', run)
        for name in chosen:
            PICTURES[name](run)
