"""Settling: an attempt is closed when a job under its id is done, and by nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from google.api_core.exceptions import Conflict, GoogleAPICallError
from google.cloud import bigquery

from shared import load_job
from shared.launch import launch
from shared.messages import RunCompleted
from shared.run import Run
from shared.settle import settle
from tests.integration.verbs.conftest import wait_for_end


@pytest.fixture
def launched(bench, queue) -> Callable[..., Run]:
    """A run whose execution was started, of a job that does what its name says."""

    def make(job: str = "sleeps", **config: Any) -> Run:
        run_id = queue(**config)
        assert (
            launch(run_id, bench.store, bench.wiring.location_of, bench.executions(job), bench.settings) == "launched"
        )
        return bench.run(run_id)

    return make


def settled(bench, run: Run, job: str = "sleeps", completed: RunCompleted | None = None, **changes: Any) -> str:
    settings = bench.with_settings(**changes)
    return settle(run, bench.store, bench.bigquery_of, bench.executions(job), settings, completed)


def test_a_done_load_is_a_success_even_if_nobody_says_so(bench, launched, sql) -> None:
    run = launched()
    bench.load(run, rows=3)
    assert settled(bench, run) == "succeeded"
    after = bench.run(run.id)
    assert (after.state, after.rows) == ("succeeded", 3)
    assert after.columns == [{"name": "n", "type": "INT64", "mode": "NULLABLE"}]
    assert sql("SELECT last_run FROM sheet_to_bigquery_configs") == [[run.slot]]


def test_a_done_load_is_a_success_even_if_its_container_crashed(bench, launched) -> None:
    run = launched("crashes")
    wait_for_end(bench, run, "crashes")
    bench.load(run)
    assert settled(bench, run, "crashes") == "succeeded"


def test_an_execution_that_ended_without_a_load_is_no_success(bench, launched) -> None:
    run = launched("ends-at-once")
    wait_for_end(bench, run, "ends-at-once")
    assert settled(bench, run, "ends-at-once") == "retried"
    after = bench.run(run.id)
    assert (after.state, after.failures, after.error_class) == ("pending", 1, "ExecutionFailed")
    assert after.not_before > after.created_at


def test_a_closed_attempt_can_never_load(bench, launched) -> None:
    run = launched("ends-at-once")
    wait_for_end(bench, run, "ends-at-once")
    settled(bench, run, "ends-at-once")
    with pytest.raises(Conflict):
        bench.load(run)
    assert load_job.look(bench.bigquery_of(run.job_project), run.id, 1, run.job_location).found == "burned"


def test_a_run_whose_execution_goes_on_stays_open_and_is_looked_at_later(bench, launched) -> None:
    run = launched()
    assert settled(bench, run, lease_seconds=900) == "open"
    after = bench.run(run.id)
    assert after.state == "running"
    assert after.lease_until > run.lease_until


def test_a_lost_reply_of_run_job_is_looked_for_after_the_lease(bench, queue, sql) -> None:
    run_id, deaf = queue(), bench.reply_lost()
    assert launch(run_id, bench.store, bench.wiring.location_of, deaf, bench.settings) == "unknown"
    assert settled(bench, bench.run(run_id)) == "open"
    assert bench.run(run_id).state == "launching"
    sql("UPDATE sheet_to_bigquery_runs SET lease_until = now() - interval '1 second'")
    assert settled(bench, bench.run(run_id)) == "open"
    after = bench.run(run_id)
    assert (after.state, after.execution) == ("running", deaf.started)


def test_an_execution_that_cloud_run_does_not_know_is_given_up_after_the_lease(bench, launched, sql) -> None:
    run = launched()
    sql("UPDATE sheet_to_bigquery_runs SET execution = :name", name=f"{run.execution}-unknown")
    assert settled(bench, bench.run(run.id)) == "open"
    sql("UPDATE sheet_to_bigquery_runs SET lease_until = now() - interval '1 second'")
    assert settled(bench, bench.run(run.id)) == "retried"


def test_past_its_deadline_an_attempt_is_closed_and_its_execution_cancelled(bench, launched, sql) -> None:
    run = launched()
    sql("UPDATE sheet_to_bigquery_runs SET deadline = now() - interval '1 second'")
    assert settled(bench, bench.run(run.id)) == "retried"
    wait_for_end(bench, run, "sleeps")
    with pytest.raises(Conflict):
        bench.load(run)


@pytest.mark.parametrize(
    ("retryable", "settled_as", "state"), [(True, "retried", "pending"), (False, "failed", "failed")]
)
def test_what_the_execution_says_of_its_failure_is_recorded(retryable, settled_as, state, bench, launched) -> None:
    run = launched()
    said = RunCompleted(
        run.id,
        run.attempt,
        run.execution.rsplit("/", 1)[-1],
        "failed",
        error_class="SheetNotShared",
        error="share it with us",
        retryable=retryable,
    )
    assert settled(bench, run, completed=said) == settled_as
    after = bench.run(run.id)
    assert (after.state, after.error_class, after.error) == (state, "SheetNotShared", "share it with us")


@pytest.mark.parametrize("changed", [{"execution": "somebody-else"}, {"attempt": 9}])
def test_a_message_of_another_execution_closes_nothing(changed, bench, launched) -> None:
    run = launched()
    said = RunCompleted(run.id, run.attempt, run.execution.rsplit("/", 1)[-1], "failed", error_class="X", error="y")
    assert settled(bench, run, completed=msgspec.structs.replace(said, **changed)) == "open"


def test_what_another_execution_read_is_not_counted_as_this_ones(bench, launched, sql) -> None:
    run = launched()
    sql("UPDATE sheet_to_bigquery_runs SET deadline = now() - interval '1 second', reads_reserved = 4")
    said = RunCompleted(
        run.id,
        run.attempt,
        "somebody-else",
        "failed",
        requests=2,
        sheet_reads=0,
        error_class="AttemptClosed",
        error="y",
    )
    assert settled(bench, bench.run(run.id), completed=said) == "retried"
    assert sql("SELECT reads_reserved, requests FROM sheet_to_bigquery_runs") == [[4, None]]


def test_a_message_cannot_turn_a_load_into_a_failure(bench, launched) -> None:
    run = launched()
    bench.load(run)
    said = RunCompleted(run.id, run.attempt, run.execution.rsplit("/", 1)[-1], "failed", error_class="X", error="y")
    assert settled(bench, run, completed=said) == "succeeded"


def test_a_message_cannot_turn_nothing_into_a_success(bench, launched) -> None:
    run = launched()
    said = RunCompleted(run.id, run.attempt, run.execution.rsplit("/", 1)[-1], "succeeded", rows=1_000)
    assert settled(bench, run, completed=said) == "open"


def test_details_are_taken_from_the_execution_that_loaded(bench, launched) -> None:
    run = launched()
    bench.load(run)
    said = RunCompleted(
        run.id,
        1,
        run.execution.rsplit("/", 1)[-1],
        "succeeded",
        requests=5,
        bytes=99,
        rows=10**6,
        seconds={"read": 0.5},
    )
    settled(bench, run, completed=said)
    after = bench.run(run.id)
    assert (after.requests, after.bytes, after.seconds) == (5, 99, {"read": 0.5})
    assert after.rows == 2  # BigQuery's count, whatever the message says


def test_a_failed_load_leaves_the_table_and_is_tried_again_under_another_id(bench, launched, sql) -> None:
    run = launched()
    client = bench.bigquery_of(run.job_project)
    client.create_dataset("local-project.reports", exists_ok=True)
    job = client.load_table_from_json(
        [{"n": "not a number"}],
        "local-project.reports.failing",
        job_id=load_job.job_id(run.id, 1),
        location=run.job_location,
        job_config=bigquery.LoadJobConfig(
            schema=[bigquery.SchemaField("n", "INT64")], labels=load_job.labels(run.id, 1, "e", "loaded")
        ),
    )
    with pytest.raises(GoogleAPICallError):
        job.result()
    assert settled(bench, run) == "retried"
    sql("UPDATE sheet_to_bigquery_runs SET state = 'queued'")
    launch(run.id, bench.store, bench.wiring.location_of, bench.executions(), bench.settings)
    again = bench.run(run.id)
    assert again.attempt == 2
    bench.load(again)
    assert settled(bench, again) == "succeeded"


def test_the_last_attempt_fails_the_run_for_good(bench, launched) -> None:
    run = launched("ends-at-once")
    wait_for_end(bench, run, "ends-at-once")
    assert settled(bench, run, "ends-at-once", max_attempts=1) == "failed"
    assert bench.run(run.id).ended_at is not None


def test_a_job_of_somebody_elses_under_the_id_is_no_success(bench, launched) -> None:
    run = launched()
    client = bench.bigquery_of(run.job_project)
    client.query("SELECT 1", job_id=load_job.job_id(run.id, 1), location=run.job_location, job_retry=None).result()
    assert settled(bench, run) == "retried"
    assert bench.run(run.id).error_class == "LoadFailed"


def test_settling_twice_ends_a_run_once(bench, launched) -> None:
    run = launched()
    bench.load(run)
    assert settled(bench, run) == "succeeded"
    assert settled(bench, run) == "settled_before"
    assert settled(bench, bench.run(run.id)) == "settled_before"


def test_the_fence_is_in_the_datasets_own_location(bench, launched) -> None:
    client = bench.bigquery_of("local-project")
    dataset = bigquery.Dataset("local-project.european")
    dataset.location = "EU"
    client.create_dataset(dataset, exists_ok=True)
    run = launched("ends-at-once", google_cloud_project_id="local-project", bigquery_dataset_id="european")
    assert run.job_location == "EU"
    wait_for_end(bench, run, "ends-at-once")
    settled(bench, run, "ends-at-once")
    assert load_job.look(client, run.id, 1, "EU").found == "burned"
    assert load_job.look(client, run.id, 1, "US").found == "absent"


def test_leases_and_deadlines_are_of_the_right_length(bench, launched) -> None:
    run = launched()
    assert run.lease_until - run.claimed_at == timedelta(seconds=60)
    assert run.deadline - run.claimed_at == timedelta(seconds=60 + bench.settings.run_timeout_seconds)
