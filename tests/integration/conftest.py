"""A real PostgreSQL for the tests below, one server per test process, one fresh database per test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from local.component import wait_until_ready
from local.ports import HOST, reserve_port
from local.postgres import DATABASE, SUPERUSER, USER, Postgres
from shared.ledger.connection import Session, connect, numbered
from shared.ledger.store import Store
from shared.settings import Database
from sql.migrations import up

MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of our own is made in it)
# A worker has two or three databases of 10 MB at a time.
ROOM = 256 << 20
_numbers = itertools.count()
Sql = Callable[..., list[Any]]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    folder: Path = tmp_path_factory.mktemp("postgres")
    server = Postgres.in_folder(folder / "server", reserve_port())
    server.create_cluster()
    component = server.component(dict(os.environ), folder / "postgres.log")
    component.start()
    try:
        wait_until_ready([component], seconds=30)
        server.create_database()
        yield server
    finally:
        component.stop()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """An empty database of the test's own."""
    with created(postgres) as database:
        yield database


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> Iterator[Database]:
    """A database with the schema applied, to which nobody is connected; its copies are where it is."""
    with in_memory(postgres) as where, created(postgres, where) as database:
        with connect(database) as connection:
            list(up(connection, database.configs_table))
        yield database


@pytest.fixture
def migrated(postgres: Postgres, template: Database) -> Iterator[Database]:
    """A database of the test's own with the schema applied: a copy, which takes a fifth of applying it."""
    with created(postgres, f"TEMPLATE {template.postgres_db} STRATEGY file_copy") as database:
        yield database


@contextmanager
def in_memory(postgres: Postgres) -> Iterator[str]:
    """Where a database's files are in memory, if there is room: on ext4 a file is dear to make while others were
    deleted just now, and a database has hundreds.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield ""
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, as_superuser(postgres) as admin:
        shutil.chown(folder, (postgres.folder / "data").stat().st_uid)
        admin.run(f"CREATE TABLESPACE memory LOCATION '{folder}'")
        yield "TABLESPACE memory"
        admin.run("DROP TABLESPACE memory")


@contextmanager
def created(postgres: Postgres, how: str = "") -> Iterator[Database]:
    """A new database, until the block's end."""
    name = f"test_{next(_numbers)}"
    assert name != DATABASE
    with as_superuser(postgres) as admin:
        admin.run(f"CREATE DATABASE {name} OWNER {USER} {how}")
        yield Database(
            postgres_db=name,
            postgres_user=USER,
            postgres_host=HOST,
            postgres_port=postgres.port,
            postgres_password=postgres.password,
            postgres_sslmode="disable",
        )
        admin.run(f"DROP DATABASE {name} WITH (FORCE)")


def as_superuser(postgres: Postgres) -> AbstractContextManager[pg8000.native.Connection]:
    login = {"host": HOST, "port": postgres.port, "password": postgres.password}
    return closing(pg8000.native.Connection(SUPERUSER, database="postgres", ssl_context=False, **login))


@pytest.fixture
def store(migrated: Database) -> Iterator[Store]:
    with connect(migrated) as connection:
        yield Store(Session(connection, migrated.configs_table))


@pytest.fixture
def sql(migrated: Database) -> Iterator[Sql]:
    """Runs a statement with named parameters on a second connection and gives its rows."""
    with connect(migrated) as connection:

        def run(statement: str, **parameters: Any) -> list[Any]:
            text, names = numbered(statement)
            return list(connection.execute_unnamed(text, [parameters[name] for name in names]).rows or [])

        yield run


@pytest.fixture
def add_config(sql: Sql) -> Callable[..., int]:
    """Adds a config to the owner's table; what is not given is as a portal would leave it."""

    def add(name: str = "sales", **values: Any) -> int:
        row = {
            "name": name,
            "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=0",
            "google_cloud_project_id": "test-project",
            "bigquery_dataset_id": "reports",
            "bigquery_table_id": name,
        } | values
        columns, parameters = ", ".join(row), ", ".join(f":{column}" for column in row)
        statement = f"INSERT INTO sheet_to_bigquery_configs ({columns}) VALUES ({parameters}) RETURNING id"
        return sql(statement, **row)[0][0]

    return add


@pytest.fixture
def add_run(sql: Sql) -> Callable[..., str]:
    """Adds a run that ended, or that is open, to the ledger."""

    def add(config_id: int, slot: datetime, why: str = "schedule", state: str = "succeeded", **values: Any) -> str:
        ended = state in ("succeeded", "failed", "cancelled")
        row = {
            "config_id": config_id,
            "config_name": "sales",
            "destination": f"p.d.t{config_id}",
            "slot": slot,
            "why": why,
            "state": state,
            "created_at": slot,
            "not_before": slot,
            "reads": 4,
            "ended_at": slot if ended else None,
        } | values
        columns, parameters = ", ".join(row), ", ".join(f":{column}" for column in row)
        statement = (
            f"INSERT INTO sheet_to_bigquery_runs (id, {columns}) VALUES (gen_random_uuid(), {parameters}) RETURNING id"
        )
        return str(sql(statement, **row)[0][0])

    return add
