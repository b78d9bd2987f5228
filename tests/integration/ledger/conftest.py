"""Writing to the ledger as people, portals and earlier runs would, in SQL of the tests' own."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from shared.connection import connect
from shared.settings import Database

Sql = Callable[..., list[Any]]


@pytest.fixture
def sql(migrated: Database) -> Iterator[Sql]:
    """Runs a statement with named parameters on a second connection and gives its rows."""
    with connect(migrated) as connection:

        def run(statement: str, **parameters: Any) -> list[Any]:
            cursor = connection.cursor()
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []

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
