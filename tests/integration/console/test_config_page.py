"""A config's page tells what its row says, how it stands, and what the ledger has of its runs, columns and plans."""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest

from console.pages import config
from console.pages.config import ConfigPage
from console.phrases import instant
from console.visit import Site, Visit
from shared.acted import Acted
from shared.ledger.store import Store
from shared.messages import ManualRequest
from tests.integration.console.conftest import HOSTILE, WHO, Reader, assert_inert, attempt_at, text

HOUR = timedelta(hours=1)
DAY = {"name": "day", "type": "DATE", "mode": "NULLABLE"}
UNITS = {"name": "units", "type": "INT64", "mode": "NULLABLE"}
CELL = "Q4!C17 (https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=7&range=C17)"
Add = Callable[..., Any]


def told(reader: Reader, config_id: int, **asked: Any) -> dict[str, Any]:
    return reader.facts(f"/configs/{config_id}.json", **asked)


@pytest.mark.parametrize("config_id", [7, 0, 2**63 - 1, 2**70])
def test_a_config_that_is_not_there_is_not_found(reader: Reader, config_id: int) -> None:
    assert reader.ask(f"/configs/{config_id}").status_code == 404
    answer = reader.ask(f"/configs/{config_id}.json")
    assert (answer.status_code, "error" in json.loads(answer.get_data())) == (404, True)


def test_it_tells_what_the_row_says(reader: Reader, add_config: Add) -> None:
    options = {"load_mode": "merge", "merge_keys": ["sku"], "max_error_cells": 5}
    config_id = add_config(google_sheet_tab_name="Q4", run_frequency_hours=4, options=json.dumps(options))
    said = told(reader, config_id)["said"]
    assert said["spreadsheet"] == "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=0"
    assert said["table"] == "https://console.cloud.google.com/bigquery?p=test-project&d=reports&t=sales&page=table"
    assert (said["tab"], said["problem"], said["owner"], said["paused_at"]) == ("Q4", None, None, None)
    text = reader.words(f"/configs/{config_id}")
    for fact in ("tab Q4", "test-project.reports.sales", "every 4 h", "merges the sheet's rows into the table, by sku"):
        assert fact in text, fact
    assert "at most 5 cells in error may be loaded as NULL" in text


