"""The SQL that records runs: for what is due, and by hand. `{configs}` is the configs table's quoted name."""

from shared.ledger.due_statements import DUE_FROM, HAS_OPEN_RUN, MAY_BE_DUE, NEWEST_SLOT, due_rule
from shared.ledger.statements import DESTINATION, SHADOW, SHADOWED

# How many Sheets reads to reserve for a run of config `c`: as many as its newest run that told them took (an older
# job tells all its requests); 4 is what a small tab takes. One that loaded nothing may have been refused its first
# read: it tells of no less than was reserved for it, or what failed together would come back together, too cheap.
READS = """greatest(coalesce((
    SELECT greatest(coalesce(r.sheet_reads, r.requests), CASE WHEN r.state <> 'succeeded' THEN r.reads END)
    FROM sheet_to_bigquery_runs r
    WHERE r.config_id = c.id AND r.requests IS NOT NULL ORDER BY r.created_at DESC LIMIT 1
), 4), 1)"""

# The next configs that may be due, behind the place (`due_from`, `config_id`): by the index, `most` of them.
_NEXT_THAT_MAY_BE_DUE = due_rule(
    f"""{MAY_BE_DUE} AND NOT {HAS_OPEN_RUN}
          AND ({DUE_FROM}, c.id) > (CAST(:due_from AS float8), CAST(:config_id AS bigint))
        ORDER BY {DUE_FROM}, c.id LIMIT :most""",
    "c.told = 'due'",
)
# Records one run for each of them that is due. Tells how many it looked at and the place of the last one, how many
# runs it recorded, and the first `named` of those, most overdue first.
# ruff: noqa: S608
RECORD_DUE = f"""
WITH {_NEXT_THAT_MAY_BE_DUE}, recorded AS (
    INSERT INTO sheet_to_bigquery_runs
        (id, config_id, config_name, destination, slot, why, created_at, not_before, batch, batch_cap, reads)
    SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {DESTINATION.format(c="c")}, c.slot, c.why, :now, :now,
           :batch, :batch_cap, {READS}
    FROM judged c WHERE c.verdict = 'due'
    ON CONFLICT (config_id, why, slot) DO NOTHING
    RETURNING config_id, config_name AS name, destination, 'due' AS verdict, why, slot
), first AS (
    SELECT * FROM recorded ORDER BY slot, config_id LIMIT :named
)
SELECT (SELECT count(*) FROM judged), last.due_from, last.id, (SELECT count(*) FROM recorded),
       (SELECT coalesce(jsonb_agg(to_jsonb(first)), '[]') FROM first)
FROM (VALUES (true)) one
LEFT JOIN (SELECT due_from, id FROM judged ORDER BY due_from DESC, id DESC LIMIT 1) last ON true
"""

# One run by hand; no row where one waits already that has not begun, which will read what the person edited. Whoever
# took the time may have been slow to write it down: it stands for no instant before that of a run which is there, or
# a table would go back to an older slot. Under dispatch's lock, so that all that are there are seen.
RECORD_MANUAL = f"""
INSERT INTO sheet_to_bigquery_runs
    (id, config_id, config_name, destination, slot, why, created_at, not_before, reads, allow_shrink)
SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {DESTINATION.format(c="c")}, greatest(
           CAST(:now AS timestamptz), {NEWEST_SLOT} + interval '1 microsecond'
       ), 'manual', :now, :now,
       {READS}, :allow_shrink
FROM {{configs}} c WHERE c.id = :config_id
ON CONFLICT DO NOTHING RETURNING id
"""

# Shadow configs that are due: as often as the schedule asks, counted from their newest shadow run, whoever asked for
# that. The due rule knows nothing of them. An unqualified migration_status is the table's column where there is one,
# else the one assumed, by which PostgreSQL knows that there are none.
_SHADOWS_DUE = f"""shadows AS (
    SELECT c.*, CASE
        WHEN c.base IS NULL THEN CAST(:now AS timestamptz)
        ELSE c.base + c.frequency
            * floor(extract(epoch FROM CAST(:now AS timestamptz) - c.base) / extract(epoch FROM c.frequency))
    END AS slot
    FROM (
        SELECT c.*, (
            SELECT r.slot FROM sheet_to_bigquery_runs r
            WHERE r.config_id = c.id AND r.why = 'shadow' ORDER BY r.slot DESC LIMIT 1
        ) AS base, make_interval(hours => CAST(c.hours AS integer)) AS frequency
        FROM (VALUES ('job_ready')) assumed (migration_status)
        CROSS JOIN LATERAL (
            SELECT c.id, c.name, c.google_cloud_project_id, c.bigquery_dataset_id, c.bigquery_table_id,
                   coalesce(c.run_frequency_hours, 24)::numeric AS hours
            FROM {{configs}} c
            WHERE c.is_active AND migration_status = 'shadow' AND NOT {HAS_OPEN_RUN}
              AND (CAST(:names AS text[]) IS NULL OR c.name = ANY(CAST(:names AS text[])))
        ) c
        WHERE CASE WHEN c.hours BETWEEN 1 AND 876000 THEN c.hours = trunc(c.hours) ELSE false END
        OFFSET 0
    ) c
    WHERE c.base IS NULL OR CAST(:now AS timestamptz) >= c.base + c.frequency
)"""
_SHADOW_RUN = """
INSERT INTO sheet_to_bigquery_runs
    (id, config_id, config_name, destination, slot, why, created_at, not_before, batch, batch_cap, reads)
"""

RECORD_SHADOWS = f"""
WITH {_SHADOWS_DUE}
{_SHADOW_RUN}
SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {SHADOW.format(c="c")}, c.slot, 'shadow', :now, :now,
       :batch, :batch_cap, {READS}
FROM shadows c ORDER BY c.slot, c.id LIMIT :most
ON CONFLICT DO NOTHING RETURNING id
"""
COUNT_SHADOWS = f"WITH {_SHADOWS_DUE} SELECT count(*) FROM shadows"

# One shadow run, now, for who handed a message of the config to the older service, or asks. As by hand: no row where
# one waits already.
RECORD_SHADOW = f"""
{_SHADOW_RUN}
SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {SHADOW.format(c="c")}, greatest(
           CAST(:now AS timestamptz), {NEWEST_SLOT} + interval '1 microsecond'
       ), 'shadow', :now, :now, NULL, NULL, {READS}
FROM {{configs}} c WHERE c.id = :config_id AND c.is_active AND {SHADOWED.format(c="c")}
ON CONFLICT DO NOTHING RETURNING id
"""
WAITING_SHADOW = """
SELECT id FROM sheet_to_bigquery_runs
WHERE config_id = :config_id AND why = 'shadow' AND state = 'pending' AND attempt = 0
"""
