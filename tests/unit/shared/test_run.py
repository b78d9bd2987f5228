"""A run's standing, and the due rule's verdicts in words."""

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import pytest

from shared.errors import InvalidConfig, NotOurs, ServiceUnavailable, SyncError, TableConflict
from shared.run import Failure, Run, Standing, State, Verdict, how_to_resume

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ROW: dict[str, Any] = {
    "id": 7,
    "name": "sales",
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/1A2b3C4d5E6f7G8h9I0j/edit",
    "google_cloud_project_id": "test-project",
    "bigquery_dataset_id": "reports",
    "bigquery_table_id": "sales",
}


def run(state: State = "queued") -> Run:
    return Run(
        id="r",
        config_id=7,
        config_name="sales",
        destination="test-project.reports.sales",
        slot=NOON,
        why="schedule",
        state=state,
        created_at=NOON,
        not_before=NOON,
    )


def standing(row: dict[str, Any] | None = ROW, **values: Any) -> Standing:
    return msgspec.structs.replace(Standing(run(), row, active=True, owned=True, rival=None), **values)


def test_a_run_with_nothing_against_it_has_its_configs_row_as_it_is_now() -> None:
    edited = ROW | {"bigquery_table_id": "edited"}
    assert standing(edited).config().destination == "test-project.reports.edited"


@pytest.mark.parametrize(
    ("found", "error", "told"),
    [
        (standing(None), NotOurs, "is gone"),
        (standing(active=False), NotOurs, "is paused: `job_helper.py resume sales` (or is_active = true)"),
        (standing(owned=False), NotOurs, "is not owned by the job"),
        (standing(rival='8 "copy"'), TableConflict, 'the same table as config 8 "copy": test-project.reports.sales'),
        (standing(ROW | {"google_sheet_url": "x"}), InvalidConfig, "google_sheet_url cannot be used"),
        (standing({**ROW, "id": None}), InvalidConfig, "has no id"),
        (standing({}), InvalidConfig, "bigquery_table_id is missing"),
        (standing(active=False, owned=False, rival="8"), NotOurs, "is paused"),
    ],
)
def test_what_speaks_against_a_run_is_told_with_the_remedy(found: Standing, error: type[SyncError], told: str) -> None:
    with pytest.raises(error) as caught:
        found.config()
    assert type(caught.value) is error
    assert told in str(caught.value)


@pytest.mark.parametrize("state", get_args(State))
def test_an_attempt_is_open_only_between_its_claim_and_its_end(state: State) -> None:
    assert run(state).in_flight is (state in ("launching", "running"))


def test_a_failure_is_what_its_error_says() -> None:
    assert Failure.of(ServiceUnavailable("BigQuery did not answer", "wait")) == Failure(
        "ServiceUnavailable", "BigQuery did not answer: wait", retryable=True, remedy="wait"
    )
    assert Failure.of(ServiceUnavailable("BigQuery did not answer")).remedy is None


def verdict(name: str, **values: Any) -> Verdict:
    made = Verdict(7, "sales", "p.d.t", name, "schedule", NOON, NOON, '8 "copy"')
    return msgspec.structs.replace(made, **values)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("due", "due"),
        ("paused", "`job_helper.py resume sales` (or is_active = true)"),
        ("not_ours", "migration_status"),
        ("table_conflict", 'config 8 "copy": p.d.t'),
        ("open_run", "open already"),
        ("bad_frequency", "whole number of hours"),
        ("manual_only", "run_frequency_hours is 0"),
        ("not_due", "not due before 2026-05-04 12:00 UTC"),
    ],
)
def test_a_verdict_says_why_and_what_to_do(name: str, told: str) -> None:
    assert told in verdict(name).reason


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("sales", "sales"),
        ("the sales' sheet", "'the sales'\"'\"' sheet'"),
        ("2026", "7"),
        ("-v", "7"),
        ("a\nb", "7"),
        ("", "7"),
        (None, "7"),
    ],
)
def test_what_resumes_a_config_can_be_typed_as_it_stands(name: str | None, wanted: str) -> None:
    assert f"`job_helper.py resume {wanted}`" in how_to_resume(7, name)
