"""All runtime SQL, as named statements with bound parameters. `{configs}` is the configs table's quoted name.

Rows of the configs table are read as JSON (`to_jsonb`), so that one statement serves tables with and without
optional columns (`migration_status`), and so that a portal's odd values reach the parser instead of failing here.
"""

from shared.states import ACTIVE, OPEN, listed

NOW = "SELECT now()"

# Serialises callers for one transaction; a cap inside one UPDATE leaks under concurrency. The lock's first
# number is this product's (the letters "s2bq"), the second says which verb.
LOCK_DISPATCH = "SELECT pg_advisory_xact_lock(1932681841, 1)"
LOCK_ADMISSION = "SELECT pg_advisory_xact_lock(1932681841, 2)"

_ACTIVE_STATES, _OPEN_STATES = listed(ACTIVE), listed(OPEN)
# Without the blanks around them, as the parser takes them: `sales ` and `sales` are one table.
_PROJECT, _DATASET, _TABLE = (
    f"btrim({{c}}.{column}, E' \\t\\r\\n')"
    for column in ("google_cloud_project_id", "bigquery_dataset_id", "bigquery_table_id")
)


def same_table(one: str, other: str) -> str:
    """The condition that two configs, by their aliases, replace the same table."""
    return " AND ".join(f"{part.format(c=one)} = {part.format(c=other)}" for part in (_PROJECT, _DATASET, _TABLE))


_DESTINATION = f"concat_ws('.', {_PROJECT}, {_DATASET}, {_TABLE})"

# Owned by the job: no column migration_status, or its value is job_ready (NULL is 'service').
_OWNED = """(
    NOT to_jsonb({c}) ? 'migration_status' OR to_jsonb({c})->>'migration_status' IS NOT DISTINCT FROM 'job_ready'
)"""

# Another active config of the job's that replaces the same table as `c`, as `7 "sales"`; NULL where there is none.
_RIVAL = f"""(
    SELECT o.id || ' "' || o.name || '"' FROM {{configs}} o
    WHERE {_PROJECT.format(c="o")} = {_PROJECT.format(c="c")} AND {_DATASET.format(c="o")} = {_DATASET.format(c="c")}
      AND {_TABLE.format(c="o")} = {_TABLE.format(c="c")}
      AND o.id <> c.id AND o.is_active AND {_OWNED.format(c="o")}
    ORDER BY o.id LIMIT 1
)"""

# How many Sheets reads to reserve for a run of config `c`: as many as its newest run that told them took (an older
# job tells all its requests); 4 is what a small tab takes.
_READS = """greatest(coalesce((
    SELECT coalesce(r.sheet_reads, r.requests) FROM sheet_to_bigquery_runs r
    WHERE r.config_id = c.id AND r.requests IS NOT NULL ORDER BY r.created_at DESC LIMIT 1
), 4), 1)"""

# Portals write `infinity` or the year 9999 for "never".
_POSSIBLE = """(
    c.last_run IS NULL OR isfinite(c.last_run) AND c.last_run < CAST(:now AS timestamptz) + interval '100 years'
)"""

