"""Tracking: who owns each config's table while a team moves from the older service to the job, and its end.

`start.sql` adds the column `migration_status`, the trigger that writes every change of it into the audit, and the
guide's views; `finish.sql` takes them back. Both belong to a configs table, each in one transaction.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from shared.errors import InvalidInput
from shared.ledger.connection import Session, quoted
from shared.ledger.store import Store
from sql.migrations import as_owner, changing, make_view, require_applied

Owner = Literal["service", "job_ready"]

_FOLDER = Path(__file__).parent
_IS_TRACKED = """
SELECT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = CAST(:configs AS regclass) AND attname = 'migration_status' AND NOT attisdropped
)
"""
_ODD_MARKS = """
SELECT count(*) FROM {configs}
WHERE migration_status IS NOT NULL AND migration_status NOT IN ('service', 'shadow', 'job_ready')
"""
_NOT_MOVED = """
SELECT c.id || ' "' || c.name || '"' FROM {configs} c
WHERE c.is_active AND c.migration_status IS DISTINCT FROM 'job_ready'
ORDER BY c.id LIMIT 11
"""
_NAMED = 10
# Views that are not ours, and stand on the column all the same; the guide's own goes with it, if none stands on that.
_DEPENDENT = """
WITH showing AS (
    SELECT r.ev_class AS view, d.refobjid AS shown, a.attname AS column
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.refclassid = 'pg_class'::regclass AND r.ev_class <> d.refobjid
), direct AS (
    SELECT view FROM showing WHERE shown = CAST(:configs AS regclass) AND "column" = 'migration_status'
)
SELECT view::regclass::text FROM direct WHERE view IS DISTINCT FROM to_regclass('active_job_configs')
UNION
SELECT view::regclass::text FROM showing
WHERE shown = to_regclass('active_job_configs') AND shown IN (SELECT view FROM direct)
ORDER BY 1
"""
# Ours have a comment with what they were when we made them.
_IS_OURS = """
SELECT obj_description(c.oid, 'pg_class') = 'made by sheet-to-bigquery, as ' || md5(pg_get_viewdef(c.oid))
FROM pg_class c WHERE c.oid = to_regclass(:view)
"""
_NOTE = """
INSERT INTO sheet_to_bigquery_owner_changes (config_id, config_name, changed_by, reason, before, after)
VALUES (NULL, '', :actor, :reason, :before, :after)
"""
_LOCK_TABLE = "LOCK TABLE {configs} IN ACCESS EXCLUSIVE MODE"
_VIEWS = {
    "active_job_configs": "shows the active configs that are job_ready",
    "comparison_view": "shows the newest comparison of each config",
}


def start(connection: Any, configs_table: str, default: Owner = "service", actor: str | None = None) -> Iterator[str]:
    """Tracks who owns each config's table, and tells what was done; starting again changes nothing.

    Configs that are there are the service's; those that come later are whose `default` says. A column that is there
    is taken as it is. Of whom `actor` names, the audit says that they began it. Raises what `sql.migrations.up` does,
    and `InvalidSettings` where that has not been run.
    """
    session = Session(connection, configs_table)
    with as_owner(configs_table):
        require_applied(session, configs_table)
        with changing(session):
            was_started, was_tracked = Store(session).tracking().started, is_tracked(session, configs_table)
            session.run(_script("start").replace("{default}", default))
            ((odd,),) = session.run(_ODD_MARKS)
            if actor and not was_started:
                reason = f"a config that others add is {default}"
                session.run(_NOTE, actor=actor, reason=reason, before="untracked", after="tracked")
            ours = [view for view in _VIEWS if session.run(_IS_OURS, view=view) == [[True]]]
    if was_tracked:
        yield f"migration_status: there already in {configs_table}, taken as it is (NULL is service)"
    else:
        theirs = f"every config there is service, one that others add {default}"
        yield f"migration_status: added to {configs_table}; {theirs}"
    if odd:
        yield f"{odd} configs have a mark that is none of service, shadow and job_ready: they count as the service's"
    yield "every change of a mark is written to sheet_to_bigquery_owner_changes"
    for view, shows in _VIEWS.items():
        yield f"{view}: {shows if view in ours else 'is somebody else’s, and left as it is'}"


def finish(connection: Any, configs_table: str, *, anyway: bool = False, actor: str | None = None) -> Iterator[str]:
    """Takes the tracking back, and tells so: from then on every config is the job's. Finishing again changes nothing.

    The audit, the forwards and the comparisons stay; of whom `actor` names, the audit says that they ended it. Raises
    `InvalidInput`, with nothing changed, while an active config is not `job_ready`, unless `anyway`, and where somebody
    else's view shows the column; else what `start` raises.
    """
    session = Session(connection, configs_table)
    with as_owner(configs_table):
        require_applied(session, configs_table)
        with changing(session):
            # First, so that no mark changes between the look and the end.
            session.run(_LOCK_TABLE)
            tracked = is_tracked(session, configs_table)
            if tracked:
                _refuse(session, configs_table, anyway)
            session.run(_script("finish"))
            if actor and tracked:
                session.run(_NOTE, actor=actor, reason=None, before="tracked", after="untracked")
            made = make_view(session, configs_table)
    yield f"migration_status: {'dropped from' if tracked else 'not there in'} {configs_table}"
    yield from made


def is_tracked(session: Session, configs_table: str) -> bool:
    """Whether the configs table has the column, whoever added it."""
    return session.run(_IS_TRACKED, configs=quoted(configs_table)) == [[True]]


def _refuse(session: Session, configs_table: str, anyway: bool) -> None:
    """Raises `InvalidInput` for what must not, or cannot, be finished."""
    if views := [name for (name,) in session.run(_DEPENDENT, configs=quoted(configs_table))]:
        raise InvalidInput(
            f"migration_status is shown by {', '.join(views)}, which is not ours", "drop it, or leave the column out"
        )
    if anyway:
        return
    if left := [told for (told,) in session.run(_NOT_MOVED)]:
        more = " and more" if len(left) > _NAMED else ""
        raise InvalidInput(
            f"not job_ready yet: config {', '.join(left[:_NAMED])}{more}",
            "promote them: without the column, the job would load every active config",
        )


def _script(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
