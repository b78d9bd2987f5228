"""What people do on the pages, in a browser with JavaScript or without: tables change, and nothing typed is lost."""

import time

import pytest
from playwright.sync_api import expect

from local.credentials import address_of
from local.environment import CONSOLE_USER, PROJECT
from tests.browser.conftest import Enter
from tests.e2e.conftest import DATASET, Team

# A run or a plan on a busy machine, and the page's next look.
MILLISECONDS = 90_000


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_run_now_leads_to_a_changed_table(enter: Enter, team: Team, java_script_enabled: bool) -> None:
    name = team.unique("clicked")
    team.write_sheet(name, [["id", "amount"], [1, 10]])
    config_id = team.add_config(name, run_frequency_hours=0)
    page = enter(java_script_enabled=java_script_enabled).open(f"/?search={name}")
    page.get_by_role("button", name=f"Run {name} now").click()
    page.wait_for_url(f"**/configs/{config_id}?done=*")
    team.wait_for_runs(config_id)
    if not java_script_enabled:
        page.reload()
    told = page.get_by_role("status").filter(has_text=f'The run of "{name}" that was asked for has ended: succeeded.')
    expect(told).to_have_count(1, timeout=MILLISECONDS)
    assert team.table(name) == [{"id": 1, "amount": 10}]


def test_an_address_is_pasted_corrected_planned_saved_and_loaded(enter: Enter, team: Team) -> None:
    name = team.unique("typed")
    team.write_sheet(name, [["Order No.", "Paid?"], ["007", True], ["008", False]])
    visitor = enter(390)
    page = visitor.open("/")
    page.get_by_role("link", name="Add a config").click()
    page.get_by_label("Address of the spreadsheet").fill("https://example.com/no_sheet")
    page.get_by_label("Google Cloud project").fill(PROJECT)
    page.get_by_label("BigQuery dataset").fill(DATASET)
    page.get_by_label("Name of the config").fill(name)
    page.get_by_role("button", name="Plan it").click()
    wrong = page.get_by_label("Address of the spreadsheet")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text("the config cannot be added like that")
    expect(page.get_by_label("Name of the config")).to_have_value(name)
    assert visitor.violations() == []
    assert visitor.overflow() == []
    wrong.fill(f"https://docs.google.com/spreadsheets/d/{name}/edit")
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_role("status").filter(has_text="A run would succeed.")).to_have_count(1, timeout=MILLISECONDS)
    expect(page.locator("main")).to_contain_text("order_no")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/configs/*?done=*")
    expect(page.locator(".notice")).to_contain_text(f'"{name}" is saved.')
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".notice")).to_contain_text("has ended: succeeded", timeout=MILLISECONDS)
    assert team.table(name) == [{"order_no": "007", "paid": True}, {"order_no": "008", "paid": False}]


def test_a_sheet_below_a_title_is_added_with_its_header_row_and_never_loaded_otherwise(
    enter: Enter, team: Team
) -> None:
    name = team.unique("titled")
    team.write_sheet(name, [["Orders of 2026"], ["id", "amount"], [1, 10]])
    page = enter(java_script_enabled=False).open("/add")
    page.get_by_label("Address of the spreadsheet").fill(f"https://docs.google.com/spreadsheets/d/{name}/edit")
    page.get_by_label("Google Cloud project").fill(PROJECT)
    page.get_by_label("BigQuery dataset").fill(DATASET)
    page.get_by_label("Name of the config").fill(name)
    page.get_by_label("Hours between runs").fill("0")
    page.locator("summary").filter(has_text="Options").click()
    page.get_by_label("Header row").fill("2")
    page.get_by_role("button", name="Plan it").click()
    save = page.get_by_role("button", name="Save this config")
    deadline = time.monotonic() + MILLISECONDS / 1000
    while not save.count():
        assert time.monotonic() < deadline
        page.reload()
    save.click()
    expect(page.locator(".facts")).to_contain_text("row 2 names the columns")
    page.get_by_role("button", name="Run now").click()
    team.wait_for_runs(int(page.url.partition("/configs/")[2].partition("?")[0]))
    assert team.table(name) == [{"id": 1, "amount": 10}]


def test_one_click_takes_the_address_that_the_sheet_is_shared_with(enter: Enter) -> None:
    page = enter(390).open("/add")
    page.locator(".address").click(position={"x": 20, "y": 12})
    assert page.evaluate("getSelection().toString()") == address_of(PROJECT)
    shown = page.locator(".address").bounding_box()
    assert shown is not None
    assert shown["height"] < 60  # two lines


def test_a_pause_tells_its_reason_and_who_asked_for_it(enter: Enter, team: Team) -> None:
    name = team.unique("rested")
    config_id = team.add_config(name)
    page = enter().open(f"/configs/{config_id}/pause")
    page.get_by_label("Why").fill("<b>the sheet moves</b>")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".notice")).to_contain_text(f'"{name}" is paused')
    expect(page.locator(".head")).to_contain_text("<b>the sheet moves</b>")
    expect(page.locator(".lately")).to_contain_text(CONSOLE_USER)


def test_a_link_from_elsewhere_spoils_no_form_that_is_filled_in(enter: Enter, team: Team) -> None:
    name = team.unique("linked")
    config_id = team.add_config(name)
    page = enter().open(f"/configs/{config_id}/pause")
    page.get_by_label("Why").fill("the sheet moves")
    other = page.context.new_page()
    link = f'<a href="{page.url.partition("/configs")[0]}/">the console</a>'
    other.route("http://chat.example.com/", lambda route: route.fulfill(body=link, content_type="text/html"))
    other.goto("http://chat.example.com/")
    other.get_by_role("link").click()
    expect(other.locator(".who")).to_have_text(CONSOLE_USER)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".notice")).to_contain_text(f'"{name}" is paused')
