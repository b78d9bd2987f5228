"""The SQL of the due rule: which configs are due, and what is told of all of them.

`{configs}` is the configs table's quoted name.
"""

from typing import get_args

from shared.ledger.statements import ACTIVE_STATES, DESTINATION, OWN_REASONS, RIVAL, RIVALS, each_of
from shared.run import Why
from shared.states import listed

# Portals write `infinity` or the year 9999 for "never".
_POSSIBLE = """(
    c.last_run IS NULL OR isfinite(c.last_run) AND c.last_run < CAST(:now AS timestamptz) + interval '100 years'
)"""

# Whether a config has a run that waits or is active: two indexes know. For many configs PostgreSQL reads them once;
# `HAS_OPEN_RUN` looks into them for each, which is what a few among many open runs ask for.
_OPEN, HAS_OPEN_RUN = (
    f"""(
    EXISTS (SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state = 'pending' {each})
    OR EXISTS (SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND r.state IN {ACTIVE_STATES} {each})
)"""
    for each in ("", "OFFSET 0")
)

# The instant, in seconds since 1970, before which a config is not due, such that an index finds those that may be
# among a million (idx_configs_due, the same expression). Where last_run is the slot of the last scheduled run that
# succeeded, the newest scheduled run cannot be older, and no other is due before a period has passed since then. Where
# it is not (it never ran, a person asks for a run, somebody else moved last_run), it is 0: the ledger has to be asked.
DUE_FROM = """(
    CASE WHEN c.last_run = c.scheduled_run
        THEN date_part('epoch', c.last_run AT TIME ZONE 'UTC') + 3600::float8 * coalesce(c.run_frequency_hours, 24)
        ELSE 0 END
)"""
# The second more is for the rounding of the sum.
MAY_BE_DUE = f"(c.is_active AND {DUE_FROM} <= date_part('epoch', CAST(:now AS timestamptz)) + 1)"

_HASH = f"hashtextextended({DESTINATION}, 0)"
# Tables that several active configs may replace, where all configs are looked at: one pass over them, in place of a
# look into an index for each, on pages far apart. Who replaces one of them is looked up: hashes may be equal by
# chance, and a config that is not the job's is no rival.
_SUSPECTS = f"""suspects AS MATERIALIZED (
    SELECT {_HASH.format(c="c")} AS hash FROM {{configs}} c
    WHERE c.is_active AND CAST(:names AS text[]) IS NULL GROUP BY 1 HAVING count(*) > 1
)"""


# ruff: noqa: S608
# The newest slot of config `c`: a look into an index (runs_of_a_slot) for each reason. Asked of all reasons at once,
# PostgreSQL goes through all runs of the config.
NEWEST_SLOT = f"""(
    SELECT max(newest.slot) FROM {each_of(get_args(Why))}
    CROSS JOIN LATERAL (
        SELECT r.slot FROM sheet_to_bigquery_runs r
        WHERE r.config_id = c.id AND r.why = reason.why ORDER BY r.slot DESC LIMIT 1
    ) newest
)"""
# Whether the table of `c` is of the candidate's time or newer, as the ledger knows: of the runs since then alone.
_LOADED_SINCE = f"""EXISTS (
    SELECT FROM sheet_to_bigquery_runs r
    WHERE r.config_id = c.id AND r.why IN {listed(OWN_REASONS)} AND r.slot >= c.candidate
      AND r.state = 'succeeded'
)"""


