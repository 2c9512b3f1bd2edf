"""The page of a run in a real browser: its numbers are TensorFlow's and gym's."""

import base64
import json
import re
import shutil
import time
from urllib.parse import unquote, urlparse

import fast_tf  # noqa: F401  before TensorFlow
import numpy as np
import pytest

import ddpg
from docs.browser import DRAWN, open_browser
from lab.environments import make_env
from lab.hyperparameters import hyperparameters, variant
from lab.page import has_page, write_page
from tests.helpers.program import PROJECT

pytest.importorskip('selenium', reason='selenium drives the browser')
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.skipif(
    not (shutil.which('chromium') and shutil.which('chromedriver')),
    reason='needs Chromium and its driver (apt-get install chromium chromium-driver)',
)
STEPS = 200


class Run(object):
    """A short run of `ddpg.py` in memory, with what its page is made of."""

    def __init__(self, env_name, episodes, every, **numbers):
        lesson, self.env, self.rewards = variant(ddpg, numbers), make_env(env_name), []
        self.sess, self.actor, self.critic, M = lesson.build(self.env, seed=1)
        self.variables = self.actor.e_params + self.critic.e_params
        counts, kept = [0], [self.sess.run(self.variables)]
        for episode in lesson.train(self.env, self.actor, self.critic, M, episodes):
            self.rewards.append(episode.reward)
            if (episode.index + 1) % every == 0:
                counts.append(episode.index + 1)
                kept.append(self.sess.run(self.variables))
        names = [variable.name[:-2] for variable in self.variables]
        self.moments = counts, {n: np.array([w[i] for w in kept]) for i, n in enumerate(names)}
        self.config = dict(program='ddpg', env=env_name, seed=1)
        self.config['hyperparameters'] = hyperparameters(lesson)

    def weights(self, k):
        """Return {name: value} at moment number k."""
        return {name: values[k] for name, values in self.moments[1].items()}

    def ask(self, states):
        """Return what TensorFlow gives in `states` (n, state_dim): a, q and a_grad."""
        fetches = self.actor.a, self.critic.q, self.critic.a_grads
        return self.sess.run(fetches, {self.actor.S: states})

    def write(self, path, best=None, **config):
        """Write the page, with the moment number `best` as the best one; return its address."""
        if best is not None:
            best = self.moments[0][best], self.weights(best)
        states = np.random.RandomState(0).normal(size=(20, int(self.actor.S.shape[1])))
        probe, config = (states, *self.ask(states)[:2]), dict(self.config, **config)
        write_page(path, config, self.rewards, self.moments, best, self.weights(-1), probe)
        return path.as_uri()

    def states(self):
        """Return 100 states all over the environment's, (100, state_dim), float32."""
        high = self.env.observation_space.high
        states = np.random.RandomState(1).uniform(-high, high, (100, len(high)))
        if len(high) == 3:
            states[:, :2] /= np.hypot(states[:, :1], states[:, 1:2])  # cos and sin
        return np.float32(states)

    def play(self, state):
        """Return the states and the rewards of an episode that begins in the page's `state`."""
        env, pendulum, states, rewards = self.env.unwrapped, len(state) == 2, [state], []
        if pendulum:
            env.state = np.array(state)
            s = np.float32(env._get_obs())
        else:
            env.angles, env.goal = np.array(state[:2]), np.array(state[2:])
            s = env._observation()
        for _ in range(STEPS):
            s, r, _, _ = self.env.step(self.actor.choose_action(s))
            states.append(env.state if pendulum else [*env.angles, *env.goal])
            rewards.append(r)
        return np.array(states), np.array(rewards)


