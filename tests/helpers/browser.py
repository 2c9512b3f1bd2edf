"""A headless Chromium that selenium drives."""

import shutil

# JavaScript: calls back once a page has been drawn twice more
DRAWN = """
const done = arguments[0];
requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
"""
# no window, and nothing but the page
WORDS = """headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking
disable-component-update disable-sync window-size=1600,1400"""


def open_browser(profile):
    """Return a Chromium; `profile` is a folder for its own files."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which('chromium')
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    for word in [*WORDS.split(), f'user-data-dir={profile}']:
        options.add_argument(f'--{word}')
    return webdriver.Chrome(options=options, service=Service(shutil.which('chromedriver')))
