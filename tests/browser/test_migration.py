"""While a team moves from the older service, the console shows each config's proof, and lets people promote and roll
back by keys alone."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from playwright.sync_api import expect

from local.clients import LocalClients
from local.environment import CONSOLE_USER
from local.system import System
from tests.browser.checks import assert_plain, missing, trouble
from tests.browser.conftest import Enter
from tests.browser.fleet import SHOWN
from tests.browser.moving import Moving, migration
from tests.e2e.conftest import Team

# Each with its address, and what has to be read there.
PAGES: dict[str, tuple[Callable[[Moving], str], Callable[[Moving], Sequence[str]]]] = {
    "migration": (
        lambda moving: f"/migration?search={moving.mark}",
        lambda moving: [
            f"{moving.mark} differs {SHOWN}",
            "3 of 3",
            "MISMATCH",
            "differences",
            "Promote",
            "Roll back",
        ],
    ),
    "config in shadow": (
        lambda moving: f"/configs/{moving.differs}",
        lambda moving: ["the older service's, and the job loads beside it", "Roll back", "Cancel the run"],
    ),
    "form to promote": (
        lambda moving: f"/configs/{moving.proved}/promote",
        lambda moving: ["3 comparisons in a row were MATCH, and 3 are needed", "Back"],
    ),
    "form to promote what differs": (
        lambda moving: f"/configs/{moving.differs}/promote",
        lambda moving: ["has 0 of 3 MATCH in a row, and the newest comparison says MISMATCH", "Back"],
    ),
    "form to roll back": (
        lambda moving: f"/configs/{moving.jobs}/rollback",
        lambda moving: [f"{moving.mark} jobs", f"python migrate.py rollback {moving.jobs}", "Back"],
    ),
    "form to cancel": (
        lambda moving: f"/runs/{moving.waiting}/cancel",
        lambda moving: ["has not begun: it ends at once, without a load", "Keep it running"],
    ),
    "form to run what is the service's": (
        lambda moving: f"/configs/{moving.services}/run",
        lambda moving: ["the older service loads the table of", "Back"],
    ),
}


@pytest.fixture(scope="module")
def moving(system: System, clients: LocalClients) -> Iterator[Moving]:
    with migration(Team(system, clients)) as moving:
        yield moving


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_accessible_plain_and_reads_without_javascript(enter: Enter, moving: Moving, name: str) -> None:
    address, shows = PAGES[name]
    visitor = enter()
    page = visitor.open(address(moving))
    for details in page.locator("details:not([open]) > summary").all():
        details.click()
    assert trouble(visitor) == []
    assert_plain(page)
    assert missing(enter(java_script_enabled=False).open(address(moving)), shows(moving)) == []


def test_keys_alone_promote_what_is_proved_and_roll_it_back(enter: Enter, moving: Moving) -> None:
    visitor = enter()
    page = visitor.open(f"/migration?search={moving.mark}")
    expect(page.locator('a[href$="/promote"]')).to_have_count(1)
    visitor.tab_to("Promote")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/configs/{moving.proved}/promote")
    visitor.tab_to("Why (optional)")
    page.keyboard.type("equal for a week")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/configs/{moving.proved}?done=*")
    expect(page.locator(".notice")).to_contain_text(f'"{moving.mark} proved" is the job\'s from now on')
    visitor.tab_to("Roll back")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rollback")
    visitor.tab_to("Roll back")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("is the older service's again")
    page = visitor.open(f"/migration?search={moving.mark}")
    expect(page.locator("#audit-title + ul li").first).to_contain_text(f"from job_ready to service by {CONSOLE_USER}")


def test_keys_alone_cancel_a_run_and_its_button_goes(enter: Enter, moving: Moving) -> None:
    visitor = enter(390)
    page = visitor.open(f"/runs/{moving.waiting}")
    visitor.tab_to("Cancel the run")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cancel")
    visitor.tab_to("Cancel the run")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("The run is cancelled: it loads nothing.")
    expect(page.locator(".head")).to_contain_text(f"by {CONSOLE_USER}")
    expect(page.get_by_role("link", name="Cancel the run")).to_have_count(0)
