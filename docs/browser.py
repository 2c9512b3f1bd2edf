"""Pages in a headless Chromium, as a reader sees them."""

import base64
import io
import shutil
import tempfile

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
