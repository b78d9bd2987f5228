"""`migrate.py finish`: what the migration left is shown, and dropped when somebody says yes."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pg8000.native
import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from local.ports import HOST
from local.postgres import Postgres
from shared.ledger.connection import connect
from shared.settings import Database
from sql.grants import grant
from tests.integration.migrate.conftest import PROJECT

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MADE = {"made_by": "sheet-to-bigquery-migration"}


@pytest.fixture
def shadowed(team, add_run, request):
    """A config of the job's that was loaded beside the service once: its shadow's table, in a dataset that we made."""
    dataset = f"d{abs(hash(request.node.name)) % 10**9}"
    config_id = team.config("sales", "job_ready", bigquery_dataset_id=dataset)
    make_dataset(team, f"{dataset}_shadow", MADE)
    team.load_as_service(f"{dataset}.sales")
    team.load_as_service(f"{dataset}_shadow.sales")
    table = f"{PROJECT}.{dataset}_shadow.sales"
    add_run(config_id, NOON, "shadow", destination=table, verdict="loaded")
    return table


def make_dataset(team, name: str, labels: dict[str, str]) -> None:
    dataset = bigquery.Dataset(f"{PROJECT}.{name}")
    dataset.location, dataset.labels = "US", labels
    team.warehouse.create_dataset(dataset)


def is_there(team, name: str) -> bool:
    get = team.warehouse.get_table if name.count(".") == 2 else team.warehouse.get_dataset
    try:
        get(name)
    except NotFound:
        return False
    return True


def has_marks(sql) -> bool:
    [[there]] = sql("SELECT to_jsonb(c) ? 'migration_status' FROM sheet_to_bigquery_configs c LIMIT 1")
    return there


def test_without_a_yes_everything_is_told_and_nothing_dropped(shadowed, migrate, team, sql) -> None:
    team.config("migration_test_1", "service")
    done = migrate("finish")
    assert done.returncode == 0, done.stderr
    for told in ("the column migration_status", f"shadow table {shadowed}", "test config", "finish --yes"):
        assert told in done.stdout
    assert (is_there(team, shadowed), has_marks(sql)) == (True, True)
    assert set(team.owners()) == {"sales", "migration_test_1"}


def test_the_services_own_end_is_told_step_by_step(shadowed, migrate) -> None:
    lines = migrate("finish", SERVICE="older").stdout.splitlines()
    steps = [line.strip() for line in lines if line.startswith("  ")]
    assert [step.split()[-1] for step in steps[::2]][:2] == ["50", "0"]
    assert all("wait" in step for step in steps[1::2])
    assert steps[-1] == f"gcloud run services delete older --project={PROJECT} --region=us-central1"


def test_what_forward_needs_without_the_service_is_told_where_there_is_forward(shadowed, migrate, team) -> None:
    assert "SERVICE_URL" not in migrate("finish").stdout
    team.message_at_service(1, 0)
    assert "SERVICE_URL" in migrate("finish").stdout
    assert "SERVICE_URL" not in migrate("finish", SERVICE_URL="https://older.example").stdout


def test_with_a_yes_all_of_it_goes_and_the_evidence_stays(shadowed, migrate, team, sql) -> None:
    team.config("migration_test_1", "service")
    done = migrate("finish", "--yes", "--json", "--actor", "ana@desk")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["leftovers"]["tables"] == [shadowed]
    assert (is_there(team, shadowed), is_there(team, shadowed.rpartition(".")[0])) == (False, False)
    assert is_there(team, shadowed.replace("_shadow", ""))
    assert not has_marks(sql)
    assert sql("SELECT name FROM sheet_to_bigquery_configs") == [["sales"]]
    assert team.changes()[-1] == ("", "tracked", "untracked", "ana@desk", None)
    assert sql("SELECT name FROM active_job_configs") == [["sales"]]


def test_finishing_again_finds_nothing(shadowed, migrate) -> None:
    migrate("finish", "--yes")
    done = migrate("finish", "--yes")
    assert (done.returncode, "nothing is left to drop" in done.stdout) == (0, True)


@pytest.mark.parametrize("owner", ["shadow", "service", None])
def test_while_a_config_is_not_the_jobs_nothing_goes(owner, shadowed, migrate, team, sql) -> None:
    config_id = team.config("late", owner)
    team.config("migration_test_1", "service")
    done = migrate("finish", "--yes")
    assert (done.returncode, f'{config_id} "late"' in done.stderr) == (1, True)
    assert (is_there(team, shadowed), has_marks(sql), len(team.owners())) == (True, True, 3)


def test_a_paused_config_holds_nothing_up_and_is_counted(shadowed, migrate, team, sql) -> None:
    team.config("old", "service", is_active=False)
    team.config("older", "shadow", is_active=False)
    told = migrate("finish")
    assert (told.returncode, "paused configs that were not promoted: 2;" in told.stdout) == (0, True), told.stderr
    assert migrate("finish", "--yes").returncode == 0
    assert not has_marks(sql)
    assert sql("SELECT name FROM active_job_configs") == [["sales"]]
    assert sql("SELECT name FROM sheet_to_bigquery_configs WHERE NOT is_active ORDER BY id") == [["old"], ["older"]]
    assert json.loads(migrate("finish", "--json").stdout)["leftovers"]["paused"] == 0


@pytest.mark.parametrize("command", [("finish",), ("finish", "--yes")])
def test_before_a_migration_there_is_nothing_to_finish(command, migrate, add_config, sql) -> None:
    add_config("migration_test_1")
    done = migrate(*command)
    assert (done.returncode, "`python migrate.py start`" in done.stderr) == (1, True)
    assert "service-traffic" not in done.stdout
    assert sql("SELECT name FROM sheet_to_bigquery_configs") == [["migration_test_1"]]


def test_while_a_shadow_is_loaded_nothing_goes(shadowed, migrate, team, add_run, sql) -> None:
    add_run(1, datetime.now(UTC), "shadow", state="pending", destination=shadowed)
    done = migrate("finish", "--yes")
    assert (done.returncode, "job_helper.py cancel" in done.stderr) == (1, True)
    assert has_marks(sql)


@pytest.fixture
def clerk(migrated: Database, postgres: Postgres) -> Iterator[str]:
    """A role that may do what the runtime does, and that owns nothing."""
    login: dict[str, Any] = {"host": HOST, "port": postgres.port, "password": postgres.password}
    admin = pg8000.native.Connection("postgres", database=migrated.postgres_db, **login)
    admin.run(f"CREATE ROLE clerk LOGIN PASSWORD '{postgres.password}'")
    with connect(migrated) as connection:
        list(grant(connection, migrated.configs_table, ["clerk"]))
    yield "clerk"
    admin.run("DROP OWNED BY clerk")
    admin.run("DROP ROLE clerk")
    admin.close()


def test_who_does_not_own_the_configs_table_drops_nothing(shadowed, migrate, team, clerk, sql) -> None:
    team.config("migration_test_1", "service")
    done = migrate("finish", "--yes", POSTGRES_USER=clerk)
    assert (done.returncode, "POSTGRES_USER" in done.stderr) == (1, True)
    assert (is_there(team, shadowed), has_marks(sql), len(team.owners())) == (True, True, 2)


def test_a_dataset_of_somebody_elses_stays_and_so_does_what_else_is_in_ours(shadowed, migrate, team, add_run) -> None:
    ours = shadowed.rpartition(".")[0]
    team.load_as_service(f"{ours.partition('.')[2]}.notes")
    theirs = f"{PROJECT}.theirs_{ours.partition('.')[2]}"
    make_dataset(team, theirs.partition(".")[2], {})
    config_id = team.config("stock", "job_ready")
    team.load_as_service(f"{theirs.partition('.')[2]}.stock")
    add_run(config_id, NOON, "shadow", destination=f"{theirs}.stock", verdict="loaded")
    assert migrate("finish", "--yes").returncode == 0
    assert [is_there(team, name) for name in (shadowed, f"{theirs}.stock")] == [False, False]
    assert [is_there(team, name) for name in (ours, f"{ours}.notes", theirs)] == [True, True, True]


def test_a_table_that_is_a_configs_own_is_never_dropped(shadowed, migrate, team) -> None:
    _, dataset, table = shadowed.split(".")
    team.config("own", "job_ready", bigquery_dataset_id=dataset, bigquery_table_id=table)
    assert migrate("finish", "--yes").returncode == 0
    assert is_there(team, shadowed)


@pytest.mark.parametrize("point", ["migrate.after_test_configs", "migrate.after_tracking", "migrate.after_tables"])
def test_whoever_is_killed_calls_it_again_and_it_ends_in_the_same_state(point, shadowed, migrate, team, sql) -> None:
    team.config("migration_test_1", "service")
    migrate("finish", "--yes", die_at=point)
    done = migrate("finish", "--yes")
    assert done.returncode == 0, done.stderr
    assert (is_there(team, shadowed), is_there(team, shadowed.rpartition(".")[0]), has_marks(sql)) == (False,) * 3
    assert sql("SELECT name FROM sheet_to_bigquery_configs") == [["sales"]]
