"""deploy.sh's metrics of runs count the lines that the functions really print, and measure what they say."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import log
from shared.launch import launch
from shared.receive import receive
from shared.run import Failure
from shared.settle import fail, settle
from tests.metrics.deployed import deployed_metrics
from tests.metrics.log_entries import entries_of
from tests.metrics.logging_filter import parse_filter

METRICS = deployed_metrics()
FUNCTIONS = ("sheettobigquery-orchestrator", "sheettobigquery-launch", "sheettobigquery-complete")


@pytest.fixture
def printed() -> Iterator[io.StringIO]:
    """What a function prints: the product's own formatter, on its own logger."""
    logger, lines = logging.getLogger("sheet_to_bigquery"), io.StringIO()
    handler = log.json_handler(lines)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(before)


def counted(name: str, lines: io.StringIO, service: str) -> list[dict[str, Any]]:
    """The entries of a service's lines that a metric counts."""
    entries = entries_of(lines.getvalue().splitlines(), "")
    resource = {"type": "cloud_run_revision", "labels": {"service_name": service}}
    return [each for each in ({**entry, "resource": resource} for entry in entries) if holds(name, each)]


def holds(name: str, entry: dict[str, Any]) -> bool:
    return parse_filter(METRICS[name].filter)(entry)


@pytest.mark.parametrize("service", FUNCTIONS)
def test_a_run_is_measured_from_when_it_was_due_to_its_end(bench, printed, service, add_config, add_run) -> None:
    """A load that is done, by whichever function that is seen."""
    due = datetime.now(UTC) - timedelta(minutes=20)
    run_id = add_run(add_config("sales"), due, state="queued", created_at=due + timedelta(minutes=5))
    launch(run_id, bench.store, bench.wiring.location_of, bench.executions(), bench.settings)
    bench.load(bench.run(run_id))
    settle(bench.run(run_id), bench.store, bench.bigquery_of, bench.executions(), bench.settings)
    assert bench.run(run_id).state == "succeeded"
    [entry] = counted("sheet_to_bigquery_run_seconds", printed, service)
    assert METRICS["sheet_to_bigquery_run_seconds"].field == "jsonPayload.seconds_since_due"
    assert 900 <= entry["jsonPayload"]["seconds_since_due"] < 990
    assert counted("sheet_to_bigquery_run_seconds", printed, "another-service") == []


def test_a_run_that_failed_for_good_is_measured_and_one_that_is_tried_again_is_not(bench, printed, queue) -> None:
    again = Failure("LoadFailed", "BigQuery failed", retryable=True)
    run_id = queue()
    launch(run_id, bench.store, bench.wiring.location_of, bench.executions(), bench.settings)
    assert fail(bench.run(run_id), again, bench.store, bench.settings) == "retried"
    invalid = queue("wrong", google_sheet_url="nowhere")
    launch(invalid, bench.store, bench.wiring.location_of, bench.executions(), bench.settings)
    assert bench.run(invalid).state == "failed"
    [entry] = counted("sheet_to_bigquery_run_seconds", printed, FUNCTIONS[1])
    assert entry["jsonPayload"]["run_id"] == invalid
    assert entry["jsonPayload"]["seconds_since_due"] >= 0


@pytest.mark.parametrize(("service", "count"), [(FUNCTIONS[0], 0), (FUNCTIONS[1], 1), (FUNCTIONS[2], 1)])
def test_what_nobody_understood_is_counted_wherever_it_came(bench, printed, service: str, count: int) -> None:
    receive(b"?", bench.wiring.store, lambda envelope: envelope.message_id)
    assert json.loads(printed.getvalue())["message"] == "poison"
    assert len(counted("sheet_to_bigquery_poison", printed, service)) == count
