"""Films, windows and curves: what can be seen of a run, with and without a display."""

import os
import re
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from pictures import display
from pictures.figures import draw_run
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT

needs_xvfb = pytest.mark.skipif(
    not (sys.platform.startswith('linux') and shutil.which('Xvfb')), reason='needs Xvfb'
)


TINY = '--set MEMORY_CAPACITY=20 MAX_EP_STEPS=10'


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A folder with a run that has learned to swing up, `good`, and one that has not, `bad`."""
    folder = tmp_path_factory.mktemp('trained')
    forks = Forks(PROJECT / 'ddpg.py', folder)
    assert forks.run('--episodes', '110', '--run', 'good', '--quiet').returncode == 0
    forks.close()
    forks = Forks(PROJECT / 'ddpg.py', folder)
    for name in ('Drawn', 'CannotBeDrawn'):
        words = f'--episodes 12 --run {name} --env {OURS}{name}-v0 {TINY}'
        assert forks.run(*words.split()).returncode == 0
    forks.close()
    return folder


@pytest.fixture
def forks(trained, monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    forks = Forks(PROJECT / 'ddpg.py', trained)
    yield forks
    forks.close()


def frames(path):
    """Return the frames of a GIF, (n, height, width, 3), each as often as it is shown."""
    film, pictures = Image.open(str(path)), []
    for i in range(film.n_frames):
        film.seek(i)
        picture = np.array(film.convert('RGB'), int)
        pictures.extend([picture] * (film.info['duration'] // 30))
    return np.array(pictures)


def pole(picture):
    """Return where the middle of gym's red pole is from the centre: (right, up), in pixels."""
    red = (picture[..., 0] > 150) & (picture[..., 1] < 130) & (picture[..., 2] < 130)
    rows, columns = np.nonzero(red)
    height, width = red.shape
    return columns.mean() - width / 2, height / 2 - rows.mean()


# ---------------------------------------------------------------- films


@needs_xvfb
def test_a_film_shows_the_swing_up_without_a_display(forks, trained):
    done = forks.run('--play', 'good', '--gif', 'swing.gif', '--seed', '12')
    assert (done.returncode, done.err) == (0, '')
    line = r'Filmed the best policy of good: 200 frames, 6\.0 seconds, \d+ kB in swing\.gif\n$'
    assert re.search(line, done.out)
    assert (trained / 'swing.gif').stat().st_size < 1e6
    film = frames(trained / 'swing.gif')
    assert film.shape == (200, 300, 300, 3)
    where = np.array([pole(picture) for picture in film])
    assert np.abs(np.diff(where, axis=0)).max() < 25  # it moves, and never jumps
    assert np.ptp(where[:60, 0]) > 10
    dark = (film < 90).all(axis=-1)
    assert dark[:, :30, :120].sum(axis=(1, 2)).min() > 50  # the return, in the corner
    assert not list(trained.glob('*.part'))


