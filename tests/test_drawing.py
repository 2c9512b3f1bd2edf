"""lab/drawing.py and lab/film.py: what is in a picture, a film, a window; with and without X."""

import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc

import gym
import numpy as np
import pytest
from PIL import Image, ImageGrab

import robot_arm
from lab import drawing, film
from lab.files import check_new
from lab.messages import TrainingError, UsageError
from tests.helpers.program import PROJECT

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (204, 77, 77)
BLUE, GREEN, YELLOW = (77, 128, 230), (77, 204, 102), (242, 191, 26)

SLOPE = np.sqrt(0.5)


class Adapter:
    """The part of an EnvAdapter that is drawn; `picture` is () -> what its render gives."""

    def __init__(self, env, picture=None, frames_per_second=30):
        self.env, self.unwrapped, self.frames_per_second = env, env, frames_per_second
        self.render, self.reset, self.step = picture or env.render, env.reset, env.step


def pendulum():
    env = gym.make('Pendulum-v0').unwrapped
    env.seed(1)
    env.reset()
    return Adapter(env, lambda: drawing.draw_pendulum(env.state[0], env.last_u))


def arm(**kwargs):
    env = robot_arm.Arm()
    env.seed(1)
    env.reset()
    return Adapter(env, **kwargs)


def at(picture, view, x, y):
    """Return the colour at the place (x, y), in metres, of a square picture."""
    side = len(picture)
    row, column = (1 - y / view) / 2 * side, (x / view + 1) / 2 * side
    return tuple(picture[int(row), int(column)])


# ---------------------------------------------------------------- the pendulum


@pytest.mark.parametrize('degrees', [0, 30, 90, 135, 180, 270, -60])
def test_the_rod_is_where_theta_says(degrees):
    picture = drawing.draw_pendulum(np.radians(degrees), None)
    assert (picture.shape, picture.dtype) == ((500, 500, 3), np.uint8)
    up = np.radians(degrees + 90)  # counterclockwise from the x axis
    for far, colour in ((0.2, RED), (0.95, RED), (1.08, RED), (1.13, WHITE), (-0.15, WHITE)):
        assert at(picture, 2.2, far * np.cos(up), far * np.sin(up)) == colour
    across = np.array([-np.sin(up), np.cos(up)])
    for aside, colour in ((0.09, RED), (-0.09, RED), (0.12, WHITE), (-0.12, WHITE)):
        assert (
            at(picture, 2.2, *(0.5 * np.array([np.cos(up), np.sin(up)]) + aside * across)) == colour
        )
    assert at(picture, 2.2, 0, 0) == BLACK


def test_its_edges_are_smooth():
    colours = len(np.unique(drawing.draw_pendulum(0.3, 1.5).reshape(-1, 3), axis=0))
    assert colours > 20


@pytest.mark.parametrize('u, head', [(2, 1), (-2, -1), (1.2, 1), (-1, -1)])
def test_the_arrow_turns_as_the_torque_does_and_grows_with_it(u, head):
    """From the top around three quarters; its head, at the side `head` of the axle, points up."""
    picture, size = drawing.draw_pendulum(np.pi, u), abs(u) / 2
    arc = 0.46 * size * SLOPE
    for x, y in ((-head, 1), (-head, -1), (head, -1)):
        assert at(picture, 2.2, arc * x, arc * y) < (150, 150, 150)
    assert at(picture, 2.2, arc * head, arc) == WHITE
    assert at(picture, 2.2, 0.5 * size * head, -0.03 * size) < (150, 150, 150)
    assert at(picture, 2.2, -0.505 * size * head, -0.03 * size) == WHITE
    larger = drawing.draw_pendulum(np.pi, 1.2 * u)
    assert (picture < 90).all(axis=-1).sum() < (larger < 90).all(axis=-1).sum()