class Page(object):
    """A page in the browser."""

    def __init__(self, browser):
        self.browser, self.command = browser, browser.execute_cdp_cmd

    def open(self, address, size=(1280, 900), language='en', touch=False, **media):
        width, height = size
        screen = dict(width=width, height=height, deviceScaleFactor=1, mobile=touch)
        agent = dict(userAgent=self.get('navigator.userAgent'), acceptLanguage=language)
        self.command('Emulation.setDeviceMetricsOverride', screen)
        self.command('Emulation.setTouchEmulationEnabled', dict(enabled=touch))
        self.command('Network.setUserAgentOverride', agent)
        self.prefer(**media)
        self.browser.get(address)
        self.wait('now.seen !== null')
        return self

    def prefer(self, color_scheme='light', reduced_motion='no-preference'):
        wishes = {'prefers-color-scheme': color_scheme, 'prefers-reduced-motion': reduced_motion}
        features = [dict(name=name, value=value) for name, value in wishes.items()]
        self.command('Emulation.setEmulatedMedia', dict(features=features))

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def get(self, expression):
        return self.run(f'return {expression}')

    def wait(self, condition):
        """Wait until a condition, in JavaScript, holds."""
        WebDriverWait(self.browser, 20, 0.05).until(lambda _: self.get(condition), condition)

    def rest(self, *state):
        """Stop in a state."""
        self.run('now.running = false; begin(arguments[0]);', [float(x) for x in state])

    def find(self, name):
        return self.browser.find_element('id', name)

    def click(self, *names):
        for name in names:
            self.find(name).click()

    def do(self):
        return ActionChains(self.browser, duration=20)

    def at(self, name, x, y):
        """Return what moves the pointer to x, y in pixels from an element's upper left."""
        size = self.find(name).size
        offset = round(x - size['width'] / 2), round(y - size['height'] / 2)
        return self.do().move_to_element_with_offset(self.find(name), *offset)

    def shown(self, name):
        """Return the text of an element, as it is once it has been drawn."""
        self.browser.execute_async_script(DRAWN)
        return self.get(f'$("{name}").textContent')

    def pressed(self):
        """Return the names of the buttons that are pressed."""
        self.browser.execute_async_script(DRAWN)
        return self.get("[...document.querySelectorAll('[aria-pressed=true]')].map((e) => e.id)")


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    browser = open_browser(tmp_path_factory.mktemp('profile'))
    yield browser
    browser.quit()


@pytest.fixture
def page(browser):
    """A page that must leave the console empty."""
    browser.get_log('browser')
    yield Page(browser)
    assert browser.get_log('browser') == []


@pytest.fixture(scope='module')
def swing():
    """A run that has learned to swing up."""
    return Run('Pendulum-v0', 60, 5, MEMORY_CAPACITY=2000)


@pytest.fixture(scope='module')
def reach():
    """A run of the arm, too short to learn: it is arithmetic that counts here."""
    return Run('robot_arm:Arm-v0', 2, 1)


@pytest.fixture(scope='module')
def swing_page(swing, tmp_path_factory):
    return swing.write(tmp_path_factory.mktemp('swing') / 'run.html', best=9)


@pytest.fixture(scope='module')
def reach_page(reach, tmp_path_factory):
    return reach.write(tmp_path_factory.mktemp('reach') / 'run.html')


@pytest.fixture(params=['swing', 'reach'])
def either(request):
    """A run and its page's address: of the pendulum, and of the arm."""
    return [request.getfixturevalue(name) for name in (request.param, f'{request.param}_page')]


# ---- its numbers

ASK = """
const { actor, critic } = nets[LAST];
return arguments[0].map((s) => {
  const a = choose_action(actor, s);
  return [[...a], [q_value(critic, s, a)], [...action_gradient(critic, s, a)]];
});
"""


def test_actions_q_and_its_slope_are_tensorflows(either, page):
    run, address = either
    answers = page.open(address).run(ASK, run.states().tolist())
    for got, wanted in zip(zip(*answers), run.ask(run.states())):
        assert np.abs(np.array(got) - wanted).max() < 1e-5
        assert np.abs(wanted).max() > 1e-3


@pytest.fixture(scope='module')
def best():
    """The best policy of the page in docs/: its weights are the same on every machine."""
    text = (PROJECT / 'docs' / 'run.html').read_text(encoding='utf-8')
    data = json.loads(re.search('type="application/json">(.*?)</script>', text)[1])
    flat = np.frombuffer(base64.b64decode(data['weights']), '<f4')
    flat, run = flat.reshape(len(data['episodes']), -1)[data['best']], Run(data['env'], 0, 1)
    with run.sess.graph.as_default():
        for variable in run.variables:
            shape = variable.shape.as_list()
            value, flat = np.split(flat, [np.prod(shape)])
            variable.load(value.reshape(shape), run.sess)
    assert flat.size == 0
    return run


