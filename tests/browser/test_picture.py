"""Pictures of the real page: one of each test run in build/, and the README's, which `make screenshot` takes."""

import struct
from pathlib import Path

from playwright.sync_api import Browser

from local.browsing import PICTURE as WINDOW
from local.browsing import take_picture
from local.screenshot import PICTURE
from local.system import REPOSITORY, System
from tests.browser.fleet import Fleet

# What a reader of the README waits for.
MOST_BYTES = 150_000


def size(png: Path) -> tuple[int, int]:
    """Its width and height (w3.org/TR/png, 11.2.2)."""
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_a_picture_of_the_page_that_was_tested_is_left_in_build(system: System, browser: Browser, fleet: Fleet) -> None:
    file = REPOSITORY / "build" / "console.png"
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    take_picture(browser, f"{system.addresses['console']}{fleet.search}&sort=rows&order=down", file)
    width, height = size(file)
    assert width == WINDOW["width"]
    # All that is on the page, and not what a window shows of it.
    assert height > WINDOW["height"]


def test_the_readmes_picture_is_as_wide_and_small_enough() -> None:
    assert size(PICTURE)[0] == WINDOW["width"]
    assert PICTURE.stat().st_size < MOST_BYTES
