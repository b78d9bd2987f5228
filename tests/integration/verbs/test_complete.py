"""Complete: the job's message and Cloud Logging's entry, in either order, once or more often, or forged."""

import json
from typing import Any

import msgspec
import pytest

from shared import load_job
from shared.complete import complete
from shared.errors import InvalidInput
from shared.launch import launch
from shared.messages import RunCompleted, decode_ended
from shared.run import Run
from tests.integration.verbs.conftest import wait_for_end


def log_entry(run: Run, **environment: str) -> bytes:
    """Cloud Logging's execution-ended entry, trimmed as captured in the field: v1 shape, counts as floats."""
    variables = {"RUN_ID": run.id, "RUN_ATTEMPT": str(run.attempt), **environment}
    env = [{"name": name, "value": value} for name, value in variables.items() if value]
    response = {
        "@type": "type.googleapis.com/google.cloud.run.v1.Execution",
        "kind": "Execution",
        "metadata": {"name": run.execution.rsplit("/", 1)[-1], "namespace": "123456789"},
        "spec": {"template": {"spec": {"containers": [{"env": env}]}}},
        "status": {"succeededCount": 1.0, "conditions": [{"type": "Completed", "status": "True"}]},
    }
    payload = {"serviceName": "run.googleapis.com", "methodName": "/Jobs.RunJob", "response": response}
    return json.dumps({"logName": "projects/p/logs/x", "protoPayload": payload}).encode()


def said(run: Run, outcome: str = "failed", **details: Any) -> bytes:
    return RunCompleted(run.id, run.attempt, run.execution.rsplit("/", 1)[-1], outcome, **details).encode()


@pytest.fixture
def ended(bench, queue) -> Run:
    """A run whose execution is over and loaded nothing (yet)."""
    run_id = queue()
    launch(run_id, bench.store, bench.wiring.location_of, bench.executions("ends-at-once"), bench.settings)
    run = bench.run(run_id)
    wait_for_end(bench, run, "ends-at-once")
    return run


def completed(bench, data: bytes) -> str:
    hint = decode_ended(data)
    assert hint is not None
    executions = bench.executions("ends-at-once")
    return complete(hint, bench.store, bench.bigquery_of, executions, bench.publish, bench.settings)


def test_the_jobs_message_settles_its_run(bench, ended: Run) -> None:
    bench.load(ended)
    assert completed(bench, said(ended, "succeeded", requests=4)) == "succeeded"
    assert bench.run(ended.id).requests == 4


def test_the_log_entry_alone_settles_the_run(bench, ended: Run) -> None:
    bench.load(ended)
    assert completed(bench, log_entry(ended)) == "succeeded"


def test_the_words_of_the_job_are_added_when_the_log_entry_came_first(bench, ended: Run) -> None:
    bench.load(ended)
    completed(bench, log_entry(ended))
    assert completed(bench, said(ended, "succeeded", requests=4)) == "settled_before"
    assert bench.run(ended.id).requests == 4


def test_a_permanent_failure_told_after_the_log_entry_stops_the_retry(bench, ended: Run) -> None:
    assert completed(bench, log_entry(ended)) == "retried"
    completed(bench, said(ended, error_class="EmptySheet", error="it has no rows", retryable=False))
    run = bench.run(ended.id)
    assert (run.state, run.error_class, run.error) == ("failed", "EmptySheet", "it has no rows")


def test_a_passing_failure_told_after_the_log_entry_keeps_the_retry(bench, ended: Run) -> None:
    completed(bench, log_entry(ended))
    completed(bench, said(ended, error_class="QuotaExceeded", error="later", retryable=True))
    run = bench.run(ended.id)
    assert (run.state, run.error_class, run.failures) == ("pending", "QuotaExceeded", 1)


def test_the_log_entry_after_the_jobs_message_changes_nothing(bench, ended: Run) -> None:
    completed(bench, said(ended, error_class="EmptySheet", error="it has no rows"))
    assert completed(bench, log_entry(ended)) == "settled_before"
    assert bench.run(ended.id).error_class == "EmptySheet"


def test_an_older_attempts_word_is_superseded(bench, ended: Run, sql) -> None:
    completed(bench, log_entry(ended))
    sql("UPDATE sheet_to_bigquery_runs SET attempt = 2")
    assert completed(bench, said(ended, error_class="EmptySheet", error="x")) == "superseded"
    assert bench.run(ended.id).error_class == "ExecutionFailed"


def test_a_lost_reply_of_run_job_is_made_up_by_the_executions_own_message(bench, queue) -> None:
    run_id, deaf = queue(), bench.reply_lost("ends-at-once")
    launch(run_id, bench.store, bench.wiring.location_of, deaf, bench.settings)
    started = msgspec.structs.replace(bench.run(run_id), execution=deaf.started)
    wait_for_end(bench, started, "ends-at-once")
    bench.load(started)
    assert completed(bench, said(started, "succeeded", requests=4)) == "succeeded"
    run = bench.run(run_id)
    assert (run.execution, run.requests) == (deaf.started, 4)


def test_completing_admits_what_waits(bench, ended: Run, add_config, add_run) -> None:
    waiting = add_run(add_config("waiting"), ended.slot, state="pending")
    bench.load(ended)
    completed(bench, log_entry(ended))
    assert bench.published == [waiting]


def test_an_execution_by_hand_is_nobodys_run(ended: Run) -> None:
    assert decode_ended(log_entry(ended, RUN_ID="")) is None


def test_a_run_id_of_nobodys_is_invalid_input(bench) -> None:
    data = RunCompleted("00000000-0000-0000-0000-000000000000", 1, "e", "succeeded").encode()
    with pytest.raises(InvalidInput, match="no run"):
        completed(bench, data)


def test_an_execution_that_woke_after_its_attempt_was_closed_stops_no_retry(bench, ended: Run) -> None:
    completed(bench, log_entry(ended))
    before = bench.run(ended.id)
    completed(bench, said(ended, error_class="AttemptClosed", error="the id is taken", retryable=False))
    after = bench.run(ended.id)
    assert (after.state, after.error, after.failures) == ("pending", before.error, 1)


def test_a_woken_execution_is_no_reason_for_a_failure(bench, ended: Run) -> None:
    load_job.burn(bench.bigquery_of(ended.job_project), ended.id, ended.attempt, ended.job_location)
    assert completed(bench, said(ended, error_class="AttemptClosed", error="x", retryable=False)) == "retried"
    assert bench.run(ended.id).error_class == "ExecutionFailed"


@pytest.mark.parametrize("name", ["", "a/b", "Upper", "x" * 64])
def test_a_name_that_no_execution_has_is_invalid_input(name: str, ended: Run) -> None:
    data = RunCompleted(ended.id, ended.attempt, name, "failed").encode()
    with pytest.raises(InvalidInput, match="execution"):
        decode_ended(data)
