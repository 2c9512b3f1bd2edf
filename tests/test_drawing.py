"""lab/drawing.py and lab/film.py: what is in a picture, a film, a window; with and without X."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageGrab

import robot_arm
from lab import drawing, film
from lab.environments import make_env
from lab.files import check_new
from lab.messages import TrainingError, UsageError
from lab.program import run_program
from tests.helpers.program import PROJECT, rows

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (204, 77, 77)
BLUE, GREEN, YELLOW = (77, 128, 230), (77, 204, 102), (242, 191, 26)

SLOPE = np.sqrt(0.5)


PENDULUM, ARM = 'Pendulum-v0', 'robot_arm:Arm-v0'


def begun(name):
    """Return an environment in which an episode has begun, always in the same way."""
    env = make_env(name)
    env.seed(1)
    env.reset()
    return env


def at(picture, view, x, y):
    """Return the colour at the place (x, y), in metres, of a square picture."""
    side = len(picture)
    row, column = (1 - y / view) / 2 * side, (x / view + 1) / 2 * side
    return tuple(picture[int(row), int(column)])


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize('degrees', [0, 30, 135, -60])
def test_the_rod_is_where_theta_says(degrees):
    picture = drawing.draw_pendulum(np.radians(degrees), None)
    assert (picture.shape, picture.dtype) == ((500, 500, 3), np.uint8)
    up = np.radians(degrees + 90)  # counterclockwise from the x axis
    along, across = np.array([[np.cos(up), np.sin(up)], [-np.sin(up), np.cos(up)]])
    assert at(picture, 2.2, 0, 0) == BLACK
    for far, colour in ((0.2, RED), (0.95, RED), (1.08, RED), (1.13, WHITE), (-0.15, WHITE)):
        assert at(picture, 2.2, *(far * along)) == colour
    for aside, colour in ((0.09, RED), (-0.09, RED), (0.12, WHITE), (-0.12, WHITE)):
        assert at(picture, 2.2, *(0.5 * along + aside * across)) == colour


@pytest.mark.parametrize('u, head', [(2, 1), (1.2, 1), (-1, -1)])
def test_the_arrow_turns_as_the_torque_does_and_grows_with_it(u, head):
    """From the top around three quarters; its head, at the side `head` of the axle, points up."""
    picture, size = drawing.draw_pendulum(np.pi, u), abs(u) / 2
    arc = 0.46 * size * SLOPE
    for x, y in ((-head, 1), (-head, -1), (head, -1)):
        assert at(picture, 2.2, arc * x, arc * y) < (150, 150, 150)
    assert at(picture, 2.2, arc * head, arc) == WHITE
    assert at(picture, 2.2, 0.5 * size * head, -0.03 * size) < (150, 150, 150)
    assert at(picture, 2.2, -0.505 * size * head, -0.03 * size) == WHITE
    without = drawing.draw_pendulum(np.pi, 0.0)
    assert (without == drawing.draw_pendulum(np.pi, None)).all() and (without != picture).any()


def test_the_return_is_written_in_the_corner_light_on_a_dark_picture():
    for ground, ink in ((255, 0), (20, 255)):
        picture = np.full((300, 300, 3), ground, np.uint8)
        written = drawing.write(picture, 'return -123')
        changed = (written == ink).all(axis=-1)
        assert changed[:30, :120].sum() > 50
        assert not changed[30:].any() and not changed[:, 120:].any()
        assert (written != drawing.write(picture, 'return -124')).any()


def test_the_arm_is_where_its_angles_say():
    env = robot_arm.Arm()
    env.angles, env.goal = np.radians([90.0, -45.0]), np.array([-0.4, -0.3])
    picture, finger = env.render('rgb_array'), np.array([0.5 * SLOPE, 0.5 + 0.5 * SLOPE])
    assert (picture.shape, picture.dtype) == ((400, 400, 3), np.uint8)
    middle, aside = (finger + [0, 0.5]) / 2, np.array([-SLOPE, SLOPE])
    seen = [((0, 0), BLACK), ((0, 0.5), BLACK), ((0, 0.25), RED), (finger, YELLOW), (middle, RED)]
    seen += [(middle + 0.06 * aside, WHITE), (middle - 0.06 * aside, WHITE), ((-0.4, -0.3), BLUE)]
    for place, colour in seen:
        assert at(picture, 1.1, *place) == colour, place
    env.goal = finger + 0.05 * aside  # reached
    assert at(env.render(), 1.1, *(finger + 0.08 * aside)) == GREEN


# ---------------------------------------------------------------- films


def frames(path):
    """Return the frames of a GIF, (n, height, width, 3), and the pause after each, in ms."""
    pictures, pauses = [], set()
    with Image.open(str(path)) as gif:
        assert gif.info['loop'] == 0  # for ever
        for i in range(gif.n_frames):
            gif.seek(i)
            pauses.add(gif.info['duration'])
            pictures.append(np.array(gif.convert('RGB'), np.int16))
    return np.array(pictures), pauses


def test_a_film_of_an_episode_is_small_and_shows_every_step(tmp_path, monkeypatch):
    """The torque changes in each step, at random: hardly a policy has a larger film."""
    for name in ('DISPLAY', 'SDL_VIDEODRIVER'):
        monkeypatch.delenv(name, raising=False)
    drawing._pygame.cache_clear()  # as in a new process
    env, pictures = begun(PENDULUM), []
    film_of_it = film.Film(env)
    for torque in np.random.RandomState(0).uniform(-2, 2, (200, 1)):
        env.step(torque)
        film_of_it.add()
        pictures.append(env.render())
    path = str(tmp_path / 'swing.gif')
    done = film_of_it.save(path)
    assert done == dict(frames=200, size=os.path.getsize(path), seconds=6.0)
    assert done['size'] < 300000
    assert 'SDL_VIDEODRIVER' not in os.environ  # an environment may draw with pygame itself
    seen, pauses = frames(path)
    assert (seen.shape, pauses) == ((200, 300, 300, 3), {30})
    dark = (seen < 90).all(axis=-1)
    assert dark[:, :30, :120].sum(axis=(1, 2)).min() > 50  # the return, in the corner
    for frame, picture in zip(seen[::40], pictures[::40]):
        small = np.array(Image.fromarray(picture).resize((300, 300), Image.HAMMING), int)
        assert np.abs(frame - small)[30:].mean() < 1


@pytest.mark.parametrize('rate, pause', [(20, 50), (1000, 20)])
def test_a_film_has_its_environments_pace_and_a_colour_that_comes_late(rate, pause, tmp_path):
    env = begun(ARM)
    env.unwrapped.metadata = {'video.frames_per_second': rate}
    film_of_it = film.Film(env)
    for step in range(50):
        env.step([1, 0])
        if step >= 40:
            env.unwrapped.goal = env.unwrapped.joints()[1]  # it is reached, and green
        film_of_it.add()
    assert film_of_it.save(str(tmp_path / 'arm.gif'))['seconds'] == 50 * pause / 1000
    seen, pauses = frames(tmp_path / 'arm.gif')
    there = (np.abs(seen - GREEN).max(axis=-1) < 25).sum(axis=(1, 2)) > 50
    assert there.tolist() == [False] * 40 + [True] * 10 and pauses == {pause}


@pytest.mark.parametrize('name, force, says', [
    ('film.mp4', True, 'the name must end in .gif'),
    ('there.gif', False, 'there.gif is already there: name another file, or --force'),
    ('no/such.gif', False, 'no/such.gif cannot be written'),
])  # fmt: skip
def test_a_name_that_cannot_be_written_is_refused(tmp_path, monkeypatch, name, force, says):
    monkeypatch.chdir(str(tmp_path))
    (tmp_path / 'there.gif').write_text('mine')
    with pytest.raises(UsageError, match=says):
        check_new(name, '.gif', force)
    check_new('new.gif', '.gif')
    check_new('there.gif', '.gif', force=True)
    assert os.listdir('.') == ['there.gif']


# ---------------------------------------------------------------- the window


@pytest.fixture(scope='module')
def server():
    """The name of a virtual display."""
    if not shutil.which('Xvfb'):
        pytest.skip('needs Xvfb')
    read, write = os.pipe()
    # -noreset: it would start anew, and refuse connections meanwhile, when its last client goes
    command = ['Xvfb', '-displayfd', str(write), '-screen', '0', '800x600x24', '-noreset']
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as number:
        yield f':{number.readline().strip()}'
    process.terminate()
    process.wait()


@pytest.fixture
def display(server, monkeypatch):
    monkeypatch.setenv('DISPLAY', server)
    yield server
    drawing._pygame().display.quit()


def screen(display):
    """Return what is on the screen, (600, 800, 3); it is black where no window is."""
    return np.array(ImageGrab.grab(xdisplay=display).convert('RGB'))


def post(kind, **about):
    """Have the window get an event, as if the user had made it."""
    pygame = drawing._pygame()
    pygame.event.post(pygame.event.Event(getattr(pygame, kind), **about))


def move_mouse(x, y):
    post('MOUSEMOTION', pos=(x, y), rel=(1, 1), buttons=(0, 0, 0))


def test_a_window_shows_the_environment_and_the_return(display):
    env = begun(PENDULUM)
    window = drawing.Window(env)
    assert not screen(display).any()  # nothing is shown yet
    for total in (-7, -8):
        env.total = total
        window.show()
        seen = screen(display)[50:550, 150:650]
        assert (seen == drawing.write(env.render(), f'return {total}')).all()
        env.step([1])
        move_mouse(250, 150)  # which does nothing here
    window.close()
    assert not screen(display).any()


@pytest.mark.parametrize('end', [
    lambda: post('QUIT'),  # the user closes it
    lambda: drawing._pygame().display.quit(),  # as an environment that draws with pygame may do
])  # fmt: skip
def test_the_end_of_the_window_is_not_the_end_of_the_run(display, end):
    env = begun(PENDULUM)
    window = drawing.Window(env)
    window.show()
    end()
    window.show()
    assert not window.is_open and not screen(display).any()
    env.render = None  # no time is lost for it
    window.show()
    window.close()


def test_the_mouse_moves_the_goal_of_the_arm(display):
    env = begun(ARM)
    window = drawing.Window(env)
    window.show()
    move_mouse(250, 150)
    window.show()
    assert env.unwrapped.goal == pytest.approx([0.275, 0.275], abs=0.01)  # up and to the right
    assert env.step([0, 0])[0][4:6] == pytest.approx(env.unwrapped.goal)
    move_mouse(399, 399)
    window.show()
    assert env.unwrapped.goal == pytest.approx([0.5, -0.5])  # where goals lie, or as near as that
    window.close()


def test_in_training_an_episode_is_shown_whole_once_one_was_good_and_no_evaluation_is(
    display, tmp_path, monkeypatch
):
    """The arm has no return that counts as good: its second episode is shown."""
    totals = []
    monkeypatch.setattr(drawing.Window, 'show', lambda window: totals.append(window._env.total))
    numbers = '--set MAX_EP_STEPS=20 MEMORY_CAPACITY=30 BATCH_SIZE=2 HIDDEN_UNITS=3'
    words = f'--render --quiet --episodes 2 --run {tmp_path / "run"} {numbers}'
    run_program(robot_arm.__file__, words.split())
    assert len(totals) == 20
    assert totals[-1] == float(rows(tmp_path / 'run')[1]['reward'])
    assert (tmp_path / 'run' / 'best.npz').exists()


@pytest.mark.skipif(sys.platform != 'linux', reason='DISPLAY is for Linux')
@pytest.mark.parametrize('display, driver', [('', 'x11'), (':77', 'x11'), ('', 'dummy')])
def test_without_a_display_it_is_a_line(monkeypatch, capfd, display, driver):
    monkeypatch.setenv('DISPLAY', display)
    monkeypatch.setenv('SDL_VIDEODRIVER', driver)
    drawing._pygame.cache_clear()  # as in a new process
    with pytest.raises(UsageError, match='--render opens a window, and there is no display here'):
        drawing.Window(begun(ARM))
    assert capfd.readouterr() == ('', '')


@pytest.mark.parametrize('what', [film.Film, drawing.Window])
def test_what_draws_no_picture_is_refused_before_it_is_played(display, what):
    env = begun(ARM)
    env.env.render = lambda mode: None
    with pytest.raises(TrainingError, match='the environment draws no picture'):
        what(env)


WITH_TENSORFLOW = """
import fast_tf
import tensorflow.compat.v1 as tf
def multiply():
    with tf.Graph().as_default(), tf.Session() as sess:
        print(sess.run(tf.matmul([[1.0, 2.0]], [[3.0], [4.0]])).item(), flush=True)

multiply()
import os, signal
from tests.test_drawing import ARM, begun, drawing
env = begun(ARM)
window = drawing.Window(env)
for _ in range(5):
    env.step([1, 1])
    window.show()
multiply()
os.kill(os.getpid(), signal.SIGTERM)
window.close()
"""


def test_beside_tensorflow_a_window_does_not_crash_and_signals_are_not_sdls(display):
    """With OpenGL in it, the process would end with a segmentation fault."""
    command = [sys.executable, '-c', WITH_TENSORFLOW]
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    done = subprocess.run(command, cwd=str(PROJECT), timeout=100, **pipes)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, '')
    assert done.stdout.splitlines() == ['11.0', '11.0']
