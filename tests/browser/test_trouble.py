"""Where a run failed or warned, the pages lead to the very cell."""

from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.fleet import HOSTILE_TAB, Fleet


def test_a_failure_is_reached_from_the_overview_and_leads_to_its_cell(enter: Enter, fleet: Fleet) -> None:
    page = enter().open(f"{fleet.search}&state=failed")
    page.get_by_role("link", name=f"{fleet.mark} violated").click()
    page.locator(f"#run-{fleet.runs[fleet.violated]}").get_by_role("link", name="failed").click()
    cell = page.get_by_role("link", name="Sheet1!B4")
    address = f"https://docs.google.com/spreadsheets/d/{fleet.mark}/edit#gid=0&range=B4"
    expect(cell).to_have_attribute("href", address)
    expect(page.locator(".trouble")).to_contain_text("correct the cells, or the schema")


def test_a_warning_leads_to_its_cell_in_a_tab_of_any_name(enter: Enter, fleet: Fleet) -> None:
    page = enter().open(f"/runs/{fleet.runs[fleet.hostile]}")
    cell = page.get_by_role("link", name=f"'{HOSTILE_TAB}'!B3")
    address = f"https://docs.google.com/spreadsheets/d/{fleet.mark}_hostile/edit#gid=0&range=B3"
    expect(cell).to_have_attribute("href", address)


def test_a_plan_that_failed_leads_to_its_cell_and_says_what_to_do(enter: Enter, fleet: Fleet) -> None:
    page = enter().open(f"/plans/{fleet.plans[fleet.violated]}")
    expect(page.get_by_role("status").filter(has_text="A run would fail.")).to_have_count(1)
    address = f"https://docs.google.com/spreadsheets/d/{fleet.mark}/edit#gid=0&range=B4"
    expect(page.get_by_role("link", name="Sheet1!B4").first).to_have_attribute("href", address)
    expect(page.locator(".trouble .remedy")).to_contain_text("correct the cells, or the schema")


def test_an_address_that_is_no_spreadsheets_is_no_link(enter: Enter, fleet: Fleet) -> None:
    page = enter().open(f"/configs/{fleet.wrong}")
    expect(page.locator("main")).to_contain_text("no spreadsheet's address")
    expect(page.locator("a[href^=javascript]")).to_have_count(0)
