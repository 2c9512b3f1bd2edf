"""The page of a run in a real browser: its numbers are TensorFlow's and gym's."""

import re
import shutil
from urllib.parse import unquote, urlparse

import fast_tf  # noqa: F401  before TensorFlow
import numpy as np
import pytest

import ddpg
from docs import patch
from lab.environments import make_env
from lab.hyperparameters import hyperparameters, load, variant
from lab.page import has_page, write_page
from tests.helpers.browser import DRAWN, open_browser

pytest.importorskip('selenium', reason='selenium drives the browser')
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.skipif(
    not (shutil.which('chromium') and shutil.which('chromedriver')),
    reason='needs Chromium and its driver (apt-get install chromium chromium-driver)',
)
STEPS = 200
WIDE, NARROW = (1280, 900), (360, 640)


class Run(object):
    """A short run in memory, kept every so many episodes, and the address of its page."""

    def __init__(self, folder, env_name, episodes, every, best=None, lesson=ddpg, **numbers):
        lesson, self.env, self.rewards = variant(lesson, numbers), make_env(env_name), []
        self.sess, self.actor, self.critic, M = lesson.build(self.env, seed=1)
        self.variables = self.actor.e_params + self.critic.e_params
        self.counts, self.kept = [0], [self.sess.run(self.variables)]
        for episode in lesson.train(self.env, self.actor, self.critic, M, episodes):
            self.rewards.append(episode.reward)
            if (episode.index + 1) % every == 0:
                self.counts.append(episode.index + 1)
                self.kept.append(self.sess.run(self.variables))
        self.config = dict(program='ddpg', env=env_name, seed=1)
        self.config['hyperparameters'] = hyperparameters(lesson)
        self.best = None if best is None else (self.counts[best], self.named(self.kept[best]))
        self.address = self.write(folder / 'run.html')

    def named(self, values):
        """Return {name: value} of the trainable variables."""
        return {variable.name[:-2]: value for variable, value in zip(self.variables, values)}

    def load(self, k):
        """Go back to moment number k."""
        with self.sess.graph.as_default():
            for variable, value in zip(self.variables, self.kept[k]):
                variable.load(value, self.sess)

    def ask(self, states, k=-1):
        """Return what TensorFlow gives at moment k in `states` (n, state_dim): a, q and a_grad."""
        self.load(k)
        fetches = self.actor.a, self.critic.q, self.critic.a_grads
        return self.sess.run(fetches, {self.actor.S: states})

    def write(self, path, **instead):
        """Write the page, perhaps with something else in it; return its address."""
        about = dict(config=self.config, rewards=self.rewards, best=self.best)
        about.update(last=self.named(self.kept[-1]), probe=self.probe())
        about.update(moments=(self.counts, self.named(map(np.array, zip(*self.kept)))))
        write_page(path, **{**about, **instead})
        return path.as_uri()

    def probe(self):
        """Return 100 states all over the environment's, float32, and a and q there."""
        high = self.env.observation_space.high
        states = np.random.RandomState(1).uniform(-high, high, (100, len(high)))
        if len(high) == 3:
            states[:, :2] /= np.hypot(states[:, :1], states[:, 1:2])  # cos and sin
        return (np.float32(states), *self.ask(states)[:2])

    def play(self, state, action=None):
        """Return the states and the return of an episode that begins in the page's `state`.

        `action` is what is done in every step, if it is not the first policy's.
        """
        env, pendulum, states, total = self.env.unwrapped, len(state) == 2, [], 0.0
        self.load(0)
        if pendulum:
            env.state, observe = np.array(state), env._get_obs
        else:
            env.angles, env.goal, observe = *np.split(np.array(state), 2), env._observation
        for _ in range(STEPS):
            s = np.float32(observe())
            total += self.env.step(action or self.actor.choose_action(s))[1]
            states.append(env.state if pendulum else [*env.angles, *env.goal])
        return np.array(states), total


class Page(object):
    """A page in the browser."""

    def __init__(self, browser):
        self.browser, self.command = browser, browser.execute_cdp_cmd

    def open(self, run, size=WIDE, language='en', touch=False, colours='light', motion='any'):
        """Open the page of a Run, or an address."""
        width, height = size
        screen = dict(width=width, height=height, deviceScaleFactor=1, mobile=touch)
        agent = dict(userAgent=self.get('navigator.userAgent'), acceptLanguage=language)
        self.command('Emulation.setDeviceMetricsOverride', screen)
        self.command('Emulation.setTouchEmulationEnabled', dict(enabled=touch))
        self.command('Network.setUserAgentOverride', agent)
        wishes = {'prefers-color-scheme': colours, 'prefers-reduced-motion': motion}
        features = [dict(name=name, value=value) for name, value in wishes.items()]
        self.command('Emulation.setEmulatedMedia', dict(features=features))
        self.browser.get(getattr(run, 'address', run))
        self.wait('now.seen !== null')
        return self

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

    def click(self, name):
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
def swing(tmp_path_factory):
    """A run that has learned to swing up."""
    folder = tmp_path_factory.mktemp('swing')
    return Run(folder, 'Pendulum-v0', 60, 5, best=9, MEMORY_CAPACITY=2000)


