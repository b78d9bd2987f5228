"""The SQL of runs that are claimed, whose attempt goes on, and of what people look at.

`{configs}` is the configs table's quoted name.
"""

from shared.ledger.statements import ACTIVE_STATES, SOURCE, owned_for, rival
from shared.states import IN_FLIGHT, listed

_IN_FLIGHT = listed(IN_FLIGHT)

# ruff: noqa: S608
# So many of a config's runs are looked at for a load of a table: no index has them by table, and what a config loaded
# before its table was changed may be any number.
_LOOKED_AT = 500

# A run and its config's row as it is now (NULL where the row is gone), with who owns it and who rivals it, and the
# newest run that loaded anything into the run's table, with its attempt.
FIND_RUN = f"""
SELECT to_jsonb(r), to_jsonb(c), c.is_active, {owned_for("r", "c")}, {rival(owned_for("r", "o"))}, (
    SELECT jsonb_build_array(loads.id, loads.attempt) FROM (
        SELECT l.id, l.attempt, l.destination, l.ended_at FROM sheet_to_bigquery_runs l
        WHERE l.config_id = r.config_id AND l.verdict = 'loaded' ORDER BY l.ended_at DESC LIMIT {_LOOKED_AT}
    ) loads
    WHERE loads.destination = r.destination ORDER BY loads.ended_at DESC LIMIT 1
)
FROM sheet_to_bigquery_runs r LEFT JOIN {{configs}} c ON c.id = r.config_id WHERE r.id = :run_id
"""

_TABLE_TAKEN = f"""
    SELECT FROM sheet_to_bigquery_runs other
    WHERE other.destination = :destination AND other.id <> r.id AND other.state IN {ACTIVE_STATES}
"""
# The older service was handed a message of the config, or for the table, and may be writing still. What it writes for
# the config is no shadow run's table.
_SERVICE_WRITES = """
    SELECT FROM sheet_to_bigquery_forwards f
    WHERE f.ended_at IS NULL AND f.open_until > :now
      AND (f.config_id = r.config_id AND r.why <> 'shadow' OR f.destination = :destination)
"""
_HAS_TO_WAIT = f"(EXISTS ({_TABLE_TAKEN}) OR EXISTS ({_SERVICE_WRITES}))"

# Takes a queued run for one attempt; no row where another took it, where the config stopped being the job's since
# it was read, or where the table is somebody else's for now: a run's of another config (after an edit), or the older
# service's. Under the admission lock.
CLAIM = f"""
UPDATE sheet_to_bigquery_runs r
SET state = 'launching', attempt = r.attempt + 1, execution = NULL, claimed_at = :now,
    had_last_run = :had_last_run, destination = :destination, config_name = c.name,
    job_project = :job_project, job_location = :job_location, lease_until = :lease_until, deadline = :deadline,
    source = {SOURCE.format(c="c")}
FROM {{configs}} c
WHERE r.id = :run_id AND r.state = 'queued' AND c.id = r.config_id AND c.is_active AND {owned_for("r", "c")}
  AND NOT {_HAS_TO_WAIT}
RETURNING r.attempt
"""

# Lets a queued run wait for who has the table that its config names by now.
WAIT_FOR_TABLE = f"""
UPDATE sheet_to_bigquery_runs r
SET state = 'pending', destination = :destination, not_before = :not_before,
    reads_reserved = greatest(reads_reserved - reads, 0)
WHERE r.id = :run_id AND r.state = 'queued' AND {_HAS_TO_WAIT}
RETURNING r.id
"""

# The execution of an attempt is known: by RunJob's answer, or by what the execution itself says later.
NOTE_EXECUTION = """
UPDATE sheet_to_bigquery_runs SET state = 'running', execution = :execution
WHERE id = :run_id AND attempt = :attempt AND state = 'launching'
RETURNING id
"""

# For a run that cannot be looked at now.
PUT_BACK = f"""
UPDATE sheet_to_bigquery_runs SET lease_until = :lease_until WHERE id = :run_id AND state IN {_IN_FLIGHT}
"""

# Active runs whose lease is over: time to look at them.
LEASE_OVER = f"""
SELECT id FROM sheet_to_bigquery_runs
WHERE state IN {_IN_FLIGHT} AND least(lease_until, deadline) <= :now
ORDER BY lease_until LIMIT 1000
"""

# The runs of one call of dispatch, for a command that waits for them.
LIST_BATCH = "SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r WHERE r.batch = :batch ORDER BY r.slot, r.id"

