"""The SQL by which an attempt is closed and a run ends, with all that has to happen in the same moment.

One statement each, so that a run never ends without `last_run`, the config's pause and the notice that go with it.
`{configs}` is the configs table's quoted name.
"""

from shared.ledger.statements import OWNED
from shared.states import IN_FLIGHT, listed

_IN_FLIGHT = listed(IN_FLIGHT)
_CANCELLED = "'Cancelled'", "'a person cancelled it; nothing was loaded'"

# The runs of a config that tell how it fares: those that loaded, and those that failed for good.
_TELLING = "r.why <> 'shadow' AND r.ended_at IS NOT NULL AND r.state <> 'cancelled'"

# What a failed run (`closed`) brings with it: where it is the last of so many permanent failures in a row since the
# config was last paused, the config is paused; and people are told, once. A message of the portal's whose run is
# cancelled because the config went back to the older service is kept for a person, who can publish it again: nobody
# loaded what it asked for. Its answer: the run's state, and whether the config was paused.
_FAILED = f"""
paused AS (
    UPDATE {{configs}} c SET is_active = false, paused_at = :now, paused_reason = concat(
        CAST(:pause_after AS integer), ' runs in a row failed for good, the last one with ',
        closed.error_class, ': ', left(closed.error, 1000)
    )
    FROM closed
    WHERE c.id = closed.config_id AND c.is_active AND closed.permanent AND closed.why <> 'shadow'
      AND CAST(:pause_after AS integer) > 0
      AND CAST(:pause_after AS integer) - 1 = (
          SELECT count(*) FILTER (WHERE earlier.permanent) FROM (
              SELECT r.permanent FROM sheet_to_bigquery_runs r
              WHERE r.config_id = closed.config_id AND r.id <> closed.id AND {_TELLING}
                AND r.ended_at > coalesce(c.paused_at, '-infinity')
              ORDER BY r.created_at DESC LIMIT greatest(CAST(:pause_after AS integer) - 1, 0)
          ) earlier
      )
      -- Words that come late are of a run that is not the last one any more.
      AND NOT EXISTS (
          SELECT FROM sheet_to_bigquery_runs r
          WHERE r.config_id = closed.config_id AND r.created_at > closed.created_at AND NOT r.permanent AND {_TELLING}
      )
    RETURNING c.id
), noted AS (
    INSERT INTO sheet_to_bigquery_notices (run_id, kind, not_before)
    SELECT closed.id, CASE WHEN EXISTS (SELECT FROM paused) THEN 'paused' ELSE 'failed' END, :now
    FROM closed WHERE closed.state = 'failed' AND closed.why <> 'shadow'
    -- Who heard of the failure, before it turned out to be permanent, hears of the pause.
    ON CONFLICT (run_id) DO UPDATE
    SET kind = 'paused', not_before = excluded.not_before, attempts = 0, heard = '{{}}', closed_at = NULL
    WHERE excluded.kind = 'paused'
), unheard AS (
    UPDATE sheet_to_bigquery_messages m
    SET verdict = 'poison', reason = 'its config went back to the older service, which has not got it: publish it again'
    FROM closed JOIN {{configs}} c ON c.id = closed.config_id
    WHERE m.run_id = closed.id AND closed.state = 'cancelled' AND m.message_id LIKE 'portal/%'
      AND m.verdict = 'accepted' AND NOT {OWNED.format(c="c")}
)
SELECT closed.state, EXISTS (SELECT FROM paused) FROM closed
"""
_CLOSED = "id, config_id, created_at, why, state, permanent, error_class, error"

# What of the quota the attempt holds from its end on: the reads that it told, in the place of those that were reserved.
_SPENT = """reads_reserved = CASE WHEN CAST(:sheet_reads AS integer) IS NULL THEN reads_reserved
            ELSE least(greatest(reads_reserved - reads, 0) + CAST(:sheet_reads AS bigint), 2147483647) END"""

