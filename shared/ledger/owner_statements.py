"""The SQL of who owns configs' tables: told, changed and remembered. `{configs}` is the configs table's quoted name.

A change of the column `migration_status` is written into the audit by a trigger (sql/tracking/start.sql), whoever makes
it; what is said here of who and why reaches it as settings of the transaction.
"""

from shared.ledger.statements import DATASET, DESTINATION, IS_OPEN, OWN_REASONS, PROJECT, each_of
from shared.run import Why
from shared.states import IN_FLIGHT, listed

_IN_FLIGHT = listed(IN_FLIGHT)
_OWNER = "coalesce(to_jsonb(c)->>'migration_status', 'service')"

TRACKING = """
SELECT to_regclass('sheet_to_bigquery_comparisons') IS NOT NULL,
    EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = CAST(CAST(:configs AS text) AS regclass) AND attname = 'migration_status' AND NOT attisdropped
    ),
    EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = CAST(CAST(:configs AS text) AS regclass) AND tgname = 'sheet_to_bigquery_track_owner'
    )
"""

# Whether we own the configs table, as who drops a column of it has to.
OWNS_CONFIGS = """
SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = CAST(CAST(:configs AS text) AS regclass)
"""

# Messages that the older service may be at work on still: of a config, or of its table.
# ruff: noqa: S608
_OPEN_FORWARDS = f"""
    SELECT f.open_until FROM sheet_to_bigquery_forwards f
    WHERE f.ended_at IS NULL AND f.open_until > now()
      AND (f.config_id = c.id OR f.destination = {DESTINATION.format(c="c")})
"""


def _newest_ended(*reasons: Why) -> str:
    """The newest run of config `c` that ended, of those recorded for these reasons: a look into an index
    (runs_of_a_slot) for each. Asked of all at once, PostgreSQL goes through whatever the config ran for other reasons.
    """
    return f"""
    SELECT newest.at, newest.state FROM {each_of(reasons)}
    CROSS JOIN LATERAL (
        SELECT r.ended_at AS at, r.state, r.created_at FROM sheet_to_bigquery_runs r
        WHERE r.config_id = c.id AND r.why = reason.why AND r.ended_at IS NOT NULL ORDER BY r.slot DESC LIMIT 1
    ) newest
    ORDER BY newest.created_at DESC LIMIT 1"""


# All configs, or those of these ids, with what `shared.owner.Owned` tells, in its order; so many after an id. What was
# compared before the owner changed last says nothing of the table as it is now.
LIST_OWNED = f"""
SELECT c.id, coalesce(c.name, ''), {DESTINATION.format(c="c")}, {_OWNER}, coalesce(c.is_active, false),
    flying.id::text, flying.why, (SELECT max(open_until) FROM ({_OPEN_FORWARDS}) open),
    forwarded.ended_at, forwarded.status, shadow.at, shadow.state, job.at, job.state,
    compared.verdict, compared.compared_at
FROM {{configs}} c
LEFT JOIN LATERAL (
    SELECT r.id, r.why FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state IN {_IN_FLIGHT} LIMIT 1
) flying ON true
LEFT JOIN LATERAL (
    SELECT f.ended_at, f.status FROM sheet_to_bigquery_forwards f
    WHERE f.config_id = c.id AND f.ended_at IS NOT NULL ORDER BY f.begun_at DESC LIMIT 1
) forwarded ON true
LEFT JOIN LATERAL ({_newest_ended("shadow")}) shadow ON true
LEFT JOIN LATERAL ({_newest_ended(*OWN_REASONS)}) job ON true
LEFT JOIN LATERAL (
    SELECT v.verdict, v.compared_at FROM sheet_to_bigquery_comparisons v
    WHERE v.config_id = c.id AND v.compared_at >= coalesce((
        SELECT max(o.changed_at) FROM sheet_to_bigquery_owner_changes o WHERE o.config_id = c.id
    ), '-infinity')
    ORDER BY v.compared_at DESC, v.id DESC LIMIT 1
) compared ON true
WHERE (CAST(:ids AS bigint[]) IS NULL OR c.id = ANY(CAST(:ids AS bigint[]))) AND c.id > :after
ORDER BY c.id LIMIT :most
"""

# How many configs have which owner, of those that are searched for, and a page of their ids: first those in shadow,
# which wait for somebody. Where the marks are; an unknown one is the service's, as everywhere.
OWNED_PAGE = f"""
WITH owned AS MATERIALIZED (
    SELECT c.id, CASE WHEN c.migration_status IN ('shadow', 'job_ready') THEN c.migration_status ELSE 'service' END
        AS owner
    FROM {{configs}} c
    WHERE CAST(:search AS text) IS NULL OR c.id::text = CAST(:search AS text)
       OR position(lower(CAST(:search AS text)) IN lower(concat_ws(' ', c.name, {DESTINATION.format(c="c")}))) > 0
)
SELECT
    (SELECT coalesce(jsonb_object_agg(owner, configs), '{{}}')
     FROM (SELECT owner, count(*) AS configs FROM owned GROUP BY owner) counted),
    ARRAY(
        SELECT id FROM owned WHERE CAST(:owner AS text) IS NULL OR owner = CAST(:owner AS text)
        ORDER BY array_position(ARRAY['shadow', 'service', 'job_ready'], owner::text), id LIMIT :most OFFSET :skipped
    )
"""

SHADOW_IDS = f"SELECT c.id FROM {{configs}} c WHERE {_OWNER} = 'shadow' ORDER BY c.id"

