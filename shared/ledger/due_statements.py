"""The SQL of the due rule: which configs are due, and what is told of all of them.

`{configs}` is the configs table's quoted name.
"""

from shared.ledger.statements import ACTIVE_STATES, DESTINATION, RIVAL, RIVALS

# Portals write `infinity` or the year 9999 for "never".
_POSSIBLE = """(
    c.last_run IS NULL OR isfinite(c.last_run) AND c.last_run < CAST(:now AS timestamptz) + interval '100 years'
)"""

# Whether a config has a run that waits or is active: two indexes know.
_OPEN = f"""(
    EXISTS (SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state = 'pending')
    OR EXISTS (SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state IN {ACTIVE_STATES})
)"""

# Whether a config may be due, such that an index finds those that may among a million (idx_configs_due, the same
# expression). Where last_run is the slot of the last scheduled run that succeeded, the newest scheduled run cannot be
# older, and no other is due before a period has passed since then. Where it is not (it never ran, a person asks for a
# run, somebody else moved last_run), the ledger has to be asked. The second more is for the rounding of the sum.
MAY_BE_DUE = """(
    c.is_active
    AND CASE WHEN c.last_run = c.scheduled_run
        THEN date_part('epoch', c.last_run AT TIME ZONE 'UTC') + 3600::float8 * coalesce(c.run_frequency_hours, 24)
        ELSE 0 END <= date_part('epoch', CAST(:now AS timestamptz)) + 1
)"""

# The due rule, one row a config: verdict, slot, why, and `until`, the instant before which it is not due.
# A config that the batch `recorded_by` recorded a run for was due.
# Intervals are multiples of UTC hours, so daylight saving does not move a slot. 876,000 hours are a century:
# what is longer would only overflow timestamps; so would a last_run that is infinite.
# With `only_due` it looks only at what may be due, and for rivals only of what would be. Without, it looks at every
# config, so it asks little of each: an unqualified migration_status is the table's column where there is one, else
# the one assumed (to_jsonb would build the row), and what the newest run came to is asked only where last_run is
# NULL. OFFSET 0 keeps PostgreSQL from working a step out again for each mention of it, without a copy as
# MATERIALIZED would make.
RULE = f"""
WITH facts AS (
    SELECT c.*, scheduled.slot AS scheduled_slot, newest.state AS newest_state,
           CASE WHEN {_POSSIBLE} THEN c.last_run END AS past_run, NOT {_POSSIBLE} AS impossible,
           {_OPEN} AS open,
           c.id IN (
               SELECT r.config_id FROM sheet_to_bigquery_runs r WHERE r.batch = CAST(:recorded_by AS uuid)
           ) AS was_due
    FROM (VALUES ('job_ready')) assumed (migration_status)
    CROSS JOIN LATERAL (
        SELECT c.id, c.last_run, coalesce(c.is_active, false) AS active,
               migration_status IS NOT DISTINCT FROM 'job_ready' AS owned,
               coalesce(c.run_frequency_hours, 24)::numeric AS hours,
               c.name, c.google_cloud_project_id, c.bigquery_dataset_id, c.bigquery_table_id
        FROM {{configs}} c
        WHERE (CAST(:names AS text[]) IS NULL OR c.name = ANY(CAST(:names AS text[])))
          AND (NOT CAST(:only_due AS boolean) OR {MAY_BE_DUE} AND NOT {_OPEN})
    ) c
    LEFT JOIN LATERAL (
        SELECT r.slot FROM sheet_to_bigquery_runs r
        WHERE r.config_id = c.id AND r.why = 'schedule' ORDER BY r.slot DESC LIMIT 1
    ) scheduled ON true
    LEFT JOIN LATERAL (
        SELECT r.state FROM sheet_to_bigquery_runs r
        WHERE r.config_id = c.id AND r.why <> 'shadow' AND c.last_run IS NULL ORDER BY r.created_at DESC LIMIT 1
    ) newest ON true
    OFFSET 0
), blocked AS (
    SELECT *,
           CASE
               WHEN was_due THEN 'due'
               WHEN NOT active THEN 'paused'
               WHEN NOT owned THEN 'not_ours'
               WHEN open THEN 'open_run'
               WHEN hours < 0 OR hours <> trunc(hours) OR hours > 876000 THEN 'bad_frequency'
               WHEN impossible THEN 'bad_last_run'
           END AS blocked_by
    FROM facts OFFSET 0
), based AS (
    SELECT *,
           blocked_by IS NULL AND past_run IS NULL AND newest_state IS NOT DISTINCT FROM 'succeeded' AS reset,
           coalesce(scheduled_slot, past_run) AS base,
           CASE WHEN blocked_by IS NULL AND hours > 0
                THEN make_interval(hours => CAST(hours AS integer)) END AS frequency
    FROM blocked OFFSET 0
), slotted AS (
    SELECT *,
           CASE
               WHEN reset OR base IS NULL THEN CAST(:now AS timestamptz)
               WHEN CAST(:now AS timestamptz) < base + frequency THEN NULL
               ELSE base + frequency
                   * floor(extract(epoch FROM CAST(:now AS timestamptz) - base) / extract(epoch FROM frequency))
           END AS candidate
    FROM based OFFSET 0
), timed AS (
    SELECT *,
           CASE
               WHEN blocked_by IS NOT NULL THEN blocked_by
               WHEN reset THEN 'due'
               WHEN frequency IS NULL THEN 'manual_only'
               WHEN candidate IS NULL OR candidate <= past_run THEN 'not_due'
               ELSE 'due'
           END AS told
    FROM slotted OFFSET 0
), judged AS (
    SELECT id, name, google_cloud_project_id, bigquery_dataset_id, bigquery_table_id,
           candidate AS slot, coalesce(candidate, base) + frequency AS until,
           CASE WHEN reset THEN 'reset' ELSE 'schedule' END AS why,
           CASE
               WHEN NOT was_due AND told NOT IN ('paused', 'not_ours')
                    AND (told = 'due' OR NOT CAST(:only_due AS boolean)) AND EXISTS (SELECT {RIVALS})
               THEN 'table_conflict'
               ELSE told
           END AS verdict
    FROM timed c OFFSET 0
)
"""

