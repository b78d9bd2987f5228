"""A config's state on the overview, of all that a config can be in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.ledger.console_statements import CONFIG_STATES
from tests.integration.console.conftest import Reader

HOUR = timedelta(hours=1)
ATTEMPT = {"attempt": 1, "had_last_run": True, "job_project": "p", "job_location": "US", "execution": "e"}

Add = Callable[..., Any]


@pytest.fixture
def loaded(add_config: Add, add_run: Add, now: datetime) -> Callable[..., int]:
    """A config that was loaded an hour ago, by default."""

    def load(ago: timedelta = HOUR, verdict: str = "loaded", **values: Any) -> int:
        at = now - ago
        config_id: int = add_config(last_run=at, scheduled_run=at, **values)
        add_run(config_id, at, verdict=verdict, rows=10, claimed_at=at - timedelta(seconds=12))
        return config_id

    return load


def claimed(now: datetime) -> dict[str, Any]:
    return {"claimed_at": now, "lease_until": now + HOUR, "deadline": now + HOUR, "admitted_at": now, **ATTEMPT}


def test_a_config_that_never_ran_is_due(reader: Reader, add_config: Add) -> None:
    assert reader.row(add_config())["state"] == "due"


def test_one_that_runs_by_hand_alone_never_ran(reader: Reader, add_config: Add) -> None:
    row = reader.row(add_config(run_frequency_hours=0))
    assert (row["state"], row["freshness"], row["next_at"]) == ("never_ran", "by_hand", None)


def next_run(reader: Reader, config_id: int) -> str:
    """As the config's page tells it."""
    return reader.words(f"/configs/{config_id}").partition(" Next run ")[2].partition(" Rows ")[0]


def test_the_next_run_is_told_as_it_comes(
    reader: Reader, add_config: Add, add_run: Add, loaded: Callable[..., int], now: datetime
) -> None:
    due = add_config("due")
    assert next_run(reader, due) == "at the next dispatch"
    assert "at the next dispatch" in reader.words("/")
    add_run(due, now, state="pending")
    assert next_run(reader, due).startswith("in 24 h")
    assert next_run(reader, loaded(name="fresh")) == "in 23 h"
    assert next_run(reader, add_config("by hand", run_frequency_hours=0)) == "manual only"
    assert next_run(reader, add_config("paused", is_active=False)) == "none while it is paused"
    late = loaded(timedelta(hours=30), name="late")
    add_run(late, now, state="pending", why="manual")
    assert next_run(reader, late) == "after the open run"


def test_a_load_of_late_is_a_success(reader: Reader, loaded: Callable[..., int], now: datetime) -> None:
    row = reader.row(loaded())
    assert (row["state"], row["outcome"], row["freshness"]) == ("succeeded", "succeeded", "fresh")
    assert datetime.fromisoformat(row["next_at"]) == now - HOUR + timedelta(hours=24)
    assert (row["rows"], row["seconds"], row["warnings"]) == (10, 12.0, 0)


@pytest.mark.parametrize("verdict", ["unchanged", "kept"])
def test_a_run_that_had_nothing_to_load_left_it_unchanged(
    reader: Reader, loaded: Callable[..., int], verdict: str
) -> None:
    assert reader.row(loaded(verdict=verdict))["state"] == "unchanged"


def test_a_failure_is_told_with_its_class(
    reader: Reader, loaded: Callable[..., int], add_run: Add, now: datetime
) -> None:
    config_id = loaded(ago=30 * HOUR)
    add_run(config_id, now - 6 * HOUR, state="failed", error_class="SheetNotShared", error="…", warnings='["a", "b"]')
    row = reader.row(config_id)
    assert (row["state"], row["outcome"], row["note"], row["warnings"]) == ("failed", "failed", "SheetNotShared", 2)
    # What is in the table still.
    assert row["rows"] == 10
    assert (row["freshness"], round(row["late_seconds"] / 3600)) == ("late", 6)
    assert datetime.fromisoformat(row["next_at"]) == now + 18 * HOUR


def test_a_cancelled_run_says_nothing_of_the_table(
    reader: Reader, loaded: Callable[..., int], add_run: Add, now: datetime
) -> None:
    config_id = loaded()
    add_run(config_id, now - HOUR / 2, why="manual", state="cancelled")
    row = reader.row(config_id)
    assert (row["state"], [run["outcome"] for run in row["recent"]]) == ("succeeded", ["succeeded", "cancelled"])


def test_within_dispatchs_own_time_nothing_is_late(reader: Reader, loaded: Callable[..., int]) -> None:
    row = reader.row(loaded(ago=timedelta(hours=24, minutes=10)))
    assert (row["state"], row["freshness"]) == ("due", "fresh")


@pytest.mark.parametrize("state", ["launching", "running"])
def test_a_run_in_flight_is_running(
    reader: Reader, loaded: Callable[..., int], add_run: Add, now: datetime, state: str
) -> None:
    config_id = loaded()
    run_id = add_run(config_id, now, why="manual", state=state, **claimed(now))
    row = reader.row(config_id)
    assert (row["state"], row["run_id"]) == ("running", run_id)
    assert datetime.fromisoformat(row["since"]) == now


