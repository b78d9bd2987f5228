"""Every sweep tells what the deployment's metrics are made of."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.settings import Database
from shared.sweep import sweep


def measured(bench, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    caplog.set_level(logging.INFO, logger="sheet_to_bigquery")
    caplog.clear()
    sweep(bench.store, bench.bigquery_of, bench.executions(), bench.publish, bench.with_settings(max_running=1))
    [line] = [each for each in caplog.records if each.msg == "measured"]
    return line.fields  # type: ignore[attr-defined]


def test_an_idle_system_has_no_backlog(bench, caplog) -> None:
    told = measured(bench, caplog)
    assert told["waiting"] == 0
    assert told["oldest_due_seconds"] == 0
    assert told["connections"] >= 1


def test_waiting_runs_and_the_age_of_the_oldest_open_one_are_told(bench, caplog, add_config, add_run, queue) -> None:
    queue("busy")
    now = datetime.now(UTC)
    add_run(add_config("late"), now - timedelta(hours=2), state="pending", not_before=now + timedelta(hours=1))
    add_run(add_config("done"), now - timedelta(hours=9), state="succeeded")
    told = measured(bench, caplog)
    assert told["waiting"] == 2
    assert 7190 < told["oldest_due_seconds"] < 7290


def test_a_run_for_an_old_slot_is_no_older_than_its_record(bench, caplog, add_config, add_run) -> None:
    """A monthly config that was paused for long has a slot weeks ago, and waits since a moment ago."""
    now = datetime.now(UTC)
    add_run(add_config("monthly"), now - timedelta(days=29), state="pending", created_at=now - timedelta(minutes=5))
    assert 290 < measured(bench, caplog)["oldest_due_seconds"] < 390


def test_a_run_for_a_slot_to_come_is_not_due_for_less_than_nothing(bench, caplog, add_config, add_run) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    add_run(add_config("early"), soon, state="pending", not_before=soon)
    assert measured(bench, caplog)["oldest_due_seconds"] == 0


def test_where_nothing_can_be_cleaned_now_the_sweep_goes_on(migrated: Database, bench, caplog, sql) -> None:
    sql("BEGIN")
    sql("LOCK TABLE sheet_to_bigquery_messages IN ACCESS EXCLUSIVE MODE")
    with connect(migrated) as connection:
        session = Session(connection, migrated.configs_table)
        session.run("SET lock_timeout = '50ms'")
        counts = sweep(Store(session), bench.bigquery_of, bench.executions(), bench.publish, bench.with_settings())
    assert (counts["cleaned"], counts["told"]) == (0, 0)
    assert "not_cleaned" in [line.msg for line in caplog.records]
