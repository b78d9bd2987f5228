"""What a role of the runtime needs, and nothing more: granted again after every `up`, which may have made tables.

`revoke` is the reverse: PostgreSQL drops no role that still has rights.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pg8000.native import identifier

from shared.errors import InvalidSettings, PermissionMissing
from shared.ledger.connection import Session, quoted

_ROLES = "SELECT rolname FROM pg_roles WHERE rolname = ANY(CAST(:roles AS text[]))"
# `job_helper.py add` takes an id; a table whose ids come otherwise has no sequence.
_SEQUENCE = "SELECT pg_get_serial_sequence(CAST(:configs AS text), 'id')"
_CLEANED = ("SELECT", "INSERT", "UPDATE", "DELETE")
_LEDGER = {
    "sheet_to_bigquery_runs": _CLEANED,
    "sheet_to_bigquery_messages": _CLEANED,
    "sheet_to_bigquery_notices": _CLEANED,
    "sheet_to_bigquery_forwards": _CLEANED,
    "sheet_to_bigquery_plans": _CLEANED,
    "sheet_to_bigquery_comparisons": ("SELECT", "INSERT", "UPDATE"),
    # What was done stays as it was written, until it is cleaned away.
    "sheet_to_bigquery_actions": ("SELECT", "INSERT", "DELETE"),
    # The audit is written by its trigger alone.
    "sheet_to_bigquery_owner_changes": ("SELECT",),
}
_GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON {configs} TO {role}",
    *(f"GRANT {', '.join(needed)} ON {table} TO {{role}}" for table, needed in _LEDGER.items()),
)
# What a role lacks still: who owns nothing but may use the tables grants nothing with a mere warning, and a schema of
# its own lets nobody in.
# ruff: noqa: S608
_LACKING = f"""
SELECT p.privilege || ' ON ' || t.name FROM (
    SELECT CAST(CAST(:configs AS text) AS regclass) AS name, ARRAY['SELECT', 'INSERT', 'UPDATE'] AS needed
    UNION ALL
    SELECT l.name::regclass, l.needed FROM (VALUES
        {", ".join(f"('{table}', ARRAY{list(needed)})" for table, needed in _LEDGER.items())}
    ) l (name, needed)
) t CROSS JOIN LATERAL unnest(t.needed) p (privilege)
WHERE NOT has_table_privilege(CAST(:role AS name), t.name, p.privilege)
UNION ALL
SELECT 'USAGE ON SCHEMA ' || quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid IN (CAST(CAST(:configs AS text) AS regclass), 'sheet_to_bigquery_runs'::regclass)
  AND NOT has_schema_privilege(CAST(:role AS name), n.oid, 'USAGE')
"""
# Rights that the role itself still holds on these tables, whoever granted them: not those of PUBLIC or of its groups.
_HELD = """
SELECT c.oid::regclass::text
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE r.rolname = :role AND c.oid = ANY(CAST(:tables AS regclass[])) GROUP BY c.oid ORDER BY 1
"""


def grant(connection: Any, configs_table: str, roles: Sequence[str]) -> Iterator[str]:
    """Grants each role what functions and commands do, and tells it; granting again changes nothing.

    Run it as the owner of the tables, after `up`. Raises `InvalidSettings` that names the roles that are not there,
    before anything is granted, and `PermissionMissing`, with nothing granted, where that is not all that a role needs:
    the tables are somebody else's, or their schema lets it not in.
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
            if lacking := [each for (each,) in session.run(_LACKING, configs=quoted(configs_table), role=role)]:
                raise PermissionMissing(
                    f"{role} would still lack {', '.join(lacking)}",
                    "grant as the owner of the tables, and of the schema",
                )
    yield from (f"{role}: may use {configs_table} and the ledger" for role in roles)


def revoke(connection: Any, configs_table: str, roles: Sequence[str]) -> Iterator[str]:
    """Takes from each role all rights on the configs table and the ledger, and tells it; once more changes nothing.

    What is not there (a role, a table that `down` took) has nothing to take. Raises `PermissionMissing`, with nothing
    taken, where a role would keep rights that somebody else granted.
    """
    session = Session(connection, configs_table)
    there = {name for (name,) in session.run(_ROLES, roles=list(roles))}
    names = [quoted(configs_table), *_LEDGER]
    tables = [name for name in names if session.run("SELECT to_regclass(:name)", name=name) != [[None]]]
    sequence = None
    if tables[:1] == names[:1]:
        [[sequence]] = session.run(_SEQUENCE, configs=names[0])
    with session.transaction():
        for role in (role for role in roles if role in there):
            for table in tables:
                session.run(f"REVOKE ALL ON {table} FROM {identifier(role)}")
            if sequence:
                session.run(f"REVOKE ALL ON SEQUENCE {sequence} FROM {identifier(role)}")
            if held := [each for (each,) in session.run(_HELD, role=role, tables=[*tables, *filter(None, [sequence])])]:
                raise PermissionMissing(
                    f"{role} would keep rights on {', '.join(held)}", "revoke as the owner of the tables"
                )
    for role in roles:
        yield f"{role}: may use {configs_table} and the ledger no more" if role in there else f"{role}: is not there"
