"""The SQL of comparisons: the shadow run that one is about, what came of it, and how many in a row matched."""

from shared.ledger.statements import SOURCE
from shared.states import IN_FLIGHT, listed

# ruff: noqa: S608
# The run that the shadow table is of: the newest that loaded it, or that is about to.
NEWEST_SHADOW = f"""
SELECT id, attempt, state, claimed_at, ended_at, job_project, job_location, sheet_modified_at
FROM sheet_to_bigquery_runs
WHERE config_id = :config_id AND why = 'shadow' AND destination = :destination
  AND (state = 'succeeded' OR state IN {listed(IN_FLIGHT)})
ORDER BY claimed_at DESC LIMIT 1
"""

# When the service was asked for what it wrote then: the oldest message that it had not answered yet. BigQuery's clock
# may be a little before PostgreSQL's.
FORWARDED = """
SELECT min(begun_at) FROM sheet_to_bigquery_forwards
WHERE config_id = :config_id AND begun_at <= :written AND open_until >= :written
  AND (ended_at IS NULL OR ended_at >= CAST(:written AS timestamptz) - interval '5 seconds')
"""

# Whether the service's loads were told to the ledger by then: the portal's messages went through the webhook.
FORWARDED_BEFORE = """
SELECT EXISTS (SELECT FROM sheet_to_bigquery_forwards WHERE config_id = :config_id AND begun_at <= :written)
"""

# Once per pair of loads: a second look at the same ones is no second proof. But it may know more, when each was read
# say, and what it finds then takes the place of what was found before; nothing takes the place of a mismatch.
RECORD_COMPARISON = """
INSERT INTO sheet_to_bigquery_comparisons AS c (
    config_id, config_name, service_table, job_table, run_id, source, service_loaded_at, job_loaded_at, verdict,
    service_rows, job_rows, differences
) VALUES (
    :config_id, :config_name, :service_table, :job_table, :run_id,
    (SELECT r.source FROM sheet_to_bigquery_runs r WHERE r.id = CAST(:run_id AS uuid)),
    :service_loaded_at, :job_loaded_at, :verdict, :service_rows, :job_rows, CAST(:differences AS jsonb)
)
ON CONFLICT (config_id, run_id, service_loaded_at) DO UPDATE
SET verdict = excluded.verdict, compared_at = excluded.compared_at, job_loaded_at = excluded.job_loaded_at,
    service_rows = excluded.service_rows, job_rows = excluded.job_rows, differences = excluded.differences
WHERE c.verdict <> 'MISMATCH' AND c.verdict <> excluded.verdict
RETURNING id
"""

NEWEST_COMPARISONS = """
SELECT DISTINCT ON (config_id) to_jsonb(c) FROM sheet_to_bigquery_comparisons c
WHERE CAST(:config_ids AS bigint[]) IS NULL OR config_id = ANY(CAST(:config_ids AS bigint[]))
ORDER BY config_id, id DESC
"""

# Matches of different loads of the service, since the newest mismatch, and since the config's newest begin as a
# shadow: who went back to the service begins again, and so does who chose another table, sheet or tab.
CONSECUTIVE_MATCHES = f"""
SELECT count(DISTINCT service_loaded_at) FROM sheet_to_bigquery_comparisons
WHERE config_id = :config_id AND service_table = :service_table AND verdict = 'MATCH'
  AND (source IS NULL OR source = (SELECT {SOURCE.format(c="c")} FROM {{configs}} c WHERE c.id = :config_id))
  AND id > coalesce((
      SELECT max(id) FROM sheet_to_bigquery_comparisons
      WHERE config_id = :config_id AND service_table = :service_table AND verdict = 'MISMATCH'
  ), 0)
  AND compared_at >= coalesce((
      SELECT max(changed_at) FROM sheet_to_bigquery_owner_changes WHERE config_id = :config_id AND after = 'shadow'
  ), '-infinity')
"""

# The config's run that last loaded a table, whatever it was recorded for.
NEWEST_LOAD = """
SELECT id, attempt, job_project, job_location FROM sheet_to_bigquery_runs
WHERE config_id = :config_id AND destination = :destination AND verdict = 'loaded' ORDER BY ended_at DESC LIMIT 1
"""

# Since when the job has owned a config's table, by the audit.
OWNED_SINCE = """
SELECT max(changed_at) FROM sheet_to_bigquery_owner_changes WHERE config_id = :config_id AND after = 'job_ready'
"""
