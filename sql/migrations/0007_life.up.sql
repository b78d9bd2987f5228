-- What a run's life needs: its turn, reads that stay counted, a wish to cancel, whether a failure is for good; the transitions
-- between its states; people's decisions on messages; and what people are told.
ALTER TABLE sheet_to_bigquery_runs
    -- Of the attempts that were admitted within the quota's window, this one's included.
    ADD COLUMN reads_reserved integer NOT NULL DEFAULT 0 CHECK (reads_reserved >= 0),
    -- Its place among those that wait: one that failed comes behind all that were due before its next attempt.
    ADD COLUMN turn timestamptz NOT NULL GENERATED ALWAYS AS (
        CASE WHEN failures > 0 THEN greatest(slot, not_before) ELSE slot END
    ) STORED,
    ADD COLUMN sheet_reads integer, -- of the requests, those that the Sheets quota counts
    ADD COLUMN permanent boolean NOT NULL DEFAULT false, -- of a run that failed: trying again cannot help
    ADD COLUMN cancel_requested_at timestamptz, -- a person's wish, which settling carries out
    ADD CONSTRAINT permanent_failures_are_failures CHECK (NOT permanent OR state = 'failed');
UPDATE sheet_to_bigquery_runs SET reads_reserved = reads WHERE admitted_at > now() - interval '60 seconds';

-- What may follow what (shared/states.py; a test compares). A condition, not a lookup: what is allowed costs nothing.
CREATE FUNCTION sheet_to_bigquery_refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $do$
BEGIN
    RAISE EXCEPTION 'a run cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
END
$do$;
CREATE TRIGGER runs_transitions BEFORE UPDATE OF state ON sheet_to_bigquery_runs FOR EACH ROW
WHEN (
    OLD.state <> NEW.state
    AND NOT (OLD.state = 'pending' AND NEW.state IN ('queued', 'failed', 'cancelled'))
    AND NOT (OLD.state = 'queued' AND NEW.state IN ('pending', 'launching', 'failed', 'cancelled'))
    AND NOT (OLD.state = 'launching' AND NEW.state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled'))
    AND NOT (OLD.state = 'running' AND NEW.state IN ('pending', 'succeeded', 'failed', 'cancelled'))
)
EXECUTE FUNCTION sheet_to_bigquery_refuse_transition();

-- Admission takes runs by their turns, and counts what is reserved.
DROP INDEX runs_waiting, runs_waiting_batch, runs_admitted;
CREATE INDEX runs_waiting ON sheet_to_bigquery_runs (turn, id) WHERE state = 'pending' AND batch_cap IS NULL;
CREATE INDEX runs_waiting_batch ON sheet_to_bigquery_runs (batch, turn, id)
    WHERE state = 'pending' AND batch_cap IS NOT NULL;
CREATE INDEX runs_admitted ON sheet_to_bigquery_runs (admitted_at) INCLUDE (reads_reserved)
    WHERE admitted_at IS NOT NULL;
-- How a config fared of late.
CREATE INDEX runs_fared ON sheet_to_bigquery_runs (config_id, created_at DESC) WHERE ended_at IS NOT NULL;
-- What is cleaned away by age.
CREATE INDEX runs_ended ON sheet_to_bigquery_runs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX messages_received ON sheet_to_bigquery_messages (received_at);

-- Poison that a person published again, or dropped.
ALTER TABLE sheet_to_bigquery_messages
    DROP CONSTRAINT sheet_to_bigquery_messages_verdict_check,
    ADD CONSTRAINT sheet_to_bigquery_messages_verdict_check
        CHECK (verdict IN ('accepted', 'poison', 'retried', 'dropped'));

-- What people are to be told of a run's end, once: noted with the end itself, sent later.
CREATE TABLE sheet_to_bigquery_notices (
    run_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('failed', 'paused', 'recovered', 'succeeded')),
    not_before timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    heard text[] NOT NULL DEFAULT '{}', -- the channels that took it
    closed_at timestamptz -- every channel took it, or it was given up
);
CREATE INDEX notices_open ON sheet_to_bigquery_notices (not_before) WHERE closed_at IS NULL;
