"""Every state change of a run is one line in the log, with the run's id: none is missing, none comes twice."""

import logging
from typing import Any

import pytest

from shared.dispatch import DispatchRequest, dispatch
from shared.launch import launch
from shared.messages import Envelope, ManualRequest, RunCompleted
from shared.record import record
from shared.run import Run
from shared.settle import settle
from tests.integration.verbs.conftest import wait_for_end

# Lines that are no state change of a run.
BESIDE = ("dispatched", "paused", "launch_unknown", "explained")


@pytest.fixture
def lines(bench, caplog: pytest.LogCaptureFixture):
    """The state changes that were told of a run, in order, by its id; what dispatch recorded, by its batch's."""
    caplog.set_level(logging.INFO, logger="sheet_to_bigquery")

    def of(run_id: str) -> list[str]:
        told = []
        for each in caplog.records:
            fields: dict[str, Any] = getattr(each, "fields", {})
            if fields.get("run_id") == run_id and each.msg not in BESIDE:
                assert "config_id" in fields, each.msg
                told.append(each.msg)
            told += [each.msg] * fields.get("run_ids", []).count(run_id)
            if each.msg == "recorded" and fields.get("batch") and fields["batch"] == bench.run(run_id).batch:
                told.append(each.msg)
        return told

    return of


def launched(bench, run_id: str, executions=None) -> Run:
    launch(run_id, bench.store, bench.wiring.location_of, executions or bench.executions(), bench.settings)
    return bench.run(run_id)


def settled(bench, run: Run, **said: Any) -> None:
    completed = None
    if said:
        execution = run.execution.rsplit("/", 1)[-1]
        completed = RunCompleted(run.id, run.attempt, execution, "failed", **said)
    settle(run, bench.store, bench.bigquery_of, bench.executions(), bench.settings, completed)


def test_a_run_that_succeeds(bench, lines, add_config) -> None:
    add_config(last_run=None)
    found = dispatch(DispatchRequest(), bench.store, bench.publish, bench.settings)
    [run_id] = bench.published
    run = launched(bench, run_id)
    bench.load(run)
    settled(bench, run)
    settled(bench, bench.run(run_id))
    assert found.admitted == 1
    assert lines(run_id) == ["recorded", "admitted", "claimed", "launched", "succeeded"]


def test_a_run_that_is_tried_again_and_fails_for_good(bench, lines, queue, sql) -> None:
    run_id = queue()
    settled(bench, launched(bench, run_id), error_class="QuotaExceeded", error="later", retryable=True)
    sql("UPDATE sheet_to_bigquery_runs SET state = 'queued'")
    settled(bench, launched(bench, run_id), error_class="EmptySheet", error="no rows")
    assert lines(run_id) == ["claimed", "launched", "put_back", "claimed", "launched", "failed"]


def test_a_run_whose_launch_was_not_answered_and_that_a_person_cancels(bench, lines, queue) -> None:
    run_id, deaf = queue(), bench.reply_lost()
    launched(bench, run_id, deaf)
    bench.store.cancel(run_id, bench.store.now())
    settled(bench, bench.run(run_id))
    assert lines(run_id) == ["claimed", "found_running", "cancelled"]
    wait_for_end(bench, bench.run(run_id), "sleeps")


def test_a_run_that_cannot_begin(bench, lines, queue) -> None:
    wrong, paused = queue("wrong", schema_handling="guess"), queue("paused", is_active=False)
    for run_id in (wrong, paused, wrong):
        launched(bench, run_id)
    assert (lines(wrong), lines(paused)) == (["failed"], ["cancelled"])


def test_a_run_that_waits_for_its_table(bench, lines, queue) -> None:
    busy = queue("busy", bigquery_table_id="same")
    launched(bench, busy)
    bench.store.pause_config(bench.run(busy).config_id, None, bench.store.now())
    waits = queue("waits", bigquery_table_id="same")
    launched(bench, waits)
    assert lines(waits) == ["put_back"]


def test_a_request_by_hand(bench, lines, add_config) -> None:
    request = ManualRequest(config_id=add_config())
    for message_id in ("1", "1", "2"):
        record(Envelope(message_id, b"{}"), request, bench.store)
    heard = bench.store.find_message("1")
    assert lines(heard.run_id) == ["recorded"]