# The due rule, one row a config: verdict, slot, why, and `until`, the instant before which it is not due.
# Intervals are multiples of UTC hours, so daylight saving does not move a slot. 876,000 hours are a century:
# what is longer would only overflow timestamps; so would a last_run that is infinite. Materialised, because
# PostgreSQL would otherwise work each fact out again for every mention of it.
_RULE = f"""
WITH facts AS MATERIALIZED (
    SELECT c.id, coalesce(c.name, '') AS name, {_DESTINATION.format(c="c")} AS destination,
           CASE WHEN {_POSSIBLE} THEN c.last_run END AS last_run, NOT {_POSSIBLE} AS impossible,
           coalesce(c.is_active, false) AS active, {_OWNED.format(c="c")} AS owned,
           coalesce(c.run_frequency_hours, 24)::numeric AS hours,
           scheduled.slot AS scheduled_slot, newest.state AS newest_state,
           EXISTS (
               SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state IN {_OPEN_STATES}
           ) AS open,
           CASE WHEN c.is_active THEN {_RIVAL} END AS rival
    FROM {{configs}} c
    LEFT JOIN LATERAL (
        SELECT r.slot FROM sheet_to_bigquery_runs r
        WHERE r.config_id = c.id AND r.why = 'schedule' ORDER BY r.slot DESC LIMIT 1
    ) scheduled ON true
    LEFT JOIN LATERAL (
        SELECT r.state FROM sheet_to_bigquery_runs r
        WHERE r.config_id = c.id AND r.why <> 'shadow' ORDER BY r.created_at DESC LIMIT 1
    ) newest ON true
    WHERE CAST(:names AS text[]) IS NULL OR c.name = ANY(CAST(:names AS text[]))
), blocked AS MATERIALIZED (
    SELECT *,
           CASE
               WHEN NOT active THEN 'paused'
               WHEN NOT owned THEN 'not_ours'
               WHEN rival IS NOT NULL THEN 'table_conflict'
               WHEN open THEN 'open_run'
               WHEN hours < 0 OR hours <> trunc(hours) OR hours > 876000 THEN 'bad_frequency'
               WHEN impossible THEN 'bad_last_run'
           END AS blocked_by
    FROM facts
), based AS (
    SELECT *,
           blocked_by IS NULL AND last_run IS NULL AND newest_state IS NOT DISTINCT FROM 'succeeded' AS reset,
           coalesce(scheduled_slot, last_run) AS base,
           CASE WHEN blocked_by IS NULL AND hours > 0
                THEN make_interval(hours => CAST(hours AS integer)) END AS frequency
    FROM blocked
), slotted AS (
    SELECT *,
           CASE
               WHEN reset OR base IS NULL THEN CAST(:now AS timestamptz)
               WHEN CAST(:now AS timestamptz) < base + frequency THEN NULL
               ELSE base + frequency
                   * floor(extract(epoch FROM CAST(:now AS timestamptz) - base) / extract(epoch FROM frequency))
           END AS candidate
    FROM based
), judged AS MATERIALIZED (
    SELECT id, name, destination, rival,
           CASE
               WHEN blocked_by IS NOT NULL THEN blocked_by
               WHEN reset THEN 'due'
               WHEN frequency IS NULL THEN 'manual_only'
               WHEN candidate IS NULL OR candidate <= last_run THEN 'not_due'
               ELSE 'due'
           END AS verdict,
           CASE WHEN reset THEN 'reset' ELSE 'schedule' END AS why,
           candidate AS slot,
           coalesce(candidate, base) + frequency AS until
    FROM slotted
)
"""

# What the due rule says of each config: first what a person has to mend, then the most overdue.
# ruff: noqa: S608
JUDGE = f"""{_RULE}
SELECT id, name, destination, verdict, why, slot, until, rival,
       (SELECT c.paused_reason FROM {{configs}} c WHERE c.id = judged.id AND verdict = 'paused')
FROM judged
WHERE (verdict = 'due') = CAST(:due AS boolean)
ORDER BY verdict IN ('bad_frequency', 'bad_last_run', 'table_conflict') DESC, slot NULLS LAST, id LIMIT :most
"""

# How many configs have which verdict.
COUNT_VERDICTS = f"{_RULE} SELECT verdict, count(*) FROM judged GROUP BY verdict"

# When the next config comes due that is not due now.
NEXT_DUE = f"{_RULE} SELECT min(until) FROM judged WHERE verdict = 'not_due'"

