"""A run's page tells what the ledger has of it; the cells that its texts name are links, and nothing else is."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.integration.console.conftest import HOSTILE, WHO, Elements, Reader, assert_inert, attempt_at

SECOND = timedelta(seconds=1)
EXECUTION = "projects/test-project/locations/europe-west1/jobs/job/executions/job-x7k2p"
CELL = "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=7&range=C17"
Add = Callable[..., Any]


@pytest.fixture
def attempt(now: datetime) -> dict[str, Any]:
    """A run that waited 2 s, was queued for 3 s, and ran for 10 s."""
    begun = now - 15 * SECOND
    return {
        "created_at": begun,
        "admitted_at": begun + 2 * SECOND,
        "claimed_at": begun + 5 * SECOND,
        "ended_at": now,
        "attempt": 2,
        "failures": 1,
        "had_last_run": True,
        "job_project": "test-project",
        "job_location": "EU",
        "execution": EXECUTION,
    }


def columns(**types: str) -> str:
    return json.dumps([{"name": name, "type": of, "mode": "NULLABLE"} for name, of in types.items()])


@pytest.mark.parametrize("run_id", ["9b2c8a8e-5a4e-4d53-9f3f-0d6a1f1f0f0f", "nonsense", "1"])
def test_a_run_that_is_not_there_is_not_found(reader: Reader, run_id: str) -> None:
    assert reader.ask(f"/runs/{run_id}").status_code == 404
    assert reader.ask(f"/runs/{run_id}.json").status_code == 404


def test_it_tells_what_it_came_to_and_where_to_look_further(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, attempt: dict[str, Any]
) -> None:
    config_id = add_config()
    attempt |= {"bytes": 2_345_678, "requests": 6, "sheet_reads": 4, "rows": 12_345}
    run_id = add_run(config_id, now, verdict="loaded", destination="test-project.reports.sales", **attempt)
    facts = reader.facts(f"/runs/{run_id}.json")["facts"]
    assert (facts["run"]["id"], facts["run"]["rows"], facts["run"]["attempt"]) == (run_id, 12_345, 2)
    links = facts["links"]
    assert links["spreadsheet"] == "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=0"
    html = reader.page(f"/runs/{run_id}")
    hrefs = {attributes.get("href") for tag, attributes in Elements(html).elements if tag == "a"}
    assert {links[name] for name in ("spreadsheet", "table", "job", "execution", "logs")} <= hrefs
    assert f"/configs/{config_id}" in hrefs
    text = reader.words(f"/runs/{run_id}")
    for fact in ("succeeded", "by its schedule", "Attempts 2, of which 1 failed", "12,345", "2.3 MB"):
        assert fact in text, fact
    assert "Requests 6, of which the Sheets quota counts 4" in text
    assert "data-live" not in html


def test_its_time_is_told_in_parts(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, attempt: dict[str, Any]
) -> None:
    stages = json.dumps({"read": 3.0, "load": 1.5})
    run_id = add_run(add_config(), now, verdict="loaded", seconds=stages, **attempt)
    html = reader.page(f"/runs/{run_id}")
    parts = re.findall(r'<th scope="row">(\w+)</th><td><svg.*?d="M(\d+) 0h(\d+)v.*?class="number">([^<]*)<', html)
    assert [(name, int(x), int(width), took) for name, x, width, took in parts] == [
        ("waiting", 0, 133, "2.0 s"),
        ("queued", 133, 200, "3.0 s"),
        ("running", 333, 667, "10 s"),
        ("start", 333, 367, "5.5 s"),
        ("read", 700, 200, "3.0 s"),
        ("load", 900, 100, "1.5 s"),
    ]
    claimed_at = msgspec.convert(reader.facts(f"/runs/{run_id}.json")["facts"]["run"]["claimed_at"], datetime)
    assert f">{claimed_at:%H:%M:%S}</time>" in html


def test_a_run_that_goes_on_looks_again(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    later = now + timedelta(minutes=10)
    run_id = add_run(add_config(), now, why="manual", state="pending", failures=1, attempt=1, not_before=later)
    html, text = reader.page(f"/runs/{run_id}"), reader.words(f"/runs/{run_id}")
    assert 'data-live="5"' in html
    assert f"not before {later:%Y-%m-%d %H:%M} UTC" in text
    assert "waiting goes on" in text


def test_a_failure_shows_its_cells_as_links(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, attempt: dict[str, Any]
) -> None:
    error = f"2 cells are no numbers: Q4!C17 ({CELL}), Q4!C170: correct them"
    failed = {"error_class": "SchemaViolated", "error": error, "permanent": True}
    run_id = add_run(add_config(), now, state="failed", **failed, **attempt)
    facts = reader.facts(f"/runs/{run_id}.json")["facts"]
    assert facts["error"]["text"] == error
    assert [each["cell"] for each in facts["error"]["cells"]] == ["Q4!C17", "Q4!C170"]
    html, text = reader.page(f"/runs/{run_id}"), reader.words(f"/runs/{run_id}")
    escaped = CELL.replace("&", "&amp;")
    assert f'<a href="{escaped}">Q4!C17</a>, <a href="{escaped}0">Q4!C170</a>: correct them' in html
    assert "SchemaViolated 2 cells are no numbers: Q4!C17, Q4!C170: correct them" in text
    assert "Trying again would not have helped" in text


def test_what_would_fail_again_has_to_be_edited_first_and_is_run_again_beneath(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    for permanent, emphasis in ((True, " main"), (False, "")):
        failed = {"error_class": "SheetNotFound", "error": "no spreadsheet", "permanent": permanent}
        html = reader.page(f"/runs/{add_run(config_id, now, state='failed', **failed)}")
        there = f"/configs/{config_id}/edit?field=google_sheet_url#field-google_sheet_url"
        edit = f'<a class="button{emphasis}" href="{there}">'
        assert f"{edit}Edit the config: Address of the spreadsheet</a>" in html
        assert html.index(edit) < html.index(">Run again</button>")
        now += SECOND


def test_what_to_do_about_a_failure_is_a_line_of_its_own(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    failed = {"error_class": "EmptySheet", "error": f"no rows: {HOSTILE}", "remedy": HOSTILE}
    config_id = add_config()
    run_id = add_run(config_id, now, state="failed", **failed)
    for page in (f"/runs/{run_id}", f"/configs/{config_id}"):
        html = reader.page(page)
        assert_inert(html)
        assert '<span class="told">no rows</span>' in html
        assert '<p class="remedy"><span class="told">&lt;script' in html
    assert reader.facts(f"/runs/{run_id}.json")["facts"]["remedy"]["text"] == HOSTILE
    assert reader.facts(f"/configs/{config_id}.json")["remedy"]["text"] == HOSTILE


def test_warnings_are_told_with_their_cells(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    warnings = json.dumps([f"1 cell is in error: 'My tab'!C17 ({CELL})", "column B is empty"])
    run_id = add_run(add_config(), now, verdict="loaded", warnings=warnings)
    html = reader.page(f"/runs/{run_id}")
    assert f'<a href="{CELL.replace("&", "&amp;")}">&#39;My tab&#39;!C17</a>' in html
    assert "2 warnings 1 cell is in error: 'My tab'!C17 column B is empty" in reader.words(f"/runs/{run_id}")


def test_its_columns_are_told_with_what_became_of_them(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    before = columns(day="DATE", units="STRING", price="NUMERIC")
    former = add_run(config_id, now - timedelta(hours=2), verdict="loaded", columns=before)
    run_id = add_run(config_id, now, verdict="loaded", columns=columns(day="DATE", units="INT64", paid="BOOL"))
    assert reader.facts(f"/runs/{run_id}.json")["facts"]["former"]["id"] == former
    text = reader.words(f"/runs/{run_id}")
    assert "Since the load before, 2 h ago" in text
    for change in ("changed units STRING NULLABLE → INT64 NULLABLE", "new paid BOOL NULLABLE", "gone price NUMERIC"):
        assert change in text, change
    assert "1 day DATE NULLABLE 2 units INT64 was STRING NULLABLE NULLABLE 3 paid BOOL new NULLABLE" in text
    assert f'href="/runs/{former}"' in reader.page(f"/runs/{run_id}")


def test_a_very_wide_table_is_shown_in_part_and_told_in_full(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    wide = columns(**{f"c{number}": "STRING" for number in range(1, 1200)})
    run_id = add_run(add_config(), now, verdict="loaded", columns=wide)
    assert len(reader.facts(f"/runs/{run_id}.json")["facts"]["columns"]) == 1199
    text = reader.words(f"/runs/{run_id}")
    assert "1,199 columns" in text
    assert "500 c500 STRING NULLABLE … and 699 more, which this page's JSON has." in text


def test_a_run_outlives_its_config(reader: Reader, add_config: Add, add_run: Add, sql: Add, now: datetime) -> None:
    run_id = add_run(add_config(), now, verdict="kept")
    sql("DELETE FROM sheet_to_bigquery_configs")
    assert reader.facts(f"/runs/{run_id}.json")["facts"]["links"]["spreadsheet"] is None
    assert "the sheet had no rows: the table was kept as it was" in reader.words(f"/runs/{run_id}")


def test_hostile_names_and_texts_are_inert(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    config_id = add_config(HOSTILE, google_sheet_url="javascript:alert(1)")
    told = {"error_class": "<u>", "error": f"{HOSTILE} '<i>'!A1 (javascript:alert(1)) <i>!B2"}
    columns = json.dumps([{"name": HOSTILE, "type": "<u>", "mode": "<i>"}])
    changes = json.dumps([{"name": HOSTILE, "before": "<u>", "after": "<i>"}])
    names = {"config_name": HOSTILE, "destination": '"><i>.<u>.<i>', "execution": "javascript:alert(1)"}
    more = {"warnings": json.dumps([HOSTILE]), "columns": columns, "schema_changes": changes}
    run_id = add_run(config_id, now, state="failed", **told, **names, **more)
    page = assert_inert(reader.page(f"/runs/{run_id}"))
    assert "7*7" in page.text


@pytest.mark.parametrize(
    ("state", "values", "told"),
    [
        ("failed", {"permanent": True}, "The table stayed as it was. Trying again would not have helped"),
        ("failed", {"attempt": 3, "had_last_run": False}, "The table stayed as it was. It was tried 3 times."),
        ("cancelled", {}, "The table stayed as it was."),
        ("pending", {"ended_at": None}, "It is tried again. The table stayed as it was."),
    ],
)
def test_that_the_table_stayed_as_it_was_is_told_where_each_attempt_is_closed(
    state: str, values: dict[str, Any], told: str, reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    run_id = add_run(add_config(), now, state=state, error_class="TabNotFound", error="no tab", **values)
    text = reader.words(f"/runs/{run_id}")
    assert told in text
    assert ("None: this run loaded nothing." in text) == (state != "pending")


def test_of_an_attempt_that_is_open_nobody_knows_what_it_loads(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    flying = add_run(add_config(), now, state="running", error_class="TabNotFound", error="no tab", **attempt_at(now))
    text = reader.words(f"/runs/{flying}")
    assert "It is tried again." in text
    assert "stayed as it was" not in text


@pytest.mark.parametrize(
    ("attempt", "failures", "told"),
    [(1, 0, "Attempts 1 Rows"), (1, 1, "Attempts 1, which failed"), (3, 3, "Attempts 3, all failed")],
)
def test_attempts_are_told_in_words(
    attempt: int, failures: int, told: str, reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    run_id = add_run(add_config(), now, state="failed", attempt=attempt, failures=failures, had_last_run=False)
    assert told in reader.words(f"/runs/{run_id}")


def test_who_asked_for_a_runs_end_is_told_in_place_of_the_button(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    run_id = add_run(config_id, now, state="running", **attempt_at(now))
    for page in (f"/runs/{run_id}", f"/configs/{config_id}"):
        assert f'href="/runs/{run_id}/cancel"' in reader.page(page)
    reader.do(f"/runs/{run_id}/cancel")
    told = reader.words(f"/runs/{run_id}")
    assert re.search(rf"cancel asked at [\d-]+ \d\d:\d\d UTC by {WHO}; the next sweep closes it", told), told
    for page in (f"/runs/{run_id}", f"/configs/{config_id}"):
        assert f'href="/runs/{run_id}/cancel"' not in reader.page(page)


def test_a_run_that_was_ended_before_it_began_says_by_whom(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    run_id = add_run(add_config(), now, state="pending")
    reader.do(f"/runs/{run_id}/cancel")
    assert f"by {WHO}" in reader.words(f"/runs/{run_id}")