def compare_steps(run, page, starts):
    """Compare STEPS steps of the page with those of the run; return the mean return."""
    play, returns = 'now.moment = BEST; return arguments[0].map(play_on);', []
    for start, got in zip(starts, page.run(play, starts.tolist())):
        states, rewards = run.play(start.tolist())
        away = np.array(got['states']) - states
        if len(start) == 4:
            away = (away + np.pi) % (2 * np.pi) - np.pi
        assert np.abs(away).max() < 1e-4
        assert abs(got['ep_reward'] - rewards.sum()) < 1e-4
        returns.append(rewards.sum())
    return np.mean(returns)


def test_two_hundred_steps_of_the_pendulum_are_gyms(best, page):
    page.open((PROJECT / 'docs' / 'run.html').as_uri())
    starts = np.random.RandomState(5).uniform(-1, 1, (20, 2)) * [np.pi, 1]
    assert compare_steps(best, page, starts) > -300  # it swings up


def test_two_hundred_steps_of_the_arm_are_those_of_robot_arm(reach, page, reach_page):
    starts = np.random.RandomState(2).uniform(-1, 1, (20, 4)) * [3, 3, 0.5, 0.5]
    compare_steps(reach, page.open(reach_page), starts)


def forward(weights, s, a=None):
    """Return mu(s) and Q(s, a) of dense ReLU layers in NumPy; without `a`, of the actor's own."""
    w = [value for name, value in weights.items() if name.startswith('Actor')]
    w1_s, w1_a, b1, *more = [value for name, value in weights.items() if name.startswith('Critic')]
    if a is None:
        net = s
        for k in range(0, len(w) - 2, 2):
            net = np.maximum(net @ w[k] + w[k + 1], 0)
        a = 2 * np.tanh(net @ w[-2] + w[-1])
    q = s @ w1_s + a @ w1_a + b1
    for k in range(0, len(more), 2):
        q = np.maximum(q, 0) @ more[k] + more[k + 1]
    return a, q


def test_a_students_second_layers_are_computed_too(swing, page, tmp_path):
    draw, weights, states = np.random.RandomState(0), {}, swing.states()
    for name, value in swing.weights(-1).items():
        weights[name] = value
        if name.endswith(('l1/b', 'l1/b1')):
            weights[f'{name[:-2]}/l2/w'] = draw.normal(0, 0.3, (30, 30))
            weights[f'{name[:-2]}/l2/b'] = draw.normal(0, 0.3, 30)
    a, q = forward(weights, states)
    path, moments = tmp_path / 'run.html', ([0], {n: [value] for n, value in weights.items()})
    write_page(path, swing.config, [0.0, 0.0], moments, None, weights, (states, a, q))
    answers = page.open(path.as_uri()).run(ASK, states.tolist())
    got_a, got_q, a_grad = (np.array(column) for column in zip(*answers))
    assert np.abs(got_a - a).max() < 1e-5 and np.abs(got_q - q).max() < 1e-5
    slope = (forward(weights, states, a + 1e-6)[1] - forward(weights, states, a - 1e-6)[1]) / 2e-6
    assert np.mean(np.abs(a_grad - slope) < 1e-4) > 0.97  # there may be a kink in between


def test_other_networks_have_no_page(swing, tmp_path):
    path, states, last = tmp_path / 'run.html', swing.states(), swing.weights(-1)
    a, q, _ = swing.ask(states)
    other = dict(last, **{'Actor/eval_net/l2/scale': np.ones(30)})
    for weights, probe in ((last, (states, a, q + 0.01)), (other, (states, a, q))):
        moments = [0], {name: [value] for name, value in weights.items()}
        with pytest.raises(ValueError, match='only dense ReLU layers'):
            write_page(path, swing.config, [0.0], moments, None, weights, probe)
    assert not path.exists()
    assert has_page(swing.config) and not has_page(dict(env='Reacher-v5'))


