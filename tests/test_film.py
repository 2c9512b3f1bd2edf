"""Films, windows and curves: what can be seen of a run, with and without a display."""

import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from pictures import display
from pictures.figures import draw_run
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, line_of

needs_xvfb = pytest.mark.skipif(not shutil.which('Xvfb'), reason='needs Xvfb')
TINY = '--set MEMORY_CAPACITY=20 MAX_EP_STEPS=10'
DRAWN = f'--env {OURS}Drawn-v0'


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A folder with the runs `pendulum`, `Drawn` and `ThreeJoints`, which cannot be drawn."""
    forks = Forks(PROJECT / 'ddpg.py', tmp_path_factory.mktemp('trained'))
    assert forks.run(f'--episodes 4 --run pendulum {TINY}').returncode == 0
    for name in ('Drawn', 'ThreeJoints'):
        assert forks.run(f'--episodes 4 --run {name} --env {OURS}{name}-v0 {TINY}').returncode == 0
    return forks.folder


@pytest.fixture
def forks(trained, monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    return Forks(PROJECT / 'ddpg.py', trained)


def frames(path):
    """Return the frames of a GIF, (n, height, width, 3)."""
    film = Image.open(str(path))
    assert film.info['duration'] == 30
    pictures = []
    for i in range(film.n_frames):
        film.seek(i)
        pictures.append(np.array(film.convert('RGB'), int))
    return np.array(pictures)


# ---------------------------------------------------------------- films


@needs_xvfb
def test_a_film_of_gyms_own_drawing_without_a_display(forks, trained):
    done = forks.run('--play pendulum --gif swing.gif --seed 12')
    assert (done.returncode, done.err) == (0, '')
    line = r'Filmed the best policy of pendulum: 10 frames, 0\.3 seconds, \d+ kB in swing\.gif\n$'
    assert re.search(line, done.out)
    film = frames(trained / 'swing.gif')
    assert film.shape == (10, 300, 300, 3)
    assert (np.diff(film, axis=0) != 0).any(axis=(1, 2, 3)).all()  # it moves
    dark = (film < 90).all(axis=-1)
    assert dark[:, :30, :120].sum(axis=(1, 2)).min() > 50  # the return, in the corner
    assert not list(trained.glob('*.part'))


@needs_xvfb
def test_a_film_is_of_each_step_of_each_episode_and_force_replaces_one(forks, trained):
    (trained / 'old.gif').write_text('old')
    done = forks.run(f'--play Drawn --gif old.gif --force --episodes 2 {DRAWN}')
    assert (done.returncode, done.err) == (0, '')
    brightness = frames(trained / 'old.gif').max(axis=(1, 2, 3))
    assert brightness == pytest.approx(25 * np.r_[1:11, 1:11], abs=26)  # in few colours


@pytest.mark.parametrize('words, says', [
    ('--gif film.mp4', 'the name must end in .gif'),
    ('--gif there.gif', 'there.gif is already there: name another file, or --force'),
    ('--gif no/such.gif', 'no/such.gif cannot be written'),
    ('--render', '--render opens a window, and there is no display here: leave it out'),
])  # fmt: skip
def test_what_cannot_be_shown_is_one_line_and_nothing_changes(forks, trained, words, says):
    (trained / 'there.gif').write_text('mine')
    done = forks.run(f'--play pendulum {words}')
    assert says in line_of(done, 2)
    assert (done.out, (trained / 'there.gif').read_text()) == ('', 'mine')


def test_without_xvfb_it_is_said_what_to_install(forks, trained, monkeypatch):
    monkeypatch.setenv('PATH', str(trained / 'nowhere'))
    line = line_of(forks.run('--play pendulum --gif dark.gif'), 2)
    assert 'apt-get install xvfb' in line
    assert not (trained / 'dark.gif').exists()


@needs_xvfb
def test_an_environment_that_draws_nothing_is_one_line(forks, trained):
    words = f'--play ThreeJoints --gif none.gif --env {OURS}ThreeJoints-v0'
    assert 'the environment failed with NotImplementedError' in line_of(forks.run(words), 1)
    assert not list(trained.glob('none.gif*'))


@needs_xvfb
def test_a_disk_that_is_full_leaves_no_part_of_a_film(forks, trained):
    (trained / 'full.gif').write_text('old')
    with display.any_display():  # Xvfb needs room for files of its own
        done = forks.run('--play pendulum --gif full.gif --force', file_size=4000)
    says = 'full.gif could not be written (File too large): free some space'
    assert line_of(done, 1) == f'ddpg.py: {says}\n'
    assert [path.read_text() for path in trained.glob('full.gif*')] == ['old']


# ---------------------------------------------------------------- the window


@needs_xvfb
def test_the_window_shows_training_once_it_is_good_and_changes_nothing(forks, tmp_path):
    """What is good here nobody says, so all episodes but the first are shown."""
    words, forks.folder = f'{TINY} --episodes 6 {DRAWN} --run', tmp_path
    with display.any_display():
        done = forks.run(f'{words} shown --render')
        played = forks.run(f'--play shown {DRAWN} --render --last')
    assert (done.returncode, done.err, played.returncode) == (0, '', 0)
    drawn = (tmp_path / 'drawn.txt').read_text().split()
    assert drawn == ['human'] * (5 * 10 + 10 * 10)
    assert forks.run(f'{words} unseen').returncode == 0
    shown, unseen = (tmp_path / name / 'rewards.csv' for name in ('shown', 'unseen'))
    assert shown.read_bytes() == unseen.read_bytes()


# ---------------------------------------------------------------- the curve


def colours(path):
    picture = Image.open(str(path)).convert('RGB')
    return picture.size, {colour for _, colour in picture.getcolors(10**6)}


STAR, LINE, MEAN = (196, 80, 27), (47, 165, 138), (27, 58, 107)


def test_the_curve_marks_learning_and_the_best_policy(tmp_path):
    rows = [(-1000.0, 3.0)] * 5 + [(-100.0 * i, 3 * 0.9**i) for i in range(1, 20)]
    path = str(tmp_path / 'curve.png')
    draw_run(rows, 10, 12, path)
    size, seen = colours(path)
    assert size == (780, 600)
    assert {STAR, LINE, MEAN} <= seen
    draw_run(rows[:5], 10, 12, path)  # a run that goes on from before its best policy
    _, seen = colours(path)
    assert not {STAR, LINE, MEAN} & seen
    assert os.listdir(str(tmp_path)) == ['curve.png']


def test_every_run_ends_with_its_curve_a_stopped_one_too(tmp_path, monkeypatch):
    forks, curve = Forks(PROJECT / 'ddpg.py', tmp_path), tmp_path / 'here' / 'curve.png'
    assert forks.run(f'--episodes 25 --run here --env {OURS}Obeys-v0 {TINY}').returncode == 0
    assert {STAR, LINE, MEAN} <= colours(curve)[1]
    before = curve.read_bytes()

    resume = f'--resume here --env {OURS}Obeys-v0 --episodes 40'
    monkeypatch.setenv('ORDERS', '15:2')
    assert forks.run(resume).returncode == 130
    assert curve.read_bytes() != before

    monkeypatch.delenv('ORDERS')
    curve.unlink()
    curve.mkdir()
    done = forks.run(resume)
    assert done.returncode == 0  # no picture is worth a run
    assert re.match(r'curve\.png could not be drawn: IsADirectoryError: .+\n$', done.err)
    assert done.out.splitlines()[-1].startswith('Trained 13 episodes')
