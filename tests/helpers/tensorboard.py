"""TensorBoard, served, and its graph tab in a headless Chromium."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

from docs.browser import open_browser

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
