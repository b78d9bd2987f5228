"""The SQL that records runs: for what is due, and by hand. `{configs}` is the configs table's quoted name."""

from shared.ledger.due_statements import RULE
from shared.ledger.statements import DESTINATION

# How many Sheets reads to reserve for a run of config `c`: as many as its newest run that told them took (an older
# job tells all its requests); 4 is what a small tab takes.
READS = """greatest(coalesce((
    SELECT coalesce(r.sheet_reads, r.requests) FROM sheet_to_bigquery_runs r
    WHERE r.config_id = c.id AND r.requests IS NOT NULL ORDER BY r.created_at DESC LIMIT 1
), 4), 1)"""

# ruff: noqa: S608
# Records one run for each due config, most overdue first, so many at most that the statement ends within its time.
# Tells how many (in every row), and the first `named` of them.
RECORD_DUE = f"""{RULE}, first AS (
    SELECT * FROM judged WHERE verdict = 'due' ORDER BY slot, id LIMIT :most
), recorded AS (
    INSERT INTO sheet_to_bigquery_runs
        (id, config_id, config_name, destination, slot, why, created_at, not_before, batch, batch_cap, reads)
    SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {DESTINATION.format(c="c")}, c.slot, c.why, :now, :now,
           :batch, :batch_cap, {READS}
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
SELECT gen_random_uuid(), c.id, coalesce(c.name, ''), {DESTINATION.format(c="c")}, :now, 'manual', :now, :now,
       {READS}, :allow_shrink
FROM {{configs}} c WHERE c.id = :config_id
ON CONFLICT DO NOTHING RETURNING id
"""
