"""The SQL of what people are to be told. `{configs}` is the configs table's quoted name."""

# Takes the notice that waits longest for one attempt to tell it: until `again` nobody else has it, and if the process
# dies meanwhile, somebody has then. With the run as it is now, and its config's row.
TAKE = """
WITH due AS (
    SELECT run_id FROM sheet_to_bigquery_notices WHERE closed_at IS NULL AND not_before <= :now
    ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE sheet_to_bigquery_notices n SET attempts = attempts + 1, not_before = :again
FROM due JOIN sheet_to_bigquery_runs r ON r.id = due.run_id LEFT JOIN {configs} c ON c.id = r.config_id
WHERE n.run_id = due.run_id
RETURNING n.kind, n.attempts, n.heard, to_jsonb(r), to_jsonb(c)
"""

# What became of that attempt: closed for good, or not before a while from now. Not where the failure that was told
# has become a pause meanwhile.
NOTE = """
UPDATE sheet_to_bigquery_notices SET heard = CAST(:heard AS text[]), closed_at = :closed_at, not_before = :not_before
WHERE run_id = :run_id AND kind = :kind AND closed_at IS NULL
"""

# Where nobody is to be told anything.
CLOSE_ALL = "UPDATE sheet_to_bigquery_notices SET closed_at = :now WHERE closed_at IS NULL"