def test_the_numbers_are_those_of_the_state_and_the_maps_of_all(swing, page, swing_page):
    page.open(swing_page).click('last')
    page.rest(2, 1.5)
    s = np.float32([[np.cos(2), np.sin(2), 1.5]])
    shown = [float(page.shown(name)) for name in ('a', 'q_now', 'a_grad')]
    assert np.allclose(shown, np.ravel(swing.ask(s)), atol=6e-4)
    assert page.shown('s') == '-0.42, 0.91, 1.50'
    G = np.sum(swing.play([2, 1.5])[1] / 10 * 0.9 ** np.arange(STEPS))
    assert abs(float(page.shown('G')) - G) < 1e-3
    maps = page.get('Object.values(look_at_states(nets[LAST]))')
    angle, velocity = np.meshgrid(np.linspace(-np.pi, np.pi, 73), np.linspace(8, -8, 49))
    wanted = swing.ask(np.transpose([np.cos(angle), np.sin(angle), velocity]).reshape(-1, 3))
    a, q, _ = (values.reshape(73, 49).T.ravel() for values in wanted)
    assert np.allclose(maps, [q, a], atol=1e-4)


# ---- what a reader does


def test_it_runs_stops_steps_and_is_slow(page, swing_page):
    page.open(swing_page).wait('now.steps > 3')
    page.click('stop')
    steps = page.get('now.steps')
    assert page.pressed() == ['best', 'stop'] and page.get('now.steps') == steps
    page.click('one_step')
    page.do().send_keys('.').perform()
    assert f' {steps + 2} of 200' in page.shown('score')
    page.run('document.activeElement.blur()')
    page.do().send_keys(' ').perform()
    page.wait(f'now.steps > {steps + 3}')
    times = []
    for _ in range(2):
        page.run('begin(world.reset())')
        began = time.perf_counter()
        page.wait('now.steps >= 8')
        times.append(time.perf_counter() - began)
        page.click('slow')
    assert times[1] > 2 * times[0]


def test_the_pendulum_is_dragged_and_thrown(page, swing_page):
    page.open(swing_page)
    (x, y), length = page.get('Object.values(pendulum_place($("world")))')
    for still, low, high in ((0.3, 0, 0), (0, 1, 8)):
        page.rest(np.pi, 0)
        drag = page.at('world', x + length, y).click_and_hold()
        drag.move_by_offset(-round(length), -round(length)).pause(still).release().perform()
        page.wait('now.held === null && now.state[0] !== Math.PI')
        angle, velocity = page.get('now.state')
        assert abs((angle + np.pi) % (2 * np.pi) - np.pi) < 0.02
        assert low <= velocity <= high  # counterclockwise


def test_it_is_dragged_by_a_finger(page, swing_page):
    page.open(swing_page, (360, 640), touch=True).rest(np.pi, 0)
    page.run('$("world").scrollIntoView({ block: "center" })')
    left, top = page.get('Object.values($("world").getBoundingClientRect().toJSON()).slice(0, 2)')
    (x, y), length = page.get('Object.values(pendulum_place($("world")))')
    for kind, *points in (
        ('touchStart', dict(x=left + x, y=top + y + length)),
        ('touchMove', dict(x=left + x - length, y=top + y)),
        ('touchEnd',),
    ):
        page.command('Input.dispatchTouchEvent', dict(type=kind, touchPoints=points))
    page.wait('now.held === null && Math.abs(angle_normalize(now.state[0] - Math.PI / 2)) < 0.02')


def test_it_is_pushed_by_keys_and_by_buttons(page, swing_page):
    page.open(swing_page)
    for key, button, speed in ((Keys.ARROW_LEFT, 'left', 2), (Keys.ARROW_RIGHT, 'right', -2)):
        page.rest(np.pi, 0)
        page.do().send_keys(key).perform()
        assert page.get('now.state') == [np.pi, speed]
        page.rest(np.pi, 0)
        page.click(button)
        assert page.get('now.state') == [np.pi, speed]