def test_the_arrow_shows_which_way_the_torque_pushes_in_gym():
    env = pendulum()
    env.reset()
    env.unwrapped.state = np.array([np.pi, 0.0])
    env.step([2.0])
    assert env.unwrapped.state[0] > np.pi  # so it goes to the right, from below
    picture = env.render()
    assert at(picture, 2.2, 0.46, 0.08) == BLACK  # where the head is, which points up
    assert at(picture, 2.2, 0.33, 0.33) == WHITE  # and where there is nothing in front of it


@pytest.mark.parametrize('u', [None, 0, 0.0, np.float32(0)])
def test_no_torque_has_no_arrow(u):
    dark = (drawing.draw_pendulum(0, u) < 90).all(axis=-1)
    assert dark.sum() == pytest.approx(np.pi * (0.05 / 4.4 * 500) ** 2, rel=0.2)  # the axle


def test_the_return_is_written_in_the_corner_light_on_a_dark_picture():
    for ground, ink in ((255, 0), (20, 255)):
        picture = np.full((300, 300, 3), ground, np.uint8)
        written = drawing.write(picture, 'return -123')
        changed = (written == ink).all(axis=-1)
        assert changed[:30, :120].sum() > 50
        assert not changed[30:].any() and not changed[:, 120:].any()
        assert (picture == ground).all()
        assert (written != drawing.write(picture, 'return -124')).any()


# ---------------------------------------------------------------- the arm


def test_the_arm_is_where_its_angles_say():
    env = arm().env
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


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)


def test_a_film_of_an_episode_is_small_and_shows_every_step(no_display, tmp_path):
    """The torque changes in each step, at random: hardly a policy has a larger film."""
    env, total, pictures = pendulum(), 0.0, []
    torques = np.random.RandomState(0).uniform(-2, 2, (200, 1))
    film_of_it = film.Film(env)
    for k, torque in enumerate(torques):
        total += env.step(torque)[1]
        film_of_it.add(total)
        if k % 40 == 0:
            pictures.append(env.render())
    path = str(tmp_path / 'swing.gif')
    done = film_of_it.save(path)
    assert done == dict(frames=200, size=os.path.getsize(path), seconds=6.0)
    assert done['size'] < 300000
    assert os.listdir(str(tmp_path)) == ['swing.gif']
    seen, pauses = frames(path)
    assert (seen.shape, pauses) == ((200, 300, 300, 3), {30})
    dark = (seen < 90).all(axis=-1)
    assert dark[:, :30, :120].sum(axis=(1, 2)).min() > 50  # the return, in the corner
    for frame, picture in zip(seen[::40], pictures):
        small = np.array(Image.fromarray(picture).resize((300, 300), Image.HAMMING), int)
        assert np.abs(frame - small)[30:].mean() < 1


def test_a_film_keeps_its_frames_in_little_memory(no_display):
    env = pendulum()
    film_of_it = film.Film(env)
    tracemalloc.start()
    for _ in range(20):
        env.step([2.0])
        film_of_it.add(0)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 20 * 20000  # bytes; a frame has 270 000


def test_a_colour_that_comes_late_is_in_the_film(no_display, tmp_path):
    env = arm()
    env.reset()
    film_of_it = film.Film(env)
    for step in range(50):
        if step == 40:
            env.env.goal = env.env.joints()[1]
        film_of_it.add(step)
    film_of_it.save(str(tmp_path / 'arm.gif'))
    seen, _ = frames(tmp_path / 'arm.gif')
    there = (np.abs(seen - GREEN).max(axis=-1) < 25).sum(axis=(1, 2)) > 50
    assert there.tolist() == [False] * 40 + [True] * 10


def test_frames_that_do_not_differ_count_too(no_display, tmp_path):
    film_of_it = film.Film(arm(picture=lambda: np.full((20, 30, 3), 40, np.uint8)))
    for _ in range(5):
        film_of_it.add(0)
    assert film_of_it.save(str(tmp_path / 'still.gif'))['frames'] == 5
    seen, _ = frames(tmp_path / 'still.gif')
    assert seen.shape == (5, 20, 30, 3) and (seen == seen[0]).all()


