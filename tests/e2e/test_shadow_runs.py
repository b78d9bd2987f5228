"""A shadowed config is loaded beside the older service's table, in its shape; nothing else of it is touched."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from local.clients import LocalClients
from local.environment import PROJECT
from local.system import REPOSITORY, System
from shared.ledger.connection import connect
from shared.settings import read_database
from sql.tracking import finish, start
from tests.e2e.conftest import DATASET, Team
from tests.e2e.test_console import read, wait_for_plan
from tests.e2e.test_parity import in_order, older_service
from tests.e2e.visitor import Visitor

SHEET: list[list[Any]] = [["Customer No.", "1st order", "note"], ["0042", 7.5, None], [], [True, "#N/A", "x"]]


@pytest.fixture
def tracked(system: System) -> Iterator[None]:
    """Configs say whose they are; those that a test adds are the job's unless they say otherwise."""
    database = read_database(system.environment)
    with connect(database) as connection:
        list(start(connection, database.configs_table, "job_ready"))
        yield
        # Without marks they would be the job's, and due in other tests.
        connection.execute_simple(
            "UPDATE sheet_to_bigquery_configs SET is_active = false WHERE name ~ '^(shadowed|promoted)_'"
        )
        list(finish(connection, database.configs_table, anyway=True))


def test_a_shadow_config_is_loaded_beside_its_table_as_the_service_loads_it(
    tracked: None, team: Team, clients: LocalClients
) -> None:
    name = team.unique("shadowed")
    team.write_sheet(name, SHEET)
    clients.bigquery.create_dataset(DATASET, exists_ok=True)
    clients.bigquery.query_and_wait(f"CREATE TABLE `{PROJECT}.{DATASET}.{name}` AS SELECT 'the service' AS written_by")
    config_id = team.add_config(name, migration_status="shadow")
    answer = team.dispatch(config_names=[name])
    assert (answer["recorded"], answer["shadows"]) == (0, 1)
    [run] = team.wait_for_runs(config_id)
    assert (run.state, run.error, run.rows) == ("succeeded", None, 3)
    names, rows = older_service(clients, name, "Sheet1")
    beside = clients.bigquery.get_table(f"{PROJECT}.{DATASET}_shadow.{name}")
    assert [(field.name, field.field_type) for field in beside.schema] == [(each, "STRING") for each in names]
    loaded = clients.bigquery.query_and_wait(f"SELECT * FROM `{beside.full_table_id.replace(':', '.')}`")
    assert in_order([tuple(row.values()) for row in loaded]) == in_order(rows)
    # The service's own is as it was, and so is what its orchestrator schedules by.
    assert team.table(name) == [{"written_by": "the service"}]
    assert team.last_run(config_id) is None
    told = "SELECT why, sheet_modified_at <= claimed_at FROM sheet_to_bigquery_runs WHERE config_id = :config_id"
    assert clients.postgres.run(told, config_id=config_id) == [["shadow", True]]


def test_a_shadow_config_is_planned_as_its_next_run_goes(
    tracked: None, system: System, team: Team, clients: LocalClients
) -> None:
    name = team.unique("shadowed")
    team.write_sheet(name, SHEET)
    clients.bigquery.create_dataset(DATASET, exists_ok=True)
    clients.bigquery.query_and_wait(f"CREATE TABLE `{PROJECT}.{DATASET}.{name}` AS SELECT 'the service' AS written_by")
    config_id = team.add_config(name, migration_status="shadow", run_frequency_hours=0)
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "job_helper.py"), "plan", str(config_id), "--json"],
        env=system.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    plan = json.loads(done.stdout)
    assert plan["table"] == f"{PROJECT}.{DATASET}_shadow.{name}"
    assert {(column["name"], column["type"]) for column in plan["sheet"]["columns"]} == {
        ("Customer_No_", "STRING"),
        ("_1st_order", "STRING"),
        ("note", "STRING"),
    }
    assert "in shadow" in plan["schedule"]
    # At the console, by a message and an execution of the job, it is the same plan.
    there = Visitor(system.addresses["console"]).do(f"/configs/{config_id}/plan", page=f"/configs/{config_id}/plan")
    assert wait_for_plan(team, there.removeprefix("/plans/"))["state"] == "done"
    told = json.loads(read(system, f"{there}.json"))
    assert (told["table"], told["change"]["effect"]) == (plan["table"], plan["change"]["effect"])
    told_columns, columns = (
        [{name: column[name] for name in ("header", "name", "type", "mode")} for column in each]
        for each in (told["columns"], plan["sheet"]["columns"])
    )
    assert told_columns == columns
    # And what it says is what its run then does.
    team.set_config(config_id, run_frequency_hours=24)
    team.dispatch(config_names=[name])
    team.wait_for_runs(config_id)
    loaded = clients.bigquery.get_table(told["table"]).schema
    assert [(each.name, each.field_type) for each in loaded] == [(each["name"], each["type"]) for each in columns]


def test_once_it_is_the_jobs_the_table_keeps_its_shape(tracked: None, team: Team, clients: LocalClients) -> None:
    name = team.unique("promoted")
    team.write_sheet(name, SHEET)
    config_id = team.add_config(name, migration_status="service")
    team.set_config(config_id, migration_status="job_ready")
    team.dispatch(config_names=[name])
    [run] = team.wait_for_runs(config_id)
    assert (run.state, run.error) == ("succeeded", None)
    names, rows = older_service(clients, name, "Sheet1")
    assert team.types(name) == dict.fromkeys(names, "STRING")
    assert in_order([tuple(row.values()) for row in team.table(name)]) == in_order(rows)
    assert team.last_run(config_id) is not None
