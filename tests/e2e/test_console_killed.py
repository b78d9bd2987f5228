"""The console dies in the middle of what somebody asked for: it was done with its row, or not at all, and the form sent
again does it once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.clients import LocalClients
from local.environment import CONSOLE_USER, PROJECT
from local.system import System
from tests.e2e.conftest import DATASET, Team
from tests.e2e.test_console import wait_for_plan
from tests.e2e.visitor import Visitor

ROWS = [["id", "amount"], [1, 10]]
# Before the row that tells what is done, and behind the commit of both.
POINTS = {"console.before_note": 0, "console.after_act": 1}


class Clerks(Team):
    """People at a console that can be made to die."""

    def __init__(self, system: System) -> None:
        super().__init__(system, LocalClients(system.settings))
        self.visitor = Visitor(system.addresses["console"])

    def kill(self, point: str, address: str, form: dict[str, str]) -> None:
        """Sends a form of which the console dies at a failpoint."""
        armed = self.system.folder / "failpoints" / point
        armed.write_text("exit")
        assert self.visitor.send(address, form) is None
        assert not armed.exists()

    def acted(self, subject: str) -> list[dict[str, Any]]:
        """What was done at the console to the config of that name."""
        found = "SELECT to_jsonb(a) FROM sheet_to_bigquery_actions a WHERE config_name = :name ORDER BY acted_at"
        return [row for (row,) in self.clients.postgres.run(found, name=subject)]

    def asked(self, config_id: int) -> list[str]:
        """The runs by hand of a config."""
        found = "SELECT id FROM sheet_to_bigquery_runs WHERE config_id = :id AND why = 'manual' ORDER BY created_at"
        return [str(run_id) for (run_id,) in self.clients.postgres.run(found, id=config_id)]


@pytest.fixture(scope="module")
def clerks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerks]:
    folder: Path = tmp_path_factory.mktemp("killed")
    for name in ("samples", "failpoints"):
        (folder / name).mkdir()
    armed = {"FAILPOINTS": str(folder / "failpoints")}
    with System(folder, folder / "samples", settings=armed, with_console=True) as system:
        yield Clerks(system)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("action", ["run", "retry"])
def test_a_run_is_asked_for_once_and_never_without_the_row_that_says_by_whom(
    action: str, point: str, clerks: Clerks
) -> None:
    name = clerks.unique(action)
    config_id = clerks.add_config(name, run_frequency_hours=0)
    address, before = f"/configs/{config_id}/run", 0
    if action == "retry":
        clerks.publish({"config_id": config_id})
        (failed,) = clerks.wait_for_runs(config_id)
        address, before = f"/runs/{failed.id}/retry", 1
    clerks.write_sheet(name, ROWS)
    form = clerks.visitor.form(address)
    clerks.kill(point, address, form)
    assert (len(clerks.acted(name)), len(clerks.asked(config_id)) - before) == (POINTS[point], POINTS[point])
    there = clerks.visitor.send(address, form)
    clerks.sweep()
    clerks.wait_for_runs(config_id, count=before + 1)
    (acted,) = clerks.acted(name)
    assert (acted["action"], acted["acted_by"]) == (action, CONSOLE_USER)
    assert there == f"/configs/{config_id}?done={acted['id']}"
    assert clerks.asked(config_id)[before:] == [acted["details"]["asked_run_id"]]
    assert clerks.table(name) == [{"id": 1, "amount": 10}]


def test_a_run_that_was_asked_for_begins_though_nobody_sends_the_form_again(clerks: Clerks) -> None:
    name = clerks.unique("alone")
    clerks.write_sheet(name, ROWS)
    config_id = clerks.add_config(name, run_frequency_hours=0)
    address = f"/configs/{config_id}/run"
    clerks.kill("console.after_act", address, clerks.visitor.form(address))
    clerks.sweep()
    (run,) = clerks.wait_for_runs(config_id)
    assert [acted["details"]["asked_run_id"] for acted in clerks.acted(name)] == [str(run.id)]
    assert clerks.table(name) == [{"id": 1, "amount": 10}]


@pytest.mark.parametrize("point", POINTS)
def test_a_plan_is_made_once_and_its_config_saved_once(point: str, clerks: Clerks) -> None:
    name = clerks.unique("planned")
    clerks.write_sheet(name, ROWS)
    filled_in = {
        "google_sheet_url": f"https://docs.google.com/spreadsheets/d/{name}/edit",
        "google_cloud_project_id": PROJECT,
        "bigquery_dataset_id": DATASET,
        "name": name,
    }
    plans = "SELECT count(*) FROM sheet_to_bigquery_plans WHERE config->>'name' = :name"
    configs = "SELECT id FROM sheet_to_bigquery_configs WHERE name = :name"
    form = clerks.visitor.form("/add") | filled_in
    clerks.kill(point, "/plans", form)
    assert clerks.clients.postgres.run(plans, name=name) == [[POINTS[point]]]
    there = clerks.visitor.send("/plans", form)
    assert there is not None
    assert wait_for_plan(clerks, there.removeprefix("/plans/"))["state"] == "done"
    assert clerks.clients.postgres.run(plans, name=name) == [[1]]
    form = clerks.visitor.form(there)
    clerks.kill(point, f"{there}/save", form)
    assert len(clerks.clients.postgres.run(configs, name=name)) == POINTS[point]
    saved = clerks.visitor.send(f"{there}/save", form)
    ((config_id,),) = clerks.clients.postgres.run(configs, name=name)
    plan, add = clerks.acted(name)
    assert (plan["action"], add["action"], add["config_id"]) == ("plan", "add", config_id)
    assert saved == f"/configs/{config_id}?done={add['id']}"


@pytest.mark.parametrize("point", POINTS)
def test_a_plan_of_a_config_is_made_once(point: str, clerks: Clerks) -> None:
    name = clerks.unique("config")
    clerks.write_sheet(name, ROWS)
    address = f"/configs/{clerks.add_config(name, run_frequency_hours=0)}/plan"
    form = clerks.visitor.form(address)
    clerks.kill(point, address, form)
    there = clerks.visitor.send(address, form)
    assert there is not None
    assert wait_for_plan(clerks, there.removeprefix("/plans/"))["state"] == "done"
    (acted,) = clerks.acted(name)
    assert f"/plans/{acted['details']['plan_id']}" == there


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(("action", "fields"), [("pause", {"reason": "it moves"}), ("frequency", {"hours": "4"})])
def test_what_changes_the_config_alone_is_done_once(
    action: str, fields: dict[str, str], point: str, clerks: Clerks
) -> None:
    name = clerks.unique(action)
    address = f"/configs/{clerks.add_config(name)}/{action}"
    form = clerks.visitor.form(address) | fields
    clerks.kill(point, address, form)
    changed = (
        "SELECT count(*) FROM sheet_to_bigquery_configs WHERE name = :n AND (NOT is_active OR run_frequency_hours = 4)"
    )
    assert clerks.clients.postgres.run(changed, n=name) == [[POINTS[point]]]
    assert clerks.visitor.send(address, form)
    assert [acted["action"] for acted in clerks.acted(name)] == [action]
    assert clerks.clients.postgres.run(changed, n=name) == [[1]]
