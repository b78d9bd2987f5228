"""The SQL of how configs stand, of all or of one, as the console shows it.

`{configs}` is the configs table's quoted name. The statement of all goes through all configs, since it filters, sorts
and counts by what they are at this moment; of the runs it reads by index those that are open, the newest end of each
config, and what ended within the strip's day.
"""

from typing import Literal, get_args

from shared.ledger.due_statements import JUDGED
from shared.ledger.statements import ACTIVE_STATES, DESTINATION, RIVAL
from shared.states import IN_FLIGHT, listed

# What a config is at this moment, in one word; first what asks for a person, then what goes on.
#     blocked    it cannot come due as it stands: its frequency, its last_run, or another config that has its table
#     quota      its run waits for the Sheets quota's next minute alone
#     waiting    its run waits for a place, for a retry's time, or to be launched
#     unchanged  its newest run succeeded and had nothing to load
#     shadow     the older service's, loaded beside; `service`: the older service's alone
ConfigState = Literal[
    "failed", "blocked", "running", "quota", "waiting", "due", "succeeded", "unchanged", "shadow", "never_ran",
    "paused", "service",
]  # fmt: skip
CONFIG_STATES: tuple[ConfigState, ...] = get_args(ConfigState)

# dispatch is called every five minutes unless deployed otherwise, and a run takes some: within that, nothing is late.
_GRACE = "interval '15 minutes'"
_NOW = "CAST(:now AS timestamptz)"
# What portals write for "never" is no instant to reckon with, and none that Python has.
_LAST_RUN = f"""CASE WHEN c.last_run > '1900-01-01' AND c.last_run < {_NOW} + interval '100 years'
    THEN c.last_run END"""
_IN_FLIGHT = listed(IN_FLIGHT)

# Where admission has room, runs whose time has come wait for the quota once the reads before them use it up, in the
# order of admission. (Those of one call's cap are counted in, too: that they wait longer is no mistake.)
# ruff: noqa: S608
_OPEN_RUNS = f"""active AS MATERIALIZED (
    SELECT r.config_id, r.id, r.state, r.why, r.created_at, r.claimed_at, r.not_before, r.failures
    FROM sheet_to_bigquery_runs r WHERE r.state IN {ACTIVE_STATES}
), waiting AS MATERIALIZED (
    SELECT r.config_id, r.id, r.state, r.why, r.created_at, r.claimed_at, r.not_before, r.failures, r.turn, r.reads,
           r.not_before <= {_NOW} AND NOT EXISTS (SELECT FROM active a WHERE a.config_id = r.config_id) AS ready
    FROM sheet_to_bigquery_runs r WHERE r.state = 'pending'
), quota AS (
    SELECT coalesce(sum(reads_reserved), 0) AS reads FROM sheet_to_bigquery_runs
    WHERE admitted_at > {_NOW} - interval '60 seconds'
), for_quota AS (
    SELECT ranked.id FROM (
        SELECT id, row_number() OVER in_turn AS position, sum(reads) OVER in_turn AS reads
        FROM waiting WHERE ready WINDOW in_turn AS (ORDER BY turn, id)
    ) ranked, quota
    WHERE ranked.position <= CAST(:cap AS bigint) - (SELECT count(*) FROM active)
      AND ranked.reads + quota.reads > CAST(:reads_per_minute AS bigint)
      AND (ranked.position > 1 OR quota.reads > 0)
), open_runs AS MATERIALIZED (
    SELECT DISTINCT ON (o.config_id) o.*, o.id IN (SELECT id FROM for_quota) AS for_quota
    FROM (
        SELECT config_id, id, state, why, created_at, claimed_at, not_before, failures FROM active
        UNION ALL
        SELECT config_id, id, state, why, created_at, claimed_at, not_before, failures FROM waiting
    ) o
    ORDER BY o.config_id, o.state = 'pending', o.created_at
)"""