@pytest.mark.parametrize('rate, pause', [(30, 30), (20, 50), (1000, 20), (0.5, 2000)])
def test_a_film_is_as_fast_as_its_environment(rate, pause, tmp_path):
    film_of_it = film.Film(arm(frames_per_second=rate))
    for _ in range(2):
        film_of_it.add(0)
    assert film_of_it.save(str(tmp_path / 'arm.gif'))['seconds'] == 2 * pause / 1000
    assert frames(tmp_path / 'arm.gif')[1] == {pause}


@pytest.mark.parametrize('name, force, says', [
    ('film.mp4', True, 'the name must end in .gif'),
    ('there.gif', False, 'there.gif is already there: name another file, or --force'),
    ('no/such.gif', False, 'no/such.gif cannot be written'),
    ('folder.gif', True, 'folder.gif cannot be written'),
])  # fmt: skip
def test_a_name_that_cannot_be_written_is_refused(tmp_path, monkeypatch, name, force, says):
    monkeypatch.chdir(str(tmp_path))
    (tmp_path / 'there.gif').write_text('mine')
    (tmp_path / 'folder.gif').mkdir()
    with pytest.raises(UsageError, match=says):
        check_new(name, '.gif', force)
    check_new('new.gif', '.gif')
    check_new('there.gif', '.gif', force=True)
    assert sorted(os.listdir('.')) == ['folder.gif', 'there.gif']


# ---------------------------------------------------------------- pictures of other environments


def test_pictures_may_have_transparency():
    given = np.random.RandomState(0).randint(256, size=(20, 30, 4)).astype(np.uint8)
    assert (drawing.as_picture(given) == given[:, :, :3]).all()
    assert drawing.as_picture(given[:, :, :3]).shape == (20, 30, 3)


@pytest.mark.parametrize('given', [
    None, True, 'a\npicture', [[[0, 0, 0]]], np.zeros((20, 30), np.uint8), np.zeros((20, 30, 3)),
    np.zeros((20, 30, 2), np.uint8), np.zeros((0, 30, 3), np.uint8), np.empty((2, 2, 3), object),
])  # fmt: skip
def test_what_is_no_picture_is_a_line(given):
    with pytest.raises(TrainingError, match='^the environment draws no picture: [^\n]+$'):
        drawing.as_picture(given)


def no_picture():
    raise TrainingError('the environment draws no picture: it has no eyes')


def test_what_draws_no_picture_is_refused_before_it_is_played(display):
    for what in film.Film, drawing.Window, drawing.Shown:
        with pytest.raises(UsageError, match='it has no eyes'):
            what(arm(picture=no_picture))


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


def test_a_window_shows_the_environment_and_the_return(display):
    env = arm()
    window = drawing.Window(env)
    assert not screen(display).any()  # nothing is shown yet
    window.show(-7)
    seen = screen(display)
    assert (seen[100:500, 200:600] == drawing.write(env.render(), 'return -7')).all()
    env.step([1, 1])
    window.show(-8)
    assert (screen(display)[100:500, 200:600] == drawing.write(env.render(), 'return -8')).all()
    window.close()
    assert not screen(display).any()


def test_closing_the_window_ends_the_window_and_not_the_run(display):
    env = arm()
    drawn = []
    env.render = lambda: drawn.append(1) or env.env.render()
    window = drawing.Window(env)
    window.show(0)
    post('QUIT')
    window.show(0)
    assert not window.is_open and not screen(display).any()
    count = len(drawn)
    for _ in range(3):
        env.step([0, 0])
        window.show(0)
    assert len(drawn) == count  # and no time is lost for it
    window.close()


def test_a_display_that_goes_ends_the_window_and_not_the_run(display):
    window = drawing.Window(arm())
    window.show(0)
    drawing._pygame().display.quit()  # an environment that draws with pygame may do that
    window.show(0)
    assert not window.is_open


