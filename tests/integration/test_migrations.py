"""Migrations: up, down, up again, equal to schema.sql, and only ever adding to a live table."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pg8000.native
import pytest

from local.ports import HOST
from local.postgres import Postgres
from shared.errors import DatabaseUnavailable, InvalidSettings, PermissionMissing
from shared.ledger.connection import Session, connect
from shared.settings import Database
from sql.migrations import down, status, up, versions

SCHEMA = Path(__file__).parents[2] / "sql" / "schema.sql"
# The Django portal's name for it.
DJANGOS = "sheet_to_bigquery_sheettobigqueryconfig"
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
        "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal ORDER BY 1, 2",
        "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
        "comments": "SELECT c.relname, d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid "
        "WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1",
    }
    found = {}
    for name, query in queries.items():
        rows = [row for row in ran(connection, query) if not str(row[0]).startswith("sheet_to_bigquery_migrations")]
        found[name] = rows
    return found


def is_of_table(version: str) -> bool:
    return "{configs}" in (SCHEMA.parent / "migrations" / f"{version}.up.sql").read_text()


def told(verb: str, table: str) -> list[str]:
    """What is told of each migration, in their order: those of a configs table, and the ledger's."""
    return [f"{each}: {verb} {table if is_of_table(each) else 'this database'}" for each in versions()]


def ran(connection: Any, statement: str) -> list[list[Any]]:
    """A statement's rows."""
    cursor = connection.cursor()
    cursor.execute(statement)
    return list(cursor.fetchall()) if cursor.description else []


def taken_back(connection: Any, configs_table: str) -> list[str]:
    """What `down` tells until there is nothing left to take back."""
    told = [line for _ in versions() for line in down(connection, configs_table)]
    assert list(down(connection, configs_table)) == ["nothing to take back"]
    return told


def indexed(connection: Any, table: str) -> set[str]:
    """What a table's indexes cover, whatever their names."""
    rows = ran(connection, f"SELECT indexdef FROM pg_indexes WHERE tablename = '{table}'")
    return {row[0].partition(" USING ")[2] for row in rows}


@pytest.fixture
def opened(database: Database) -> Iterator[Any]:
    """A connection to an empty database."""
    with connect(database) as connection:
        yield connection


@pytest.fixture
def stranger(postgres: Postgres, database: Database) -> Iterator[Database]:
    """The same database for a role that owns nothing in it."""
    name = f"stranger_of_{database.postgres_db}"
    admin = pg8000.native.Connection(
        "postgres", host=HOST, port=postgres.port, database=database.postgres_db, password=postgres.password
    )
    admin.run(f"CREATE ROLE {name} LOGIN PASSWORD 'stranger'")
    yield msgspec.structs.replace(database, postgres_user=name, postgres_password="stranger")
    admin.run(f"DROP OWNED BY {name}; DROP ROLE {name}")
    admin.close()


def test_the_migrations_make_what_the_schema_says(migrated: Database) -> None:
    with connect(migrated) as connection:
        by_migrations = described(connection)
        connection.cursor().execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        Session(connection, migrated.configs_table).run(SCHEMA.read_text())
        assert by_migrations == described(connection)
    assert len(by_migrations["columns"]) > 40


def test_up_down_up_ends_where_it_began_and_keeps_the_owners_rows(migrated: Database) -> None:
    with connect(migrated) as connection:
        before = described(connection)
        connection.cursor().execute(OURS.format(configs=migrated.configs_table))
        assert taken_back(connection, migrated.configs_table) == told("down on", migrated.configs_table)[::-1]
        assert {row[0] for row in described(connection)["columns"]} == {migrated.configs_table}
        list(up(connection, migrated.configs_table))
        assert described(connection) == before
        assert ran(connection, "SELECT id, name FROM sheet_to_bigquery_configs") == [[7, "sales"]]


