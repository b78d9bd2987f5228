"""README-JOB.md's disasters, for real: the database is dropped, or goes back to what a backup has of it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pg8000.native
import pytest
from google.api_core.exceptions import NotFound

from local.clients import LocalClients
from local.environment import PROJECT
from local.ports import HOST
from local.postgres import DATABASE, USER
from local.system import REPOSITORY, System
from tests.e2e.conftest import DATASET, Team

ROWS: list[list[Any]] = [["id", "amount"], [1, 2.5], [2, 3.5]]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(system: System) -> Command:
    """Runs one of the commands against the system."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env=dict(system.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def superuser(system: System) -> Iterator[pg8000.native.Connection]:
    """PostgreSQL's own administrator, beside the database."""
    connection = pg8000.native.Connection(
        "postgres",
        host=HOST,
        port=int(system.settings["POSTGRES_PORT"]),
        database="postgres",
        password=system.settings["POSTGRES_PASSWORD"],
    )
    yield connection
    connection.close()


def lose_database(superuser: pg8000.native.Connection, clients: LocalClients) -> None:
    """The database is gone with all its connections; ours, which other tests share, is made again when asked for."""
    clients.postgres.close()
    del clients.postgres
    superuser.run(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def wait_for(found: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := found()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return seen


def loads_of(clients: LocalClients, table: str) -> int:
    """How many loads of the table BigQuery has seen."""
    jobs = clients.bigquery.list_jobs(max_results=50)
    return sum(job.job_type == "load" and job.destination.table_id == table for job in jobs)


def start_and_wait_until_claimed(team: Team, config_id: int, name: str) -> None:
    team.publish({"config_id": config_id})
    wait_for(lambda: any(run.state in ("launching", "running") for run in team.runs(config_id)))
    with pytest.raises(NotFound):
        team.table(name)  # its load is still to come


@pytest.fixture
def rebuilt(
    team: Team, command: Command, superuser: pg8000.native.Connection, clients: LocalClients
) -> tuple[int, str]:
    """A config with a run in flight when the database was lost, registered again in the new one: its id and name."""
    name = team.unique("disaster")
    team.write_sheet(name, ROWS)
    start_and_wait_until_claimed(team, team.add_config(name, options=json.dumps({"load_mode": "append"})), name)
    lose_database(superuser, clients)
    # Step 2 of the document: until no execution runs any more.
    wait_for(lambda: is_loaded(team, name) and not is_running(command))
    superuser.run(f"CREATE DATABASE {DATABASE} OWNER {USER}")
    made = command("-m", "sql", "up")
    assert made.returncode == 0, made.stderr
    url = f"https://docs.google.com/spreadsheets/d/{name}/edit"
    added = command(
        "job_helper.py", "--json", "add", url, f"--project={PROJECT}", f"--dataset={DATASET}", f"--table={name}"
    )
    assert added.returncode == 0, added.stderr
    config_id = int(json.loads(added.stdout)["id"])
    team.set_config(config_id, options=json.dumps({"load_mode": "append"}))
    return config_id, name


def is_running(command: Command) -> bool:
    """By `job_helper.py list`, which asks Cloud Run alone."""
    listed = command("job_helper.py", "list", "--limit=5", "--json")
    assert listed.returncode == 0, listed.stderr
    return any(each["state"] in ("starting", "running") for each in json.loads(listed.stdout))


def is_loaded(team: Team, name: str) -> bool:
    try:
        return bool(team.table(name))
    except NotFound:
        return False


def test_a_config_whose_last_run_is_given_back_is_not_loaded_a_second_time_and_lost_runs_can_be_forgotten(
    team: Team, rebuilt: tuple[int, str], clients: LocalClients, command: Command
) -> None:
    config_id, name = rebuilt
    changed = clients.bigquery.get_table(f"{PROJECT}.{DATASET}.{name}").modified
    team.set_config(config_id, last_run=changed)
    team.dispatch()
    assert team.runs(config_id) == []
    assert len(team.table(name)) == 2
    # A day later it is due again, as it ever was.
    team.set_config(config_id, last_run=changed - timedelta(hours=25))
    team.dispatch()
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]
    # What the job, and the log of executions, say of the lost run's end comes to nobody.
    kept = "SELECT message_id FROM sheet_to_bigquery_messages WHERE verdict = 'poison' ORDER BY message_id"
    wait_for(lambda: len(team.clients.postgres.run(kept)) >= 2)
    ids = [message_id for (message_id,) in team.clients.postgres.run(kept)]
    assert command("job_helper.py", "poison").stdout.count("there is no run") == len(ids)
    assert command("job_helper.py", "poison", "drop", *ids).returncode == 0
    assert team.clients.postgres.run(kept) == []


def test_without_its_last_run_what_was_in_flight_is_there_twice_where_rows_are_appended(
    team: Team, rebuilt: tuple[int, str]
) -> None:
    config_id, name = rebuilt
    team.dispatch()
    assert [run.state for run in team.wait_for_runs(config_id)] == ["succeeded"]
    assert len(team.table(name)) == 4  # as README-JOB.md warns


def test_a_run_that_a_backup_has_as_waiting_but_that_has_loaded_since_is_not_loaded_again(
    team: Team, clients: LocalClients
) -> None:
    name = team.unique("restored")
    team.write_sheet(name, ROWS)
    config_id = team.add_config(name, options=json.dumps({"load_mode": "append"}))
    team.system.kill("launch")
    try:
        team.dispatch(config_names=[name])
        [backup] = clients.postgres.run(
            "SELECT to_jsonb(r)::text FROM sheet_to_bigquery_runs r WHERE config_id = :id", id=config_id
        )[0]
    finally:
        team.system.start("launch")
    team.wait_for_runs(config_id)
    restore(clients, config_id, backup)
    assert [run.state for run in team.runs(config_id)] == ["queued"]
    # Its message is long acked: the sweep publishes it again, once the lease of a message is over.
    clients.postgres.run(
        "UPDATE sheet_to_bigquery_runs SET admitted_at = admitted_at - interval '1 hour' WHERE config_id = :id",
        id=config_id,
    )
    team.sweep()
    [run] = team.wait_for_runs(config_id)
    assert (run.state, run.rows) == ("succeeded", 2)
    assert len(team.table(name)) == 2
    assert loads_of(clients, name) == 1


def restore(clients: LocalClients, config_id: int, backup: str) -> None:
    """The config and its run as they were: rows that come in place of later ones, as a restore brings them."""
    clients.postgres.run("DELETE FROM sheet_to_bigquery_runs WHERE config_id = :id", id=config_id)
    columns = ", ".join(name for name in json.loads(backup) if name != "turn")  # which PostgreSQL generates
    clients.postgres.run(
        f"INSERT INTO sheet_to_bigquery_runs ({columns})"
        f" SELECT {columns} FROM jsonb_populate_record(NULL::sheet_to_bigquery_runs, CAST(:backup AS jsonb))",
        backup=backup,
    )
    clients.postgres.run(
        "UPDATE sheet_to_bigquery_configs SET last_run = NULL, scheduled_run = NULL WHERE id = :id", id=config_id
    )