# Records one run for each due config, so many at most that the statement ends within its time.
RECORD_DUE = f"""{_RULE}
INSERT INTO sheet_to_bigquery_runs
    (id, config_id, config_name, destination, slot, why, created_at, not_before, batch, batch_cap, reads)
SELECT gen_random_uuid(), c.id, c.name, destination, slot, why, :now, :now, :batch, :batch_cap, {_READS}
FROM judged c WHERE verdict = 'due'
ORDER BY slot, c.id LIMIT :most
ON CONFLICT DO NOTHING
RETURNING config_id, config_name, destination, 'due', why, slot, CAST(NULL AS timestamptz), NULL, NULL, id::text
"""

# One run by hand; no row where one waits already that has not begun, which will read what the person edited.
RECORD_MANUAL = f"""
INSERT INTO sheet_to_bigquery_runs
    (id, config_id, config_name, destination, slot, why, created_at, not_before, reads, allow_shrink)
SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {_DESTINATION.format(c="c")}, :now, 'manual', :now, :now,
       {_READS}, :allow_shrink
FROM {{configs}} c WHERE c.id = :config_id
ON CONFLICT DO NOTHING RETURNING id
"""

# Runs that wait go where their config says now.
FOLLOW_CONFIGS = f"""
UPDATE sheet_to_bigquery_runs r SET destination = {_DESTINATION.format(c="c")}
FROM {{configs}} c
WHERE c.id = r.config_id AND r.state = 'pending' AND r.destination <> {_DESTINATION.format(c="c")}
"""

# Queues the most overdue pending runs that fit the cap, their batch's cap and the Sheets quota, one per config
# and per table, by their turns: configs that always fail get theirs, and nobody else's. A run that needs more reads
# than the quota has goes when nothing else is reserved.
ADMIT = f"""
WITH active AS (
    SELECT config_id, destination, batch FROM sheet_to_bigquery_runs WHERE state IN {_ACTIVE_STATES}
), reserved AS (
    SELECT coalesce(sum(reads_reserved), 0) AS reads FROM sheet_to_bigquery_runs
    WHERE admitted_at > CAST(:now AS timestamptz) - interval '60 seconds'
), first_of_config AS (
    SELECT DISTINCT ON (config_id) * FROM sheet_to_bigquery_runs
    WHERE state = 'pending'
    ORDER BY config_id, attempt > 0 DESC, slot, id
), first_of_table AS (
    SELECT DISTINCT ON (destination) * FROM first_of_config
    WHERE not_before <= :now
      AND config_id NOT IN (SELECT config_id FROM active)
      AND destination NOT IN (SELECT destination FROM active)
    ORDER BY destination, turn, id
), within_batch AS (
    SELECT *, row_number() OVER (PARTITION BY batch ORDER BY turn, id)
              + (SELECT count(*) FROM active a WHERE a.batch = f.batch) AS position_in_batch
    FROM first_of_table f
), ranked AS (
    SELECT id, row_number() OVER overdue AS position, sum(reads) OVER overdue AS reads_so_far
    FROM within_batch WHERE batch_cap IS NULL OR position_in_batch <= batch_cap
    WINDOW overdue AS (ORDER BY turn, id)
)
UPDATE sheet_to_bigquery_runs r
SET state = 'queued', admitted_at = :now, published_at = NULL,
    -- An earlier attempt's reads, where they count still, count on with these: rather too long than too short.
    reads_reserved = r.reads + CASE
        WHEN r.admitted_at > CAST(:now AS timestamptz) - interval '60 seconds' THEN r.reads_reserved ELSE 0
    END
FROM ranked, reserved
WHERE r.id = ranked.id AND r.state = 'pending'
  AND ranked.position <= least(1000, :cap - (SELECT count(*) FROM active))
  AND (
      ranked.reads_so_far + reserved.reads <= :reads_per_minute
      OR (ranked.position = 1 AND reserved.reads = 0)
  )
RETURNING r.id
"""