_TOLD = f"""
    c.id, coalesce(c.name, '') AS name, {DESTINATION.format(c="c")} AS destination, j.verdict, j.why, j.slot, j.until,
    CASE WHEN j.verdict = 'table_conflict' THEN {RIVAL} END AS rival,
    CASE WHEN j.verdict = 'paused' THEN c.paused_reason END AS paused_reason
"""
# First what a person has to mend, then the most overdue.
_BY_URGENCY = "j.verdict IN ('bad_frequency', 'bad_last_run', 'table_conflict') DESC, j.slot NULLS LAST, j.id"

# What the due rule says of each config that is due, or that is not.
# ruff: noqa: S608
JUDGE = f"""{RULE}, first AS (
    SELECT * FROM judged j WHERE (j.verdict = 'due') = CAST(:only_due AS boolean) ORDER BY {_BY_URGENCY} LIMIT :most
)
SELECT {_TOLD} FROM first j JOIN {{configs}} c ON c.id = j.id ORDER BY {_BY_URGENCY}
"""

# How many configs have which verdict.
COUNT_VERDICTS = f"{RULE} SELECT verdict, count(*) FROM judged GROUP BY verdict"

# When the next config comes due that is not due now.
NEXT_DUE = f"{RULE} SELECT min(until) FROM judged WHERE verdict = 'not_due'"
# What dispatch tells after it recorded: how many configs have which verdict (a JSON object, in every row), and the
# first of those that are not due.
TELL = f"""{RULE}, all_judged AS MATERIALIZED (
    SELECT id, verdict, why, slot, until FROM judged
), first AS (
    SELECT * FROM all_judged j WHERE j.verdict <> 'due' ORDER BY {_BY_URGENCY} LIMIT :most
), counted AS (
    SELECT jsonb_object_agg(verdict, configs) AS counts
    FROM (SELECT verdict, count(*) AS configs FROM all_judged GROUP BY verdict) by_verdict
)
SELECT counted.counts, {_TOLD}
FROM counted LEFT JOIN (first j JOIN {{configs}} c ON c.id = j.id) ON true
ORDER BY {_BY_URGENCY}
"""
