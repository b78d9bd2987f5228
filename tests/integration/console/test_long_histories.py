"""However many runs a config has, its pages read a few of them: told by PostgreSQL's own counts of what it read."""

import time
from collections.abc import Iterator
from typing import Any

import pg8000.native
import pytest

from console.phrases import exact_instant
from local.ports import HOST
from local.postgres import SUPERUSER, Postgres
from shared.ledger.connection import Session, connect
from shared.settings import Database
from sql.migrations import up
from sql.tracking import start
from tests.integration.conftest import created
from tests.integration.console.conftest import Reader

RUNS = 20_000
# Of each of a few kinds some hundreds are looked at, for what may be far back.
READ_AT_MOST = 3000

# Others, so that the planner has a choice: one config has no more than a part of all runs.
OTHER_CONFIGS = """
INSERT INTO sheet_to_bigquery_configs
    (id, name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, bigquery_table_id)
SELECT 1000 + n, 'other ' || n, 'https://docs.google.com/spreadsheets/d/abcdefghij/edit', 'p', 'd', 'other_' || n
FROM generate_series(1, 5000) n
"""
OTHER_RUNS = """
INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at, not_before,
    reads, claimed_at, ended_at, verdict, rows)
SELECT gen_random_uuid(), 1000 + n % 5000, 'other', 'p.d.other', at, 'schedule', 'succeeded', at, at, 4, at, at,
    'loaded', n
FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, 20000) n) numbered
"""
CONFIG = """
INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id,
    bigquery_table_id, last_run, scheduled_run, run_frequency_hours)
VALUES (:name, 'https://docs.google.com/spreadsheets/d/abcdefghij/edit', 'p', 'd', :name, {last_run}, {scheduled_run},
    :hours)
RETURNING id
"""
LONG = """
INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at, not_before,
    reads, claimed_at, ended_at, verdict, rows, requests, columns, schema_changes, error_class, error)
SELECT gen_random_uuid(), :config_id, :name, :destination, at, :why, :state, at, at, 4, at, at,
    CASE WHEN :state = 'succeeded' THEN 'loaded' END, CASE WHEN :state = 'succeeded' THEN n END, 4,
    CAST(:columns AS jsonb), CAST(:columns AS jsonb), CASE WHEN :state = 'failed' THEN 'TabNotFound' END,
    CASE WHEN :state = 'failed' THEN 'there is no such tab' END
FROM (SELECT n, now() - n * interval '1 hour' AS at FROM generate_series(2, :runs) n) numbered
"""
NEWEST = """
INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at, not_before,
    reads, claimed_at, ended_at, error_class, error)
SELECT gen_random_uuid(), id, name, 'p.d.' || name, at, 'schedule', 'failed', at, at, 4, at, at, 'TabNotFound', 'no tab'
FROM sheet_to_bigquery_configs, (SELECT now() - interval '1 hour' AS at) newest WHERE id <= :kinds
"""
A_DAY_AGO = "now() - interval '25 hours'"
# What a config's row and all of its runs but the newest, which failed, are like.
WELL: dict[str, Any] = {
    "last_run": A_DAY_AGO,
    "scheduled_run": A_DAY_AGO,
    "hours": 24,
    "why": "schedule",
    "state": "succeeded",
    "columns": '[{"name": "sku", "type": "STRING", "mode": "NULLABLE"}]',
    "destination": None,
}
HISTORIES: dict[str, dict[str, Any]] = {
    "well": WELL,
    "never_told_its_columns": WELL | {"columns": None},
    "always_failed": WELL | {"state": "failed", "last_run": "NULL", "scheduled_run": "NULL", "columns": None},
    "always_failed_after_a_run_by_hand": WELL | {"state": "failed", "scheduled_run": "NULL", "columns": None},
    "always_cancelled": WELL | {"state": "cancelled", "last_run": "NULL", "scheduled_run": "NULL", "columns": None},
    "always_by_hand": WELL | {"why": "manual", "scheduled_run": "NULL"},
    "asked_for_by_a_person": WELL | {"last_run": "NULL", "hours": 0},
    "of_another_table": WELL | {"destination": "p.d.former"},
    "in_shadow": WELL | {"why": "shadow"},
}


