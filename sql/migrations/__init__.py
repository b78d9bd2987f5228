"""Migrations: `NNNN_noun.up.sql` and `.down.sql`, applied in order, each in a transaction of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pg8000.exceptions
from pg8000.native import identifier

from shared.errors import DatabaseUnavailable

_FOLDER = Path(__file__).parent
# The table is live: a migration that cannot get its lock soon gives way to the portal's writes.
_LOCK_TIMEOUT = "5s"
_LOCK = "SELECT pg_advisory_xact_lock(1932681841, 0)"
_APPLIED = """
CREATE TABLE IF NOT EXISTS sheet_to_bigquery_migrations (
    version text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def up(connection: Any, configs_table: str) -> Iterator[str]:
    """Applies what is not applied yet and tells each; applying again changes nothing.

    Raises `DatabaseUnavailable` where a lock is not to be had in time: nothing of that migration is applied.
    """
    pending = [version for version in versions() if version not in _applied(connection)]
    for version in pending:
        note = "INSERT INTO sheet_to_bigquery_migrations (version) VALUES (:version) ON CONFLICT DO NOTHING"
        yield _apply(connection, configs_table, version, "up", note)
    if not pending:
        yield "nothing to apply"


def down(connection: Any, configs_table: str) -> Iterator[str]:
    """Takes back the newest applied migration and tells which."""
    applied = [version for version in versions() if version in _applied(connection)]
    if not applied:
        yield "nothing to take back"
        return
    note = "DELETE FROM sheet_to_bigquery_migrations WHERE version = :version"
    yield _apply(connection, configs_table, applied[-1], "down", note)


def status(connection: Any, configs_table: str) -> Iterator[str]:
    """Tells of each migration whether it is applied to the database with this configs table."""
    applied = _applied(connection)
    for version in versions():
        yield f"{version}: {'applied' if version in applied else 'not applied'} (configs table {configs_table})"


def versions() -> list[str]:
    """All migrations' names, in their order."""
    return sorted(path.name.removesuffix(".up.sql") for path in _FOLDER.glob("*.up.sql"))


def render(sql: str, configs_table: str) -> str:
    """A file's SQL with the configs table's quoted name in place of `{configs}`."""
    return sql.replace("{configs}", ".".join(identifier(part) for part in configs_table.split(".")))


def _applied(connection: Any) -> set[str]:
    cursor = connection.cursor()
    cursor.execute(_APPLIED)
    cursor.execute("SELECT version FROM sheet_to_bigquery_migrations")
    return {version for (version,) in cursor.fetchall()}


def _apply(connection: Any, configs_table: str, version: str, direction: str, note: str) -> str:
    script = (_FOLDER / f"{version}.{direction}.sql").read_text(encoding="utf-8")
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    try:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        cursor.execute(_LOCK)
        if (version in _applied(connection)) == (direction == "down"):
            cursor.execute(render(script, configs_table))
            cursor.execute(note, {"version": version})
        cursor.execute("COMMIT")
    except pg8000.exceptions.DatabaseError as error:
        cursor.execute("ROLLBACK")
        details = error.args[0]
        if details.get("C") == "55P03":
            raise DatabaseUnavailable(
                f"{version} {direction}: the configs table is locked by somebody for {_LOCK_TIMEOUT}", "run it again"
            ) from error
        raise
    return f"{version}: {direction} on {configs_table}"
