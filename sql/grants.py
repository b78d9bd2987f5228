"""What a role of the runtime needs, and nothing more: granted again after every `up`, which may have made tables."""

from collections.abc import Iterator, Sequence
from typing import Any

from pg8000.native import identifier

from shared.errors import InvalidSettings
from shared.ledger.connection import Session, quoted

_ROLES = "SELECT rolname FROM pg_roles WHERE rolname = ANY(CAST(:roles AS text[]))"
# `job_helper.py add` takes an id; a table whose ids come otherwise has no sequence.
_SEQUENCE = "SELECT pg_get_serial_sequence(CAST(:configs AS text), 'id')"
_GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON {configs} TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE"
    " ON sheet_to_bigquery_runs, sheet_to_bigquery_messages, sheet_to_bigquery_notices TO {role}",
)


def grant(connection: Any, configs_table: str, roles: Sequence[str]) -> Iterator[str]:
    """Grants each role what functions and commands do, and tells it; granting again changes nothing.

    Run it as the owner of the tables, after `up`. Raises `InvalidSettings` that names the roles that are not there,
    before anything is granted, and `PermissionMissing` where the tables are somebody else's.
    """
    session = Session(connection, configs_table)
    there = {name for (name,) in session.run(_ROLES, roles=list(roles))}
    if missing := [role for role in roles if role not in there]:
        raise InvalidSettings(
            f"PostgreSQL has no role {', '.join(missing)}",
            "make it (`gcloud sql users create`, or CREATE ROLE), or correct the name",
        )
    [[sequence]] = session.run(_SEQUENCE, configs=quoted(configs_table))
    with session.transaction():
        for role in roles:
            for statement in _GRANTS:
                session.run(statement.replace("{role}", identifier(role)))
            if sequence:
                session.run(f"GRANT USAGE ON SEQUENCE {sequence} TO {identifier(role)}")
    yield from (f"{role}: may use {configs_table} and the ledger" for role in roles)
