"""The console of the running system shows what PostgreSQL holds, and what people do there changes tables."""

import json
import time
import urllib.request
from typing import Any

from local.environment import CONSOLE_USER, PROJECT
from local.ports import direct
from local.system import System
from tests.e2e.conftest import DATASET, Team
from tests.e2e.visitor import Visitor


def read(system: System, path: str) -> str:
    with direct.open(urllib.request.Request(system.addresses["console"] + path), timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def rows(system: System, search: str) -> dict[str, dict[str, Any]]:
    told = json.loads(read(system, f"/overview.json?search={search}"))
    return {row["name"]: row for row in told["configs"]}


def test_the_overview_shows_what_came_of_the_runs(team: Team, system: System) -> None:
    mark = team.unique("seen")
    good, bad = f"{mark}_good", f"{mark}_bad"
    team.write_sheet(good, [["id", "amount"], [1, 10], [2, 20], [3, 30]])
    configs = {good: team.add_config(good), bad: team.add_config(bad, spreadsheet="no_such_spreadsheet")}
    assert {row["state"] for row in rows(system, mark).values()} == {"due"}
    team.dispatch(config_names=[good, bad])
    runs = {run.config_id: run for run in team.wait_for_runs(*configs.values())}
    told = rows(system, mark)
    assert (told[good]["state"], told[good]["rows"], told[good]["id"]) == ("succeeded", 3, configs[good])
    assert told[good]["run_id"] == str(runs[configs[good]].id)
    assert (told[bad]["state"], told[bad]["rows"]) == ("failed", None)
    (error_class,) = team.clients.postgres.run(
        "SELECT error_class FROM sheet_to_bigquery_runs WHERE config_id = :id", id=configs[bad]
    )[0]
    assert told[bad]["note"] == error_class
    failed = str(runs[configs[bad]].id)
    page = json.loads(read(system, f"/configs/{configs[bad]}.json"))
    assert ([run["id"] for run in page["runs"]], page["error_class"]) == ([failed], error_class)
    assert error_class in read(system, f"/runs/{failed}")
    columns = json.loads(read(system, f"/runs/{runs[configs[good]].id}.json"))["facts"]["columns"]
    assert [column["name"] for column in columns] == ["id", "amount"]
    html = read(system, f"/?search={mark}")
    assert all(text in html for text in (good, bad, error_class, CONSOLE_USER, "1–2 of 2"))


def test_run_now_leads_to_a_changed_table(team: Team, system: System) -> None:
    name = team.unique("at_once")
    team.write_sheet(name, [["id", "amount"], [1, 10]])
    config_id = team.add_config(name, run_frequency_hours=0)
    visitor = Visitor(system.addresses["console"])
    there = visitor.do(f"/configs/{config_id}/run", page=f"/?search={name}")
    team.wait_for_runs(config_id)
    assert team.table(name) == [{"id": 1, "amount": 10}]
    told = read(system, f"/{there[there.index('?') :]}")
    assert f"The run of &#34;{name}&#34; that was asked for has ended: succeeded." in told
    team.write_sheet(name, [["id", "amount"], [1, 11], [2, 20]])
    visitor.do(f"/configs/{config_id}/run", page=f"/configs/{config_id}/run")
    team.wait_for_runs(config_id, count=2)
    assert team.table(name) == [{"id": 1, "amount": 11}, {"id": 2, "amount": 20}]


def test_a_pasted_address_becomes_a_loaded_table_by_its_plan(team: Team, system: System) -> None:
    name = team.unique("pasted")
    team.write_sheet(name, [["Order No.", "Paid?"], ["007", True], ["008", False]], tab="Q1")
    visitor = Visitor(system.addresses["console"])
    there = visitor.do(
        "/plans",
        page="/add",
        google_sheet_url=f"https://docs.google.com/spreadsheets/d/{name}/edit?usp=sharing",
        google_sheet_tab_name="Q1",
        google_cloud_project_id=PROJECT,
        bigquery_dataset_id=DATASET,
        name=name,
    )
    plan = wait_for_plan(team, there.removeprefix("/plans/"))
    assert (plan["state"], [each["name"] for each in plan["plan"]["columns"]]) == ("done", ["order_no", "paid"])
    assert rows(system, name) == {}
    there = visitor.do(f"{there}/save", page="/add")
    (row,) = rows(system, name).values()
    assert there.startswith(f"/configs/{row['id']}?done=")
    assert (row["table"], row["state"]) == (f"{PROJECT}.{DATASET}.{name}", "due")
    visitor.do(f"/configs/{row['id']}/run", page=f"/?search={name}")
    team.wait_for_runs(row["id"])
    assert team.table(name) == [{"order_no": "007", "paid": True}, {"order_no": "008", "paid": False}]


def wait_for_plan(team: Team, plan_id: str, seconds: float = 60) -> dict[str, Any]:
    """The plan's row as it ended."""
    deadline = time.monotonic() + seconds
    while True:
        found = "SELECT to_jsonb(p) FROM sheet_to_bigquery_plans p WHERE id = :id"
        plan = dict(team.clients.postgres.run(found, id=plan_id)[0][0])
        if plan["ended_at"]:
            return plan
        assert time.monotonic() < deadline, plan
        time.sleep(0.1)