@pytest.fixture(scope='module')
def reach(tmp_path_factory):
    """A run of the arm, too short to learn: it is arithmetic that counts here."""
    return Run(tmp_path_factory.mktemp('reach'), 'robot_arm:Arm-v0', 2, 1)


@pytest.fixture(scope='module')
def second_layer(tmp_path_factory):
    """The same of the pendulum, with the second layers of docs/change.md."""
    folder = tmp_path_factory.mktemp('second')
    patch.main('change', 'second-layer', folder / 'second.py')
    return Run(folder, 'Pendulum-v0', 2, 1, lesson=load(str(folder / 'second.py')))


@pytest.fixture(params=['swing', 'reach'])
def either(request):
    return request.getfixturevalue(request.param)


# ---- its numbers

ASK = """
const { actor, critic } = nets[LAST];
return arguments[0].map((s) => {
  const a = choose_action(actor, s);
  return [[...a], [q_value(critic, s, a)], [...action_gradient(critic, s, a)]];
});
"""


@pytest.mark.parametrize('name', ['swing', 'reach', 'second_layer'])
def test_actions_q_and_its_slope_are_tensorflows(name, request, page):
    run = request.getfixturevalue(name)
    states = run.probe()[0]
    answers = page.open(run).run(ASK, states.tolist())
    for got, wanted in zip(zip(*answers), run.ask(states)):
        assert np.abs(np.array(got) - wanted).max() < 1e-5
        assert np.abs(wanted).max() > 1e-3


def test_other_networks_have_no_page(swing, tmp_path):
    states, a, q = swing.probe()
    other = swing.named(swing.kept[-1])
    other['Actor/eval_net/l2/scale'] = np.ones(30)
    probes = (states, a, q + 0.01), (states, a + 0.01, q)
    for instead in (dict(probe=probes[0]), dict(probe=probes[1]), dict(last=other)):
        with pytest.raises(ValueError, match='only dense ReLU layers'):
            swing.write(tmp_path / 'run.html', **instead)
    assert not (tmp_path / 'run.html').exists()
    assert has_page(swing.config) and not has_page(dict(env='Reacher-v5'))


def test_two_hundred_steps_are_those_of_the_environment(either, page):
    """By the first policy: its weights are the same on every machine."""
    play = 'now.moment = 0; return arguments[0].map(play_on);'
    count = either.env.observation_space.shape[0]
    starts = np.random.RandomState(2).uniform(-1, 1, (20, 2 if count == 3 else 4))
    starts *= [3, 1] if count == 3 else [3, 3, 0.5, 0.5]
    for start, got in zip(starts, page.open(either).run(play, starts.tolist())):
        states, total = either.play(start.tolist())
        away = np.array(got['states'])[1:] - states
        if count > 3:
            away = (away + np.pi) % (2 * np.pi) - np.pi
        assert np.abs(away).max() < 1e-4
        assert abs(got['ep_reward'] - total) < 1e-4


def test_the_numbers_are_those_of_the_state_and_the_maps_of_all(swing, page):
    page.open(swing).click('last')
    page.rest(2, 1.5)
    s = np.float32([[np.cos(2), np.sin(2), 1.5]])
    shown = [float(page.shown(name)) for name in ('a', 'q_now', 'a_grad')]
    assert np.allclose(shown, np.ravel(swing.ask(s)), atol=6e-4)
    assert page.shown('s') == '-0.42, 0.91, 1.50'
    maps = page.get('Object.values(look_at_states(nets[LAST]))')
    angle, velocity = np.meshgrid(np.linspace(-np.pi, np.pi, 73), np.linspace(8, -8, 49))
    a, q, _ = swing.ask(np.stack([np.cos(angle), np.sin(angle), velocity], -1).reshape(-1, 3))
    assert np.allclose(maps, [np.ravel(q), np.ravel(a)], atol=1e-4)


# ---- what a reader does


def test_it_runs_and_stops_and_steps(page, swing):
    page.open(swing).wait('now.steps > 3')
    page.click('stop')
    steps = page.get('now.steps')
    assert page.pressed() == ['best', 'stop'] and page.get('now.steps') == steps
    page.click('one_step')
    page.do().send_keys('.').perform()
    assert f' {steps + 2} of 200' in page.shown('score')
    page.run('document.activeElement.blur()')
    page.do().send_keys(' ').perform()
    page.wait(f'now.steps > {steps + 3}')


