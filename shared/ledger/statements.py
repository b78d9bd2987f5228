"""All runtime SQL, as named statements with bound parameters. `{configs}` is the configs table's quoted name.

Rows of the configs table are read as JSON (`to_jsonb`), so that one statement serves tables with and without
optional columns (`migration_status`), and so that a portal's odd values reach the parser instead of failing here.
"""

from shared.states import ACTIVE, listed

NOW = "SELECT now()"

# Serialises callers for one transaction; a cap inside one UPDATE leaks under concurrency. The lock's first
# number is this product's (the letters "s2bq"), the second says which verb.
LOCK_DISPATCH = "SELECT pg_advisory_xact_lock(1932681841, 1)"
LOCK_ADMISSION = "SELECT pg_advisory_xact_lock(1932681841, 2)"

_ACTIVE_STATES = listed(ACTIVE)
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

# Other active configs of the job's that replace the same table as `c`.
_RIVALS = f"""
    FROM {{configs}} o
    WHERE {_PROJECT.format(c="o")} = {_PROJECT.format(c="c")} AND {_DATASET.format(c="o")} = {_DATASET.format(c="c")}
      AND {_TABLE.format(c="o")} = {_TABLE.format(c="c")}
      AND o.id <> c.id AND o.is_active AND {_OWNED.format(c="o")}
"""
# The first of them as `7 "sales"`; NULL where there is none.
_RIVAL = f"""(SELECT o.id || ' "' || o.name || '"' {_RIVALS} ORDER BY o.id LIMIT 1)"""

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

# Whether a config has a run that waits or is active: two indexes know.
_OPEN = f"""(
    EXISTS (SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state = 'pending')
    OR EXISTS (SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state IN {_ACTIVE_STATES})
)"""

# Whether a config may be due, such that an index finds those that may among a million (idx_configs_due, the same
# expression). Where last_run is the slot of the last scheduled run that succeeded, the newest scheduled run cannot be
# older, and no other is due before a period has passed since then. Where it is not (it never ran, a person asks for a
# run, somebody else moved last_run), the ledger has to be asked. The second more is for the rounding of the sum.
_MAY_BE_DUE = """(
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
_RULE = f"""
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
          AND (NOT CAST(:only_due AS boolean) OR {_MAY_BE_DUE} AND NOT {_OPEN})
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
                    AND (told = 'due' OR NOT CAST(:only_due AS boolean)) AND EXISTS (SELECT {_RIVALS})
               THEN 'table_conflict'
               ELSE told
           END AS verdict
    FROM timed c OFFSET 0
)
"""

_TOLD = f"""
    c.id, coalesce(c.name, '') AS name, {_DESTINATION.format(c="c")} AS destination, j.verdict, j.why, j.slot, j.until,
    CASE WHEN j.verdict = 'table_conflict' THEN {_RIVAL} END AS rival,
    CASE WHEN j.verdict = 'paused' THEN c.paused_reason END AS paused_reason
"""
# First what a person has to mend, then the most overdue.
_BY_URGENCY = "j.verdict IN ('bad_frequency', 'bad_last_run', 'table_conflict') DESC, j.slot NULLS LAST, j.id"

# What the due rule says of each config that is due, or that is not.
# ruff: noqa: S608
JUDGE = f"""{_RULE}, first AS (
    SELECT * FROM judged j WHERE (j.verdict = 'due') = CAST(:only_due AS boolean) ORDER BY {_BY_URGENCY} LIMIT :most
)
SELECT {_TOLD} FROM first j JOIN {{configs}} c ON c.id = j.id ORDER BY {_BY_URGENCY}
"""

# How many configs have which verdict.
COUNT_VERDICTS = f"{_RULE} SELECT verdict, count(*) FROM judged GROUP BY verdict"

# When the next config comes due that is not due now.
NEXT_DUE = f"{_RULE} SELECT min(until) FROM judged WHERE verdict = 'not_due'"
# What dispatch tells after it recorded: how many configs have which verdict (a JSON object, in every row), and the
# first of those that are not due.
TELL = f"""{_RULE}, all_judged AS MATERIALIZED (
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

# Records one run for each due config, most overdue first, so many at most that the statement ends within its time.
# Tells how many (in every row), and the first `named` of them.
RECORD_DUE = f"""{_RULE}, first AS (
    SELECT * FROM judged WHERE verdict = 'due' ORDER BY slot, id LIMIT :most
), recorded AS (
    INSERT INTO sheet_to_bigquery_runs
        (id, config_id, config_name, destination, slot, why, created_at, not_before, batch, batch_cap, reads)
    SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {_DESTINATION.format(c="c")}, c.slot, c.why, :now, :now,
           :batch, :batch_cap, {_READS}
    FROM first c ORDER BY c.slot, c.id
    ON CONFLICT (config_id, why, slot) DO NOTHING
    RETURNING config_id, config_name, destination, why, slot
)
SELECT counted.n, r.config_id, r.config_name, r.destination, 'due', r.why, r.slot, CAST(NULL AS timestamptz), NULL
FROM (SELECT count(*) AS n FROM recorded) counted
LEFT JOIN (SELECT * FROM recorded ORDER BY slot, config_id LIMIT :named) r ON true
ORDER BY r.slot, r.config_id
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

# Waiting runs that may begin, with where they go (`heading`): where their config says now. Nothing of their config or
# on that table is active, and they are the first of their config's. Statistics know nothing yet of runs that dispatch
# has just recorded: OFFSET 0 keeps PostgreSQL from joining all of them by those, and leaves a look into an index for
# each, as many as are wanted.
_MAY_BEGIN = f"""
    SELECT r.id, r.turn, r.reads, goes.heading
    FROM sheet_to_bigquery_runs r
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT {_DESTINATION.format(c="c")} FROM {{configs}} c WHERE c.id = r.config_id
        ), r.destination) AS heading OFFSET 0
    ) goes
    WHERE r.state = 'pending' AND r.not_before <= :now
      AND NOT EXISTS (
          SELECT FROM sheet_to_bigquery_runs a
          WHERE a.config_id = r.config_id AND a.state IN {_ACTIVE_STATES} OFFSET 0
      )
      AND NOT EXISTS (
          SELECT FROM sheet_to_bigquery_runs a
          WHERE a.destination = goes.heading AND a.state IN {_ACTIVE_STATES} OFFSET 0
      )
      AND NOT EXISTS (
          SELECT FROM sheet_to_bigquery_runs e
          WHERE e.config_id = r.config_id AND e.state = 'pending'
            AND (e.attempt = 0, e.slot, e.id) < (r.attempt = 0, r.slot, r.id) OFFSET 0
      )
