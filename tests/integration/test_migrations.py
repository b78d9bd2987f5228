"""Migrations: up, down, up again, equal to schema.sql, and only ever adding to a live table."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.connection import connect
from shared.errors import DatabaseUnavailable
from shared.settings import Database
from sql.migrations import down, render, status, up

SCHEMA = Path(__file__).parents[2] / "sql" / "schema.sql"
# The guide's table, before its step 2.
BARE = """
CREATE TABLE {configs} (
    id SERIAL PRIMARY KEY, name VARCHAR(255) NOT NULL, google_sheet_url TEXT NOT NULL,
    google_sheet_tab_name VARCHAR(255), google_cloud_project_id VARCHAR(255) NOT NULL,
    bigquery_dataset_id VARCHAR(255) NOT NULL, bigquery_table_id VARCHAR(255) NOT NULL,
    schema_handling VARCHAR(50) DEFAULT 'auto_detect', custom_schema JSONB
)"""
OURS = "INSERT INTO {configs} VALUES (7, 'sales', 'u', NULL, 'p', 'd', 't', 'auto_detect', '[]')"


def described(connection: Any) -> dict[str, list[Any]]:
    """What the database consists of, as its catalog tells."""
    queries = {
        "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
        "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
        "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
        "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    }
    found = {}
    for name, query in queries.items():
        cursor = connection.cursor()
        cursor.execute(query)
        rows = [row for row in cursor.fetchall() if not str(row[0]).startswith("sheet_to_bigquery_migrations")]
        found[name] = rows
    return found


def test_the_migrations_make_what_the_schema_says(database: Database, migrated: Database) -> None:
    with connect(migrated) as connection:
        by_migrations = described(connection)
        connection.cursor().execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.cursor().execute(render(SCHEMA.read_text(), database.configs_table))
        assert by_migrations == described(connection)
    assert len(by_migrations["columns"]) > 40


def test_up_down_up_ends_where_it_began_and_keeps_the_owners_rows(migrated: Database) -> None:
    with connect(migrated) as connection:
        before = described(connection)
        connection.cursor().execute(OURS.format(configs=migrated.configs_table))
        list(down(connection, migrated.configs_table))
        assert {row[0] for row in described(connection)["columns"]} == {migrated.configs_table}
        list(up(connection, migrated.configs_table))
        assert described(connection) == before
        cursor = connection.cursor()
        cursor.execute("SELECT id, name FROM sheet_to_bigquery_configs")
        assert cursor.fetchall() == ([7, "sales"],)


@pytest.mark.parametrize("name", ["sheet_to_bigquery_configs", "sheet_to_bigquery_sheettobigqueryconfig"])
def test_a_live_table_only_gains_columns_and_keeps_its_rows(name: str, database: Database) -> None:
    database = msgspec.structs.replace(database, configs_table=name)
    with connect(database) as connection:
        cursor = connection.cursor()
        cursor.execute(BARE.format(configs=name))
        cursor.execute(OURS.format(configs=name))
        bare = {(row[0], row[1]): row[2:] for row in described(connection)["columns"]}
        list(up(connection, name))
        now = {(row[0], row[1]): row[2:] for row in described(connection)["columns"]}
        assert bare.items() <= now.items()
        cursor.execute(f"SELECT name, is_active, run_frequency_hours, last_run FROM {name}")
        assert cursor.fetchall() == (["sales", True, 24, None],)
        cursor.execute("SELECT count(*) FROM active_job_configs")
        assert cursor.fetchall() == ([1],)


def test_applying_again_changes_nothing(migrated: Database) -> None:
    with connect(migrated) as connection:
        before = described(connection)
        assert list(up(connection, migrated.configs_table)) == ["nothing to apply"]
        assert described(connection) == before


def test_the_guides_own_view_stays_as_it_is(database: Database) -> None:
    with connect(database) as connection:
        cursor = connection.cursor()
        cursor.execute(BARE.format(configs=database.configs_table))
        cursor.execute("CREATE VIEW active_job_configs AS SELECT * FROM sheet_to_bigquery_configs WHERE false")
        before = described(connection)["views"]
        list(up(connection, database.configs_table))
        assert described(connection)["views"] == before


def test_a_locked_table_is_left_alone_and_said(database: Database) -> None:
    with connect(database) as portal, connect(database) as connection:
        portal.cursor().execute(BARE.format(configs=database.configs_table))
        portal.cursor().execute("BEGIN")
        portal.cursor().execute("LOCK TABLE sheet_to_bigquery_configs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseUnavailable, match="locked by somebody"):
            list(up(connection, database.configs_table))
        assert next(status(connection, database.configs_table)).startswith("0001_runs: not applied")
        portal.cursor().execute("ROLLBACK")
        list(up(connection, database.configs_table))


def test_every_migration_has_its_way_back() -> None:
    folder = SCHEMA.parent / "migrations"
    ups = {path.name.removesuffix(".up.sql") for path in folder.glob("*.up.sql")}
    assert ups == {path.name.removesuffix(".down.sql") for path in folder.glob("*.down.sql")}
