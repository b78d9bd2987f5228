"""The overview finds, filters, sorts and pages in PostgreSQL; its JSON tells what its HTML tells; names are inert."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.ledger.connection import Session, connect
from shared.ledger.console_statements import ENDED_BY_QUARTER, RECENT_RUNS
from shared.settings import Database
from tests.integration.console.conftest import HOSTILE, WHO, Elements, Reader, assert_inert

Add = Callable[..., Any]


def names(told: dict[str, Any]) -> list[str]:
    return [row["name"] for row in told["configs"]]


def test_an_empty_table_says_how_to_begin(reader: Reader) -> None:
    assert "There are no configs yet" in reader.page()
    assert reader.facts()["counts"] == {}


def test_where_a_filter_finds_nothing_no_pages_are_counted(reader: Reader, add_config: Add) -> None:
    assert f"#{add_config()}" in reader.words("/")
    assert "1–1 of 1" in reader.words("/")
    nothing = Elements(reader.page(state="shadow")).words
    assert ("No config is like that here" in nothing, " of 0" in nothing) == (True, False)


def test_it_searches_names_tables_and_ids(reader: Reader, add_config: Add) -> None:
    emea = add_config("Sales EMEA", id=4711, bigquery_table_id="t1")
    add_config("Costs", bigquery_table_id="sales_costs")
    add_config("100% of_all", bigquery_table_id="t3")
    assert names(reader.facts(search="sales", sort="name")) == ["Costs", "Sales EMEA"]
    assert names(reader.facts(search=" emea ")) == ["Sales EMEA"]
    assert names(reader.facts(search="test-project.reports.t3")) == ["100% of_all"]
    assert names(reader.facts(search=str(emea))) == ["Sales EMEA"]
    assert names(reader.facts(search="471")) == []
    # A pattern's characters are only characters.
    assert names(reader.facts(search="%")) == ["100% of_all"]
    assert names(reader.facts(search="s_l")) == []


def test_it_sorts_by_every_column_both_ways_with_what_is_missing_last(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    for number, name in enumerate(("b", "a", "c"), start=1):
        at = now - timedelta(hours=number)
        config_id = add_config(name, last_run=at, scheduled_run=at)
        rows = {"rows": 10 * number, "claimed_at": at - timedelta(seconds=number), "warnings": "[]"}
        add_run(config_id, at, verdict="loaded", **rows)
    add_config("none", is_active=False)
    for sort, up in {
        "name": ["a", "b", "c", "none"],
        "rows": ["b", "a", "c", "none"],
        "seconds": ["b", "a", "c", "none"],
        "last": ["c", "a", "b", "none"],
        "next": ["c", "a", "b", "none"],
        "freshness": ["c", "a", "b", "none"],
    }.items():
        assert names(reader.facts(sort=sort)) == up, sort
        last = ["none", "c", "b", "a"] if sort == "name" else [*up[2::-1], "none"]
        assert names(reader.facts(sort=sort, order="down")) == last, sort


def test_it_gives_fifty_a_page(reader: Reader, sql: Callable[..., Any]) -> None:
    sql(
        """INSERT INTO sheet_to_bigquery_configs
               (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, bigquery_table_id)
           SELECT 'c' || lpad(n::text, 3, '0'), 'u', 'test-project', 'd', 't' || n FROM generate_series(1, 120) n"""
    )
    first, third, beyond = (reader.facts(sort="name", page=page) for page in (1, 3, 4))
    assert (names(first)[0], len(names(first)), first["found"], first["pages"]) == ("c001", 50, 120, 3)
    assert names(third) == [f"c{number:03}" for number in range(101, 121)]
    assert (names(beyond), beyond["found"]) == ([], 120)
    html = reader.page(sort="name", page=2, search="c")
    assert "51–100 of 120" in html
    assert 'href="/?search=c&amp;sort=name&amp;order=up&amp;page=3"' in html


@pytest.mark.parametrize(
    "asked",
    [
        {"sort": "nosuch"},
        {"state": "<b>"},
        {"page": "0"},
        {"page": "x"},
        {"page": "1" * 30},
        {"search": "x" * 201},
        {"search": "a\0b"},
    ],
)
def test_an_address_that_asks_for_what_there_is_not_is_told_so(reader: Reader, asked: dict[str, str]) -> None:
    response = reader.ask("/", query_string=asked)
    assert response.status_code == 400
    assert f"the address: {next(iter(asked))} " in response.get_data(as_text=True)
    assert "<b>" not in response.get_data(as_text=True)


def test_the_page_tells_what_its_json_tells(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    at = now - timedelta(hours=30)
    config_id = add_config("Sales", last_run=at, scheduled_run=at)
    add_run(config_id, at, verdict="loaded", rows=12_345, claimed_at=at - timedelta(seconds=75))
    add_run(config_id, now - timedelta(hours=6), state="failed", error_class="SheetNotShared", warnings='["w", "x"]')
    told, html = reader.facts(), reader.page()
    text = " ".join(Elements(html).text.split())
    (row,) = told["configs"]
    for fact in ("Sales", row["table"], "failed", "SheetNotShared", "late by 6 h", "every day", "12,345"):
        assert fact in text, fact
    assert re.search(r"6 h( \d+ min)? ago failed", text)
    assert f'datetime="{row["next_at"][:19]}Z"' in html
    assert f'datetime="{row["ended_at"][:19]}Z"' in html
    assert f'<a class="warned" href="/runs/{row["ended_run_id"]}#warnings-title">2</a>' in html
    for state, count in told["counts"].items():
        assert re.search(rf'href="/\?state={state}".*<b>{count}</b> {state}', html)
    assert WHO in text


def test_hostile_names_are_text_and_nothing_else(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    config_id = add_config(
        HOSTILE, bigquery_table_id="t<i>", bigquery_dataset_id='"onload="x', is_active=False, paused_reason=HOSTILE
    )
    add_run(config_id, now, state="failed", error_class="<u>", error=HOSTILE)
    page = assert_inert(reader.page(search="<script>"))
    (search,) = (attributes for tag, attributes in page.elements if attributes.get("id") == "search")
    assert search["value"] == "<script>"


def test_no_page_has_script_or_style_inside(reader: Reader, add_config: Add, add_run: Add, now: datetime) -> None:
    add_run(add_config(), now, verdict="loaded", rows=1)
    page = Elements(reader.page())
    assert "style" not in [tag for tag, _ in page.elements]
    assert all(attributes.get("src", "").startswith("/static/") for tag, attributes in page.elements if tag == "script")


def test_the_strip_counts_the_last_day_by_quarters_of_an_hour(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    for minutes, values in (
        (1, {"verdict": "loaded"}),
        (2, {"verdict": "unchanged", "why": "manual"}),
        (60, {"state": "failed"}),
        (60 * 25, {"verdict": "loaded"}),
    ):
        add_run(config_id, now - timedelta(minutes=minutes), **values)
    counts: dict[str, int] = {}
    for quarter in reader.facts()["day"]:
        assert datetime.fromisoformat(quarter["begin"]).minute % 15 == 0
        counts[quarter["outcome"]] = counts.get(quarter["outcome"], 0) + quarter["count"]
    assert counts == {"succeeded": 1, "unchanged": 1, "failed": 1}
    assert "last 24 hours: 1 succeeded, 1 unchanged, 1 failed" in reader.page()


def test_recent_runs_come_oldest_first_and_no_more_than_are_drawn(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    for number in range(30):
        add_run(config_id, now - timedelta(hours=30 - number), verdict="loaded", rows=number)
    assert [run["rows"] for run in reader.row(config_id)["recent"]] == list(range(6, 30))


def test_where_the_newest_run_told_no_rows_those_of_the_newest_load_are_shown(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    for hours, told in ((3, {"verdict": "loaded", "rows": 7}), (2, {"verdict": "loaded", "rows": 12})):
        add_run(config_id, now - timedelta(hours=hours), **told)
    for minutes in range(60):
        add_run(config_id, now - timedelta(minutes=minutes), state="failed", why="manual")
    assert reader.row(config_id)["rows"] == 12
    assert reader.facts(f"/configs/{config_id}.json")["config"]["rows"] == 12
    add_run(config_id, now + timedelta(minutes=1), verdict="unchanged", rows=13)
    assert reader.row(config_id)["rows"] == 13


def test_it_looks_again_soon_while_something_goes_on(
    reader: Reader, add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config(run_frequency_hours=0)
    assert 'data-live="60"' in reader.page()
    add_run(config_id, now, why="manual", state="pending")
    assert 'data-live="5"' in reader.page()


def test_what_is_asked_of_runs_goes_by_an_index(migrated: Database, add_config: Add, sql: Callable[..., Any]) -> None:
    add_config()
    sql(
        """INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at,
               not_before, reads, ended_at, verdict)
           SELECT gen_random_uuid(), n % 1000, 'c', 'd', at, 'schedule', 'succeeded', at, at, 1, at, 'loaded'
           FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, 20000) n) numbered"""
    )
    sql("ANALYZE sheet_to_bigquery_runs")
    with connect(migrated) as connection:
        session = Session(connection, migrated.configs_table)
        since, now = session.run("SELECT now() - interval '1 hour', now()")[0]
        strip = session.run(f"EXPLAIN {ENDED_BY_QUARTER}", since=since, now=now)
        recent = session.run(f"EXPLAIN {RECENT_RUNS}", ids=[1, 2, 3], most=24)
    assert "Index Only Scan using runs_ended" in str(strip)
    assert "runs_fared" in str(recent)
