"""The SQL of runs whose attempt goes on, and of what people look at."""

from shared.states import IN_FLIGHT, listed

_IN_FLIGHT = listed(IN_FLIGHT)

# The execution of an attempt is known: by RunJob's answer, or by what the execution itself says later.
NOTE_EXECUTION = """
UPDATE sheet_to_bigquery_runs SET state = 'running', execution = :execution
WHERE id = :run_id AND attempt = :attempt AND state = 'launching'
RETURNING id
"""

# For a run that cannot be looked at now.
# ruff: noqa: S608
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

# Runs whose ids lie between two, as those do that begin alike; three tell that a beginning is not one run's.
FIND_RUNS_BETWEEN = "SELECT to_jsonb(r) FROM sheet_to_bigquery_runs r WHERE r.id BETWEEN :least AND :most LIMIT 3"

COUNT_STATES = "SELECT state, count(*) FROM sheet_to_bigquery_runs GROUP BY state"