"""

# Queues the most overdue pending runs that fit the cap, their batch's cap and the Sheets quota, one per config
# and per table, by their turns: configs that always fail get theirs, and nobody else's. A run that needs more reads
# than the quota has goes when nothing else is reserved. Tells of each its id, and whether room was left by runs that
# have to wait for another of these on the same table.
ADMIT = f"""
WITH RECURSIVE room AS (
    SELECT greatest(0, least(:most, :cap - count(*))) AS runs
    FROM sheet_to_bigquery_runs WHERE state IN {_ACTIVE_STATES}
), reserved AS (
    SELECT coalesce(sum(reads_reserved), 0) AS reads FROM sheet_to_bigquery_runs
    WHERE admitted_at > CAST(:now AS timestamptz) - interval '60 seconds'
), capped AS (
    (
        SELECT batch, batch_cap FROM sheet_to_bigquery_runs
        WHERE state = 'pending' AND batch_cap IS NOT NULL ORDER BY batch LIMIT 1
    )
    UNION ALL
    SELECT next.batch, next.batch_cap
    FROM capped CROSS JOIN LATERAL (
        SELECT r.batch, r.batch_cap FROM sheet_to_bigquery_runs r
        WHERE r.state = 'pending' AND r.batch_cap IS NOT NULL AND r.batch > capped.batch ORDER BY r.batch LIMIT 1
    ) next
), waiting AS (
    ({_MAY_BEGIN} AND r.batch_cap IS NULL ORDER BY r.turn, r.id LIMIT (SELECT runs FROM room))
    UNION ALL
    SELECT of_batch.*
    FROM capped CROSS JOIN LATERAL (
        {_MAY_BEGIN} AND r.batch_cap IS NOT NULL AND r.batch = capped.batch
        ORDER BY r.turn, r.id
        LIMIT greatest(0, capped.batch_cap - (
            SELECT count(*) FROM sheet_to_bigquery_runs a
            WHERE a.batch = capped.batch AND a.batch_cap IS NOT NULL AND a.state IN {_ACTIVE_STATES}
        ))
    ) of_batch
), first_of_table AS (
    SELECT DISTINCT ON (heading) * FROM waiting ORDER BY heading, turn, id
), ranked AS (
    SELECT id, heading, row_number() OVER overdue AS position, sum(reads) OVER overdue AS reads_so_far
    FROM first_of_table WINDOW overdue AS (ORDER BY turn, id)
), fitting AS (
    SELECT ranked.id, ranked.heading FROM ranked, room, reserved
    WHERE ranked.position <= room.runs
      AND (
          ranked.reads_so_far + reserved.reads <= :reads_per_minute
          OR (ranked.position = 1 AND reserved.reads = 0)
      )
    LIMIT :most
)
UPDATE sheet_to_bigquery_runs r
SET state = 'queued', admitted_at = :now, published_at = NULL, destination = fitting.heading,
    -- An earlier attempt's reads, where they count still, count on with these: rather too long than too short.
    reads_reserved = r.reads + CASE
        WHEN r.admitted_at > CAST(:now AS timestamptz) - interval '60 seconds' THEN r.reads_reserved ELSE 0
    END
FROM fitting
-- As a subquery, so that the rows are taken by their ids and not from an index of all that waits.
WHERE r.id = fitting.id AND r.state = (SELECT 'pending')
RETURNING r.id::text, (SELECT count(*) FROM waiting) > (SELECT count(*) FROM first_of_table)
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

# Queued runs whose message was never published, or is taking longer than a lease: publishing again is harmless. That
# a message was published is not noted for each: it would say no more than admitted_at, and cost as much as admission.
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
