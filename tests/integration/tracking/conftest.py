"""A database whose configs are marked, the guide's own statements on it, and the portal that writes it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pg8000.native
import pytest

from local.ports import HOST
from local.postgres import Postgres
from shared.ledger.connection import connect
from shared.settings import Database
from sql.tracking import start
from tests.integration.test_migrations import ran

CONFIGS = "sheet_to_bigquery_configs"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
# The guide's own statements.
GUIDES_COLUMN = f"ALTER TABLE {CONFIGS} ADD COLUMN migration_status VARCHAR(20)"
MARK_SOME = f"UPDATE {CONFIGS} SET migration_status = 'job_ready' WHERE name IN ('sales', 'stock', 'nobody')"
MARK_ALL = f"""
UPDATE {CONFIGS} SET migration_status = 'job_ready' WHERE migration_status IS NULL OR migration_status = 'service'
"""
ALL_BACK = f"UPDATE {CONFIGS} SET migration_status = 'service' WHERE migration_status = 'job_ready'"
AUDIT = "SELECT config_name, before, after, changed_by, reason FROM sheet_to_bigquery_owner_changes ORDER BY id"


@pytest.fixture
def connection(migrated: Database) -> Iterator[Any]:
    with connect(migrated) as opened:
        yield opened


@pytest.fixture
def tracked(connection: Any, add_config) -> Any:
    """A connection to a database whose two configs are the older service's."""
    for name in ("sales", "stock"):
        add_config(name)
    list(start(connection, CONFIGS))
    return connection


@pytest.fixture
def portal(migrated: Database, postgres: Postgres) -> Iterator[Database]:
    """The database as the portal's role sees it, which may write the configs and nothing else."""
    name = f"portal_of_{migrated.postgres_db}"
    login: dict[str, Any] = {"host": HOST, "port": postgres.port, "password": postgres.password}
    admin = pg8000.native.Connection("postgres", database=migrated.postgres_db, **login)
    admin.run(f"CREATE ROLE {name} LOGIN PASSWORD 'portal'")
    admin.run(f"GRANT SELECT, INSERT, UPDATE ON {CONFIGS} TO {name}")
    admin.run(f"GRANT USAGE ON SEQUENCE {CONFIGS}_id_seq TO {name}")
    yield msgspec.structs.replace(migrated, postgres_user=name, postgres_password="portal")
    admin.run(f"DROP OWNED BY {name}; DROP ROLE {name}")
    admin.close()


def marks(connection: Any) -> dict[str, str | None]:
    return dict(ran(connection, f"SELECT name, migration_status FROM {CONFIGS} ORDER BY id"))
