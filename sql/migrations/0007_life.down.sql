DROP TABLE sheet_to_bigquery_notices;
UPDATE sheet_to_bigquery_messages SET verdict = 'poison' WHERE verdict IN ('retried', 'dropped');
ALTER TABLE sheet_to_bigquery_messages
    DROP CONSTRAINT sheet_to_bigquery_messages_verdict_check,
    ADD CONSTRAINT sheet_to_bigquery_messages_verdict_check CHECK (verdict IN ('accepted', 'poison'));
DROP INDEX messages_received;
DROP INDEX runs_ended, runs_fared, runs_waiting, runs_waiting_batch, runs_admitted;
CREATE INDEX runs_waiting ON sheet_to_bigquery_runs (slot, id) WHERE state = 'pending' AND batch_cap IS NULL;
CREATE INDEX runs_waiting_batch ON sheet_to_bigquery_runs (batch, slot, id)
    WHERE state = 'pending' AND batch_cap IS NOT NULL;
CREATE INDEX runs_admitted ON sheet_to_bigquery_runs (admitted_at) INCLUDE (reads) WHERE admitted_at IS NOT NULL;
DROP TRIGGER runs_transitions ON sheet_to_bigquery_runs;
DROP FUNCTION sheet_to_bigquery_refuse_transition();
ALTER TABLE sheet_to_bigquery_runs
    DROP CONSTRAINT permanent_failures_are_failures,
    DROP COLUMN turn,
    DROP COLUMN reads_reserved,
    DROP COLUMN sheet_reads,
    DROP COLUMN permanent,
    DROP COLUMN cancel_requested_at;
