"""Migrations: `NNNN_noun.up.sql` and `.down.sql`, applied in order, each in a transaction of its own.

One that names `{configs}` belongs to the configs table, and is recorded for each; the others are the ledger's.
The view `active_job_configs` is made by every `up` that finds it missing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.errors import InvalidSettings, PermissionMissing
from shared.ledger.connection import Session, quoted

_FOLDER = Path(__file__).parent
_VIEW = _FOLDER / "active_job_configs.sql"
# CONFIGS_TABLE's default, and the one table that an empty database gets: a mistyped name makes none.
_DEFAULT_TABLE = "sheet_to_bigquery_configs"
# The table is live: a migration that cannot get its lock soon gives way to the portal's writes.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"
_LOCK = "SELECT pg_advisory_xact_lock(1932681841, 0)"
# configs_table is the table itself, not its name: a table that is made anew under an old name has nothing yet.
_RECORD = """
CREATE TABLE IF NOT EXISTS sheet_to_bigquery_migrations (
    version text NOT NULL,
    configs_table regclass NOT NULL, -- '-' for the ledger's
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (version, configs_table)
)
"""
_IS_RECORDED = "SELECT to_regclass('sheet_to_bigquery_migrations') IS NOT NULL"
_APPLIED = """
SELECT version FROM sheet_to_bigquery_migrations
WHERE configs_table IN ('-', to_regclass(CAST(:configs AS text)))
"""
_NOTE = {
    "up": """
INSERT INTO sheet_to_bigquery_migrations (version, configs_table)
SELECT :version, coalesce(to_regclass(CAST(:table AS text)), '-')
""",
    "down": """
DELETE FROM sheet_to_bigquery_migrations
WHERE version = :version AND configs_table = coalesce(to_regclass(CAST(:table AS text)), '-')
""",
}
# Configs tables that are still there, with a migration after this one.
_NEWER = """
SELECT DISTINCT m.configs_table::text FROM sheet_to_bigquery_migrations m JOIN pg_class c ON c.oid = m.configs_table
WHERE m.version > :version ORDER BY 1
"""
_KIND = "SELECT relkind::text FROM pg_class WHERE oid = to_regclass(CAST(:configs AS text))"
_TABLES = ("r", "p")  # ordinary and partitioned
_VIEWS = ("v", "m")
# Whether the view shows this table; no row where there is no view.
_SHOWN = """
SELECT EXISTS (
    SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE r.ev_class = c.oid AND d.refobjid = to_regclass(CAST(:configs AS text))
)
FROM pg_class c WHERE c.oid = to_regclass('active_job_configs')
"""


def up(connection: Any, configs_table: str) -> Iterator[str]:
    """Applies what is not applied yet and tells each; applying again changes nothing.

    Raises `DatabaseUnavailable` where a lock is not to be had in time (nothing of that migration is applied),
    `InvalidSettings` where CONFIGS_TABLE names no table, `PermissionMissing` where the role may not.
    """
    session = Session(connection, configs_table)
    with as_owner(configs_table):
        if not _exists(session, configs_table) and configs_table != _DEFAULT_TABLE:
            raise InvalidSettings(
                f"there is no table {configs_table}",
                f"correct CONFIGS_TABLE, or leave it out to begin with an empty {_DEFAULT_TABLE}",
            )
        pending = _pending(session, configs_table)
        for version in pending:
            yield _apply(session, configs_table, version, "up")
        with changing(session):
            made = make_view(session, configs_table)
        yield from made
        if not pending and not made:
            yield "nothing to apply"


def down(connection: Any, configs_table: str) -> Iterator[str]:
    """Takes back the newest migration that is applied to this configs table, and tells which.

    Raises `InvalidSettings` where another configs table still has a newer one than that.
    """
    session = Session(connection, configs_table)
    with as_owner(configs_table):
        applied = [version for version in versions() if version in _applied(session, configs_table)]
        if not applied:
            yield "nothing to take back"
            return
        newest = applied[-1]
        if others := [name for (name,) in session.run(_NEWER, version=newest)]:
            raise InvalidSettings(
                f"{newest} cannot go: what came after it is still applied to {', '.join(others)}",
                "take that back first, with CONFIGS_TABLE naming that table",
            )
        yield _apply(session, configs_table, newest, "down")


def status(connection: Any, configs_table: str) -> Iterator[str]:
    """Tells of each migration whether it is applied, and of the view whether it is there. Reads only."""
    session = Session(connection, configs_table)
    with as_owner(configs_table):
        there = _exists(session, configs_table)
        applied = _applied(session, configs_table)
        of_table = f"to {configs_table}" if there else f"to {configs_table}, which is not there"
        for version in versions():
            place = of_table if _is_of_table(version) else "to this database"
            yield f"{version}: {'applied' if version in applied else 'not applied'} {place}"
        shown = session.run(_SHOWN, configs=quoted(configs_table))
        told = f"shows {configs_table}" if shown == [[True]] else f"does not show {configs_table}: drop it, then `up`"
        yield f"active_job_configs: {told if shown else 'missing'}"


def require_applied(session: Session, configs_table: str) -> None:
    """Raises `InvalidSettings` where the configs table is not there, or lacks a migration."""
    if not _exists(session, configs_table):
        raise InvalidSettings(f"there is no table {configs_table}", "correct CONFIGS_TABLE")
    if pending := _pending(session, configs_table):
        raise InvalidSettings(f"the database lacks {', '.join(pending)}", "run `python -m sql up` against it")


def make_view(session: Session, configs_table: str) -> list[str]:
    """Makes the view `active_job_configs` where it is missing, and tells so."""
    if session.run(_SHOWN, configs=quoted(configs_table)):
        return []
    session.run(_VIEW.read_text(encoding="utf-8"))
    return [f"active_job_configs: made on {configs_table}"]


def versions() -> list[str]:
    """All migrations' names, in their order."""
    return sorted(path.name.removesuffix(".up.sql") for path in _FOLDER.glob("*.up.sql"))


