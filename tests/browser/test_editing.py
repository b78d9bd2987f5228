"""A config is edited in a browser, with JavaScript or without: planned first, saved, and loaded."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.e2e.conftest import Team

# A run or a plan on a busy machine, and the page's next look.
MILLISECONDS = 90_000


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_the_keyboard_alone_leads_from_a_failed_run_to_the_field_that_mends_it(
    enter: Enter, team: Team, java_script_enabled: bool
) -> None:
    name = team.unique("mended")
    team.write_sheet(name, [["id"]])
    config_id = team.add_config(name, run_frequency_hours=0)
    team.publish({"config_id": config_id})
    team.wait_for_runs(config_id)
    visitor = enter(390, java_script_enabled=java_script_enabled)
    page = visitor.open(f"/configs/{config_id}")
    keyboard = page.keyboard
    visitor.tab_to("Edit the config: Where the sheet has no rows")
    keyboard.press("Enter")
    page.wait_for_url(f"**/configs/{config_id}/edit?field=on_empty#field-on_empty")
    expect(page.get_by_label("Where the sheet has no rows")).to_be_in_viewport()
    # From the field that the address names, Tab goes on.
    page.get_by_label("Where the sheet has no rows").focus()
    keyboard.type("the table is k")
    visitor.tab_to("Merge keys (optional)")
    keyboard.type("id")
    visitor.tab_to("Save")
    keyboard.press("Enter")
    wrong = page.get_by_label("Merge keys")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#problem-merge_keys")).to_contain_text("means nothing with load_mode replace")
    expect(page.get_by_role("alert").get_by_role("link", name="Merge keys")).to_be_visible()
    if java_script_enabled:  # axe is a script
        assert visitor.violations() == []
    assert visitor.overflow() == []
    wrong.fill("")
    visitor.tab_to("Save")
    keyboard.press("Enter")
    page.wait_for_url(f"**/configs/{config_id}?done=*")
    expect(page.locator(".notice")).to_contain_text(f'"{name}" is saved, with another options.')
    expect(page.locator(".facts")).to_contain_text("where the sheet has no rows, the table is kept as it is")


def test_another_tab_is_planned_before_it_is_saved_and_then_loaded(enter: Enter, team: Team) -> None:
    name, moved = team.unique("stays"), team.unique("moved")
    team.write_sheet(name, [["id"], [1]])
    team.write_sheet(moved, [["id", "amount"], [7, 70]])
    config_id = team.add_config(name, run_frequency_hours=0)
    page = enter().open(f"/configs/{config_id}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Address of the spreadsheet").fill(f"https://docs.google.com/spreadsheets/d/{moved}/edit")
    page.get_by_role("button", name="Plan it first").click()
    expect(page.get_by_role("status").filter(has_text="A run would succeed.")).to_have_count(1, timeout=MILLISECONDS)
    expect(page.locator("main")).to_contain_text("amount")
    expect(page.locator(".facts")).to_contain_text(f"/d/{moved}/edit")
    page.get_by_role("button", name="Save this edit").click()
    page.wait_for_url(f"**/configs/{config_id}?done=*")
    expect(page.locator(".notice")).to_contain_text(f'"{name}" is saved, with another spreadsheet.')
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".notice")).to_contain_text("has ended: succeeded", timeout=MILLISECONDS)
    assert team.table(name) == [{"id": 7, "amount": 70}]


def test_somebody_elses_edit_is_shown_beside_the_own_words(enter: Enter, team: Team) -> None:
    name = team.unique("shared")
    config_id = team.add_config(name, tab="Q1")
    first = enter().open(f"/configs/{config_id}/edit")
    visitor = enter()
    second = visitor.open(f"/configs/{config_id}/edit")
    for page, tab in ((first, "Q2"), (second, "Q3")):
        page.get_by_label("Tab (optional)").fill(tab)
        page.get_by_role("button", name="Save").click()
    expect(second.get_by_role("alert").get_by_role("link", name="Tab")).to_be_visible()
    expect(second.locator("#problem-google_sheet_tab_name")).to_have_text('was changed meanwhile, and is "Q2" now')
    expect(second.get_by_label("Tab (optional)")).to_have_value("Q3")
    assert visitor.violations() == []
    second.get_by_role("button", name="Save").click()
    expect(second.locator(".notice")).to_contain_text("with another tab")
    expect(second.locator(".facts")).to_contain_text("tab Q3")
