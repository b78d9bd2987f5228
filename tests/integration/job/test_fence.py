"""An attempt of a run loads once, under its one job id, whatever else happens; and the run hears of it."""

import uuid

import pytest
from google.cloud import bigquery

from local.environment import PROJECT
from shared import load_job
from shared.loaded import ColumnLoaded
from tests.integration.job.conftest import DATASET, Desk, Error, Outcomes


@pytest.fixture
def run_id() -> str:
    return str(uuid.uuid4())


def test_a_run_is_loaded_under_its_attempts_id_with_its_labels(desk: Desk, run_id: str) -> None:
    desk.write({"Sheet1": [["a"], [1]]})
    assert desk.run_for(run_id, attempt=3, execution="job-x1y2z").code == 0
    job = desk.job(run_id, attempt=3)
    assert (job.job_type, job.output_rows) == ("load", 1)
    told = {"run": run_id, "attempt": "3", "execution": "job-x1y2z", "verdict": "loaded", "rows": "1"}
    assert job.labels == told | {"content": job.labels["content"]}
    seen = load_job.look(desk.bigquery, run_id, 3, "US")
    assert (seen.found, seen.verdict, seen.rows) == ("done", "loaded", 1)


def test_the_run_hears_what_was_loaded(desk: Desk, run_id: str, outcomes: Outcomes) -> None:
    desk.write({"Sheet1": [["Order ID", "b"], [1, Error("#N/A")], [2, "x"]]})
    assert desk.run_for(run_id).code == 0
    (completed,) = outcomes.taken()
    assert (completed.run_id, completed.attempt, completed.execution) == (run_id, 1, "job-abcde")
    assert (completed.outcome, completed.rows, completed.error_class) == ("succeeded", 2, None)
    assert completed.columns == (ColumnLoaded("order_id", "INT64"), ColumnLoaded("b", "STRING"))
    assert completed.warnings == (
        "1 cell is in error, loaded as NULL: Sheet1!B2"
        f" (https://docs.google.com/spreadsheets/d/{desk.id}/edit#gid=0&range=B2)",
    )
    assert completed.requests == 6
    assert (completed.bytes or 0) > 0
    assert set(completed.seconds) == {"read", "load"}


def test_the_run_hears_why_nothing_was_loaded(desk: Desk, run_id: str, outcomes: Outcomes) -> None:
    desk.write({"Sheet1": [["a"]]})
    assert desk.run_for(run_id).code == 1
    (completed,) = outcomes.taken()
    assert (completed.outcome, completed.error_class, completed.retryable) == ("failed", "EmptySheet", False)
    assert completed.remedy == "restore the sheet; if it is meant to be empty, set the option on_empty to keep or empty"
    assert completed.error is not None
    assert completed.error.endswith(f": {completed.remedy}")
    assert "the tab has no rows below its header" in (completed.error or "")
    assert load_job.look(desk.bigquery, run_id, 1, "US").found == "absent"


def test_without_a_run_nothing_is_published(desk: Desk, outcomes: Outcomes) -> None:
    desk.write({"Sheet1": [["a"], [1]]})
    assert desk.run(COMPLETION_TOPIC=outcomes.topic).code == 0
    assert outcomes.taken() == []


def test_a_second_execution_of_the_attempt_adopts_the_first_ones_load(desk: Desk, run_id: str) -> None:
    desk.write({"Sheet1": [["a"], [1]]})
    assert desk.run_for(run_id, execution="job-first").code == 0
    desk.write({"Sheet1": [["a"], [2], [3]]})
    ended = desk.run_for(run_id, execution="job-second")
    assert (ended.code, "1 rows into" in ended.line) == (0, True)
    assert desk.rows() == [(1,)]
    assert desk.job(run_id).labels["execution"] == "job-first"


def test_an_attempt_whose_id_was_burned_writes_nothing(desk: Desk, run_id: str, outcomes: Outcomes) -> None:
    desk.write({"Sheet1": [["a"], [1]]})
    assert load_job.burn(desk.bigquery, run_id, 1, "US").found == "burned"
    ended = desk.run_for(run_id)
    assert ended.line.startswith("Job execution failed: AttemptClosed: ")
    assert [each.error_class for each in outcomes.taken()] == ["AttemptClosed"]
    assert desk.columns() == {}
    assert desk.run_for(run_id, attempt=2).code == 0
    assert desk.rows() == [(1,)]


def test_an_id_that_a_stranger_has_is_left_alone(desk: Desk, run_id: str) -> None:
    desk.write({"Sheet1": [["a"], [1]]})
    desk.bigquery.query("SELECT 1", job_id=load_job.job_id(run_id, 1), location="US", job_retry=None).result()
    assert desk.run_for(run_id).line.startswith("Job execution failed: AttemptClosed: ")
    assert desk.columns() == {}


def test_another_runs_load_under_the_id_is_not_taken_for_ours(desk: Desk, run_id: str) -> None:
    desk.bigquery.create_dataset(DATASET, exists_ok=True)
    schema = [bigquery.SchemaField("a", "INT64")]
    other = bigquery.LoadJobConfig(schema=schema, labels=load_job.labels("another", 1, "job-x", "loaded"))
    table, job_id = f"{PROJECT}.{DATASET}.{desk.id}_other", load_job.job_id(run_id, 1)
    desk.bigquery.load_table_from_json([{"a": 1}], table, job_id=job_id, location="US", job_config=other).result()
    desk.write({"Sheet1": [["a"], [1]]})
    assert desk.run_for(run_id).line.startswith("Job execution failed: AttemptClosed: ")


def test_a_load_that_failed_stays_failed_for_the_attempt(desk: Desk, run_id: str) -> None:
    desk.bigquery.create_dataset(DATASET, exists_ok=True)
    desk.bigquery.query_and_wait(f"CREATE VIEW `{PROJECT}.{DATASET}.{desk.id}` AS SELECT 1 AS x")
    desk.write({"Sheet1": [["a"], [1]]})
    first, second = desk.run_for(run_id), desk.run_for(run_id)
    assert first.line == second.line
    assert first.line.startswith("Job execution failed: LoadRefused: ")


def test_an_execution_by_hand_has_its_own_id(desk: Desk) -> None:
    desk.write({"Sheet1": [["a"], [1]]})
    execution = f"job-{uuid.uuid4().hex[:5]}"
    assert desk.run(CLOUD_RUN_EXECUTION=execution, CLOUD_RUN_TASK_ATTEMPT="1").code == 0
    job = desk.bigquery.get_job(f"sheet_to_bigquery_{execution}_1", location="US")
    assert job.output_rows == 1


def test_credentials_can_be_looked_at_as_the_guide_does(desk: Desk) -> None:
    import subprocess
    import sys

    from tests.integration.job.conftest import REPOSITORY

    command = "from main import get_credentials, get_sheet_data; creds = get_credentials(); print('Credentials OK')"
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=REPOSITORY,
        env=dict(desk.system.environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "Credentials OK\n"