def test_by_hand_the_keys_give_the_torque_and_the_return_is_counted(swing, page, swing_page):
    page.open(swing_page).click('by_hand')
    assert page.pressed() == ['by_hand', 'stop']
    assert page.get('now.steps') == 0 and 'to begin' in page.shown('score')
    page.do().key_down(Keys.ARROW_RIGHT).perform()
    page.wait('now.torque === -2 && now.steps > 5')
    page.do().key_up(Keys.ARROW_RIGHT).perform()
    page.wait('now.torque === 0')
    page.run('while (now.steps < 200) step();')
    env, states, total = swing.env.unwrapped, page.get('now.trail'), 0.0
    for before, after in zip(states, states[1:]):  # the torque was -2 for a while, and then none
        for torque in (0, -2):
            env.state = np.array(before)
            r = env.step(np.float32([torque]))[1]
            if np.allclose(env.state, after, atol=1e-6):
                total += r
                break
        else:
            raise AssertionError('another torque')
    policy = page.get('play_on([Math.PI, 0]).ep_reward')
    assert page.shown('score') == f'○ You {total:.1f} · 200 of 200 steps · policy {policy:.1f}'
    assert not page.get('now.running')


def test_the_slider_and_the_curve_choose_the_moment(swing, page, swing_page):
    page.open(swing_page)
    assert page.pressed() == ['best'] and page.shown('when') == 'after episode 45'
    slider = page.find('moment')
    for keys, episode in (
        ([Keys.ARROW_RIGHT], 50),
        ([Keys.ARROW_LEFT] * 2, 40),
        ([Keys.HOME], 0),
    ):
        slider.send_keys(*keys)
        assert page.shown('when') == f'after episode {episode}'
    x = page.get('returns_plot($("returns"), data.rewards).x(31)')
    page.at('returns', x, 50).click().perform()
    assert page.shown('when') == 'after episode 30' and slider.get_attribute('value') == '30'
    page.rest(1, 0.5)
    a, q = forward(swing.weights(6), np.array([[np.cos(1), np.sin(1), 0.5]]))
    assert abs(float(page.shown('a')) - a) < 1e-3 and abs(float(page.shown('q_now')) - q) < 1e-3
    for name, episode in (('last', 60), ('best', 45)):
        page.click(name)
        assert page.pressed() == [name] and page.shown('when') == f'after episode {episode}'


def test_the_run_is_played(page, swing_page):
    page.open(swing_page).click('play')
    page.wait('now.moment >= 3 && now.state[0] > 2.5')  # at the bottom again
    assert 'play' in page.pressed()
    page.click('play')
    moment = page.get('now.moment')
    assert 'play' not in page.pressed()
    page.click('play')
    assert page.get('now.moment') == moment  # it goes on
    page.click('last', 'play')
    assert page.get('data.episodes[now.moment]') == 10  # where learning begins
    page.run('show_moment(LAST); while (now.playing) step();')
    assert page.pressed() == ['last']


def test_a_click_on_a_map_puts_the_pendulum_there(page, swing_page):
    page.open(swing_page)
    for name in ('q_map', 'a_map'):
        page.rest(np.pi, 0)
        x, y = page.run('const { x, y } = map_plot($(arguments[0])); return [x(90), y(-4)];', name)
        page.at(name, x, y).click().perform()
        angle, velocity = page.get('now.state')
        assert abs(angle - np.pi / 2) < 0.03 and abs(velocity + 4) < 0.15
        page.find(name).send_keys(Keys.ARROW_LEFT, Keys.ARROW_UP)
        assert np.allclose(page.get('now.state'), [angle - np.radians(5), velocity + 0.5])


def test_the_arms_goal_follows_the_pointer_and_the_keys(page, reach_page):
    page.open(reach_page).click('stop')
    assert page.get('$("by_hand") === null && $("maps") === null && $("best").hidden')
    for goal, wanted in (((0.3, 0), (0.3, 0)), ((0, 0.9), (0, 0.5))):  # or as near as goals lie
        x, y = page.run('return arm_place($("world")).pixels(arguments[0])', goal)
        page.at('world', x, y).perform()
        assert np.allclose(page.get('now.state.slice(2)'), wanted, atol=0.01)
    x, y = page.get('now.state.slice(2)')
    page.find('world').send_keys(Keys.ARROW_LEFT, Keys.ARROW_DOWN)
    assert np.allclose(page.get('now.state.slice(2)'), [x - 0.05, y - 0.05])
    assert page.shown('s').split(', ')[4:6] == [f'{x - 0.05:.2f}', f'{y - 0.05:.2f}']
    steps = page.get('now.steps')
    page.click('one_step')
    assert page.get('now.steps') == steps + 1


