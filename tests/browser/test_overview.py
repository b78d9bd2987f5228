"""The overview in a browser: what PostgreSQL holds, to be found, filtered and sorted by whoever cannot point."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Enter
from tests.browser.fleet import HOSTILE, PAUSED, SHOWN, Fleet
from tests.browser.visitor import Visitor
from tests.e2e.conftest import Team

NEWEST = """
SELECT c.id, c.name, concat_ws('.', c.google_cloud_project_id, c.bigquery_dataset_id, c.bigquery_table_id), r.state,
       r.rows, coalesce(jsonb_array_length(nullif(r.warnings, 'null')), 0) AS warnings, r.error_class
FROM sheet_to_bigquery_configs c
JOIN LATERAL (
    SELECT * FROM sheet_to_bigquery_runs WHERE config_id = c.id ORDER BY created_at DESC LIMIT 1
) r ON true
WHERE position(:mark IN c.name) > 0
"""


def row(visitor: Visitor, config_id: int) -> Locator:
    return visitor.page.locator(f"#config-{config_id}")


def cells(shown: Locator) -> list[str]:
    return [" ".join(text.split()) for text in shown.locator("th, td").all_inner_texts()]


def test_it_shows_what_postgresql_holds(enter: Enter, fleet: Fleet, team: Team) -> None:
    visitor = enter()
    visitor.open(fleet.search)
    newest = team.clients.postgres.run(NEWEST, mark=fleet.mark)
    assert {state for _, _, _, state, *_ in newest} == {"succeeded", "failed"}
    assert max(warnings for *_, warnings, _ in newest) > 0
    for config_id, name, destination, state, rows, warnings, error_class in newest:
        shown = cells(row(visitor, config_id))
        assert shown[0] == (f"{state} {error_class}" if error_class else state)
        assert shown[1] == f"{name.replace(HOSTILE, SHOWN)} #{config_id} {destination}"
        assert (shown[5], shown[8]) == ("–" if rows is None else f"{rows:,}", str(warnings))
    counts = dict(
        team.clients.postgres.run(
            "SELECT is_active, count(*) FROM sheet_to_bigquery_configs WHERE position(:mark IN name) > 0 GROUP BY 1",
            mark=fleet.mark,
        )
    )
    told = " ".join(visitor.page.locator(".counts").inner_text().split())
    assert f"{sum(counts.values())} all" in told
    assert f"{counts[False]} paused" in told


def test_what_is_wrong_stands_first_and_says_what_it_is(enter: Enter, fleet: Fleet) -> None:
    visitor = enter()
    visitor.open(fleet.search)
    assert visitor.names[:3] == [f"{fleet.mark} {name}" for name in ("violated", "missing_tab", "wrong")]
    expect(row(visitor, fleet.violated)).to_contain_text("SchemaViolated")
    expect(row(visitor, fleet.missing_tab)).to_contain_text("TabNotFound")
    expect(row(visitor, fleet.wrong)).to_contain_text("run_frequency_hours has to be a whole number of hours")


def test_hostile_names_and_reasons_stand_there_as_text(enter: Enter, fleet: Fleet) -> None:
    visitor = enter()
    visitor.open(f"{fleet.search}&sort=name")
    name = row(visitor, fleet.hostile).locator(".name")
    assert name.text_content() == f"{fleet.mark} {SHOWN}"
    paused = visitor.page.locator("tr.is-paused .note").first
    assert paused.text_content() == SHOWN
    number = row(visitor, fleet.hostile).locator(".id").bounding_box()
    words = name.bounding_box()
    assert number is not None
    assert words is not None
    assert number["x"] + number["width"] > words["x"]
    visitor.open("/")
    visitor.page.fill("#search", HOSTILE)
    visitor.page.press("#search", "Enter")
    assert f"{fleet.mark} {SHOWN}" in visitor.names
    assert visitor.page.input_value("#search") == HOSTILE


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_the_keyboard_alone_searches_pages_filters_and_sorts(
    enter: Enter, fleet: Fleet, java_script_enabled: bool
) -> None:
    visitor = enter(java_script_enabled=java_script_enabled)
    page = visitor.open("/")
    keyboard = page.keyboard
    visitor.tab_to("Search by name or table")
    keyboard.type(fleet.mark)
    keyboard.press("Enter")
    page.wait_for_url(f"**/?search={fleet.mark}")
    assert len(visitor.names) == 50
    visitor.tab_to("Next")
    keyboard.press("Enter")
    page.wait_for_url("**page=2")
    assert len(visitor.names) == fleet.count - 50
    visitor.tab_to("2 failed")
    keyboard.press("Enter")
    page.wait_for_url("**state=failed")
    assert visitor.names == [f"{fleet.mark} violated", f"{fleet.mark} missing_tab"]
    visitor.tab_to("Config")
    keyboard.press("Enter")
    page.wait_for_url("**order=up")
    assert visitor.names == [f"{fleet.mark} missing_tab", f"{fleet.mark} violated"]
    expect(page.get_by_role("columnheader", name="Config")).to_have_attribute("aria-sort", "ascending")
    visitor.tab_to("Config")
    keyboard.press("Enter")
    page.wait_for_url("**order=down")
    assert visitor.names == [f"{fleet.mark} violated", f"{fleet.mark} missing_tab"]
    visitor.tab_to(f"{PAUSED} paused")
    keyboard.press("Enter")
    page.wait_for_url("**state=paused**")
    assert visitor.names[0] == f"{fleet.mark} paused {PAUSED}"
    visitor.tab_to("Clear")
    keyboard.press("Enter")
    page.wait_for_url(lambda url: "search" not in url)
    assert "state=paused" in visitor.asked


def test_the_first_stop_skips_to_the_content(enter: Enter, fleet: Fleet) -> None:
    visitor = enter()
    page = visitor.open(fleet.search)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_who_hears_the_page_is_told_counts_charts_and_columns(enter: Enter, fleet: Fleet) -> None:
    visitor = enter(390)
    page = visitor.open(fleet.search)
    expect(page.get_by_role("status").filter(has_text="55 paused")).to_have_count(1)
    expect(page.get_by_role("img", name="Runs that ended in the last 24 hours:")).to_have_count(1)
    expect(row(visitor, fleet.loaded).get_by_role("img", name="One run: 3 rows")).to_have_count(1)
    # As a table, even where its rows are drawn as cards.
    expect(page.get_by_role("table", name="Configs 1 to 50 of 62")).to_have_count(1)
    expect(page.get_by_role("rowheader", name=f"{fleet.mark} loaded")).to_have_count(1)
