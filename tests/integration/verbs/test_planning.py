"""Plans: one execution for each, whatever is delivered how often; its word is kept, its silence is told."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from shared.errors import InvalidInput, ServiceUnavailable
from shared.executions import Congested, Executions
from shared.messages import PlanCompleted, PlanEnded, decode_ended
from shared.plan import PLAN_SECONDS, Plan, PlanError, RequestedPlan
from shared.planning import complete_plan, give_up_plans, launch_plan, request_plan

CANDIDATE = {
    "name": "new",
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit",
    "google_cloud_project_id": "local-project",
    "bigquery_dataset_id": "reports",
    "bigquery_table_id": "new",
}
NOBODYS = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def requested(bench) -> str:
    return request_plan(CANDIDATE, None, "ana", bench.store, lambda _: None)


def plan(bench, plan_id: str) -> RequestedPlan:
    found = bench.store.find_plan(plan_id)
    assert found is not None
    return found


def launched(bench, plan_id: str, job: str = "sleeps") -> str:
    return launch_plan(plan_id, bench.store, bench.executions(job), bench.settings)


def executions_of(bench, job: str, plan_id: str) -> list[dict[str, str]]:
    """What each execution of the plan was told."""
    found = bench.wiring.clients.executions.list_executions(parent=bench.executions(job).job)
    told = [{each.name: each.value for each in execution.template.containers[0].env} for execution in found]
    return [variables for variables in told if variables.get("PLAN_ID") == plan_id]


def test_a_plan_is_noted_before_it_is_published(bench) -> None:
    def publish(plan_id: str) -> None:
        assert plan(bench, plan_id).state == "requested"
        published.append(plan_id)

    published: list[str] = []
    plan_id = request_plan(CANDIDATE, 7, "ana@example.com", bench.store, publish)
    assert published == [plan_id]
    assert (plan(bench, plan_id).config_id, plan(bench, plan_id).requested_by) == (7, "ana@example.com")


def test_a_plan_that_cannot_be_published_has_failed_and_can_be_asked_for_again(bench, sql) -> None:
    def publish(_: str) -> None:
        raise ServiceUnavailable("Pub/Sub did not take the messages", "they are published again")

    with pytest.raises(ServiceUnavailable):
        request_plan(CANDIDATE, None, "ana", bench.store, publish)
    [[state, error]] = sql("SELECT state, error FROM sheet_to_bigquery_plans")
    assert (state, error) == ("failed", "Pub/Sub did not take the messages: ask for the plan again")


def test_a_message_delivered_three_times_starts_one_execution(bench, requested: str) -> None:
    assert [launched(bench, requested) for _ in range(3)] == ["launched", "claimed_before", "claimed_before"]
    [told] = executions_of(bench, "sleeps", requested)
    assert (told["RUN_ID"], told["GOOGLE_SHEET_URL"]) == ("plan", CANDIDATE["google_sheet_url"])
    assert told["COMPLETION_TOPIC"] == "projects/local-project/topics/sheet-to-bigquery-completions"
    assert not any("PASSWORD" in name for name in told)
    assert (plan(bench, requested).state, plan(bench, requested).execution is not None) == ("launched", True)


def test_a_shadow_config_is_planned_as_its_next_run_goes(bench) -> None:
    row = CANDIDATE | {"id": 7, "migration_status": "shadow"}
    plan_id = request_plan(row, 7, "ana", bench.store, lambda _: None)
    launched(bench, plan_id)
    [told] = executions_of(bench, "sleeps", plan_id)
    assert (told["BIGQUERY_DATASET_ID"], told["SCHEMA_HANDLING"]) == ("reports_shadow", "string")


def test_a_config_that_is_wrong_fails_its_plan_with_all_that_is_wrong(bench) -> None:
    wrong = CANDIDATE | {"google_sheet_url": "https://example.com/x", "bigquery_dataset_id": "a-b"}
    plan_id = request_plan(wrong, None, "ana", bench.store, lambda _: None)
    assert launched(bench, plan_id) == "not_runnable"
    found = plan(bench, plan_id)
    assert (found.state, found.error_class) == ("failed", "InvalidConfig")
    assert "google_sheet_url cannot be used" in (found.error or "")
    assert "bigquery_dataset_id is text of 3 characters" in (found.error or "")
    assert executions_of(bench, "sleeps", plan_id) == []


def test_a_job_that_is_not_deployed_fails_the_plan_at_once_and_says_what_to_do(bench, requested: str) -> None:
    assert launched(bench, requested, "nowhere") == "refused"
    found = plan(bench, requested)
    assert (found.state, found.error_class) == ("failed", "LaunchRefused")
    assert "deploy the job" in (found.error or "")


class Full(Executions):
    """Cloud Run at its limit."""

    def start(self, environment: Mapping[str, str], timeout_seconds: int) -> str:
        raise Congested("Cloud Run is at its limit", "the run waits and tries again")


def test_cloud_run_at_its_limit_fails_the_plan_at_once_and_says_when_to_ask_again(bench, requested: str) -> None:
    clients = bench.wiring.clients
    full = Full(clients.jobs, clients.executions, bench.executions().job)
    assert launch_plan(requested, bench.store, full, bench.settings) == "refused"
    assert plan(bench, requested).error == "Cloud Run is at its limit: ask for the plan again in some minutes"


def test_an_execution_whose_start_nobody_confirmed_tells_its_plan_itself(bench, requested: str) -> None:
    deaf = bench.reply_lost("ends-at-once")
    assert launch_plan(requested, bench.store, deaf, bench.settings) == "unknown"
    assert launched(bench, requested) == "claimed_before"
    assert (plan(bench, requested).state, plan(bench, requested).execution) == ("launched", None)
    assert told(bench, requested, deaf.started, Plan(rows=2)) == "done"
    assert plan(bench, requested).execution == deaf.started


def test_a_plan_of_nobodys_is_invalid_input(bench) -> None:
    with pytest.raises(InvalidInput, match="there is no plan"):
        launched(bench, NOBODYS)
    with pytest.raises(InvalidInput, match="there is no plan"):
        complete_plan(PlanEnded(NOBODYS, "job-abc"), bench.store, bench.executions())


# -- its end -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def running(bench, requested: str) -> RequestedPlan:
    launched(bench, requested, "crashes")
    return plan(bench, requested)


def told(bench, plan_id: str, execution: str, made: Plan, job: str = "ends-at-once") -> str:
    """What complete does with the job's own message."""
    return completed(bench, PlanCompleted(plan_id, execution.rsplit("/", 1)[-1], made).encode(), job)