@pytest.mark.parametrize(
    'words, says',
    [
        ('--gif film.mp4', 'the name must end in .gif'),
        ('--gif there.gif', 'there.gif is already there: name another file, or --force'),
        ('--gif no/such.gif', 'no/such.gif cannot be written'),
        ('--render', '--render opens a window, and there is no display here: leave it out'),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_nothing_changes(forks, trained, words, says):
    (trained / 'there.gif').write_text('mine')
    done = forks.run('--play', 'good', *words.split())
    assert (done.returncode, done.out) == (2, '')
    assert done.err.startswith('ddpg.py: ') and done.err.count('\n') == 1
    assert says in done.err
    assert (trained / 'there.gif').read_text() == 'mine'


def test_without_xvfb_it_is_said_what_to_install(trained, monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.setenv('PATH', str(trained / 'nowhere'))
    forks = Forks(PROJECT / 'ddpg.py', trained)
    done = forks.run('--play', 'good', '--gif', 'dark.gif')
    forks.close()
    assert done.returncode == 2
    assert done.err.count('\n') == 1
    assert 'apt-get install xvfb' in done.err
    assert not (trained / 'dark.gif').exists()


@needs_xvfb
def test_an_environment_that_draws_nothing_is_one_line(forks, trained):
    env = OURS + 'CannotBeDrawn-v0'
    done = forks.run('--play', 'CannotBeDrawn', '--gif', 'none.gif', '--env', env)
    assert done.returncode == 1
    assert (
        done.err.count('\n') == 1 and 'the environment failed with NotImplementedError' in done.err
    )
    assert not list(trained.glob('none.gif*'))


@needs_xvfb
def test_force_replaces_a_film_here_by_one_of_two_episodes(forks, trained):
    (trained / 'old.gif').write_text('old')
    env = OURS + 'Drawn-v0'
    words = ('--play', 'Drawn', '--gif', 'old.gif', '--force', '--env', env, '--episodes', '2')
    done = forks.run(*words)
    assert (done.returncode, done.err) == (0, '')
    assert len(frames(trained / 'old.gif')) == 2 * 10


@needs_xvfb
def test_a_disk_that_is_full_leaves_no_part_of_a_film(trained):
    (trained / 'full.gif').write_text('old')
    with display.any_display():  # Xvfb needs room for files of its own
        forks = Forks(PROJECT / 'ddpg.py', trained)
        done = forks.run('--play', 'good', '--gif', 'full.gif', '--force', file_size=4000)
        forks.close()
    assert done.returncode == 1
    assert done.err == 'ddpg.py: full.gif could not be written (File too large): free some space\n'
    assert [path.read_text() for path in trained.glob('full.gif*')] == ['old']


# ---------------------------------------------------------------- the window


@needs_xvfb
def test_the_window_shows_training_once_it_is_good_and_changes_nothing(tmp_path):
    """What is good here nobody says, so all episodes but the first are shown."""
    lesson, env = PROJECT / 'ddpg.py', OURS + 'Drawn-v0'
    words = (*TINY.split(), '--episodes', '6', '--env', env, '--run')
    with display.any_display():
        forks = Forks(lesson, tmp_path)
        done = forks.run(*words, 'shown', '--render')
        played = forks.run('--play', 'shown', '--env', env, '--render', '--last')
        forks.close()
    assert (done.returncode, done.err, played.returncode) == (0, '', 0)
    drawn = (tmp_path / 'drawn.txt').read_text().split()
    assert drawn == ['human'] * (5 * 10 + 10 * 10)
    forks = Forks(lesson, tmp_path)
    assert forks.run(*words, 'unseen').returncode == 0
    forks.close()
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


def test_every_run_ends_with_its_curve_a_stopped_one_too(tmp_path):
    forks = Forks(PROJECT / 'ddpg.py', tmp_path)
    words = f'--episodes 25 --run here --env {OURS}Obeys-v0 {TINY}'
    assert forks.run(*words.split()).returncode == 0
    assert {STAR, LINE, MEAN} <= colours(tmp_path / 'here' / 'curve.png')[1]
    before = (tmp_path / 'here' / 'curve.png').read_bytes()

    (tmp_path / 'orders').write_text('15 2\n')
    resume = f'--resume here --env {OURS}Obeys-v0 --episodes 40'
    assert forks.run(*resume.split()).returncode == 130
    assert (tmp_path / 'here' / 'curve.png').read_bytes() != before

    (tmp_path / 'here' / 'curve.png').unlink()
    (tmp_path / 'here' / 'curve.png').mkdir()
    done = forks.run(*resume.split())
    assert done.returncode == 0  # no picture is worth a run
    assert re.match(r'curve\.png could not be drawn: IsADirectoryError: .+\n$', done.err)
    assert done.out.splitlines()[-1].startswith('Trained 13 episodes')
    forks.close()
