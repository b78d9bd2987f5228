"""Every page is accessible in both colours and on a phone, asks for nothing elsewhere, and reads without JavaScript."""

import itertools
from typing import Literal

import pytest

from tests.browser.conftest import Enter
from tests.browser.fleet import Fleet
from tests.browser.pages import PAGES, PageSeen

each_page = pytest.mark.parametrize("page", PAGES, ids=str)
COLOUR_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (1280, 390)
# What pages are made of. Nothing else comes in, whatever people name their configs, tabs and columns.
ELEMENTS = {
    *("html", "head", "meta", "title", "link", "script", "body", "header", "nav", "main", "section", "div", "p"),
    *(
        "h1",
        "h2",
        "h3",
        "dl",
        "dt",
        "dd",
        "ul",
        "li",
        "a",
        "img",
        "span",
        "b",
        "strong",
        "code",
        "time",
        "svg",
        "path",
        "details",
        "summary",
    ),
    *(
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "form",
        "label",
        "input",
        "button",
        "select",
        "option",
        "textarea",
    ),
}
OURS, GOOGLES = ("/", "#"), ("https://docs.google.com/", "https://console.cloud.google.com/")


@each_page
def test_it_is_accessible_and_fits_in_both_colours_on_a_screen_and_a_phone(
    enter: Enter, fleet: Fleet, page: PageSeen
) -> None:
    visitor = enter()
    opened = visitor.open(page.address(fleet))
    wrong: list[str] = []
    for color_scheme, width in itertools.product(COLOUR_SCHEMES, WIDTHS):
        opened.emulate_media(color_scheme=color_scheme)
        opened.set_viewport_size({"width": width, "height": 800})
        wrong += [f"{color_scheme}, {width} px: {each}" for each in (*visitor.violations(), *visitor.overflow())]
    assert wrong == []


@each_page
def test_it_reads_without_javascript(enter: Enter, fleet: Fleet, page: PageSeen) -> None:
    told = enter(java_script_enabled=False).open(page.address(fleet)).locator("main").inner_text()
    assert [text for text in page.shows(fleet) if text not in told] == []


@each_page
def test_what_people_named_is_text_in_it(enter: Enter, fleet: Fleet, page: PageSeen) -> None:
    opened = enter().open(page.address(fleet))
    elements: list[tuple[str, dict[str, str]]] = opened.evaluate(
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


def test_a_visitor_would_complain(enter: Enter, fleet: Fleet) -> None:
    visitor = enter()
    page = visitor.open("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img alt=\"\" src=x:y onerror=alert(1)>')")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<p><input id=\"wide\"></p>')")
    found = visitor.violations()
    assert any(each.startswith("label: ") for each in found), found
    page.evaluate("document.getElementById('wide').style.width = '2000px'")
    assert ['id="wide"' in each for each in visitor.overflow()] == [True]
    # The policy has kept the script from running: there was no dialog.
    assert any("script-src 'self'" in complaint for complaint in visitor.complaints)
    assert not any("dialog" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