def completed(bench, data: bytes, job: str) -> str:
    ended = decode_ended(data)
    assert isinstance(ended, PlanEnded)
    return complete_plan(ended, bench.store, bench.executions(job))


def log_entry(running: RequestedPlan, succeeded: bool) -> bytes:
    """Cloud Logging's execution-ended entry, trimmed as captured in the field."""
    name = (running.execution or "").rsplit("/", 1)[-1]
    env = [{"name": "PLAN_ID", "value": running.id}, {"name": "RUN_ID", "value": "plan"}]
    response: dict[str, Any] = {
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [{"env": env}]}}},
        "status": {"conditions": [{"type": "Completed", "status": str(succeeded)}]},
    }
    said = {"code": 10, "message": f"Execution {name} has failed to complete, 0/1 tasks were a success."}
    return json.dumps({"protoPayload": {"status": {} if succeeded else said, "response": response}}).encode()


def test_what_the_execution_found_is_kept_once_however_often_it_is_told(bench, running: RequestedPlan) -> None:
    found = [told(bench, running.id, running.execution or "", Plan(rows=rows), "crashes") for rows in (2, 2, 3)]
    assert found == ["done", "ended_before", "ended_before"]
    assert plan(bench, running.id).plan == Plan(rows=2)


def test_what_a_run_would_fail_with_is_the_plans_failure(bench, running: RequestedPlan) -> None:
    refused = Plan(errors=(PlanError("SheetNotShared", "it is not shared", "share it with the job"),))
    assert told(bench, running.id, running.execution or "", refused, "crashes") == "failed"
    assert plan(bench, running.id).error == "it is not shared: share it with the job"


def test_a_forged_word_of_another_execution_changes_nothing(bench, running: RequestedPlan) -> None:
    assert told(bench, running.id, "job-forged", Plan(rows=1_000), "crashes") == "ended_before"
    assert plan(bench, running.id) == running


def test_an_execution_that_died_without_a_word_fails_its_plan(bench, running: RequestedPlan) -> None:
    assert completed(bench, log_entry(running, succeeded=False), "crashes") == "failed"
    found = plan(bench, running.id)
    assert (found.state, found.error_class) == ("failed", "ExecutionFailed")
    assert "ended without telling a plan" in (found.error or "")
    assert "ask for the plan again" in (found.error or "")


def test_an_execution_that_succeeded_has_told_and_its_word_is_awaited(bench, running: RequestedPlan) -> None:
    assert completed(bench, log_entry(running, succeeded=True), "crashes") == "awaited"
    assert plan(bench, running.id).state == "launched"


def test_the_log_entry_after_the_word_changes_nothing(bench, running: RequestedPlan) -> None:
    told(bench, running.id, running.execution or "", Plan(rows=2), "crashes")
    assert completed(bench, log_entry(running, succeeded=False), "crashes") == "ended_before"
    assert plan(bench, running.id).state == "done"


def test_a_word_that_was_told_before_a_death_wins_over_the_log_entry_that_came_first(
    bench, running: RequestedPlan
) -> None:
    completed(bench, log_entry(running, succeeded=False), "crashes")
    assert told(bench, running.id, running.execution or "", Plan(rows=2), "crashes") == "done"
    assert (plan(bench, running.id).state, plan(bench, running.id).error) == ("done", None)


def test_what_nobody_told_in_time_is_given_up_by_the_sweep(bench, running: RequestedPlan, sql) -> None:
    assert give_up_plans(bench.store, bench.settings) == 0
    sql(
        "UPDATE sheet_to_bigquery_plans SET requested_at = now() - make_interval(secs => :old),"
        " launched_at = now() - make_interval(secs => :old)",
        old=float(PLAN_SECONDS + bench.settings.lease_seconds + 1),
    )
    assert give_up_plans(bench.store, bench.settings) == 1
    assert "nobody told the plan within 16 minutes: ask for the plan again" in (plan(bench, running.id).error or "")
    assert give_up_plans(bench.store, bench.settings) == 0
