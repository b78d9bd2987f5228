"""Plans by message: asked for in PostgreSQL and Pub/Sub, made by an execution of the job, told in PostgreSQL."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.cloud import run_v2
from google.oauth2 import service_account

from local.clients import CLOUD_PLATFORM, LocalClients
from local.environment import PROJECT
from local.pubsub import COMPLETIONS, REQUESTS
from local.sample_files import copy_samples
from local.system import System
from shared.messages import PlanCompleted, PlanRequested
from shared.plan import Plan, RequestedPlan
from shared.planning import request_plan
from shared.wiring import Wiring
from tests.e2e.conftest import DATASET, Team

ROWS = [["Order No.", "Paid?"], ["007", True], [], ["008", None]]


class Planners(Team):
    """A team that asks for plans, on a system whose processes can be made to die."""

    def __init__(self, system: System) -> None:
        super().__init__(system, LocalClients(system.settings))
        self.wiring = Wiring(system.environment)
        key_file = system.settings["GOOGLE_APPLICATION_CREDENTIALS"]
        self.cloud_run = run_v2.ExecutionsClient(
            transport="rest",
            credentials=service_account.Credentials.from_service_account_file(key_file, scopes=[CLOUD_PLATFORM]),
            client_options={"api_endpoint": system.settings["RUN_API_ENDPOINT"]},
        )

    def candidate(self, name: str, **columns: Any) -> dict[str, Any]:
        """The columns of a config's row that is in no table."""
        return {
            "name": name,
            "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
            "google_cloud_project_id": PROJECT,
            "bigquery_dataset_id": DATASET,
            "bigquery_table_id": name,
        } | columns

    def row(self, config_id: int) -> dict[str, Any]:
        found = "SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = :id"
        return dict(self.clients.postgres.run(found, id=config_id)[0][0])

    def ask(self, config: dict[str, Any], config_id: int | None = None) -> str:
        with self.wiring.store() as store:
            return request_plan(config, config_id, "ana@example.com", store, self.wiring.publish_plan)

    def note(self, config: dict[str, Any]) -> str:
        """A plan that is asked for, of which nobody has heard."""
        with self.wiring.store() as store:
            return store.request_plan(config, None, "ana@example.com", store.now())

    def deliver(self, plan_id: str) -> int:
        """One push of the plan's message; the status of the answer, 0 where the function died of it."""
        data = base64.b64encode(PlanRequested(plan_id).encode()).decode()
        body = {"message": {"data": data, "messageId": self.unique("m"), "attributes": {}}, "subscription": "s"}
        url = f"{self.system.addresses['launch']}/projects/{PROJECT}/topics/{REQUESTS}"
        try:
            return httpx.post(url, json=body, timeout=60, trust_env=False).status_code
        except httpx.TransportError:
            return 0

    def look(self, plan_id: str) -> RequestedPlan:
        with self.wiring.store() as store:
            found = store.find_plan(plan_id)
        assert found is not None
        return found

    def wait(self, plan_id: str, seconds: float = 60) -> RequestedPlan:
        """The plan as it ended."""
        deadline = time.monotonic() + seconds
        while (found := self.look(plan_id)).ended_at is None:
            assert time.monotonic() < deadline, (found, self.system.tail("launch"), self.system.tail("complete"))
            time.sleep(0.1)
        return found

    def executions(self, plan_id: str) -> list[str]:
        """The executions that were started for a plan."""
        found = self.cloud_run.list_executions(parent=self.wiring.settings.job)
        wanted = ("PLAN_ID", plan_id)
        told = {each.name: [(e.name, e.value) for e in each.template.containers[0].env] for each in found}
        return [name for name, variables in told.items() if wanted in variables]

    def arm(self, failpoint: str, action: str = "exit") -> None:
        (self.system.folder / "failpoints" / failpoint).write_text(action)

    def order(self, **faults: int) -> None:
        """What Cloud Run's next executions are to meet."""
        url = f"{self.system.addresses['run']}/faults"
        headers = {"Authorization": "Bearer x"}
        httpx.post(url, json=faults, headers=headers, trust_env=False).raise_for_status()

    def age(self, plan_id: str) -> None:
        """An hour passes for a plan."""
        self.clients.postgres.run(
            "UPDATE sheet_to_bigquery_plans SET requested_at = requested_at - interval '1 h',"
            " launched_at = launched_at - interval '1 h' WHERE id = :id",
            id=plan_id,
        )


@pytest.fixture(scope="module")
def planners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planners]:
    folder: Path = tmp_path_factory.mktemp("plans")
    (folder / "samples").mkdir()
    copy_samples(folder / "samples")
    (folder / "failpoints").mkdir()
    armed = {"FAILPOINTS": str(folder / "failpoints")}
    with System(folder, folder / "samples", settings=armed, job_settings=armed, faulty=True) as system:
        yield Planners(system)