LIST_RUNS = "SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r ORDER BY r.created_at DESC, r.id LIMIT :most"

# A config's runs: those that ended by the index that tells how it fared, and the open ones by theirs.
LIST_RUNS_OF_CONFIG = f"""
SELECT run FROM (
    (SELECT to_jsonb(r) AS run, r.created_at, r.id FROM sheet_to_bigquery_runs r
     WHERE r.config_id = :config_id AND r.ended_at IS NOT NULL ORDER BY r.created_at DESC LIMIT :most)
    UNION ALL
    (SELECT to_jsonb(r), r.created_at, r.id FROM sheet_to_bigquery_runs r
     WHERE r.config_id = :config_id AND r.state = 'pending')
    UNION ALL
    (SELECT to_jsonb(r), r.created_at, r.id FROM sheet_to_bigquery_runs r
     WHERE r.config_id = :config_id AND r.state IN {ACTIVE_STATES})
) found
ORDER BY created_at DESC, id LIMIT :most
"""

# The newest load of a run's table by the same config that ended before the run did, or before now while it goes on,
# among the config's newest runs until then: not all that were recorded before it, since who took the time to record
# one may have been slow to write it down. By when they were recorded: asked by when they ended, PostgreSQL may go
# through the runs of all configs, since an index has those, too.
FORMER_LOAD = f"""
SELECT to_jsonb(former) FROM sheet_to_bigquery_runs former WHERE former.id = (
    SELECT before.id FROM (
        SELECT r.id, r.verdict, r.destination, r.ended_at FROM sheet_to_bigquery_runs r
        WHERE r.config_id = :config_id AND r.ended_at IS NOT NULL
          AND r.created_at <= coalesce(CAST(:ended_at AS timestamptz), now())
        ORDER BY r.created_at DESC LIMIT {_LOOKED_AT}
    ) before
    WHERE before.verdict = 'loaded' AND before.destination = :destination AND before.id <> :run_id
      AND before.ended_at <= coalesce(CAST(:ended_at AS timestamptz), now())
    ORDER BY before.ended_at DESC LIMIT 1
)
"""

# Whose runs are looked at: all configs', or those of these ids.
_WATCHED = "(CAST(:ids AS bigint[]) IS NULL OR r.config_id = ANY(CAST(:ids AS bigint[])))"
# Active runs, those that have gone on longest first; they are no more than the cap.
LIST_ACTIVE = f"""
SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r WHERE r.state IN {ACTIVE_STATES} AND {_WATCHED}
ORDER BY r.state = 'queued', r.claimed_at, r.id LIMIT :most
"""
# Runs that wait, in the order of their turns.
LIST_WAITING = f"""
SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r WHERE r.state = 'pending' AND {_WATCHED}
ORDER BY r.turn, r.id LIMIT :most
"""
COUNT_OPEN = f"""
SELECT state, count(*) FROM (
    SELECT state FROM sheet_to_bigquery_runs r WHERE r.state = 'pending' AND {_WATCHED}
    UNION ALL
    SELECT state FROM sheet_to_bigquery_runs r WHERE r.state IN {ACTIVE_STATES} AND {_WATCHED}
) open GROUP BY state
"""
LIST_ENDED = f"""
SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r WHERE r.ended_at >= :since AND {_WATCHED}
ORDER BY r.ended_at DESC, r.id LIMIT :most
"""

# Runs whose ids lie between two, as those do that begin alike; three tell that a beginning is not one run's.
FIND_RUNS_BETWEEN = "SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r WHERE r.id BETWEEN :least AND :most LIMIT 3"

COUNT_STATES = "SELECT state, count(*) FROM sheet_to_bigquery_runs GROUP BY state"

# The backlog, the age in seconds of the oldest run that has not ended, and the connections to this database. In two
# parts, so that each goes by its index, however many runs have ended.
MEASURE = """
SELECT count(*) FILTER (WHERE state IN ('pending', 'queued')),
    coalesce(extract(epoch FROM :now - min(begun)), 0)::float8,
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
FROM (
    SELECT state, greatest(slot, created_at) AS begun FROM sheet_to_bigquery_runs WHERE state = 'pending'
    UNION ALL
    SELECT state, greatest(slot, created_at) FROM sheet_to_bigquery_runs
    WHERE state IN ('queued', 'launching', 'running')
) open
"""