def test_the_mouse_moves_the_goal_of_the_arm(display):
    env = arm()
    window = drawing.Window(env)
    window.show(0)
    before = env.env.goal
    post('MOUSEMOTION', pos=(250, 150), rel=(1, 1), buttons=(0, 0, 0))
    window.show(0)
    assert env.env.goal == pytest.approx([0.275, 0.275], abs=0.01)  # up and to the right
    assert (env.env.goal != before).all()
    s_, _, _, _ = env.step([0, 0])
    assert s_[4:6] == pytest.approx(env.env.goal)
    post('MOUSEMOTION', pos=(399, 399), rel=(1, 1), buttons=(0, 0, 0))
    window.show(0)
    assert env.env.goal == pytest.approx([0.5, -0.5])  # where goals lie, or as near as that
    env.reset()
    assert np.abs(env.env.goal).max() < 0.5
    window.close()


def test_an_environment_without_a_mouse_is_shown_too(display):
    window = drawing.Window(pendulum())
    post('MOUSEMOTION', pos=(250, 150), rel=(1, 1), buttons=(0, 0, 0))
    window.show(0)
    assert window.is_open
    window.close()


def test_a_picture_of_another_size_gets_a_window_of_that_size(display):
    sizes = iter([(300, 400), (300, 400), (100, 200)])
    window = drawing.Window(arm(picture=lambda: np.full((*next(sizes), 3), 99, np.uint8)))
    for width, height in ((400, 300), (200, 100)):
        window.show(0)
        seen = screen(display)
        assert (seen[:, :, 0] >= 99).sum() == width * height
    window.close()


def test_a_window_keeps_the_environments_time(display):
    window = drawing.Window(arm(frames_per_second=20))
    window.show(0)
    began = time.time()
    for _ in range(10):
        window.show(0)
    assert 0.45 < time.time() - began < 1
    window.close()


def test_episodes_are_shown_from_their_beginning(display):
    env, window = arm(frames_per_second=1000), []
    shown = drawing.Shown(env)
    shown._window.show = window.append
    shown.reset()
    shown.showing = True
    shown.step([0, 0])  # of an episode that began before
    assert window == []
    assert (shown.reset() == env.env._observation()).all()
    rewards = [shown.step([1, 0])[1] for _ in range(3)]
    assert window == pytest.approx(np.cumsum(rewards))
    assert shown.frames_per_second == 1000 and shown.unwrapped is env.env


@pytest.mark.parametrize('where', [{}, {'DISPLAY': ':77'}, {'SDL_VIDEODRIVER': 'dummy'}])
def test_without_a_display_it_is_a_line_at_once(no_display, monkeypatch, capfd, where):
    for name, value in where.items():
        monkeypatch.setenv(name, value)
    drawing._pygame.cache_clear()  # as in a new process
    began = time.time()
    with pytest.raises(UsageError, match='--render opens a window, and there is no display here'):
        drawing.Window(arm())
    assert time.time() - began < 5
    assert capfd.readouterr() == ('', '')


WITH_TENSORFLOW = """
import fast_tf
import tensorflow.compat.v1 as tf
with tf.Graph().as_default(), tf.Session() as sess:
    print(sess.run(tf.matmul([[1.0, 2.0]], [[3.0], [4.0]])).item())

import os, signal
from tests.test_drawing import arm, drawing
env = arm()
window = drawing.Window(env)
for _ in range(5):
    env.step([1, 1])
    window.show(0)
with tf.Graph().as_default(), tf.Session() as sess:
    print(sess.run(tf.matmul([[1.0, 2.0]], [[3.0], [5.0]])).item(), flush=True)
"""
AS_IT_SHOULD_END = {'': 0, 'os.kill(os.getpid(), signal.SIGTERM)': -signal.SIGTERM}


@pytest.mark.parametrize('end', AS_IT_SHOULD_END)
def test_with_tensorflow_a_window_does_not_crash_and_signals_are_not_sdls(display, end):
    """With OpenGL in it, the process would end with a segmentation fault."""
    done = subprocess.run(
        [sys.executable, '-c', WITH_TENSORFLOW + end + '\nwindow.close()'],
        cwd=str(PROJECT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=100,
    )
    assert done.returncode == AS_IT_SHOULD_END[end], done.stderr
    assert (done.stdout.splitlines(), done.stderr) == (['11.0', '13.0'], '')