@pytest.mark.parametrize("name", ["sheet_to_bigquery_configs", DJANGOS])
def test_a_live_table_only_gains_columns_and_keeps_its_rows(name: str, opened: Any) -> None:
    ran(opened, BARE.format(configs=name))
    ran(opened, OURS.format(configs=name))
    bare = {(row[0], row[1]): row[2:] for row in described(opened)["columns"]}
    list(up(opened, name))
    now = {(row[0], row[1]): row[2:] for row in described(opened)["columns"]}
    assert bare.items() <= now.items()
    assert ran(opened, f"SELECT name, is_active, run_frequency_hours, last_run FROM {name}") == [
        ["sales", True, 24, None]
    ]
    assert ran(opened, "SELECT count(*) FROM active_job_configs") == [[1]]


def test_applying_again_changes_nothing(migrated: Database) -> None:
    with connect(migrated) as connection:
        before = described(connection)
        assert list(up(connection, migrated.configs_table)) == ["nothing to apply"]
        assert described(connection) == before


def test_a_second_configs_table_gets_what_it_needs_and_status_tells_of_each(migrated: Database) -> None:
    """Somebody began without CONFIGS_TABLE, which made an empty table of the default name."""
    with connect(migrated) as connection:
        ran(connection, BARE.format(configs=DJANGOS))
        assert list(status(connection, DJANGOS))[:2] == [
            "0001_runs: applied to this database",
            f"0002_configs: not applied to {DJANGOS}",
        ]
        assert list(up(connection, DJANGOS)) == [each for each in told("up on", DJANGOS) if DJANGOS in each]
        ran(connection, OURS.format(configs=DJANGOS))
        assert ran(connection, f"SELECT is_active, run_frequency_hours, last_run FROM {DJANGOS}") == [[True, 24, None]]
        assert indexed(connection, DJANGOS) == indexed(connection, migrated.configs_table)
        assert list(status(connection, DJANGOS)) == [
            *told("applied to", DJANGOS),
            f"active_job_configs: does not show {DJANGOS}: drop it, then `up`",
        ]
        ran(connection, "DROP VIEW active_job_configs")
        assert list(up(connection, DJANGOS)) == [f"active_job_configs: made on {DJANGOS}"]
        assert ran(connection, "SELECT name FROM active_job_configs") == [["sales"]]


def test_taking_back_one_table_leaves_the_other_and_the_ledger(migrated: Database) -> None:
    with connect(migrated) as connection:
        before = described(connection)
        ran(connection, BARE.format(configs=DJANGOS))
        list(up(connection, DJANGOS))
        of_ledger = [each for each in versions() if each > "0009_due_order"]
        for _ in of_ledger:
            list(down(connection, DJANGOS))
        list(down(connection, DJANGOS))
        with pytest.raises(InvalidSettings, match="still applied to sheet_to_bigquery_configs"):
            list(down(connection, DJANGOS))
        ran(connection, f"DROP TABLE {DJANGOS}")
        assert list(up(connection, migrated.configs_table)) == [f"{each}: up on this database" for each in of_ledger]
        assert described(connection) == before


def test_a_table_made_anew_under_its_old_name_is_not_taken_for_the_old_one(migrated: Database) -> None:
    with connect(migrated) as connection:
        before = described(connection)
        ran(connection, "DROP TABLE sheet_to_bigquery_configs CASCADE")
        assert "0002_configs: not applied to sheet_to_bigquery_configs, which is not there" in list(
            status(connection, migrated.configs_table)
        )
        ran(connection, BARE.format(configs=migrated.configs_table))
        list(up(connection, migrated.configs_table))
        assert described(connection) == before


def test_a_mistyped_table_is_told_and_not_made(opened: Any) -> None:
    with pytest.raises(InvalidSettings, match="there is no table sheet_to_bigqeury_configs: correct CONFIGS_TABLE"):
        list(up(opened, "sheet_to_bigqeury_configs"))
    assert described(opened)["columns"] == []


@pytest.mark.parametrize("verb", [up, status])
def test_a_view_is_no_configs_table(verb: Any, opened: Any) -> None:
    ran(opened, BARE.format(configs=DJANGOS))
    ran(opened, f"CREATE VIEW configs AS SELECT * FROM {DJANGOS}")
    with pytest.raises(InvalidSettings, match="configs is a view: CONFIGS_TABLE has to name the table"):
        list(verb(opened, "configs"))