def test_it_tells_the_state_that_the_overview_tells(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    at = now - HOUR
    fine, other = add_config(last_run=at, scheduled_run=at), add_config(bigquery_table_id="other")
    add_run(fine, at, verdict="loaded", rows=12, claimed_at=at - timedelta(seconds=3))
    paused = add_config("paused", is_active=False, paused_at=at, paused_reason="the sheet moved")
    rows = {row["id"]: row for row in reader.facts()["configs"]}
    for config_id in (fine, other, paused):
        page = told(reader, config_id)["config"]
        # What is due is due at the moment of asking.
        moment = {"late_seconds", "next_at"} if page["state"] == "due" else {"late_seconds"}
        assert page.keys() == rows[config_id].keys()
        assert all(page[name] == rows[config_id][name] for name in page.keys() - moment)
    assert told(reader, paused)["said"]["paused_at"] == at.isoformat().replace("+00:00", "Z")
    assert "the sheet moved" in reader.words(f"/configs/{paused}")


def test_a_config_without_a_name_has_a_page_too(reader: Reader, add_config: Add, sql: Add) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ALTER COLUMN name DROP NOT NULL")
    config_id = add_config()
    sql("UPDATE sheet_to_bigquery_configs SET name = NULL")
    assert (told(reader, config_id)["config"]["state"], reader.ask("/").status_code) == ("due", 200)
    assert f"Config {config_id}" in reader.words(f"/configs/{config_id}")


def test_a_row_that_cannot_be_run_says_why(reader: Reader, add_config: Add) -> None:
    config_id = add_config(google_sheet_url="no address", google_cloud_project_id="?", options='{"nosuch": 1}')
    said = told(reader, config_id)["said"]
    assert (said["spreadsheet"], said["options"]) == (None, [])
    for field in ("google_sheet_url", "google_cloud_project_id", "nosuch"):
        assert field in said["problem"]
    assert "google_sheet_url cannot be used" in reader.words(f"/configs/{config_id}")
    link = f'href="/configs/{config_id}/edit?field=google_sheet_url#field-google_sheet_url">Edit the config</a>'
    assert link in reader.page(f"/configs/{config_id}")


def test_the_runs_come_newest_first_fifty_a_page_with_the_open_ones_in_front(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id, other = add_config(), add_config("other")
    ids = [add_run(config_id, now - number * HOUR, verdict="loaded", rows=number) for number in range(1, 56)]
    add_run(other, now, verdict="loaded", rows=1)
    waiting = add_run(config_id, now, why="manual", state="pending")
    first = told(reader, config_id)
    assert [run["id"] for run in first["runs"]] == ids[:50]
    assert [run["id"] for run in first["open"]] == [waiting]
    second = told(reader, config_id, before=first["older_before"])
    assert [run["id"] for run in second["runs"]] == ids[50:]
    assert told(reader, config_id, after=second["newer_after"])["runs"] == first["runs"]
    assert (first["newer_after"], second["older_before"]) == (None, None)
    html = reader.page(f"/configs/{config_id}")
    assert html.index(f"/runs/{waiting}") < html.index(f'id="run-{ids[0]}"')
    assert f"50 runs, recorded from {instant(now - 50 * HOUR)} to {instant(now - HOUR)} UTC" in html


def test_the_links_of_a_page_of_runs_lead_through_all_of_them_and_back(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    ids = [add_run(config_id, now - number * HOUR, verdict="loaded", rows=number) for number in range(1, 121)]
    waiting = add_run(config_id, now, why="manual", state="pending")
    here = f"/configs/{config_id}"

    def listed(html: str) -> list[str]:
        return re.findall(r'id="run-([^"]+)"', html)

    def led(html: str, label: str) -> str | None:
        found = re.search(rf'href="([^"]+)">{label}</a>', html)
        return unescape(found[1]) if found else None

    def followed(html: str, label: str) -> str:
        return text(reader.ask(str(led(html, label))))

    newest = reader.page(here)
    assert (listed(newest), led(newest, "Newer"), led(newest, "Newest")) == ([waiting, *ids[:50]], None, None)
    middle = followed(newest, "Older")
    assert (listed(middle), led(middle, "Newest")) == (ids[50:100], here)
    oldest = followed(middle, "Older")
    assert (listed(oldest), led(oldest, "Older")) == (ids[100:], None)
    assert listed(followed(oldest, "Newer")) == ids[50:100]
    # What waits stands with the newest, by whichever way one came to them.
    assert listed(followed(middle, "Newer")) == [waiting, *ids[:50]]


def test_a_page_of_runs_stays_what_it_was_while_others_end(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    for number in range(1, 53):
        add_run(config_id, now - number * HOUR, verdict="loaded", rows=number)
    before = told(reader, config_id)["older_before"]
    bookmarked = told(reader, config_id, before=before)["runs"]
    assert len(bookmarked) == 2
    add_run(config_id, now, verdict="loaded", rows=1)
    assert told(reader, config_id, before=before)["runs"] == bookmarked


@pytest.mark.parametrize("asked", [{"before": "1999-01-01T00:00:00Z"}, {"after": "2999-01-01T00:00:00+01:00"}])
def test_where_no_run_is_it_leads_to_the_newest(
    asked: dict[str, str], reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    add_run(config_id, now - HOUR, verdict="loaded", rows=1)
    waiting = add_run(config_id, now, why="manual", state="pending")
    html = reader.page(f"/configs/{config_id}", **asked)
    assert f'<a href="/configs/{config_id}">Show the newest</a>' in html
    assert f'id="run-{waiting}"' not in html


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("before=<b>", "before is text of 3 characters, not an instant with its zone"),
        ("after=2026-11-28", "after is text of 10 characters, not an instant with its zone"),
        ("before=2026-11-28T23:05:00", "before is text of 19 characters, not an instant with its zone"),
        ("before=0001-01-01T00:00:00%2B14:00", "before has to be between the years 1970 and 9998"),
        ("after=9999-12-31T23:59:59-14:00", "after has to be between the years 1970 and 9998"),
        ("before=2026-11-28T23:05:00Z&after=2026-11-28T23:05:00Z", "before and after are not both possible"),
    ],
)
def test_a_time_that_there_is_not_is_told_so(asked: str, told: str, reader: Reader, add_config: Add) -> None:
    response = reader.ask(f"/configs/{add_config()}?{asked}")
    assert response.status_code == 400
    assert f"the address: {told}" in response.get_data(as_text=True)


def test_a_run_in_the_list_tells_what_the_ledger_has(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id, claimed = add_config(), now - 90 * timedelta(seconds=1)
    values = {"warnings": '["a", "b"]', "schema_changes": '[{"name": "x", "after": "DATE NULLABLE"}]', "attempt": 2}
    add_run(config_id, now, verdict="unchanged", rows=1234, claimed_at=claimed, **values)
    (run,) = told(reader, config_id)["runs"]
    assert (run["rows"], run["seconds"], run["attempt"], run["warnings"], run["changes"]) == (1234, 90.0, 2, 2, 1)
    text = reader.words(f"/configs/{config_id}")
    assert "unchanged now by its schedule" in text
    assert "1,234 1 min 30 s 2 2 1" in text


def test_the_chart_and_the_columns_are_of_the_newest_runs(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    assert "No run has ended yet" in reader.words(f"/configs/{config_id}")
    change = [{"name": "units", "before": "STRING NULLABLE", "after": "INT64 NULLABLE"}]
    for number, more in (
        (3, {"columns": json.dumps([DAY])}),
        (2, {"columns": json.dumps([DAY, UNITS]), "schema_changes": json.dumps(change)}),
    ):
        newest = add_run(config_id, now - number * HOUR, verdict="loaded", rows=number, **more)
    add_run(config_id, now - HOUR, state="failed", error_class="SheetNotShared", error=f"not {CELL}")
    facts = told(reader, config_id)
    assert (facts["loaded"]["run_id"], facts["loaded"]["columns"]) == (newest, [DAY, UNITS])
    assert [(each["run_id"], each["changes"]) for each in facts["changes"]] == [(newest, change)]
    assert (facts["error_class"], facts["error"]["cells"][0]["cell"]) == ("SheetNotShared", "Q4!C17")
    html = reader.page(f"/configs/{config_id}")
    assert 'aria-label="Last 3 runs: 2 to 3 rows, 1 failed"' in html
    text = reader.words(f"/configs/{config_id}")
    assert "2 columns # Column Type Mode 1 day DATE NULLABLE 2 units INT64 NULLABLE" in text
    assert "changed units STRING NULLABLE → INT64 NULLABLE" in text
    assert '<a href="https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=7&amp;range=C17">Q4!C17</a>' in html


def test_the_plan_that_it_was_saved_from_is_one_of_its_plans(reader: Reader, store: Store, add_config: Add) -> None:
    config_id, other = add_config(), add_config("other")
    row = store.find_config(ManualRequest(config_id=config_id))
    plan_id = store.request_plan(row, None, "bob@example.com", store.now())
    store.note_action(Acted(str(uuid.uuid4()), store.now(), WHO, "add", config_id, details={"plan_id": plan_id}))
    assert [plan["id"] for plan in told(reader, config_id)["plans"]] == [plan_id]
    assert told(reader, other)["plans"] == []


def test_what_happens_while_a_page_is_made_is_told_nowhere_on_it(
    reader_of: Callable[..., Reader], reader: Reader, add_config: Add, sql: Add
) -> None:
    asked = reader.do(f"/configs/{add_config('Sales')}/run").headers["Location"]

    def build(visit: Visit) -> ConfigPage:
        view = config.build(visit)
        sql("UPDATE sheet_to_bigquery_runs SET state = 'failed', ended_at = now()")
        return view

    html = reader_of(site=Site(pages=(replace(config.PAGE, build=build),))).ask(asked).get_data(as_text=True)
    assert "that was asked for is waiting" in html
    assert "has ended: failed" not in html
    assert "has ended: failed" in reader.ask(asked).get_data(as_text=True)


def test_a_waiting_run_alone_is_no_page_of_none(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    config_id = add_config()
    run_id = add_run(config_id, now, state="pending")
    text = reader.words(f"/configs/{config_id}")
    assert f'id="run-{run_id}"' in reader.page(f"/configs/{config_id}")
    assert "recorded from" not in text
    add_run(config_id, now - HOUR, verdict="loaded", warnings='["w", "x"]')
    assert "1 run, recorded from" in reader.words(f"/configs/{config_id}")


def test_the_last_failure_is_told_as_such_while_another_run_waits(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    add_run(config_id, now - HOUR, state="failed", error_class="TabNotFound", error="no tab")
    waits = "another one goes on"
    assert waits not in reader.words(f"/configs/{config_id}")
    add_run(config_id, now, why="manual", state="pending")
    text = reader.words(f"/configs/{config_id}")
    assert waits in text
    assert "its turn comes" in text


def test_its_plans_are_listed_newest_first(reader: Reader, store: Store, add_config: Add, now: datetime) -> None:
    config_id, other = add_config(), add_config("other")
    row = store.find_config(ManualRequest(config_id=config_id))
    ids = [store.request_plan(row, config_id, "bob@example.com", now - number * HOUR) for number in range(7)]
    store.request_plan(row, other, "bob@example.com", now)
    store.request_plan(row, None, "bob@example.com", now)
    assert [plan["id"] for plan in told(reader, config_id)["plans"]] == ids[:5]
    html = reader.page(f"/configs/{config_id}")
    assert f'href="/plans/{ids[4]}"' in html
    assert ids[5] not in html


def test_it_says_whose_table_it_is_where_configs_are_marked(reader: Reader, add_config: Add, sql: Add) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(20)")
    marks = {mark: add_config(migration_status=mark) for mark in ("shadow", "job_ready", None)}
    owners = {mark: told(reader, config_id)["said"]["owner"] for mark, config_id in marks.items()}
    assert owners == {"shadow": "shadow", "job_ready": "job_ready", None: "service"}
    assert "the job loads beside it" in reader.words(f"/configs/{marks['shadow']}")


def test_it_looks_again_soon_while_a_run_goes_on(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    config_id = add_config(run_frequency_hours=0)
    assert 'data-live="60"' in reader.page(f"/configs/{config_id}")
    add_run(config_id, now, why="manual", state="pending")
    assert 'data-live="5"' in reader.page(f"/configs/{config_id}")


def test_a_run_in_the_list_whose_end_was_asked_for_says_so_until_it_ends(
    reader: Reader, store: Store, add_config: Add, add_run: Add, now: datetime, sql: Add
) -> None:
    config_id = add_config()
    run_id = add_run(config_id, now, state="running", ended_at=None, **attempt_at(now))
    assert "cancel asked" not in reader.words(f"/configs/{config_id}")
    store.cancel(run_id, now)
    assert f"running cancel asked at {instant(now)} UTC" in reader.words(f"/configs/{config_id}")
    [run] = told(reader, config_id)["open"]
    assert run["cancel_requested_at"] is not None
    sql("UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now(), error_class = 'c', error = 'e'")
    assert "cancel asked" not in reader.words(f"/configs/{config_id}")


def test_hostile_names_texts_and_columns_are_inert(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config(
        HOSTILE,
        google_sheet_tab_name=HOSTILE,
        google_sheet_url="javascript:alert(1)",
        bigquery_table_id="t<i>",
        is_active=False,
        paused_reason=HOSTILE,
    )
    columns = json.dumps([{"name": HOSTILE, "type": "<u>", "mode": "<i>"}])
    changes = json.dumps([{"name": HOSTILE, "before": "<u>", "after": "<i>"}])
    add_run(config_id, now, verdict="loaded", columns=columns, schema_changes=changes)
    add_run(
        config_id, now + HOUR, state="failed", error_class="<u>", error=HOSTILE + CELL.replace("https", "javascript")
    )
    assert_inert(reader.page(f"/configs/{config_id}"))
