"""Every page is accessible in both colours and on a phone, asks for nothing elsewhere, and reads without JavaScript."""

import pytest

from tests.browser.checks import assert_plain, missing, trouble
from tests.browser.conftest import Enter
from tests.browser.fleet import Fleet
from tests.browser.pages import PAGES, PageSeen

each_page = pytest.mark.parametrize("page", PAGES, ids=str)


@each_page
def test_it_is_accessible_fits_and_is_reached_by_keys_in_both_colours_on_a_screen_and_a_phone(
    enter: Enter, fleet: Fleet, page: PageSeen
) -> None:
    visitor = enter()
    visitor.open(page.address(fleet))
    assert trouble(visitor) == []


@each_page
def test_it_reads_without_javascript(enter: Enter, fleet: Fleet, page: PageSeen) -> None:
    opened = enter(java_script_enabled=False).open(page.address(fleet))
    assert missing(opened, page.shows(fleet)) == []


@each_page
def test_what_people_named_is_text_in_it(enter: Enter, fleet: Fleet, page: PageSeen) -> None:
    assert_plain(enter().open(page.address(fleet)))


def test_a_visitor_would_complain(enter: Enter, fleet: Fleet) -> None:
    visitor = enter()
    page = visitor.open("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img alt=\"\" src=x:y onerror=alert(1)>')")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<p><input id=\"wide\"></p>')")
    found = visitor.violations()
    assert any(each.startswith("label: ") for each in found), found
    page.evaluate("document.getElementById('wide').tabIndex = -1")
    assert ['id="wide"' in each for each in visitor.unreached()] == [True]
    page.evaluate("document.getElementById('wide').style.width = '2000px'")
    assert ['id="wide"' in each for each in visitor.overflow()] == [True]
    # The policy has kept the script from running: there was no dialog.
    assert any("script-src 'self'" in complaint for complaint in visitor.complaints)
    assert not any("dialog" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
