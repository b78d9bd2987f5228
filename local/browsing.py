"""Debian's Chromium without a window, in which the console is looked at."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from local.prerequisites import find_chromium

# A page that is longer makes a longer picture.
PICTURE: ViewportSize = {"width": 1280, "height": 800}


class ChromiumMissing(Exception):
    """There is no Chromium on this machine."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that asks nobody but whom it is told to. Raises `ChromiumMissing`."""
    path = find_chromium(os.environ)
    if path is None:
        raise ChromiumMissing("there is no Chromium here: `make browser` installs it, or says how")
    with sync_playwright() as playwright:
        # Containers have too little shared memory for it.
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


def take_picture(browser: Browser, address: str, path: Path) -> None:
    """A page as a PNG file, in light colours, as wide as `PICTURE` and as high as what is on it."""
    context = browser.new_context(viewport=PICTURE, color_scheme="light", reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(address)
        page.screenshot(path=path, full_page=True)
    finally:
        context.close()
