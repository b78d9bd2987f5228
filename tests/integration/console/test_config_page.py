"""A config's page tells what its row says, how it stands, and what the ledger has of its runs, columns and plans."""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from console.pages import config
from console.pages.config import ConfigPage
from console.visit import Site, Visit
from shared.acted import Acted
from shared.ledger.connection import Session, connect
from shared.ledger.history_statements import ENDED_RUNS_OF, NEWEST_CHANGES, NEWEST_COLUMNS
from shared.ledger.store import Store
from shared.messages import ManualRequest
from shared.settings import Database
from tests.integration.console.conftest import HOSTILE, WHO, Reader, assert_inert

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


def test_the_runs_come_newest_first_fifty_a_page_with_the_open_ones_in_front(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id, other = add_config(), add_config("other")
    ids = [add_run(config_id, now - number * HOUR, verdict="loaded", rows=number) for number in range(1, 56)]
    add_run(other, now, verdict="loaded", rows=1)
    waiting = add_run(config_id, now, why="manual", state="pending")
    first, second = told(reader, config_id), told(reader, config_id, page=2)
    assert ([run["id"] for run in first["runs"]], first["found"], first["pages"]) == (ids[:50], 55, 2)
    assert [run["id"] for run in second["runs"]] == ids[50:]
    assert [run["id"] for run in first["open"]] == [waiting]
    html = reader.page(f"/configs/{config_id}")
    assert html.index(f"/runs/{waiting}") < html.index(f'id="run-{ids[0]}"')
    assert "1–50 of 55" in html
    assert f'href="/configs/{config_id}?page=2"' in html
    assert f'id="run-{waiting}"' not in reader.page(f"/configs/{config_id}", page=2)
    assert reader.ask(f"/configs/{config_id}?page=0").status_code == 400


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
    assert "of 0" not in text
    add_run(config_id, now - HOUR, verdict="loaded", warnings='["w", "x"]')
    assert "1–1 of 1" in reader.words(f"/configs/{config_id}")


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


def test_a_configs_history_goes_by_indexes(migrated: Database, add_config: Add, sql: Add) -> None:
    add_config()
    sql(
        """INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at,
               not_before, reads, ended_at, verdict, columns, schema_changes)
           SELECT gen_random_uuid(), n % 10, 'c', 'd', at, 'schedule', 'succeeded',
               at, at, 1, at, 'loaded', '[]', '[]'
           FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, 20000) n) numbered"""
    )
    sql("ANALYZE sheet_to_bigquery_runs")
    with connect(migrated) as connection:
        session = Session(connection, migrated.configs_table)
        plans = {
            "runs_fared": session.run(f"EXPLAIN {ENDED_RUNS_OF}", config_id=1, most=50, skipped=0),
            "runs_loaded": session.run(f"EXPLAIN {NEWEST_COLUMNS}", config_id=1),
            "loads": session.run(f"EXPLAIN {NEWEST_CHANGES}", config_id=1, looked_at=500, most=5),
        }
    assert "runs_fared" in str(plans["runs_fared"])
    assert "runs_loaded" in str(plans["runs_loaded"])
    assert "runs_loaded" in str(plans["loads"])
