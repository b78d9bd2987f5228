"""Every sweep tells what the deployment's metrics are made of."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

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


def test_a_run_for_a_slot_to_come_is_not_due_for_less_than_nothing(bench, caplog, add_config, add_run) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    add_run(add_config("early"), soon, state="pending", not_before=soon)
    assert measured(bench, caplog)["oldest_due_seconds"] == 0