# One row a config. A cancelled run says nothing of the table, so it is none of those that ended. Where the newest one
# told no rows (it failed), the table has those of its newest load. An unqualified migration_status is the table's
# column where there is one, else the one assumed (as in the due rule). `ruled` is a step of its own: beside what the
# due rule is thought to cost, PostgreSQL takes one way to join for as good as another, and looked for each config's
# open run among all.
_STATED = f"""ruled AS MATERIALIZED (
    SELECT id, name, google_cloud_project_id, bigquery_dataset_id, bigquery_table_id, verdict, why, slot, until
    FROM judged
), known AS (
    SELECT j.id, coalesce(j.name, '') AS name, j.verdict, j.why, j.slot, j.until, c.mark, c.last_run, c.paused_reason,
           CASE WHEN j.verdict <> 'bad_frequency' AND c.hours BETWEEN 0 AND 876000 THEN c.hours::integer END AS hours,
           o.id AS open_id, o.state AS open_state, o.for_quota, o.created_at AS open_at,
           o.claimed_at AS open_claimed_at, o.not_before AS open_not_before, o.failures AS open_failures,
           e.id AS ended_id, e.state AS ended_state, e.verdict AS ended_verdict, e.slot AS ended_slot,
           e.why AS ended_why, e.ended_at, e.seconds, e.error_class, coalesce(e.warnings, 0) AS warnings,
           coalesce(e.rows, CASE WHEN e.id IS NOT NULL THEN (
               SELECT r.rows FROM sheet_to_bigquery_runs r
               WHERE r.config_id = j.id AND r.verdict = 'loaded' ORDER BY r.ended_at DESC LIMIT 1
           ) END) AS rows
    FROM (VALUES ('job_ready')) assumed (migration_status)
    CROSS JOIN ruled j
    CROSS JOIN LATERAL (
        SELECT migration_status AS mark, c.paused_reason, coalesce(c.run_frequency_hours, 24)::numeric AS hours,
               {_LAST_RUN} AS last_run
        FROM {{configs}} c WHERE c.id = j.id
    ) c
    LEFT JOIN open_runs o ON o.config_id = j.id
    LEFT JOIN LATERAL (
        SELECT r.id, r.state, r.verdict, r.slot, r.why, r.ended_at, r.rows, r.error_class,
               date_part('epoch', r.ended_at - r.claimed_at) AS seconds,
               CASE WHEN jsonb_typeof(r.warnings) = 'array' THEN jsonb_array_length(r.warnings) ELSE 0 END AS warnings
        FROM sheet_to_bigquery_runs r
        WHERE r.config_id = j.id AND r.ended_at IS NOT NULL AND r.state <> 'cancelled'
        ORDER BY r.created_at DESC LIMIT 1
    ) e ON true
    WHERE CAST(:search AS text) IS NULL
       OR position(lower(CAST(:search AS text)) IN lower(concat_ws(' ', j.name, {DESTINATION.format(c="j")}))) > 0
       OR j.id::text = CAST(:search AS text)
    OFFSET 0
), stated AS MATERIALIZED (
    SELECT k.*,
           CASE
               WHEN open_state IN {_IN_FLIGHT} THEN 'running'
               WHEN for_quota THEN 'quota'
               WHEN open_state IS NOT NULL THEN 'waiting'
               WHEN mark IS NULL OR mark NOT IN ('job_ready', 'shadow') THEN 'service'
               WHEN verdict = 'paused' THEN 'paused'
               WHEN mark = 'shadow' THEN 'shadow'
               WHEN verdict IN ('bad_frequency', 'bad_last_run', 'table_conflict') THEN 'blocked'
               WHEN verdict = 'due' THEN 'due'
               WHEN ended_state = 'failed' THEN 'failed'
               WHEN ended_state IS NULL THEN 'never_ran'
               WHEN ended_verdict IN ('unchanged', 'kept') THEN 'unchanged'
               ELSE 'succeeded'
           END AS state,
           CASE verdict
               WHEN 'due' THEN slot
               -- Where the frequency was raised since a scheduled run failed, that run's slot counts.
               WHEN 'not_due' THEN greatest(
                   until, CASE WHEN ended_why = 'schedule' THEN ended_slot + make_interval(hours => hours) END
               )
               WHEN 'open_run' THEN (
                   SELECT r.slot FROM sheet_to_bigquery_runs r
                   WHERE r.config_id = k.id AND r.why = 'schedule' ORDER BY r.slot DESC LIMIT 1
               ) + make_interval(hours => nullif(hours, 0))
           END AS next_at,
           -- Of whom the job serves by the clock: since when its table is older than it is to be.
           CASE WHEN verdict NOT IN ('paused', 'not_ours') AND hours > 0
                THEN coalesce(last_run, CASE WHEN ended_state = 'succeeded' THEN ended_slot END)
                    + make_interval(hours => hours) END AS stale_at
    FROM known k OFFSET 0
)"""

