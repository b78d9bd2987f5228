"""The job as launch starts it for a plan: it tells what a run would do, and leaves everything as it is."""

import json
from typing import Any

import msgspec
import pytest

from local.environment import PROJECT
from shared.plan import Plan, PlannedColumn
from tests.integration.job.conftest import DATASET, Desk, Ended, Outcomes
from tests.metrics.guide import FAILURE, JOB, SUCCESS
from tests.metrics.log_entries import entries_of
from tests.metrics.logging_filter import parse_filter

PLAN_ID = "7b6d2f0e-58a5-4a6e-9b7c-3f8a12345678"
SECRET = "s3cret value"
ROWS = [["Order No.", "Paid?", "Note"], ["007", True, SECRET], [], ["008", None, None]]


def run_plan(desk: Desk, **settings: str) -> Ended:
    of_plan = {"PLAN_ID": PLAN_ID, "RUN_ID": "plan", "BIGQUERY_JOB_PROJECT": PROJECT, "COMPLETION_TOPIC": desk.topic}
    return desk.run(**{**of_plan, "BIGQUERY_LOCATION": "US", "CLOUD_RUN_EXECUTION": "job-abcde", **settings})


def told(outcomes: Outcomes) -> tuple[dict[str, Any], bytes]:
    """The one message that the job published, and its text."""
    [data] = outcomes.bodies()
    return json.loads(data), data


def plan_of(message: dict[str, Any]) -> Plan:
    return msgspec.convert(message["plan"], Plan)


def jobs_of(desk: Desk) -> list[str]:
    """The BigQuery jobs about the desk's table, the test's own questions among them."""
    return [job.job_id for job in desk.bigquery.list_jobs() if desk.id in json.dumps(job.to_api_repr())]


def counted(ended: Ended) -> list[int]:
    """How often the guide's metrics count what was printed."""
    entries = entries_of([*ended.log.splitlines(), *ended.line.splitlines()], JOB)
    return [sum(map(parse_filter(text), entries)) for text in (SUCCESS, FAILURE)]


def test_a_plan_tells_what_would_be_loaded_and_loads_nothing(desk: Desk, outcomes: Outcomes) -> None:
    desk.write({"Q4": ROWS})
    ended = run_plan(desk)
    assert (ended.code, ended.line) == (
        0,
        f"Job planned: 2 rows would go into {PROJECT}.{DATASET}.{desk.id}, nothing was loaded",
    )
    message, data = told(outcomes)
    assert (message["plan_id"], message["execution"]) == (PLAN_ID, "job-abcde")
    plan = plan_of(message)
    assert plan.columns == (
        PlannedColumn("Order No.", "order_no", "STRING", "NULLABLE", 2),
        PlannedColumn("Paid?", "paid", "BOOL", "NULLABLE", 1),
        PlannedColumn("Note", "note", "STRING", "NULLABLE", 1),
    )
    assert (plan.tab, plan.rows, plan.errors) == ("Q4", 2, ())
    assert "1 blank row between others left out" in plan.warnings
    assert plan.change is not None
    assert plan.change.effect.startswith("creates it")
    assert SECRET not in data.decode() + ended.log + ended.line
    assert jobs_of(desk) == []


def test_a_plan_is_neither_a_success_nor_a_failure_of_the_guides_metrics(desk: Desk) -> None:
    desk.write({"Q4": ROWS})
    assert counted(run_plan(desk)) == [0, 0]
    desk.keep_private("not_shared")
    assert counted(run_plan(desk)) == [0, 0]


def test_a_table_that_is_there_stays_as_it_is(desk: Desk, outcomes: Outcomes) -> None:
    desk.write({"Q4": ROWS})
    assert desk.run().code == 0
    before, jobs = desk.rows(), jobs_of(desk)
    desk.write({"Q4": [["Order No.", "Paid?"], ["009", "soon"]]})
    assert run_plan(desk).code == 0
    plan = plan_of(told(outcomes)[0])
    assert plan.change is not None
    assert (plan.change.effect, plan.change.rows, plan.change.after) == ("replaces it", 2, 1)
    assert [each.told for each in plan.change.schema] == [
        "~ paid BOOL NULLABLE → STRING NULLABLE",
        "- note STRING NULLABLE",
    ]
    assert jobs_of(desk) == jobs
    assert desk.rows() == before


def test_a_sheet_that_is_not_shared_is_told_with_whom_to_share_it(desk: Desk, outcomes: Outcomes) -> None:
    desk.write({"Q4": ROWS})
    desk.keep_private("not_shared")
    ended = run_plan(desk)
    assert ended.code == 0
    assert ended.line.startswith("Job planned: a run would fail: SheetNotShared: ")
    plan = plan_of(told(outcomes)[0])
    assert (plan.rows, plan.columns) == (None, ())
    [error] = plan.errors
    assert error.error_class == "SheetNotShared"
    assert error.remedy.startswith("share the spreadsheet with ")


def test_cells_that_a_run_would_refuse_are_named_with_their_links_and_without_values(
    desk: Desk, outcomes: Outcomes
) -> None:
    desk.write({"Q4 Sales": [["amount"], [5], [SECRET]]})
    run_plan(desk, **desk.with_schema({"name": "amount", "type": "INT64"}))
    message, data = told(outcomes)
    plan = plan_of(message)
    [cell] = plan.cells
    assert cell.cell == "'Q4 Sales'!A3"
    assert cell.link == f"https://docs.google.com/spreadsheets/d/{desk.id}/edit#gid=0&range=A3"
    assert [each.error_class for each in plan.errors] == ["SchemaViolated"]
    assert SECRET not in data.decode()


def test_headers_that_no_message_holds_are_cut(desk: Desk, outcomes: Outcomes) -> None:
    desk.write({"Q4": [["long " * 200, "?"], [1, 2]]})
    run_plan(desk)
    columns = plan_of(told(outcomes)[0]).columns
    assert [len(each.header) for each in columns] == [300, 1]


def test_a_plan_that_cannot_be_published_is_a_failure(desk: Desk) -> None:
    desk.write({"Q4": ROWS})
    ended = run_plan(desk, COMPLETION_TOPIC=f"projects/{PROJECT}/topics/nowhere")
    assert (ended.code, ended.line) == (1, "Job execution failed: its plan could not be published")
    assert jobs_of(desk) == []


@pytest.mark.parametrize("left", ["PLAN_ID", "RUN_ID"])
def test_whichever_of_its_two_variables_a_job_knows_it_never_loads(left: str, desk: Desk, outcomes: Outcomes) -> None:
    """A job that is older than plans knows RUN_ID alone."""
    desk.write({"Q4": ROWS})
    ended = run_plan(desk, **({"RUN_ID": ""} if left == "PLAN_ID" else {"PLAN_ID": ""}))
    assert ended.code == (0 if left == "PLAN_ID" else 1)
    assert jobs_of(desk) == []
    if left == "RUN_ID":
        assert "RUN_ID is not a UUID" in ended.line
        assert outcomes.bodies() == []