_NOT_MOVED = f"{_OWNER} <> 'job_ready' AND coalesce(c.name, '') NOT LIKE 'migration_test%'"

# Active configs that are not the job's, but for the tests' own: how many, and so many of them.
NOT_MOVED = f"""
SELECT count(*) OVER (), c.id, coalesce(c.name, ''), {_OWNER} FROM {{configs}} c
WHERE c.is_active AND {_NOT_MOVED} ORDER BY c.id LIMIT :most
"""

# Paused ones: nothing loads them, whosever they are.
PAUSED_NOT_MOVED = f"SELECT count(*) FROM {{configs}} c WHERE c.is_active IS NOT TRUE AND {_NOT_MOVED}"

# Open runs of shadows and of the tests' own configs.
OPEN_LEFTOVERS = f"""
SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r JOIN {{configs}} c ON c.id = r.config_id
WHERE {IS_OPEN} AND (r.why = 'shadow' OR c.name LIKE 'migration_test%') ORDER BY r.config_id LIMIT 1
"""

DATASETS = f"SELECT DISTINCT concat_ws('.', {PROJECT.format(c='c')}, {DATASET.format(c='c')}) FROM {{configs}} c"

# For the transaction: who changes the mark, and why.
TELL_ACTOR = """
SELECT set_config('sheet_to_bigquery.actor', :actor, true),
       set_config('sheet_to_bigquery.reason', CAST(:reason AS text), true)
"""

# Locks the rows in one order, so that two who change several cannot wait for each other.
LOCK_OWNED = """
SELECT c.id FROM {configs} c WHERE c.id = ANY(CAST(:ids AS bigint[])) ORDER BY c.id FOR UPDATE OF c
"""

# What holds of locked rows. A statement of its own: the one that waits for the locks sees what was before.
LIST_LOCKED = f"""
SELECT c.id, coalesce(c.name, ''), {_OWNER}, EXISTS ({_OPEN_FORWARDS}) FROM {{configs}} c
WHERE c.id = ANY(CAST(:ids AS bigint[])) ORDER BY c.id
"""

# Locked rows as they are.
ROWS_LOCKED = "SELECT to_jsonb(c) FROM {configs} c WHERE c.id = ANY(CAST(:ids AS bigint[])) ORDER BY c.id"

SET_OWNER = f"""
UPDATE {{configs}} c SET migration_status = :owner
WHERE c.id = ANY(CAST(:ids AS bigint[])) AND {_OWNER} <> :owner RETURNING c.id
"""

# Every config that is not the service's, for the rollback of all.
TAKEN_IDS = f"SELECT c.id FROM {{configs}} c WHERE {_OWNER} <> 'service' ORDER BY c.id"

# Open runs of configs, those in flight last: what waits must not begin meanwhile.
OPEN_RUNS = f"""
SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r
WHERE r.config_id = ANY(CAST(:ids AS bigint[])) AND {IS_OPEN}
ORDER BY r.state IN {_IN_FLIGHT}, r.config_id, r.created_at
"""

# Configs of the service's that have an open run of the job's: a rollback that somebody did not end.
SERVICES_WITH_OPEN_RUNS = f"""
SELECT DISTINCT c.id FROM sheet_to_bigquery_runs r JOIN {{configs}} c ON c.id = r.config_id
WHERE {IS_OPEN} AND {_OWNER} = 'service' ORDER BY c.id
"""

# Whether a shadow run of the config ever had this table for itself.
SHADOW_BEGAN = """
SELECT EXISTS (
    SELECT FROM sheet_to_bigquery_runs r
    WHERE r.config_id = :config_id AND r.why = 'shadow' AND r.attempt > 0 AND r.destination = :destination
)
"""

CHANGES = """
SELECT o.changed_at, o.config_id, o.config_name, o.before, o.after, o.changed_by, o.reason
FROM sheet_to_bigquery_owner_changes o
WHERE CAST(:ids AS bigint[]) IS NULL OR o.config_id = ANY(CAST(:ids AS bigint[]))
ORDER BY o.id DESC LIMIT :most
"""

# Tables that shadow runs loaded, or that comparisons name: never one that is a config's own.
SHADOW_TABLES = f"""
SELECT t.destination FROM (
    SELECT r.destination FROM sheet_to_bigquery_runs r WHERE r.why = 'shadow' AND r.state = 'succeeded'
    UNION SELECT v.job_table FROM sheet_to_bigquery_comparisons v
) t
WHERE NOT EXISTS (SELECT FROM {{configs}} c WHERE {DESTINATION.format(c="c")} = t.destination)
ORDER BY t.destination
"""

# The guide's own pattern.
TEST_CONFIGS = "SELECT c.id, c.name FROM {configs} c WHERE c.name LIKE 'migration_test%' ORDER BY c.id"

# Portals store JSON as text, too.
_OPTIONS = "CASE WHEN jsonb_typeof(options) = 'string' THEN CAST(options #>> '{}' AS jsonb) ELSE options END"
# Compare and set: only where the options are still what the person was shown.
DROP_PARITY = f"""
UPDATE {{configs}} SET options = nullif(({_OPTIONS}) - 'parity', CAST('{{}}' AS jsonb)), updated_at = now()
WHERE id = :id AND options = CAST(:expected AS jsonb) AND ({_OPTIONS}) -> 'parity' = CAST('true' AS jsonb)
RETURNING id
"""
