"""The SQL of forwards: the portal's messages, each handed to the older service once.

`{configs}` is the configs table's quoted name.
"""

from shared.ledger.statements import DATASET, OWNED, PROJECT, TABLE
from shared.states import IN_FLIGHT, listed

# ruff: noqa: S608
# Whether configs have owners: a migration has begun, and has not ended.
HAS_OWNERS = """
SELECT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = CAST($name${configs}$name$ AS regclass) AND attname = 'migration_status' AND NOT attisdropped
)
"""

# A config's row, which nobody changes until the transaction ends: who changes its owner at the same moment waits for
# that, or is waited for and seen.
HOLD_CONFIG = f"""
SELECT to_jsonb(c), {OWNED.format(c="c")} FROM {{configs}} c WHERE c.id = :config_id FOR SHARE OF c
"""

# All that speaks against forwarding a message: what became of it before, and who else may be writing its table, in
# words: a run, another message, or the job for another config. Under the admission lock, which claims take, too. By
# the clock, not by the transaction's beginning: it may have waited for its locks.
JUDGE = f"""
SELECT f.status, f.ended_at IS NULL AND f.open_until > clock_timestamp(), f.ended_at,
    EXISTS (SELECT FROM sheet_to_bigquery_messages m WHERE m.message_id = asked.message_id AND m.verdict <> 'poison'),
    (
        SELECT 'run ' || r.id || ' is in flight' FROM sheet_to_bigquery_runs r
        WHERE (r.config_id = asked.config_id AND r.why <> 'shadow' OR r.destination = asked.destination)
          AND r.state IN {listed(IN_FLIGHT)} LIMIT 1
    ),
    (
        SELECT 'message ' || o.message_id || ' is at the older service' FROM sheet_to_bigquery_forwards o
        WHERE (o.config_id = asked.config_id OR o.destination = asked.destination)
          AND o.message_id <> asked.message_id AND o.ended_at IS NULL AND o.open_until > clock_timestamp() LIMIT 1
    ),
    (
        SELECT o.id || ' "' || o.name || '"' FROM {{configs}} o
        WHERE {PROJECT.format(c="o")} = asked.project AND {DATASET.format(c="o")} = asked.dataset
          AND {TABLE.format(c="o")} = asked.name
          AND o.id IS DISTINCT FROM asked.config_id AND o.is_active AND {OWNED.format(c="o")}
        ORDER BY o.id LIMIT 1
    ),
    EXISTS (
        SELECT FROM sheet_to_bigquery_runs r
        WHERE r.config_id = asked.config_id AND r.why = 'shadow' AND r.created_at >= f.ended_at
    )
FROM (VALUES (
    CAST(:message_id AS text), CAST(:config_id AS bigint), CAST(:destination AS text), CAST(:project AS text),
    CAST(:dataset AS text), CAST(:name AS text)
)) asked (message_id, config_id, destination, project, dataset, name)
LEFT JOIN sheet_to_bigquery_forwards f ON f.message_id = asked.message_id
"""

# The message is handed over now, for the first time or again; tells which time it is.
BEGIN_FORWARD = """
INSERT INTO sheet_to_bigquery_forwards AS f (message_id, config_id, destination, begun_at, open_until, attempts)
VALUES (:message_id, :config_id, :destination, clock_timestamp(),
        clock_timestamp() + make_interval(secs => CAST(:seconds AS float8)), 1)
ON CONFLICT (message_id) DO UPDATE
SET config_id = excluded.config_id, destination = excluded.destination, begun_at = excluded.begun_at,
    open_until = excluded.open_until, attempts = f.attempts + 1, ended_at = NULL, status = NULL
RETURNING f.attempts
"""

# The older service answered, and is done with it. An answer that comes so late that the message is handed over again
# says nothing of that.
END_FORWARD = """
UPDATE sheet_to_bigquery_forwards SET ended_at = clock_timestamp(), status = :status
WHERE message_id = :message_id AND attempts = :attempt AND ended_at IS NULL
"""

# It never got there: nobody has to wait for its end.
WITHDRAW_FORWARD = """
UPDATE sheet_to_bigquery_forwards SET open_until = clock_timestamp()
WHERE message_id = :message_id AND attempts = :attempt AND ended_at IS NULL
"""

# Forwards that began long ago go, answered or given up; of each config the newest that was answered stays, which tells
# when the older service loaded last.
CLEAN = """
DELETE FROM sheet_to_bigquery_forwards WHERE message_id IN (
    SELECT f.message_id FROM sheet_to_bigquery_forwards f
    WHERE f.begun_at < :before AND f.open_until < :before AND NOT EXISTS (
        SELECT FROM (
            SELECT n.message_id FROM sheet_to_bigquery_forwards n
            WHERE n.config_id = f.config_id AND n.ended_at IS NOT NULL ORDER BY n.begun_at DESC, n.message_id LIMIT 1
        ) newest WHERE newest.message_id = f.message_id
    )
    ORDER BY f.begun_at LIMIT :most
)
RETURNING message_id
"""

HAS_FORWARDED = "SELECT EXISTS (SELECT FROM sheet_to_bigquery_forwards)"
