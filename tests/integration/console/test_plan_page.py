"""A plan's page shows what the job told, and while nobody told anything, how long that has been so and what helps."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.errors import ExecutionFailed
from shared.ledger.store import Store
from shared.links import NamedCell
from shared.loaded import ColumnChange
from shared.messages import ManualRequest
from shared.plan import Plan, PlanError, PlannedColumn, TablePlan
from tests.integration.console.conftest import HOSTILE, Elements, Reader, assert_inert

SECOND = timedelta(seconds=1)
EXECUTION = "projects/test-project/locations/europe-west1/jobs/job/executions/job-x7k2p"
CELL = NamedCell("Q4!C17", "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=7&range=C17")
Add = Callable[..., Any]


@pytest.fixture
def ask(store: Store, add_config: Add, now: datetime) -> Callable[..., str]:
    """Asks for a plan of a config, some seconds ago."""

    def request(seconds_ago: int = 0, **values: Any) -> str:
        config_id: int = add_config(**values)
        row = store.find_config(ManualRequest(config_id=config_id))
        return store.request_plan(row, config_id, "bob@example.com", now - seconds_ago * SECOND)

    return request


@pytest.fixture
def answered(store: Store, ask: Callable[..., str], now: datetime) -> Callable[..., str]:
    """Asks for a plan that the job told."""

    def answer(plan: Plan, **values: Any) -> str:
        plan_id = ask(20, **values)
        assert store.claim_plan(plan_id, now - 19 * SECOND)
        assert store.close_plan(plan_id, EXECUTION, plan, now - 5 * SECOND)
        return plan_id

    return answer


@pytest.mark.parametrize("plan_id", ["9b2c8a8e-5a4e-4d53-9f3f-0d6a1f1f0f0f", "nonsense"])
def test_a_plan_that_is_not_there_is_not_found(reader: Reader, plan_id: str) -> None:
    assert reader.ask(f"/plans/{plan_id}").status_code == 404
    assert reader.ask(f"/plans/{plan_id}.json").status_code == 404


def test_it_tells_what_a_run_would_do(reader: Reader, answered: Callable[..., str]) -> None:
    plan = Plan(
        requests=5,
        tab="Q4",
        rows=1234,
        columns=(PlannedColumn("Unit price", "unit_price", "NUMERIC", "NULLABLE", 1200),),
        warnings=("1 cell is in error: Q4!C17",),
        cells=(CELL,),
        change=TablePlan(
            "replaces it", "EU", 1000, 1234, (ColumnChange("paid", None, "BOOL NULLABLE"),), ("kept as is",)
        ),
    )
    plan_id = answered(plan)
    facts = reader.facts(f"/plans/{plan_id}.json")
    assert (facts["state"], facts["tab"], facts["rows"], facts["answered"]) == ("done", "Q4", 1234, True)
    assert facts["columns"] == [
        {"header": "Unit price", "name": "unit_price", "type": "NUMERIC", "mode": "NULLABLE", "filled": 1200}
    ]
    text, html = reader.words(f"/plans/{plan_id}"), reader.page(f"/plans/{plan_id}")
    for fact in (
        "A run would succeed.",
        "bob@example.com asked for it now; it took 15 s, 5 requests to Sheets and Drive",
        "Unit price unit_price NUMERIC 1,200",
        "Replaces the table, in EU: 1,000 rows now, 1,234 rows afterwards new paid BOOL NULLABLE kept as is",
        f"No value of a cell is kept here. At a terminal, python job_helper.py plan {facts['config_id']} shows some",
        "1 warning 1 cell is in error: Q4!C17",
    ):
        assert fact in text, fact
    assert f'<a href="{(CELL.link or "").replace("&", "&amp;")}">Q4!C17</a>' in html
    assert "data-live" not in html


def test_what_a_run_would_fail_with_is_told_with_its_remedy(reader: Reader, answered: Callable[..., str]) -> None:
    error = PlanError("SchemaViolated", "1 cell is no number: Q4!C17", "correct it")
    plan_id = answered(Plan(requests=3, tab="Q4", cells=(CELL,), errors=(error, PlanError("TableConflict", "two"))))
    facts = reader.facts(f"/plans/{plan_id}.json")
    assert [each["error_class"] for each in facts["errors"]] == ["SchemaViolated", "TableConflict"]
    text = reader.words(f"/plans/{plan_id}")
    assert "A run would fail." in text
    mended = "correct it Edit the config: Custom schema"
    assert f"SchemaViolated 1 cell is no number: Q4!C17 {mended} TableConflict two" in text


def test_a_plan_that_nobody_made_says_why(reader: Reader, store: Store, ask: Callable[..., str], now: datetime) -> None:
    plan_id = ask(5)
    store.fail_plan(plan_id, ExecutionFailed("it ended without a word", "ask for the plan again"), now)
    text = reader.words(f"/plans/{plan_id}")
    assert "Nobody could tell what a run would do." in text
    assert "ExecutionFailed it ended without a word ask for the plan again" in text
    [error] = reader.facts(f"/plans/{plan_id}.json")["errors"]
    assert error["what"]["text"] == "it ended without a word"
    assert error["remedy"]["text"] == "ask for the plan again"


def test_a_plan_that_was_just_asked_for_looks_again_soon(reader: Reader, ask: Callable[..., str]) -> None:
    plan_id = ask(3)
    assert 'data-live="3"' in reader.page(f"/plans/{plan_id}")
    text = reader.words(f"/plans/{plan_id}")
    assert "It was asked for; the job is about to be started." in text
    assert "bob@example.com asked for it now: 3 s so far" in text
    assert "Nobody has answered yet" not in text


def test_a_plan_that_nobody_answers_says_what_to_look_at_and_until_when(
    reader: Reader, store: Store, ask: Callable[..., str], now: datetime
) -> None:
    unheard, launched = ask(180), ask(300, name="other")
    store.claim_plan(launched, now - 290 * SECOND)
    assert "No launch has taken it" in reader.words(f"/plans/{unheard}")
    text = reader.words(f"/plans/{launched}")
    assert "Nobody has answered yet" in text
    assert "its answer was lost" in text
    store.note_plan_execution(launched, EXECUTION)
    text = reader.words(f"/plans/{launched}")
    assert "The execution may still be starting" in text
    # PLAN_SECONDS and LEASE_SECONDS after its launch.
    assert f"as failed after {now + timedelta(seconds=900 + 120 - 290):%Y-%m-%d %H:%M} UTC" in text
    hrefs = [attributes.get("href") for _, attributes in Elements(reader.page(f"/plans/{launched}")).elements]
    assert reader.facts(f"/plans/{launched}.json")["logs"] in hrefs


def test_a_candidate_is_shown_without_a_config(reader: Reader, store: Store, now: datetime) -> None:
    candidate: Mapping[str, Any] = {
        "name": "new one",
        "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit",
        "google_cloud_project_id": "test-project",
        "bigquery_dataset_id": "reports",
        "bigquery_table_id": "new",
        "portals_secret": "not to be shown",
    }
    plan_id = store.request_plan(candidate, None, "bob@example.com", now)
    facts = reader.facts(f"/plans/{plan_id}.json")
    assert (facts["config_id"], facts["name"], facts["table"]) == (None, "new one", "test-project.reports.new")
    html = reader.page(f"/plans/{plan_id}")
    assert "/configs/" not in html
    assert "not to be shown" not in html + str(facts)


def test_a_shadows_plan_names_the_table_beside(reader: Reader, ask: Callable[..., str], sql: Add) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status varchar(20)")
    plan_id = ask(migration_status="shadow")
    assert reader.facts(f"/plans/{plan_id}.json")["table"] == "test-project.reports_shadow.sales"


def test_hostile_headers_and_texts_are_inert(reader: Reader, answered: Callable[..., str]) -> None:
    plan = Plan(
        tab=HOSTILE,
        rows=1,
        columns=(PlannedColumn(HOSTILE, "<i>", "<u>", "<i>", 1),),
        warnings=(HOSTILE, "Q4!C17", "<i>!A1"),
        cells=(NamedCell("Q4!C17", "javascript:alert(1)"), NamedCell("<i>!A1", '"><i>')),
        change=TablePlan("<i>", "<u>", 1, 1, (ColumnChange(HOSTILE, "<u>", "<i>"),), (HOSTILE,)),
        errors=(PlanError("<u>", HOSTILE, HOSTILE),),
    )
    plan_id = answered(plan, name=HOSTILE, google_sheet_url="javascript:alert(1)", bigquery_table_id="<i>")
    assert_inert(reader.page(f"/plans/{plan_id}"))
