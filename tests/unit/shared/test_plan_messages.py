"""The messages of plans: read leniently, refused with a reason, never quoted."""

import json
from typing import Any

import pytest

from shared.errors import InvalidInput
from shared.loaded import ColumnChange
from shared.messages import Ended, PlanCompleted, PlanEnded, PlanRequested, decode_ended, decode_request
from shared.plan import NamedCell, Plan, PlanError, PlannedColumn, TablePlan

PLAN_ID = "7b6d2f0e-58a5-4a6e-9b7c-3f8a12345678"
PLAN = {"plan_id": PLAN_ID, "execution": "job-abc", "plan": {"rows": 2, "tab": "Sheet1"}}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_request_for_a_plan_comes_back_as_it_was_sent() -> None:
    assert decode_request(PlanRequested(PLAN_ID).encode()) == PlanRequested(PLAN_ID)
    later = {"plan_id": PLAN_ID.upper(), "version": 2, "config_id": 7, "deep": {"er": True}}
    assert decode_request(encoded(later)) == PlanRequested(PLAN_ID, version=2)


@pytest.mark.parametrize("plan_id", ["secret", "", 7, ["secret"]])
def test_a_request_for_a_plan_that_no_id_names_is_poison(plan_id: Any) -> None:
    with pytest.raises(InvalidInput, match="plan_id is") as caught:
        decode_request(encoded({"plan_id": plan_id}))
    assert "secret" not in str(caught.value)


def test_a_plan_comes_back_as_the_job_told_it() -> None:
    made = PlanCompleted(
        PLAN_ID,
        "job-abc",
        Plan(
            requests=4,
            tab="Q4 Sales",
            rows=2,
            columns=(PlannedColumn("Paid?", "paid", "BOOL", "NULLABLE", 1),),
            warnings=("1 blank row between others left out",),
            cells=(NamedCell("'Q4 Sales'!B3", "https://docs.google.com/x"),),
            change=TablePlan("replaces it", "US", 1, 2, (ColumnChange("paid", None, "BOOL NULLABLE"),), ("told",)),
            errors=(PlanError("SchemaViolated", "B3 is no number", "correct it"),),
        ),
    )
    assert decode_ended(made.encode()) == PlanEnded(PLAN_ID, "job-abc", completed=made)


def test_a_plan_of_a_later_version_is_read_for_what_it_has() -> None:
    later = PLAN | {"version": 2, "cost": 3, "plan": {"rows": 2, "charts": [1], "columns": [], "tab": None}}
    ended = decode_ended(encoded(later))
    assert isinstance(ended, PlanEnded)
    assert ended.completed == PlanCompleted(PLAN_ID, "job-abc", Plan(rows=2), version=2)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"plan_id": "secret"}, "plan_id is not a UUID"),
        ({"plan": None}, "plan is missing"),
        ({"plan": ["secret"]}, "plan is a list of 1"),
        ({"plan": {"columns": [{"header": "secret"}]}}, "wrong at `$.columns[0]`"),
        ({"execution": "../secret"}, "execution is text of"),
    ],
)
def test_a_plan_that_nobody_can_understand_is_poison_with_its_reason(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_ended(encoded(PLAN | changes))
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)


def plan_entry(status: str, **variables: str) -> bytes:
    env = [{"name": name, "value": value} for name, value in variables.items()]
    response = {
        "metadata": {"name": "job-abc"},
        "spec": {"template": {"spec": {"containers": [{"env": env}]}}},
        "status": {"conditions": [{"type": "Retry", "status": "True"}, {"type": "Completed", "status": status}]},
    }
    return encoded({"protoPayload": {"status": {"message": "It ended."}, "response": response}})


@pytest.mark.parametrize("status", ["True", "False", "Unknown"])
def test_cloud_loggings_entry_of_a_plans_execution_tells_whether_it_succeeded(status: str) -> None:
    ended = decode_ended(plan_entry(status, PLAN_ID=PLAN_ID, RUN_ID="plan"))
    assert ended == PlanEnded(PLAN_ID, "job-abc", succeeded=status == "True", message="It ended.")


def test_an_entry_without_a_status_is_of_no_success() -> None:
    entry = json.loads(plan_entry("True", PLAN_ID=PLAN_ID, RUN_ID="plan"))
    del entry["protoPayload"]["status"], entry["protoPayload"]["response"]["status"]
    assert decode_ended(encoded(entry)) == PlanEnded(PLAN_ID, "job-abc", succeeded=False)


def test_an_entry_of_a_run_is_a_runs_also_where_its_job_has_a_plan_id() -> None:
    entry = plan_entry("True", PLAN_ID=PLAN_ID, RUN_ID=PLAN_ID, RUN_ATTEMPT="1")
    assert decode_ended(entry) == Ended(PLAN_ID, 1, "job-abc")
