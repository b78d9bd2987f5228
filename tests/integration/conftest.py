"""A real PostgreSQL for the tests below, one server per test process, one fresh database per test."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pg8000.native
import pytest

from local.component import wait_until_ready
from local.ports import HOST, reserve_port
from local.postgres import DATABASE, USER, Postgres
from shared.connection import connect
from shared.settings import Database
from shared.store import Store
from sql.migrations import up

_numbers = itertools.count()


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
    name = f"test_{next(_numbers)}"
    admin = pg8000.native.Connection(
        "postgres", host=HOST, port=postgres.port, database="postgres", password=postgres.password
    )
    admin.run(f"CREATE DATABASE {name} OWNER {USER}")
    assert name != DATABASE
    yield Database(
        postgres_db=name,
        postgres_user=USER,
        postgres_host=HOST,
        postgres_port=postgres.port,
        postgres_password=postgres.password,
        postgres_sslmode="disable",
    )
    admin.run(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture
def migrated(database: Database) -> Database:
    """A database with the schema applied."""
    with connect(database) as connection:
        list(up(connection, database.configs_table))
    return database


@pytest.fixture
def store(migrated: Database) -> Iterator[Store]:
    with connect(migrated) as connection:
        yield Store(connection, migrated.configs_table)