# What the rows can be sorted by; of equals, and of those that have no such thing, the smaller id comes first.
Sort = Literal["state", "name", "freshness", "last", "next", "rows", "seconds", "warnings"]
_ORDERS: dict[Sort, str] = {
    "state": f"array_position(ARRAY[{', '.join(repr(state) for state in CONFIG_STATES)}]::text[], state)",
    "name": "lower(name)",
    # The latest first.
    "freshness": "stale_at",
    "last": "ended_at",
    "next": "next_at",
    "rows": "rows",
    "seconds": "seconds",
    "warnings": "warnings",
}

# What is told of a config `p` among those stated, whose row is `c`: of all of them, it would take a tenth of the time.
_STANDING_OF_P = f"""to_jsonb(p) || jsonb_build_object(
    'destination', {DESTINATION.format(c="c")},
    'late_seconds', CASE WHEN p.stale_at + {_GRACE} < {_NOW} THEN extract(epoch FROM {_NOW} - p.stale_at)::float8 END,
    'rival', CASE WHEN p.verdict = 'table_conflict' THEN {RIVAL} END
)"""

# A page of the configs, each as JSON, how many there are of each state (of those that the search finds), and how many
# the state's filter leaves. One row at least, with no config where the page has none.
_OVERVIEW = f"""
WITH {JUDGED}, {_OPEN_RUNS}, {_STATED}, page AS (
    SELECT row_number() OVER () AS place, sorted.* FROM (
        SELECT * FROM stated WHERE CAST(:state AS text) IS NULL OR state = CAST(:state AS text)
        ORDER BY {{order}} NULLS LAST, id LIMIT :most OFFSET :skipped
    ) sorted
), counted AS (
    SELECT coalesce(jsonb_object_agg(state, configs), '{{}}') AS counts
    FROM (SELECT state, count(*) AS configs FROM stated GROUP BY state) by_state
)
SELECT counted.counts, {_STANDING_OF_P}
FROM counted LEFT JOIN page p ON true LEFT JOIN {{configs}} c ON c.id = p.id ORDER BY p.place
"""
OVERVIEW = {
    (sort, descending): _OVERVIEW.replace("{order}", f"{order} DESC" if descending else order)
    for sort, order in _ORDERS.items()
    for descending in (False, True)
}

# One config. Its name, an index finds it by, keeps the due rule from going through all.
STANDING = f"""
WITH {JUDGED}, {_OPEN_RUNS}, {_STATED}
SELECT {_STANDING_OF_P} FROM stated p JOIN {{configs}} c ON c.id = p.id WHERE p.id = CAST(:id AS bigint)
"""

_OUTCOME = "CASE WHEN r.verdict IN ('unchanged', 'kept') THEN 'unchanged' ELSE r.state END AS outcome"

# The newest runs that ended of each of some configs, newest first.
RECENT_RUNS = f"""
SELECT wanted.id, jsonb_build_object(
    'id', r.id, 'outcome', r.outcome, 'rows', r.rows, 'ended_at', r.ended_at, 'seconds', r.seconds
)
FROM unnest(CAST(:ids AS bigint[])) wanted (id)
CROSS JOIN LATERAL (
    SELECT r.id, r.rows, r.ended_at, extract(epoch FROM r.ended_at - r.claimed_at)::float8 AS seconds, {_OUTCOME}
    FROM sheet_to_bigquery_runs r WHERE r.config_id = wanted.id AND r.ended_at IS NOT NULL
    ORDER BY r.created_at DESC LIMIT :most
) r
"""

# How many runs ended how in each quarter of an hour from then on. There may be a quarter of a million: each quarter is
# a piece of an index, which knows what is asked, and nothing is reckoned or sorted for each run.
ENDED_BY_QUARTER = f"""
SELECT quarter.begun, ended.outcome, ended.runs
FROM generate_series(CAST(:since AS timestamptz), CAST(:now AS timestamptz), interval '15 minutes') quarter (begun)
CROSS JOIN LATERAL (
    SELECT {_OUTCOME}, count(*) AS runs FROM sheet_to_bigquery_runs r
    WHERE r.ended_at >= quarter.begun AND r.ended_at < quarter.begun + interval '15 minutes' GROUP BY 1
) ended
ORDER BY 1, 2
"""