# When time alone may let admission go on: a waiting run's time comes, or reads that were reserved count no longer.
# NULL where no run waits for time, or the cap is reached: what ends admits the next.
NEXT_ADMISSION = f"""
SELECT least(
    (SELECT min(not_before) FROM sheet_to_bigquery_runs WHERE state = 'pending' AND not_before > :now),
    (SELECT min(admitted_at) + interval '60 seconds' FROM sheet_to_bigquery_runs
     WHERE admitted_at > CAST(:now AS timestamptz) - interval '60 seconds' AND reads_reserved > 0
       AND EXISTS (SELECT FROM sheet_to_bigquery_runs WHERE state = 'pending' AND not_before <= :now))
)
WHERE (SELECT count(*) FROM sheet_to_bigquery_runs WHERE state IN {_ACTIVE_STATES}) < :cap
"""

NOTE_PUBLISHED = """
UPDATE sheet_to_bigquery_runs SET published_at = :now WHERE id = ANY(CAST(:run_ids AS uuid[])) AND state = 'queued'
"""

# Queued runs whose message was never published, or is taking longer than a lease: publishing again is harmless.
UNPUBLISHED = """
UPDATE sheet_to_bigquery_runs SET published_at = :now
WHERE state = 'queued' AND coalesce(published_at, admitted_at) < :published_before
RETURNING id
"""

# A run and its config's row as it is now (NULL where the row is gone), with who owns it and who rivals it, and the
# newest run that loaded anything into the run's table, with its attempt.
FIND_RUN = f"""
SELECT to_jsonb(r), to_jsonb(c), c.is_active, {_OWNED.format(c="c")}, {_RIVAL}, (
    SELECT jsonb_build_array(l.id, l.attempt) FROM sheet_to_bigquery_runs l
    WHERE l.config_id = r.config_id AND l.verdict = 'loaded' AND l.destination = r.destination
    ORDER BY l.ended_at DESC LIMIT 1
)
FROM sheet_to_bigquery_runs r LEFT JOIN {{configs}} c ON c.id = r.config_id WHERE r.id = :run_id
"""

_TABLE_TAKEN = f"""
    SELECT FROM sheet_to_bigquery_runs other
    WHERE other.destination = :destination AND other.id <> r.id AND other.state IN {_ACTIVE_STATES}
"""

# Takes a queued run for one attempt; no row where another took it, where the config stopped being the job's since
# it was read, or where a run of another config has the table (after an edit). Under the admission lock.
CLAIM = f"""
UPDATE sheet_to_bigquery_runs r
SET state = 'launching', attempt = r.attempt + 1, execution = NULL, claimed_at = :now,
    had_last_run = :had_last_run, destination = :destination, config_name = c.name,
    job_project = :job_project, job_location = :job_location, lease_until = :lease_until, deadline = :deadline
FROM {{configs}} c
WHERE r.id = :run_id AND r.state = 'queued' AND c.id = r.config_id AND c.is_active AND {_OWNED.format(c="c")}
  AND NOT EXISTS ({_TABLE_TAKEN})
RETURNING r.attempt
"""

# Lets a queued run wait for the run that has the table its config names by now.
WAIT_FOR_TABLE = f"""
UPDATE sheet_to_bigquery_runs r
SET state = 'pending', destination = :destination, not_before = :not_before,
    reads_reserved = greatest(reads_reserved - reads, 0)
WHERE r.id = :run_id AND r.state = 'queued' AND EXISTS ({_TABLE_TAKEN})
RETURNING r.id
"""

# Active configs that replace a table, whoever owns them: the older service writes it just as well.
FIND_ACTIVE_OF_TABLE = f"""
SELECT c.id || ' "' || c.name || '"' FROM {{configs}} c
WHERE {_PROJECT.format(c="c")} = :google_cloud_project_id AND {_DATASET.format(c="c")} = :bigquery_dataset_id
  AND {_TABLE.format(c="c")} = :bigquery_table_id AND c.is_active
ORDER BY c.id
"""
