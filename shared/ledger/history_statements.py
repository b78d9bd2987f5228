"""The SQL of a config's history: its runs, what its table's columns are and were, and the plans that were made of it.

By the indexes that tell how a config fared, what of it is open, and what it loaded last.
"""

from shared.ledger.statements import ACTIVE_STATES

_TOLD = """jsonb_build_object(
    'id', r.id, 'why', r.why, 'slot', r.slot, 'state', r.state, 'verdict', r.verdict, 'created_at', r.created_at,
    'ended_at', r.ended_at, 'seconds', extract(epoch FROM r.ended_at - r.claimed_at)::float8, 'attempt', r.attempt,
    'rows', r.rows, 'error_class', r.error_class, 'cancel_requested_at', r.cancel_requested_at,
    'warnings', CASE WHEN jsonb_typeof(r.warnings) = 'array' THEN jsonb_array_length(r.warnings) ELSE 0 END,
    'changes', CASE WHEN jsonb_typeof(r.schema_changes) = 'array' THEN jsonb_array_length(r.schema_changes) ELSE 0 END
)"""

# ruff: noqa: S608
OPEN_RUNS_OF = f"""
SELECT {_TOLD} FROM (
    SELECT * FROM sheet_to_bigquery_runs WHERE config_id = :config_id AND state IN {ACTIVE_STATES}
    UNION ALL
    SELECT * FROM sheet_to_bigquery_runs WHERE config_id = :config_id AND state = 'pending'
) r
ORDER BY r.state = 'pending', r.turn, r.id
"""

# So many runs that ended as a page has, before or after an instant at which runs were recorded, by the index that has
# them in that order: a page costs the same wherever it is. Those that were recorded at one instant are not parted.
_ENDED_RUNS_OF = f"""
SELECT {_TOLD} FROM (
    SELECT * FROM sheet_to_bigquery_runs
    WHERE config_id = :config_id AND ended_at IS NOT NULL AND {{side}} FETCH FIRST (:most) ROWS WITH TIES
) r
ORDER BY r.created_at DESC, r.id
"""
ENDED_RUNS_BEFORE = _ENDED_RUNS_OF.format(
    side="created_at < coalesce(CAST(:before AS timestamptz), 'infinity') ORDER BY created_at DESC"
)
ENDED_RUNS_AFTER = _ENDED_RUNS_OF.format(side="created_at > :after ORDER BY created_at")

# Whether a config has runs that ended on either side of a page of them. The next one: asked whether there is any,
# PostgreSQL goes through all configs' runs for a config that has many of them, and they may be the last ones.
ENDED_RUNS_BESIDE = """
SELECT (
    SELECT true FROM sheet_to_bigquery_runs
    WHERE config_id = :config_id AND ended_at IS NOT NULL AND created_at > :newest ORDER BY created_at LIMIT 1
), (
    SELECT true FROM sheet_to_bigquery_runs
    WHERE config_id = :config_id AND ended_at IS NOT NULL AND created_at < :oldest ORDER BY created_at DESC LIMIT 1
)
"""

# Of so many of the newest loads, the newest that told its columns.
NEWEST_COLUMNS = """
SELECT loads.id, loads.ended_at, loads.destination, loads.columns FROM (
    SELECT r.id, r.ended_at, r.destination, r.columns FROM sheet_to_bigquery_runs r
    WHERE r.config_id = :config_id AND r.verdict = 'loaded' ORDER BY r.ended_at DESC LIMIT :looked_at
) loads
WHERE jsonb_typeof(loads.columns) = 'array' ORDER BY loads.ended_at DESC LIMIT 1
"""

# Of so many of the newest loads, those that changed the table's columns.
NEWEST_CHANGES = """
SELECT loads.id, loads.ended_at, loads.schema_changes FROM (
    SELECT r.id, r.ended_at, r.schema_changes FROM sheet_to_bigquery_runs r
    WHERE r.config_id = :config_id AND r.verdict = 'loaded' ORDER BY r.ended_at DESC LIMIT :looked_at
) loads
WHERE CASE WHEN jsonb_typeof(loads.schema_changes) = 'array' THEN jsonb_array_length(loads.schema_changes) > 0 END
ORDER BY loads.ended_at DESC LIMIT :most
"""

# Those that were asked for with the config, and the one that it was saved from. People ask for plans, so there are few,
# and what is old is cleaned away: no index for it.
NEWEST_PLANS_OF = """
SELECT jsonb_build_object(
    'id', p.id, 'requested_by', p.requested_by, 'requested_at', p.requested_at, 'state', p.state,
    'error_class', p.error_class
)
FROM sheet_to_bigquery_plans p
WHERE p.config_id = CAST(:config_id AS bigint) OR p.id IN (
    SELECT CAST(a.details->>'plan_id' AS uuid) FROM sheet_to_bigquery_actions a
    WHERE a.config_id = CAST(:config_id AS bigint) AND a.action = 'add'
)
ORDER BY p.requested_at DESC, p.id LIMIT :most
"""