def _script(version: str, direction: str) -> str:
    return (_FOLDER / f"{version}.{direction}.sql").read_text(encoding="utf-8")


def _is_of_table(version: str) -> bool:
    return "{configs}" in _script(version, "up")


def _exists(session: Session, configs_table: str) -> bool:
    """Whether the configs table is there. Raises `InvalidSettings` where something else has its name."""
    kinds = [kind for (kind,) in session.run(_KIND, configs=quoted(configs_table))]
    if kinds and kinds[0] not in _TABLES:
        what = "a view" if kinds[0] in _VIEWS else "no table"
        raise InvalidSettings(f"{configs_table} is {what}", "CONFIGS_TABLE has to name the table itself")
    return bool(kinds)


def _pending(session: Session, configs_table: str) -> list[str]:
    return [version for version in versions() if version not in _applied(session, configs_table)]


def _applied(session: Session, configs_table: str) -> set[str]:
    if session.run(_IS_RECORDED) == [[False]]:
        return set()
    return {version for (version,) in session.run(_APPLIED, configs=quoted(configs_table))}


def _apply(session: Session, configs_table: str, version: str, direction: str) -> str:
    of_table = _is_of_table(version)
    with changing(session):
        session.run(_RECORD)
        # Somebody else may have done it while we waited for the lock.
        if (version in _applied(session, configs_table)) == (direction == "down"):
            session.run(_script(version, direction))
            session.run(_NOTE[direction], version=version, table=quoted(configs_table) if of_table else None)
    return f"{version}: {direction} on {configs_table if of_table else 'this database'}"


@contextmanager
def changing(session: Session) -> Iterator[None]:
    """A transaction for DDL, one at a time, which gives way where a lock is not to be had soon."""
    with session.transaction():
        session.run(_LOCK_TIMEOUT)
        session.run(_LOCK)
        yield


@contextmanager
def as_owner(configs_table: str) -> Iterator[None]:
    """DDL is the owner's: what PostgreSQL refuses here, no grant of the runtime's would mend."""
    try:
        yield
    except PermissionMissing as error:
        remedy = f"run it as the owner of {configs_table}, with CREATE on the schema"
        raise PermissionMissing(error.what, remedy) from None