# A closed load is a success, and last_run moves with it. It never moves backwards; a NULL that came after the claim
# is a person's request for another run and stays. A success after a failure is news; any other, where it is wanted.
# ruff: noqa: S608
SUCCEED = f"""
WITH closed AS (
    UPDATE sheet_to_bigquery_runs
    SET state = 'succeeded', ended_at = :now, execution = coalesce(CAST(:execution AS text), execution),
        verdict = :verdict, rows = :rows, bytes = :bytes, requests = :requests, sheet_reads = :sheet_reads,
        content_hash = :content_hash, sheet_modified_at = :sheet_modified_at, {_SPENT},
        columns = CAST(:columns AS jsonb), schema_changes = CAST(:schema_changes AS jsonb),
        warnings = CAST(:warnings AS jsonb), seconds = CAST(:seconds AS jsonb),
        error_class = NULL, error = NULL, remedy = NULL
    WHERE id = :run_id AND attempt = :attempt AND state IN {_IN_FLIGHT}
    RETURNING id, config_id, slot, why, had_last_run
), moved AS (
    UPDATE {{configs}} c
    SET last_run = greatest(c.last_run, closed.slot),
        -- Why it is paused stays, where it was paused while the run was open.
        paused_reason = CASE WHEN c.is_active IS NOT TRUE THEN c.paused_reason END,
        scheduled_run = CASE WHEN closed.why = 'schedule' THEN closed.slot ELSE c.scheduled_run END
    FROM closed
    WHERE c.id = closed.config_id AND closed.why <> 'shadow' AND NOT (closed.had_last_run AND c.last_run IS NULL)
), noted AS (
    INSERT INTO sheet_to_bigquery_notices (run_id, kind, not_before)
    SELECT closed.id, CASE WHEN earlier.state = 'failed' THEN 'recovered' ELSE 'succeeded' END, :now
    FROM closed LEFT JOIN LATERAL (
        SELECT r.state FROM sheet_to_bigquery_runs r
        WHERE r.config_id = closed.config_id AND r.id <> closed.id AND {_TELLING}
        ORDER BY r.created_at DESC LIMIT 1
    ) earlier ON true
    WHERE closed.why <> 'shadow' AND (earlier.state = 'failed' OR CAST(:tell_success AS boolean))
    ON CONFLICT DO NOTHING
)
SELECT 1 FROM closed
"""

# A closed attempt that loaded nothing: tried again from not_before on, or failed for good; cancelled where a person
# wished so meanwhile.
FAIL = f"""
WITH closed AS (
    UPDATE sheet_to_bigquery_runs
    SET state = CASE WHEN cancel_requested_at IS NULL THEN CAST(:state AS text) ELSE 'cancelled' END,
        ended_at = CASE WHEN cancel_requested_at IS NULL AND CAST(:state AS text) = 'pending'
                        THEN NULL ELSE CAST(:now AS timestamptz) END,
        not_before = coalesce(CAST(:not_before AS timestamptz), not_before), failures = failures + 1,
        permanent = cancel_requested_at IS NULL AND CAST(:permanent AS boolean),
        error_class = CASE WHEN cancel_requested_at IS NULL THEN CAST(:error_class AS text) ELSE {_CANCELLED[0]} END,
        error = CASE WHEN cancel_requested_at IS NULL THEN CAST(:error AS text) ELSE {_CANCELLED[1]} END,
        remedy = CASE WHEN cancel_requested_at IS NULL THEN CAST(:remedy AS text) END,
        requests = coalesce(CAST(:requests AS integer), requests),
        sheet_reads = coalesce(CAST(:sheet_reads AS integer), sheet_reads), seconds = CAST(:seconds AS jsonb),
        {_SPENT}
    WHERE id = :run_id AND attempt = :attempt AND state IN {_IN_FLIGHT}
    RETURNING {_CLOSED}
), {_FAILED}
"""

# What an execution says of its failure is better than what Cloud Run shows of it, but can come later: it takes that
# one's place, and where trying again cannot help, the retry that waits already.
CORRECT_FAILURE = f"""
WITH closed AS (
    UPDATE sheet_to_bigquery_runs
    SET error_class = :error_class, error = :error, remedy = :remedy, requests = :requests, sheet_reads = :sheet_reads,
        {_SPENT}, seconds = CAST(:seconds AS jsonb), permanent = NOT CAST(:retryable AS boolean),
        state = CASE WHEN CAST(:retryable AS boolean) THEN state ELSE 'failed' END,
        ended_at = CASE WHEN CAST(:retryable AS boolean) THEN ended_at ELSE coalesce(ended_at, :now) END
    WHERE id = :run_id AND attempt = :attempt AND execution = :execution
      AND state IN ('pending', 'failed') AND error_class = 'ExecutionFailed'
    RETURNING {_CLOSED}
), {_FAILED}
"""

# Ends a run that has no attempt in flight: its config cannot be run. It will read nothing.
END_UNCLAIMED = f"""
WITH closed AS (
    UPDATE sheet_to_bigquery_runs
    SET state = :state, ended_at = :now, reads_reserved = greatest(reads_reserved - reads, 0),
        permanent = CAST(:permanent AS boolean), error_class = :error_class, error = :error,
        remedy = :remedy
    WHERE id = :run_id AND state = 'queued'
    RETURNING {_CLOSED}
), {_FAILED}
"""

