"""Plans in the ledger: asked for, launched once, ended once; and what may still be said after an end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import ExecutionFailed, LaunchRefused
from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.loaded import ColumnChange
from shared.plan import NamedCell, Plan, PlanError, PlannedColumn, TablePlan
from shared.settings import Database

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONFIG = {"id": 7, "name": "sales “Q4”", "options": {"parity": True}, "last_run": None}
EXECUTION, ANOTHER = "projects/p/locations/l/jobs/j/executions/j-abc", "projects/p/locations/l/jobs/j/executions/j-def"
PLAN = Plan(
    requests=4,
    tab="Q4",
    rows=2,
    columns=(PlannedColumn("Paid? 😀", "paid", "BOOL", "NULLABLE", 1),),
    warnings=("1 blank row between others left out",),
    cells=(NamedCell("Q4!B3", "https://docs.google.com/x"),),
    change=TablePlan("replaces it", "US", 1, 2, (ColumnChange("paid", None, "BOOL NULLABLE"),)),
)
REFUSED = Plan(errors=(PlanError("SheetNotShared", "config 7: it is not shared", "share it with job@x"),))
SILENT = ExecutionFailed("j-abc ended without telling a plan", "ask again")


@pytest.fixture
def requested(store: Store) -> str:
    return store.request_plan(CONFIG, 7, "ana@example.com", NOON)


@pytest.fixture
def launched(store: Store, requested: str) -> str:
    assert store.claim_plan(requested, NOON + MINUTE)
    store.note_plan_execution(requested, EXECUTION)
    return requested


def test_a_plan_is_kept_as_it_was_asked_for(store: Store, requested: str) -> None:
    plan = store.find_plan(requested)
    assert plan is not None
    assert (plan.id, plan.config_id, plan.config) == (requested, 7, CONFIG)
    assert (plan.requested_by, plan.requested_at, plan.state) == ("ana@example.com", NOON, "requested")


def test_a_candidate_has_no_config(store: Store) -> None:
    plan = store.find_plan(store.request_plan({"name": "new"}, None, "ana", NOON))
    assert plan is not None
    assert (plan.config_id, plan.config) == (None, {"name": "new"})


def test_an_id_of_nobodys_is_no_plan(store: Store) -> None:
    assert store.find_plan("00000000-0000-0000-0000-000000000000") is None


def test_of_many_claims_at_the_same_moment_one_gets_the_plan(migrated: Database, requested: str) -> None:
    def claim(_: int) -> bool:
        with connect(migrated) as connection:
            return Store(Session(connection, migrated.configs_table)).claim_plan(requested, NOON)

    with ThreadPoolExecutor(8) as many:
        assert sorted(many.map(claim, range(8))) == [False] * 7 + [True]


def test_the_executions_word_ends_a_plan_and_comes_back_as_it_was_told(store: Store, launched: str) -> None:
    assert store.close_plan(launched, EXECUTION, PLAN, NOON + 2 * MINUTE)
    plan = store.find_plan(launched)
    assert plan is not None
    assert (plan.state, plan.plan, plan.execution, plan.error) == ("done", PLAN, EXECUTION, None)
    assert (plan.launched_at, plan.ended_at) == (NOON + MINUTE, NOON + 2 * MINUTE)


def test_a_plan_with_an_error_has_failed_and_says_what_to_do(store: Store, launched: str) -> None:
    assert store.close_plan(launched, EXECUTION, REFUSED, NOON)
    plan = store.find_plan(launched)
    assert plan is not None
    assert (plan.state, plan.error_class) == ("failed", "SheetNotShared")
    assert (plan.error, plan.remedy) == ("config 7: it is not shared: share it with job@x", "share it with job@x")
    assert plan.plan == REFUSED


@pytest.mark.parametrize("first", [PLAN, REFUSED])
def test_a_word_that_comes_after_another_one_changes_nothing(first: Plan, store: Store, launched: str) -> None:
    store.close_plan(launched, EXECUTION, first, NOON)
    before = store.find_plan(launched)
    assert not store.close_plan(launched, EXECUTION, Plan(rows=3), NOON + MINUTE)
    assert not store.fail_plan(launched, SILENT, NOON + MINUTE, EXECUTION)
    assert store.find_plan(launched) == before


def test_another_executions_word_is_not_believed(store: Store, launched: str) -> None:
    before = store.find_plan(launched)
    assert not store.close_plan(launched, ANOTHER, PLAN, NOON)
    assert not store.fail_plan(launched, SILENT, NOON, ANOTHER)
    assert store.find_plan(launched) == before


def test_a_plan_that_nobody_launched_cannot_be_told(store: Store, requested: str) -> None:
    assert not store.close_plan(requested, EXECUTION, PLAN, NOON)


def test_the_word_names_the_execution_whose_name_was_lost(store: Store, requested: str) -> None:
    store.claim_plan(requested, NOON)
    assert store.close_plan(requested, EXECUTION, PLAN, NOON)
    store.note_plan_execution(requested, ANOTHER)
    plan = store.find_plan(requested)
    assert plan is not None
    assert (plan.state, plan.execution) == ("done", EXECUTION)


def test_a_late_word_takes_the_place_of_silence_and_of_nothing_else(store: Store, launched: str) -> None:
    assert store.fail_plan(launched, SILENT, NOON, EXECUTION)
    assert not store.close_plan(launched, ANOTHER, PLAN, NOON)
    assert store.close_plan(launched, EXECUTION, PLAN, NOON + MINUTE)
    plan = store.find_plan(launched)
    assert plan is not None
    assert (plan.state, plan.plan, plan.error, plan.error_class) == ("done", PLAN, None, None)


def test_a_plan_that_cloud_run_refused_stays_refused(store: Store, requested: str) -> None:
    store.claim_plan(requested, NOON)
    assert store.fail_plan(requested, LaunchRefused("Cloud Run refuses", "deploy the job"), NOON)
    assert not store.close_plan(requested, EXECUTION, PLAN, NOON)
    plan = store.find_plan(requested)
    assert plan is not None
    assert (plan.state, plan.error) == ("failed", "Cloud Run refuses: deploy the job")
    assert plan.remedy == "deploy the job"


def test_what_nobody_answers_is_given_up_by_when_it_was_launched(store: Store, requested: str) -> None:
    launched_late = store.request_plan(CONFIG, 7, "ana", NOON)
    store.claim_plan(launched_late, NOON + 10 * MINUTE)
    told = store.request_plan(CONFIG, 7, "ana", NOON)
    store.claim_plan(told, NOON)
    store.close_plan(told, EXECUTION, PLAN, NOON)
    assert store.fail_unanswered_plans(SILENT, NOON, NOON + MINUTE) == []
    assert store.fail_unanswered_plans(SILENT, NOON + MINUTE, NOON + MINUTE) == [requested]
    plan = store.find_plan(requested)
    assert plan is not None
    assert (plan.state, plan.ended_at, plan.error_class) == ("failed", NOON + MINUTE, "ExecutionFailed")
    assert store.fail_unanswered_plans(SILENT, NOON + 11 * MINUTE, NOON + 11 * MINUTE) == [launched_late]


def test_plans_go_with_the_age_of_runs_and_open_ones_stay(store: Store, launched: str) -> None:
    old, stays = (store.request_plan(CONFIG, 7, "ana", NOON) for _ in range(2))
    store.fail_plan(old, SILENT, NOON)
    store.close_plan(launched, EXECUTION, PLAN, NOON + MINUTE)
    assert store.clean(NOON + MINUTE) == 1
    assert store.find_plan(old) is None
    assert store.clean(NOON + 2 * MINUTE) == 1
    assert [store.find_plan(each) is not None for each in (launched, stays)] == [False, True]