@pytest.mark.parametrize('touch', [False, True])
def test_the_pendulum_is_dragged_by_the_mouse_and_by_a_finger(touch, page, swing):
    page.open(swing, NARROW, touch=touch).rest(np.pi, 0)
    page.run('$("world").scrollIntoView({ block: "center" })')
    left, top = page.get('Object.values($("world").getBoundingClientRect().toJSON()).slice(0, 2)')
    (x, y), length = page.get('Object.values(pendulum_place($("world")))')
    below, beside = dict(x=left + x, y=top + y + length), dict(x=left + x - length, y=top + y)
    for kind, finger, place in (
        ('mousePressed', 'touchStart', below),
        ('mouseMoved', 'touchMove', beside),
        ('mouseReleased', 'touchEnd', beside),
    ):
        if touch:
            points = [] if finger == 'touchEnd' else [place]
            page.command('Input.dispatchTouchEvent', dict(type=finger, touchPoints=points))
        else:
            about = dict(place, type=kind, button='left', clickCount=1)
            page.command('Input.dispatchMouseEvent', about)
    page.wait('now.held === null && Math.abs(angle_normalize(now.state[0] - Math.PI / 2)) < 0.02')


def test_it_is_pushed_by_keys_and_by_buttons(page, swing):
    page.open(swing)
    for key, button, speed in ((Keys.ARROW_LEFT, 'left', 2), (Keys.ARROW_RIGHT, 'right', -2)):
        for push in (page.do().send_keys(key), page.do().click(page.find(button))):
            page.rest(np.pi, 0)
            push.perform()
            assert page.get('now.state') == [np.pi, speed]


def test_by_hand_the_keys_give_the_torque_and_the_return_is_counted(swing, page):
    page.open(swing).click('by_hand')
    assert page.pressed() == ['by_hand', 'stop']
    assert page.get('now.steps') == 0 and 'to begin' in page.shown('score')
    page.do().key_down(Keys.ARROW_RIGHT).perform()
    page.wait('now.torque === -2 && now.steps > 5')
    page.run('while (now.steps < 200) step();')
    page.do().key_up(Keys.ARROW_RIGHT).perform()
    page.wait('now.torque === 0')
    policy = page.get('play_on([Math.PI, 0]).ep_reward')
    total = swing.play([np.pi, 0], [-2])[1]
    assert page.shown('score') == f'○ You {total:.1f} · 200 of 200 steps · policy {policy:.1f}'
    assert not page.get('now.running')


def test_the_slider_the_curve_and_the_buttons_choose_the_moment(swing, page):
    page.open(swing)
    assert page.pressed() == ['best'] and page.shown('when') == 'after 45 episodes'
    slider = page.find('moment')
    for key, episode in ((Keys.ARROW_RIGHT, 50), (Keys.ARROW_LEFT, 45), (Keys.HOME, 0)):
        slider.send_keys(key)
        assert page.shown('when') == f'after {episode} episodes'
    x = page.get('returns_plot($("returns"), data.rewards).x(31)')
    page.at('returns', x, 50).click().perform()
    assert page.shown('when') == 'after 30 episodes' and slider.get_attribute('value') == '30'
    page.rest(1, 0.5)
    a, q, _ = swing.ask([[np.cos(1), np.sin(1), 0.5]], 6)
    assert abs(float(page.shown('a')) - a) < 1e-3 and abs(float(page.shown('q_now')) - q) < 1e-3
    page.click('last')
    assert page.pressed() == ['last'] and page.shown('when') == 'after 60 episodes'


def test_the_run_is_played(page, swing):
    page.open(swing).run('$("play").click(); now.running = false;')
    assert page.get('data.episodes[now.moment]') == 10  # where learning begins
    assert 'play' in page.pressed()
    page.run('for (let k = 0; k < 100; k++) step();')
    assert page.get('[data.episodes[now.moment], ...now.state]') == [15, np.pi, 0]
    page.run('while (now.playing) step();')
    assert page.pressed() == ['last', 'stop']


def test_a_click_on_a_map_puts_the_pendulum_there(page, swing):
    page.open(swing)
    for name in ('q_map', 'a_map'):
        page.rest(np.pi, 0)
        x, y = page.run('const { x, y } = map_plot($(arguments[0])); return [x(90), y(-4)];', name)
        page.at(name, x, y).click().perform()
        angle, velocity = page.get('now.state')
        assert abs(angle - np.pi / 2) < 0.03 and abs(velocity + 4) < 0.15
        page.find(name).send_keys(Keys.ARROW_LEFT, Keys.ARROW_UP)
        assert np.allclose(page.get('now.state'), [angle - np.radians(5), velocity + 0.5])


