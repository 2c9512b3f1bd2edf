"""Pages in a headless Chromium, as a reader sees them: TensorBoard's graph tab, and a run's own."""

import base64
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

# JavaScript: what matches the selector `arguments[0]`, also inside TensorBoard's own elements
FOUND = """
const selector = arguments[0], found = [];
function walk(root) {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches(selector)) found.push(element);
    if (element.shadowRoot) walk(element.shadowRoot);
  }
}
walk(document);
"""
# JavaScript: calls back once a page has been drawn twice more
DRAWN = """
const done = arguments[0];
requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
"""
# Chromium's options: no window, nothing but the page, and sharp enough for a picture
WORDS = [
    'headless',
    'no-sandbox',
    'disable-gpu',
    'disable-quic',
    'no-first-run',
    'disable-background-networking',
    'disable-component-update',
    'disable-sync',
    'window-size=1600,1400',
    'force-device-scale-factor=2',
]


@contextmanager
def tensorboard(logdir):
    """Serve `logdir` for as long as this lasts; yield the address."""
    server = subprocess.Popen(
        [sys.executable, '-m', 'tensorboard.main', '--logdir', str(logdir), '--port', '0'],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        universal_newlines=True,
    )
    try:
        port = None
        for line in server.stderr:
            port = re.search(r'TensorBoard .* at http://[^:]+:(\d+)', line)
            if port:
                break
        assert port, 'TensorBoard did not start'
        yield f'http://127.0.0.1:{port[1]}'
    finally:
        server.terminate()
        server.communicate()


def scalars(address):
    """Return the names of the scalars that TensorBoard shows, once there are any."""
    for _ in range(120):
        with urllib.request.urlopen(f'{address}/data/plugin/scalars/tags') as reply:
            runs = json.load(reply)
        if any(runs.values()):
            return {tag for tags in runs.values() for tag in tags}
        time.sleep(0.5)
    raise AssertionError('TensorBoard shows no scalars')


def open_browser(profile):
    """Return a Chromium that selenium drives; `profile` is a folder for its own files."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which('chromium')
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    for word in [*WORDS, f'user-data-dir={profile}']:
        options.add_argument(f'--{word}')
    return webdriver.Chrome(options=options, service=Service(shutil.which('chromedriver')))


def picture(url, size, script='', language='en', scale=1):
    """Return a PIL Image of a page: `size` in the page's pixels (width, height), times `scale`.

    `script` is JavaScript that runs before; what it has changed has been drawn again by then.
    """
    from PIL import Image

    metrics = dict(width=size[0], height=size[1], deviceScaleFactor=scale, mobile=False)
    with tempfile.TemporaryDirectory() as profile:
        browser = open_browser(profile)
        try:
            agent = browser.execute_script('return navigator.userAgent')
            said = dict(userAgent=agent, acceptLanguage=language)
            browser.execute_cdp_cmd('Network.setUserAgentOverride', said)
            browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', metrics)
            browser.execute_cdp_cmd('Emulation.setScrollbarsHidden', dict(hidden=True))
            browser.get(url)
            browser.execute_script(script)
            browser.execute_async_script(DRAWN)
            shot = browser.execute_cdp_cmd('Page.captureScreenshot', {})['data']
        finally:
            browser.quit()
    return Image.open(io.BytesIO(base64.b64decode(shot)))


class GraphTab(object):
    """The graph tab of the TensorBoard at `address`."""

    def __init__(self, address):
        self._profile = tempfile.mkdtemp()
        self.browser = open_browser(self._profile)
        self.browser.get(f'{address}/#graphs')
        self.wait_for('S')

    def boxes(self):
        """Return the names of the boxes that are drawn."""
        return set(self.run("return found.map(e => e.getAttribute('data-name'));", 'g.node'))

    def wait_for(self, name):
        """Wait until the box is drawn."""
        for _ in range(240):
            if name in self.boxes():
                return
            time.sleep(0.25)
        raise AssertionError(f'no box {name}, only {sorted(self.boxes())}')

    def open(self, name, inside):
        """Open a box by a double click, and wait for the box `inside` it."""
        self.run(
            "found[0].dispatchEvent(new MouseEvent('dblclick', {bubbles: true}));",
            f'g.node[data-name="{name}"] > g.nodeshape',
        )
        self.wait_for(inside)

    def close(self):
        self.browser.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def run(self, script, *arguments):
        """Run JavaScript that sees in `found` what matches the selector, the first argument."""
        return self.browser.execute_script(FOUND + script, *arguments)
