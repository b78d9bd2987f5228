"""The fence's pure parts: an attempt's one job id, and whose job stands under it."""

import re
import uuid
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from hypothesis import given
from hypothesis import strategies as st

from shared import load_job

RUN_ID = "7b6d2f0e-58a5-4a6e-9b7c-3f8a12345678"
# cloud.google.com/bigquery/docs/labels-intro#requirements
LABEL = re.compile(r"[\w-]{0,63}")
# cloud.google.com/bigquery/docs/reference/rest/v2/JobReference
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")


@given(st.uuids(), st.integers(min_value=1, max_value=10**6))
def test_a_job_id_is_legal_and_one_attempts_alone(run_id: uuid.UUID, attempt: int) -> None:
    found = load_job.job_id(str(run_id), attempt)
    assert JOB_ID.fullmatch(found)
    assert found != load_job.job_id(str(run_id), attempt + 1)
    assert found != load_job.job_id(str(uuid.UUID(int=(run_id.int + 1) % 2**128)), attempt)


def test_labels_tell_run_attempt_execution_and_verdict_within_bigquerys_rules() -> None:
    labels = load_job.labels(RUN_ID, 2, "e" * 100, "loaded")
    assert labels == {"run": RUN_ID, "attempt": "2", "execution": "e" * 63, "verdict": "loaded"}
    assert all(LABEL.fullmatch(value) and value == value.lower() for value in labels.values())


@pytest.mark.parametrize(
    ("labels", "ours"),
    [
        (load_job.labels(RUN_ID, 2, "job-abc", "loaded"), True),
        (load_job.labels(RUN_ID, 2, "none", "burned"), True),
        (load_job.labels(RUN_ID, 1, "job-abc", "loaded"), False),
        (load_job.labels(str(uuid.UUID(int=1)), 2, "job-abc", "loaded"), False),
        ({"run": RUN_ID}, False),
        ({}, False),
        (None, False),
    ],
)
def test_a_job_is_ours_by_run_and_attempt_both(labels: dict[str, str] | None, ours: bool) -> None:
    assert load_job.is_of(SimpleNamespace(labels=labels), RUN_ID, 2) is ours


SCHEMA = [{"name": "id", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "at", "type": "TIMESTAMP"}]


def job(
    kind: Literal["load", "query"] = "load",
    state: str = "DONE",
    labels: dict[str, str] | None = None,
    error: dict[str, str] | None = None,
) -> bigquery.LoadJob | bigquery.QueryJob:
    """A job as BigQuery's API shows it; by default the attempt's load, done."""
    ours = load_job.labels(RUN_ID, 2, "job-abc", "loaded" if kind == "load" else "burned")
    resource = {
        "jobReference": {"projectId": "p", "jobId": load_job.job_id(RUN_ID, 2), "location": "EU"},
        "configuration": {
            "load": {"destinationTable": {}, "schema": {"fields": SCHEMA}},
            "labels": ours if labels is None else labels,
        },
        "status": {"state": state} | ({"errorResult": error} if error else {}),
        "statistics": {"load": {"outputRows": "3"}},
    }
    if kind == "query":
        resource["configuration"]["query"] = {"query": "SELECT 1"}
        del resource["configuration"]["load"]
    client = bigquery.Client(project="p", credentials=AnonymousCredentials())
    made = bigquery.LoadJob if kind == "load" else bigquery.QueryJob
    return made.from_api_repr(resource, client)


class OneJob:
    """A BigQuery that has one job."""

    def __init__(self, found: bigquery.LoadJob | bigquery.QueryJob) -> None:
        self._found = found

    def get_job(self, job_id: str, location: str, **_patience: Any) -> bigquery.LoadJob | bigquery.QueryJob:
        assert (job_id, location) == (self._found.job_id, self._found.location)
        return self._found


def look(found: bigquery.LoadJob | bigquery.QueryJob) -> load_job.Look:
    client: Any = OneJob(found)
    return load_job.look(client, RUN_ID, 2, "EU")


def test_a_load_that_is_done_tells_its_rows_and_columns_in_todays_names() -> None:
    seen = look(job())
    assert (seen.found, seen.execution, seen.rows) == ("done", "job-abc", 3)
    assert [(column.name, column.type, column.mode) for column in seen.columns] == [
        ("id", "INT64", "REQUIRED"),
        ("at", "TIMESTAMP", "NULLABLE"),
    ]


@pytest.mark.parametrize("state", ["PENDING", "RUNNING"])
def test_a_load_that_is_not_done_is_going(state: str) -> None:
    assert look(job(state=state)).found == "going"


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "DONE"])
def test_a_burn_holds_the_id_as_soon_as_it_is_there(state: str) -> None:
    assert look(job("query", state)).found == "burned"


def test_a_failed_load_tells_the_reason_and_never_the_message_that_may_quote_cells() -> None:
    seen = look(job(error={"reason": "invalid", "message": "Could not parse 'hunter2'"}))
    assert (seen.found, seen.reason) == ("failed", "invalid")
    assert "hunter2" not in repr(seen)


def test_a_strangers_job_under_the_id_is_no_load() -> None:
    assert look(job(labels={"run": "somebody-elses"})).found == "failed"
    assert look(job(labels={})).found == "failed"