def test_the_arms_goal_follows_the_pointer_and_the_keys(page, reach):
    page.open(reach).click('stop')
    assert page.get('$("by_hand") === null && $("maps") === null && $("best").hidden')
    for goal, wanted in (((0.3, 0), (0.3, 0)), ((0, 0.9), (0, 0.5))):  # or as near as goals lie
        x, y = page.run('return arm_place($("world")).pixels(arguments[0])', goal)
        page.at('world', x, y).perform()
        assert np.allclose(page.get('now.state.slice(2)'), wanted, atol=0.01)
    x, y = page.get('now.state.slice(2)')
    page.find('world').send_keys(Keys.ARROW_LEFT, Keys.ARROW_DOWN)
    assert np.allclose(page.get('now.state.slice(2)'), [x - 0.05, y - 0.05])
    assert page.shown('s').split(', ')[4:6] == [f'{x - 0.05:.2f}', f'{y - 0.05:.2f}']


# ---- language, colours, size

CHINESE = """
const words = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility())
  .flatMap((e) => [...e.childNodes]).filter((e) => e.nodeType === 3).map((e) => e.data);
const labels = [...document.querySelectorAll('[data-label]')].map((e) => e.ariaLabel);
const chinese = (texts) => texts.filter((text) => /[\\u4e00-\\u9fff]/.test(text)).length;
return [chinese(words), chinese(labels), labels.length];
"""


def test_it_speaks_the_browsers_language_and_the_other(either, page):
    for language in ('zh-CN', 'en-GB'):
        page.open(either, language=language)
        assert page.get('document.documentElement.lang')[:2] == language[:2]
        for shown in (language[:2], 'en' if language == 'zh-CN' else 'zh'):
            page.browser.execute_async_script(DRAWN)  # what changes with the steps is drawn then
            words, labels, count = page.run(CHINESE)
            assert (words > 15 and labels == count) if shown == 'zh' else (words, labels) == (1, 0)
            page.click('language')  # whose own word is in the other language


def test_it_is_dark_or_still_where_the_system_is(page, swing):
    colours = '[document.body, $("s")].map((e) => getComputedStyle(e)).map('
    colours += '(e) => [e.backgroundColor, e.color].map((c) => Number(c.match(/\\d+/)[0])))'
    page.open(swing, colours='dark', motion='reduce')
    (background, _), (_, text) = page.get(colours)
    assert background < 60 and text > 200
    assert page.get('now.steps') == 0 and page.pressed() == ['best', 'stop']
    page.open(swing, colours='light')
    (background, _), (_, text) = page.get(colours)
    assert background > 200 and text < 60
    page.wait('now.steps > 0')


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_it_fits_a_narrow_screen(language, either, page):
    page.open(either, NARROW, language, touch=True)
    assert page.get('document.documentElement.scrollWidth') <= 360
    edges = '[...document.querySelectorAll("body *")].map((e) => e.getBoundingClientRect().right)'
    assert max(page.get(edges)) <= 360
    assert page.get('$("timeline").getBoundingClientRect().bottom') == 640  # within reach


# ---- what is in it


def test_it_is_one_small_file(swing, tmp_path, monkeypatch):
    path = tmp_path / 'run.html'
    swing.write(path)
    text = path.read_text(encoding='utf-8')
    assert len(text.encode('utf-8')) < 400000
    assert not re.search(r'src=|url\(|@import|stylesheet', text)
    monkeypatch.setattr('lab.page.MOST_BYTES', 4 * 332 * 5)  # of larger networks it keeps fewer
    swing.write(path)
    assert '"episodes":[0,15,30,45,60],"best":3' in path.read_text(encoding='utf-8')


def test_names_in_a_run_are_text(swing, page, tmp_path):
    evil = '</script><script>hacked = 1</script><img src=x onerror="hacked = 1">'
    folder = tmp_path / '<img src=x onerror=alert(1)>'
    folder.mkdir()
    config = dict(swing.config, program=evil, seed=evil)
    page.open(swing.write(folder / 'run.html', config=config))
    assert page.get('typeof hacked') == 'undefined' and page.get('document.images.length') == 0
    assert evil in page.shown('facts')


def test_its_links_lead_to_sections_that_are_there(either, page):
    links = page.open(either).get('[...document.links].map((link) => link.href)')
    local = [urlparse(link) for link in links if link.startswith('file:')]
    assert len(local) >= 8
    for link in local:
        with open(unquote(link.path), encoding='utf-8') as file:
            titles = re.findall(r'(?m)^#+ (.+)$', file.read())
        slugs = [re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-') for title in titles]
        assert unquote(link.fragment) in slugs, link