def due_rule(chosen: str, checked: str, *, open_run: str = "false", joined: str = "", asked: str = "true") -> str:
    """The due rule's steps, up to `judged`: one row a config, with its verdict, slot, why, and `until`, the instant
    before which it is not due.

    It looks at the configs `c` that the condition `chosen` chooses, tells those where `open_run` holds as having an
    open run, asks for the newest scheduled run where `asked` (no other can be due), and for configs that replace the
    same table where `checked`, which may name what `joined` joins.

    Intervals are multiples of UTC hours, so daylight saving does not move a slot. 876,000 hours are a century: what
    is longer would only overflow timestamps; so would a last_run that is infinite. It may look at a million configs,
    so it asks little of each: an unqualified migration_status is the table's column where there is one, else the one
    assumed (to_jsonb would build the row), and what the newest run came to is asked only where last_run is NULL.
    OFFSET 0 keeps PostgreSQL from working a step out again for each mention of it, without a copy as MATERIALIZED
    would make.
    """
    return f"""facts AS (
    SELECT c.*,
           CASE WHEN c.asked THEN (
               SELECT r.slot FROM sheet_to_bigquery_runs r
               WHERE r.config_id = c.id AND r.why = 'schedule' ORDER BY r.slot DESC LIMIT 1
           ) END AS scheduled_slot,
           -- Of those that ended: where one is open, nothing else counts.
           CASE WHEN c.last_run IS NULL AND c.owned THEN (
               SELECT r.state FROM sheet_to_bigquery_runs r
               WHERE r.config_id = c.id AND r.why <> 'shadow' AND r.ended_at IS NOT NULL
               ORDER BY r.created_at DESC LIMIT 1
           ) END AS newest_state,
           CASE WHEN {_POSSIBLE} THEN c.last_run END AS past_run, NOT {_POSSIBLE} AS impossible, {open_run} AS open
    FROM (VALUES ('job_ready')) assumed (migration_status)
    CROSS JOIN LATERAL (
        SELECT c.id, c.last_run, c.scheduled_run, coalesce(c.is_active, false) AS active,
               migration_status IS NOT DISTINCT FROM 'job_ready' AS owned,
               coalesce(c.run_frequency_hours, 24)::numeric AS hours, {DUE_FROM} AS due_from, {asked} AS asked,
               c.name, c.google_cloud_project_id, c.bigquery_dataset_id, c.bigquery_table_id
        FROM {{configs}} c
        WHERE (CAST(:names AS text[]) IS NULL OR c.name = ANY(CAST(:names AS text[]))) AND {chosen}
    ) c
    OFFSET 0
), blocked AS (
    SELECT *,
           CASE
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
               -- The time may have been taken before another run went: no table goes back to an older slot.
               WHEN reset THEN greatest(CAST(:now AS timestamptz), {NEWEST_SLOT} + interval '1 microsecond')
               WHEN base IS NULL THEN CAST(:now AS timestamptz)
               WHEN CAST(:now AS timestamptz) < base + frequency THEN NULL
               ELSE base + frequency
                   * floor(extract(epoch FROM CAST(:now AS timestamptz) - base) / extract(epoch FROM frequency))
           END AS candidate
    FROM based c OFFSET 0
), timed AS (
    SELECT *,
           CASE
               WHEN blocked_by IS NOT NULL THEN blocked_by
               WHEN reset THEN 'due'
               WHEN frequency IS NULL THEN 'manual_only'
               -- Where a person moved last_run, the ledger knows what was loaded: no table goes back to an older slot.
               WHEN candidate IS NULL OR candidate <= past_run
                   OR (asked AND last_run IS DISTINCT FROM scheduled_run AND {_LOADED_SINCE}) THEN 'not_due'
               ELSE 'due'
           END AS told
    FROM slotted c OFFSET 0
), judged AS (
    SELECT c.id, c.name, c.google_cloud_project_id, c.bigquery_dataset_id, c.bigquery_table_id, c.due_from,
           c.candidate AS slot, c.frequency, coalesce(c.candidate, c.base) + c.frequency AS until,
           CASE WHEN c.reset THEN 'reset' ELSE 'schedule' END AS why,
           CASE WHEN {checked} AND EXISTS (SELECT {RIVALS}) THEN 'table_conflict' ELSE c.told END AS verdict
    FROM timed c {joined} OFFSET 0
)"""


# Configs that may be due and have no open run.
_MAYBE = due_rule(f"{MAY_BE_DUE} AND NOT {_OPEN}", "c.told = 'due'")
_NO_OTHERS = (
    "c.told NOT IN ('paused', 'not_ours') AND (CAST(:names AS text[]) IS NOT NULL OR suspects.hash IS NOT NULL)"
)
_BY_HASH = f"LEFT JOIN suspects ON suspects.hash = {_HASH.format(c='c')}"
# All configs, but those that the batch `recorded_by` recorded a run for: they were due. `until` is exact where the
# ledger was asked; elsewhere a scheduled run that failed can have moved it on.
_ALL = due_rule(
    """NOT (CAST(:recorded_by AS uuid) IS NOT NULL AND c.id IN (
            SELECT r.config_id FROM sheet_to_bigquery_runs r
            WHERE r.batch = CAST(:recorded_by AS uuid) AND r.why <> 'shadow'
        ))""",
    _NO_OTHERS,
    open_run=_OPEN,
    joined=_BY_HASH,
    asked=MAY_BE_DUE,
)
# The due rule's steps for all configs, up to `judged`.
JUDGED = f"{_SUSPECTS}, {_ALL}"

_TOLD = f"""
    c.id, coalesce(c.name, '') AS name, {DESTINATION.format(c="c")} AS destination, j.verdict, j.why, j.slot,
    greatest(j.until, CASE WHEN j.verdict = 'not_due' THEN (
        SELECT r.slot FROM sheet_to_bigquery_runs r
        WHERE r.config_id = c.id AND r.why = 'schedule' ORDER BY r.slot DESC LIMIT 1
    ) + j.frequency END) AS until,
    CASE WHEN j.verdict = 'table_conflict' THEN {RIVAL} END AS rival,
    CASE WHEN j.verdict = 'paused' THEN c.paused_reason END AS paused_reason
"""
# First what a person has to mend, then the most overdue.
_BY_URGENCY = "j.verdict IN ('bad_frequency', 'bad_last_run', 'table_conflict') DESC, j.slot NULLS LAST, j.id"

# What the due rule says of each config that is due, and of each that is not.
_JUDGE = f"""first AS (
    SELECT * FROM judged j WHERE (j.verdict = 'due') = CAST(:due AS boolean) ORDER BY {_BY_URGENCY} LIMIT :most
)
SELECT {_TOLD} FROM first j JOIN {{configs}} c ON c.id = j.id ORDER BY {_BY_URGENCY}
"""
JUDGE_DUE = f"WITH {_MAYBE}, {_JUDGE}"
JUDGE_ALL = f"WITH {JUDGED}, {_JUDGE}"

# How many configs have which verdict.
COUNT_VERDICTS = f"WITH {JUDGED} SELECT verdict, count(*) FROM judged GROUP BY verdict"

# When the next config comes due that is not due now.
NEXT_DUE = f"""
WITH {_SUSPECTS}, {due_rule("true", _NO_OTHERS, open_run=_OPEN, joined=_BY_HASH)}
SELECT min(until) FROM judged WHERE verdict = 'not_due'
"""

# What dispatch tells after it recorded: how many configs have which verdict (a JSON object, in every row), and the
# first of those that are not due.
TELL = f"""
WITH {JUDGED}, all_judged AS MATERIALIZED (
    SELECT id, verdict, why, slot, until, frequency FROM judged
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