def test_a_run_that_failed_once_waits_for_its_next_attempt(
    reader: Reader, loaded: Callable[..., int], add_run: Add, now: datetime
) -> None:
    config_id = loaded()
    add_run(config_id, now, why="manual", state="pending", not_before=now + HOUR, failures=1, attempt=1)
    row = reader.row(config_id)
    assert row["state"] == "waiting"
    assert row["note"].startswith("tries again at ")


def test_a_run_that_is_admitted_waits_to_be_launched(
    reader: Reader, loaded: Callable[..., int], add_run: Add, now: datetime
) -> None:
    config_id = loaded()
    add_run(config_id, now, why="manual", state="queued", admitted_at=now)
    assert reader.row(config_id)["state"] == "waiting"


def test_runs_wait_for_the_quota_once_those_before_them_use_it_up(
    reader_of: Callable[..., Reader], add_config: Add, add_run: Add, now: datetime
) -> None:
    first, second = (add_config(f"c{number}") for number in range(2))
    gone = add_config("gone")
    add_run(gone, now, state="running", reads_reserved=50, **claimed(now))
    add_run(first, now - 2 * HOUR, state="pending", reads=10)
    add_run(second, now - HOUR, state="pending", reads=10)
    told = {row["id"]: row["state"] for row in reader_of(SHEETS_READS_PER_MINUTE="60").facts()["configs"]}
    assert (told[first], told[second]) == ("waiting", "quota")
    # With no place to run, it is not the quota that they wait for.
    told = {
        row["id"]: row["state"] for row in reader_of(SHEETS_READS_PER_MINUTE="1", MAX_RUNNING="1").facts()["configs"]
    }
    assert (told[first], told[second]) == ("waiting", "waiting")


def test_a_run_behind_one_of_its_own_config_does_not_wait_for_the_quota(
    reader_of: Callable[..., Reader], add_config: Add, add_run: Add, now: datetime
) -> None:
    config_id = add_config()
    add_run(config_id, now, state="running", reads_reserved=60, **claimed(now))
    add_run(config_id, now, why="manual", state="pending", reads=10)
    assert reader_of(SHEETS_READS_PER_MINUTE="60").row(config_id)["state"] == "running"


def test_a_paused_config_tells_why_in_the_words_of_who_paused_it(reader: Reader, loaded: Callable[..., int]) -> None:
    row = reader.row(loaded(ago=100 * HOUR, is_active=False, paused_reason="the sheet moved"))
    assert (row["state"], row["freshness"], row["next_at"]) == ("paused", None, None)
    assert row["note"] == "the sheet moved"


def test_what_cannot_come_due_is_blocked_and_tells_why(reader: Reader, loaded: Callable[..., int]) -> None:
    one, other = loaded(bigquery_table_id="same"), loaded(bigquery_table_id="same")
    negative = loaded(run_frequency_hours=-1, bigquery_table_id="negative")
    sound = loaded(bigquery_table_id="sound")
    rows = {row["id"]: row for row in reader.facts()["configs"]}
    assert {rows[config_id]["state"] for config_id in (one, other, negative)} == {"blocked"}
    assert f'config {other} "sales"' in rows[one]["note"]
    assert "run_frequency_hours" in rows[negative]["note"]
    assert rows[negative]["frequency_hours"] is None
    assert rows[sound]["state"] == "succeeded"


@pytest.mark.parametrize("written", ["infinity", "9999-12-31", "-infinity", "0044-03-15 BC"])
def test_what_portals_write_for_never_does_not_break_the_page(
    reader: Reader, add_config: Add, sql: Callable[..., Any], written: str
) -> None:
    config_id = add_config()
    sql(
        "UPDATE sheet_to_bigquery_configs SET last_run = CAST(:at AS timestamptz) WHERE id = :id",
        at=written,
        id=config_id,
    )
    assert reader.row(config_id)["state"] in ("blocked", "due")


def test_the_migrations_marks_are_told(
    reader: Reader, loaded: Callable[..., int], add_run: Add, sql: Callable[..., Any], now: datetime
) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(20)")
    marks = {mark: loaded(migration_status=mark) for mark in (None, "service", "shadow", "job_ready", "nonsense")}
    rows = {row["id"]: row for row in reader.facts()["configs"]}
    assert {mark: rows[config_id]["state"] for mark, config_id in marks.items()} == {
        None: "service",
        "service": "service",
        "shadow": "shadow",
        "job_ready": "succeeded",
        "nonsense": "service",
    }
    assert rows[marks["service"]]["freshness"] is None
    told = reader.words(f"/configs/{marks['service']}")
    assert "the older service loads its table: how far it is" in told
    add_run(marks["shadow"], now, why="shadow", state="running", **claimed(now))
    assert reader.row(marks["shadow"])["state"] == "running"


def test_the_counts_are_of_all_configs_whatever_is_filtered(
    reader: Reader, add_config: Add, loaded: Callable[..., int]
) -> None:
    for number in range(3):
        add_config(f"new {number}")
    loaded(name="old")
    told = reader.facts(state="succeeded")
    assert told["counts"] == {"due": 3, "succeeded": 1}
    assert set(told["counts"]) <= set(CONFIG_STATES)
    assert [row["name"] for row in told["configs"]] == ["old"]