def test_a_plan_of_a_config_tells_what_its_run_would_load_and_leaves_table_and_ledger_alone(planners: Planners) -> None:
    name = planners.unique("planned")
    planners.write_sheet(name, ROWS)
    config_id = planners.add_config(name, run_frequency_hours=0)
    planners.publish({"config_id": config_id})
    planners.wait_for_runs(config_id)
    table, row = planners.table(name), planners.row(config_id)
    planners.write_sheet(name, [["Order No.", "Note"], ["009", "a"], ["010", ""], ["011", "b"]])
    ended = planners.wait(planners.ask(row, config_id))
    assert (ended.state, ended.error, ended.requested_by) == ("done", None, "ana@example.com")
    plan = ended.plan
    assert plan is not None
    assert [(each.header, each.name, each.type, each.filled) for each in plan.columns] == [
        ("Order No.", "order_no", "STRING", 3),
        ("Note", "note", "STRING", 2),
    ]
    assert plan.change is not None
    assert (plan.rows, plan.change.rows, plan.change.after) == (3, 2, 3)
    assert [each.told for each in plan.change.schema] == ["+ note STRING NULLABLE", "- paid BOOL NULLABLE"]
    assert (planners.table(name), planners.row(config_id), len(planners.runs(config_id))) == (table, row, 1)


def test_a_plan_of_a_candidate_that_is_in_no_table_comes_back_with_columns_and_warnings(planners: Planners) -> None:
    name = planners.unique("candidate")
    planners.write_sheet(name, ROWS)
    ended = planners.wait(planners.ask(planners.candidate(name)))
    plan = ended.plan
    assert plan is not None
    assert (ended.state, plan.rows, [each.name for each in plan.columns]) == ("done", 2, ["order_no", "paid"])
    assert "1 blank row between others left out" in plan.warnings
    assert name not in [table.table_id for table in planners.clients.bigquery.list_tables(f"{PROJECT}.{DATASET}")]
    assert planners.clients.postgres.run("SELECT id FROM sheet_to_bigquery_configs WHERE name = :n", n=name) == []
    assert "007" not in ended.__repr__()


def test_a_message_that_comes_three_times_starts_one_execution(planners: Planners) -> None:
    name = planners.unique("thrice")
    planners.write_sheet(name, ROWS)
    plan_id = planners.note(planners.candidate(name))
    assert [planners.deliver(plan_id) for _ in range(3)] == [200] * 3
    assert planners.wait(plan_id).state == "done"
    assert planners.deliver(plan_id) == 200
    assert planners.executions(plan_id) == [planners.look(plan_id).execution]


def test_a_sheet_that_is_not_shared_fails_the_plan_with_the_address_to_share_it_with(planners: Planners) -> None:
    name = planners.unique("private")
    planners.write_sheet(name, ROWS)
    (planners.system.samples / "sharing.json").write_text(json.dumps({name: "not_shared"}))
    ended = planners.wait(planners.ask(planners.candidate(name)))
    assert (ended.state, ended.error_class) == ("failed", "SheetNotShared")
    assert "share the spreadsheet with " in (ended.error or "")
    assert ended.plan is not None
    assert ended.plan.errors[0].remedy in (ended.error or "")


def test_an_execution_that_dies_of_its_memory_fails_the_plan_and_another_can_be_asked_for(planners: Planners) -> None:
    name = planners.unique("died")
    planners.write_sheet(name, ROWS)
    planners.order(out_of_memory=1)
    ended = planners.wait(planners.ask(planners.candidate(name)))
    assert (ended.state, ended.error_class, ended.plan) == ("failed", "ExecutionFailed", None)
    assert "memory limit" in (ended.error or "")
    assert planners.wait(planners.ask(planners.candidate(name))).state == "done"


def test_an_execution_that_dies_before_it_has_told_fails_the_plan(planners: Planners) -> None:
    name = planners.unique("silent")
    planners.write_sheet(name, ROWS)
    planners.arm("job.after_plan")
    ended = planners.wait(planners.ask(planners.candidate(name)))
    assert (ended.state, ended.error_class) == ("failed", "ExecutionFailed")


def test_a_launch_that_dies_before_the_start_starts_nothing_later_and_the_sweep_gives_the_plan_up(
    planners: Planners,
) -> None:
    name = planners.unique("unlaunched")
    planners.write_sheet(name, ROWS)
    plan_id = planners.note(planners.candidate(name))
    planners.arm("launch.after_plan_claim")
    assert planners.deliver(plan_id) == 0
    assert planners.deliver(plan_id) == 200
    assert (planners.look(plan_id).state, planners.executions(plan_id)) == ("launched", [])
    planners.sweep()
    assert planners.look(plan_id).state == "launched"
    planners.age(plan_id)
    assert planners.sweep()["plans_given_up"] == 1
    assert "ask for the plan again" in (planners.look(plan_id).error or "")


def test_a_launch_that_dies_after_the_start_loses_no_plan_and_starts_no_second_execution(planners: Planners) -> None:
    name = planners.unique("unnoted")
    planners.write_sheet(name, ROWS)
    plan_id = planners.note(planners.candidate(name))
    planners.arm("launch.after_plan_start")
    assert planners.deliver(plan_id) == 0
    assert planners.deliver(plan_id) == 200
    ended = planners.wait(plan_id)
    assert (ended.state, [ended.execution]) == ("done", planners.executions(plan_id))


def test_a_forged_word_changes_nothing_that_ended(planners: Planners) -> None:
    name = planners.unique("forged")
    planners.write_sheet(name, ROWS)
    ended = planners.wait(planners.ask(planners.candidate(name)))
    execution = (ended.execution or "").rsplit("/", 1)[-1]
    before = planners.system.log("complete").read_text().count("ended_before")
    for forger in (execution, "job-forged"):
        planners.publish(PlanCompleted(ended.id, forger, Plan(rows=1_000_000)).encode(), COMPLETIONS)
    deadline = time.monotonic() + 30
    while planners.system.log("complete").read_text().count("ended_before") < before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert planners.look(ended.id) == ended