def test_the_owners_own_view_and_index_stay_as_they_are_down_and_up(opened: Any) -> None:
    ran(opened, BARE.format(configs="sheet_to_bigquery_configs"))
    ran(opened, "CREATE VIEW active_job_configs AS SELECT * FROM sheet_to_bigquery_configs WHERE false")
    ran(opened, "CREATE INDEX idx_configs_name ON sheet_to_bigquery_configs (lower(name))")
    before = described(opened)
    list(up(opened, "sheet_to_bigquery_configs"))
    assert described(opened)["views"] == before["views"]
    taken_back(opened, "sheet_to_bigquery_configs")
    after = described(opened)
    assert (after["views"], after["indexes"]) == (before["views"], before["indexes"])


def test_a_view_that_the_owner_narrowed_is_the_owners(migrated: Database) -> None:
    with connect(migrated) as connection:
        ran(
            connection,
            "CREATE OR REPLACE VIEW active_job_configs AS SELECT * FROM sheet_to_bigquery_configs WHERE id > 7",
        )
        before = described(connection)["views"]
        taken_back(connection, migrated.configs_table)
        assert described(connection)["views"] == before


def test_who_alters_a_column_drops_the_view_and_up_makes_it_again(migrated: Database) -> None:
    """As README-JOB.md tells the portal's people."""
    with connect(migrated) as connection:
        ran(connection, "DROP VIEW active_job_configs")
        ran(connection, "ALTER TABLE sheet_to_bigquery_configs ALTER COLUMN name TYPE text, ADD COLUMN team text")
        assert list(up(connection, migrated.configs_table)) == ["active_job_configs: made on sheet_to_bigquery_configs"]
        assert ran(connection, "SELECT team FROM active_job_configs") == []


def test_a_locked_table_is_left_alone_and_said(database: Database) -> None:
    with connect(database) as portal, connect(database) as connection:
        portal.cursor().execute(BARE.format(configs=database.configs_table))
        portal.cursor().execute("BEGIN")
        portal.cursor().execute("LOCK TABLE sheet_to_bigquery_configs IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseUnavailable, match="locked by somebody"):
            list(up(connection, database.configs_table))
        assert "0002_configs: not applied to sheet_to_bigquery_configs" in status(connection, database.configs_table)
        portal.cursor().execute("ROLLBACK")
        list(up(connection, database.configs_table))


@pytest.mark.parametrize("verb", [up, down])
def test_who_is_not_the_owner_is_told_who_has_to_run_it(verb: Any, database: Database, stranger: Database) -> None:
    with connect(database) as owner:
        list(up(owner, database.configs_table))
        list(down(owner, database.configs_table))
        if verb is down:
            list(up(owner, database.configs_table))
        ran(owner, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {stranger.postgres_user}")
    with connect(stranger) as connection:
        before = described(connection)
        with pytest.raises(PermissionMissing, match="run it as the owner of sheet_to_bigquery_configs"):
            list(verb(connection, stranger.configs_table))
        assert described(connection) == before


def test_status_changes_nothing_and_needs_no_right_to(opened: Any, stranger: Database) -> None:
    with connect(stranger) as connection:
        assert list(status(connection, stranger.configs_table)) == [
            *told("not applied to", "sheet_to_bigquery_configs, which is not there"),
            "active_job_configs: missing",
        ]
        list(up(opened, stranger.configs_table))
        with pytest.raises(PermissionMissing, match="run it as the owner"):
            list(status(connection, stranger.configs_table))
        ran(opened, f"GRANT SELECT ON sheet_to_bigquery_migrations TO {stranger.postgres_user}")
        assert list(status(connection, stranger.configs_table)) == [
            *told("applied to", "sheet_to_bigquery_configs"),
            "active_job_configs: shows sheet_to_bigquery_configs",
        ]


def test_every_migration_has_its_way_back() -> None:
    folder = SCHEMA.parent / "migrations"
    ups = {path.name.removesuffix(".up.sql") for path in folder.glob("*.up.sql")}
    assert ups == {path.name.removesuffix(".down.sql") for path in folder.glob("*.down.sql")}


def test_down_asks_whether_what_the_tables_hold_may_go() -> None:
    command = [sys.executable, "-m", "sql", "down"]
    asked = subprocess.run(command, cwd=SCHEMA.parents[1], env={}, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "down --yes" in asked.stdout