# Adds what the execution's message tells to a run that was settled before the message came.
ADD_DETAILS = f"""
UPDATE sheet_to_bigquery_runs
SET requests = :requests, sheet_reads = :sheet_reads, {_SPENT},
    bytes = :bytes, rows = coalesce(rows, CAST(:rows AS bigint)), sheet_modified_at = :sheet_modified_at,
    columns = CASE WHEN columns IS NULL OR columns = '[]' THEN CAST(:columns AS jsonb) ELSE columns END,
    schema_changes = CAST(:schema_changes AS jsonb),
    warnings = CAST(:warnings AS jsonb), seconds = CAST(:seconds AS jsonb)
WHERE id = :run_id AND attempt = :attempt AND state = 'succeeded' AND execution = :execution AND requests IS NULL
"""

# Cloud Run started nothing: the run waits and tries again, or ends where a person wished so; it read nothing.
GIVE_BACK = f"""
UPDATE sheet_to_bigquery_runs
SET state = CASE WHEN cancel_requested_at IS NULL THEN 'pending' ELSE 'cancelled' END,
    ended_at = CASE WHEN cancel_requested_at IS NOT NULL THEN CAST(:now AS timestamptz) END,
    not_before = :not_before, reads_reserved = greatest(reads_reserved - reads, 0),
    error_class = CASE WHEN cancel_requested_at IS NULL THEN CAST(:error_class AS text) ELSE {_CANCELLED[0]} END,
    error = CASE WHEN cancel_requested_at IS NULL THEN CAST(:error AS text) ELSE {_CANCELLED[1]} END,
    remedy = CASE WHEN cancel_requested_at IS NULL THEN CAST(:remedy AS text) END
WHERE id = :run_id AND attempt = :attempt AND state = 'launching'
RETURNING state
"""

# A person's wish: what waits ends at once; an attempt in flight is for settling to close, which looks now.
CANCEL = f"""
UPDATE sheet_to_bigquery_runs
SET cancel_requested_at = coalesce(cancel_requested_at, :now),
    state = CASE WHEN state IN {_IN_FLIGHT} THEN state ELSE 'cancelled' END,
    ended_at = CASE WHEN state IN {_IN_FLIGHT} THEN NULL ELSE CAST(:now AS timestamptz) END,
    lease_until = CASE WHEN state IN {_IN_FLIGHT} THEN CAST(:now AS timestamptz) ELSE lease_until END,
    reads_reserved = CASE WHEN state = 'queued' THEN greatest(reads_reserved - reads, 0) ELSE reads_reserved END,
    error_class = CASE WHEN state IN {_IN_FLIGHT} THEN error_class ELSE {_CANCELLED[0]} END,
    error = CASE WHEN state IN {_IN_FLIGHT} THEN error ELSE {_CANCELLED[1]} END,
    remedy = CASE WHEN state IN {_IN_FLIGHT} THEN remedy END
WHERE id = :run_id AND ended_at IS NULL
RETURNING state
"""

# Who looks does so again after a lease; not where a person wished for the run's end since the run was read.
EXTEND_LEASE = f"""
UPDATE sheet_to_bigquery_runs SET lease_until = :lease_until
WHERE id = :run_id AND attempt = :attempt AND state IN {_IN_FLIGHT}
  AND (cancel_requested_at IS NULL OR CAST(:wish_known AS boolean))
"""

# Runs that ended long ago go, with what was noted of them; those stay that the due rule, an unchanged sheet's check
# or a person may ask for: of each config that is there, the newest run, the newest scheduled one, and the newest load
# of its table, and of its shadow, which is compared with what the older service loads.
CLEAN = """
WITH old AS (
    SELECT r.id FROM sheet_to_bigquery_runs r
    WHERE r.ended_at < :before AND (
        NOT EXISTS (SELECT FROM {configs} c WHERE c.id = r.config_id)
        OR r.id NOT IN (
            (SELECT n.id FROM sheet_to_bigquery_runs n
             WHERE n.config_id = r.config_id AND n.why <> 'shadow' AND n.ended_at IS NOT NULL
             ORDER BY n.created_at DESC LIMIT 1)
            UNION ALL
            (SELECT n.id FROM sheet_to_bigquery_runs n
             WHERE n.config_id = r.config_id AND n.why = 'schedule' ORDER BY n.slot DESC LIMIT 1)
            UNION ALL
            (SELECT n.id FROM sheet_to_bigquery_runs n
             WHERE n.config_id = r.config_id AND (n.why = 'shadow') = (r.why = 'shadow')
               AND n.verdict = 'loaded' ORDER BY n.ended_at DESC LIMIT 1)
        )
    )
    ORDER BY r.ended_at LIMIT :most
), gone AS (
    DELETE FROM sheet_to_bigquery_runs r USING old WHERE r.id = old.id RETURNING r.id
), unsaid AS (
    DELETE FROM sheet_to_bigquery_notices n USING gone WHERE n.run_id = gone.id
)
SELECT count(*) FROM gone
"""