@pytest.fixture(scope="module")
def large(postgres: Postgres) -> Iterator[Database]:
    """A ledger in which every config of `HISTORIES` has many runs, analysed."""
    with created(postgres) as database:
        with connect(database) as connection:
            list(up(connection, database.configs_table))
        filling = pg8000.native.Connection(
            SUPERUSER, host=HOST, port=postgres.port, database=database.postgres_db, password=postgres.password
        )
        filling.run(OTHER_CONFIGS)
        filling.run(OTHER_RUNS)
        for name, history in HISTORIES.items():
            _add(filling, name, **history)
        filling.run(NEWEST, kinds=len(HISTORIES))
        filling.run("VACUUM ANALYZE")
        filling.close()
        yield database


def _add(filling: pg8000.native.Connection, name: str, *, last_run: str, scheduled_run: str, **told: Any) -> None:
    config = CONFIG.format(last_run=last_run, scheduled_run=scheduled_run)
    ((config_id,),) = filling.run(config, name=name, hours=told.pop("hours"))
    told["destination"] = told["destination"] or f"p.d.{name}"
    filling.run(LONG, config_id=config_id, name=name, runs=RUNS, **told)


class Ledger:
    """What PostgreSQL read of the runs and of the configs, as it counts it itself."""

    def __init__(self, connection: pg8000.native.Connection) -> None:
        self._run = connection.run

    def read(self) -> tuple[int, int]:
        """How many runs were read so far, by any index or from end to end, and how many configs from end to end."""
        # A connection tells what it read when it ends.
        while self._run(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ):
            time.sleep(0.01)
        ((runs, configs),) = self._run(
            "SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sheet_to_bigquery_runs')"
            " + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'sheet_to_bigquery_runs'),"
            " (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sheet_to_bigquery_configs')"
        )
        return int(runs), int(configs)


@pytest.fixture
def ledger(large: Database) -> Iterator[Ledger]:
    connection = pg8000.native.Connection(
        large.postgres_user,
        host=HOST,
        port=large.postgres_port,
        database=large.postgres_db,
        password=large.postgres_password,
    )
    yield Ledger(connection)
    connection.close()


def _addresses(database: Database, name: str) -> list[str]:
    """Of the config's page, at both ends of its history and in its middle, and of the runs that are there."""
    with connect(database) as connection:
        session = Session(connection, database.configs_table)
        runs = session.run(
            "SELECT r.config_id, r.id, r.created_at FROM sheet_to_bigquery_runs r"
            " JOIN sheet_to_bigquery_configs c ON c.id = r.config_id WHERE c.name = :name ORDER BY r.created_at",
            name=name,
        )
    assert len(runs) == RUNS
    oldest, middle, newest = runs[0], runs[RUNS // 2], runs[-1]
    here, at = f"/configs/{oldest[0]}", exact_instant(middle[2])
    sides = [f"{here}?before={at}", f"{here}?after={at}", f"{here}?after={exact_instant(oldest[2])}"]
    return [here, f"{here}.json", *sides, *(f"/runs/{run_id}" for _, run_id, _ in (oldest, middle, newest))]


@pytest.mark.parametrize("name", HISTORIES)
def test_the_pages_of_a_config_and_of_its_runs_read_few_of_its_runs(name: str, large: Database, ledger: Ledger) -> None:
    reader = Reader(large)
    for address in _addresses(large, name):
        before = ledger.read()
        assert reader.ask(address).status_code == 200
        runs, configs = (after - before for after, before in zip(ledger.read(), before, strict=True))
        assert 0 < runs < READ_AT_MOST, address
        assert configs == 0, address


def test_the_pages_of_a_migration_read_few_runs_of_configs_that_have_many(large: Database, ledger: Ledger) -> None:
    with connect(large) as connection:
        list(start(connection, large.configs_table))
        Session(connection, large.configs_table).run(
            "UPDATE {configs} SET migration_status = CASE WHEN name = 'in_shadow' THEN 'shadow' ELSE 'job_ready' END"
        )
    reader = Reader(large)
    for address in ("/migration", "/migration?search=always", "/migration?search=in_shadow"):
        before = ledger.read()
        assert reader.ask(address).status_code == 200
        assert ledger.read()[0] - before[0] < READ_AT_MOST, address