# ---- language, colours, size

CHINESE = """
const words = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility())
  .flatMap((e) => [...e.childNodes]).filter((e) => e.nodeType === 3).map((e) => e.data);
const labels = [...document.querySelectorAll('[data-label]')].map((e) => e.ariaLabel);
const chinese = (texts) => texts.filter((text) => /[\\u4e00-\\u9fff]/.test(text)).length;
return [chinese(words), words.length, chinese(labels), labels.length];
"""


def test_it_speaks_the_browsers_language_and_the_other(either, page):
    for language in ('zh-CN', 'en-GB'):
        page.open(either[1], language=language)
        assert page.get('document.documentElement.lang')[:2] == language[:2]
        for shown in (language[:2], 'en' if language == 'zh-CN' else 'zh'):
            page.browser.execute_async_script(DRAWN)  # what changes with the steps is drawn then
            words, _, labels, count = page.run(CHINESE)
            assert (words > 15 and labels == count) if shown == 'zh' else (words, labels) == (1, 0)
            page.click('language')  # whose own word is in the other language
    for name, pair in page.get('words').items():
        assert len(pair) == 2, name


def test_it_is_dark_or_still_where_the_system_is(page, swing_page):
    colours = '[document.body, $("s")].map((e) => getComputedStyle(e)).map('
    colours += '(e) => [e.backgroundColor, e.color].map((c) => Number(c.match(/\\d+/)[0])))'
    page.open(swing_page, color_scheme='dark', reduced_motion='reduce')
    (background, _), (_, text) = page.get(colours)
    assert background < 60 and text > 200
    assert page.get('now.steps') == 0 and page.pressed() == ['best', 'stop']
    page.prefer('light')
    (background, _), (_, text) = page.get(colours)
    assert background > 200 and text < 60
    page.wait('!now.changed')  # it was drawn anew
    assert sum(page.get('[...$("q").getContext("2d").getImageData(80, 12, 1, 1).data]')) == 0


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_it_fits_a_narrow_screen(language, either, page):
    page.open(either[1], (360, 640), language, touch=True)
    assert page.get('document.documentElement.scrollWidth') <= 360
    edges = '[...document.querySelectorAll("body *")].map((e) => e.getBoundingClientRect().right)'
    assert max(page.get(edges)) <= 360
    assert page.get('$("timeline").getBoundingClientRect().bottom') == 640  # within reach


# ---- what is in it


def test_it_is_one_small_file_written_at_once(swing, tmp_path, monkeypatch):
    path, began = tmp_path / 'run.html', time.perf_counter()
    swing.write(path, best=9)
    assert time.perf_counter() - began < 1
    text = path.read_text(encoding='utf-8')
    assert len(text.encode('utf-8')) < 400000
    assert not re.search(r'src=|url\(|@import|stylesheet', text)
    monkeypatch.setattr('lab.page.MOST_BYTES', 4 * 332 * 5)  # of larger networks it keeps fewer
    swing.write(path, best=9)
    assert '"episodes":[0,15,30,45,60],"best":3' in path.read_text(encoding='utf-8')


def test_names_in_a_run_are_text(swing, page, tmp_path):
    evil = '</script><script>hacked = 1</script><img src=x onerror="hacked = 1">'
    folder = tmp_path / '<img src=x onerror=alert(1)>'
    folder.mkdir()
    page.open(swing.write(folder / 'run.html', program=evil, seed=evil))
    assert page.get('typeof hacked') == 'undefined' and page.get('document.images.length') == 0
    assert evil in page.shown('facts')


def test_its_links_lead_to_sections_that_are_there(either, page):
    links = page.open(either[1]).get('[...document.links].map((link) => link.href)')
    local = [urlparse(link) for link in links if link.startswith('file:')]
    assert len(local) >= 8
    for link in local:
        with open(unquote(link.path), encoding='utf-8') as file:
            titles = re.findall(r'(?m)^#+ (.+)$', file.read())
        slugs = [re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles]
        assert unquote(link.fragment) in slugs, link
