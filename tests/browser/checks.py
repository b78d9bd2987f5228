"""What is true of every page: people can use it by mouse and keys, it fits, and what people named is text in it."""

import itertools
from collections.abc import Sequence
from typing import Any, Literal

from playwright.sync_api import Page

from tests.browser.visitor import Visitor

COLOUR_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (1280, 390)
# What pages are made of. Nothing else comes in, whatever people name their configs, tabs and columns.
ELEMENTS = {
    *("html", "head", "meta", "title", "link", "script", "body", "header", "nav", "main", "section", "div", "p"),
    *("h1", "h2", "h3", "dl", "dt", "dd", "ul", "li", "a", "img", "span", "b", "strong", "code", "time", "svg", "path"),
    *("details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "form", "label", "input", "button"),
    *("select", "option", "textarea", "datalist"),
}
OURS, GOOGLES = ("/", "#"), ("https://docs.google.com/", "https://console.cloud.google.com/")


def trouble(visitor: Visitor) -> list[str]:
    """What axe finds, and what sticks out, in both colours on a screen and on a phone; and what no key reaches."""
    wrong: list[str] = []
    for color_scheme, width in itertools.product(COLOUR_SCHEMES, WIDTHS):
        visitor.page.emulate_media(color_scheme=color_scheme)
        visitor.page.set_viewport_size({"width": width, "height": 800})
        wrong += [f"{color_scheme}, {width} px: {each}" for each in (*visitor.violations(), *visitor.overflow())]
    return wrong + [f"Tab does not reach {each}" for each in visitor.unreached()]


def missing(page: Page, shows: Sequence[str]) -> list[str]:
    """What of that is not to be read on the page."""
    told = page.locator("main").inner_text()
    return [text for text in shows if text not in told]


def assert_plain(page: Page) -> None:
    """Nothing on the page but what pages are made of: what people named is text in it."""
    elements: list[tuple[str, dict[str, Any]]] = page.evaluate(
        """() => [...document.querySelectorAll("*")].map((each) => [
            each.localName, Object.fromEntries([...each.attributes].map(({ name, value }) => [name, value])),
        ])"""
    )
    assert {name for name, _ in elements} - ELEMENTS == set()
    for name, attributes in elements:
        assert not [each for each in attributes if each.startswith("on") or each == "style"], (name, attributes)
        assert attributes.get("src", "/static/").startswith("/static/"), (name, attributes)
        assert attributes.get("href", "/").startswith(OURS + GOOGLES), (name, attributes)
    assert sum(name == "script" for name, _ in elements) == 1
