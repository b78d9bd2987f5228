ALTER TABLE sheet_to_bigquery_runs ALTER COLUMN state SET STATISTICS -1;
DROP INDEX runs_admitted;
CREATE INDEX runs_admitted ON sheet_to_bigquery_runs (admitted_at);
DROP INDEX runs_read;
CREATE INDEX runs_newest ON sheet_to_bigquery_runs (config_id, created_at DESC);
CREATE INDEX runs_scheduled ON sheet_to_bigquery_runs (config_id, slot DESC) WHERE why = 'schedule';
ALTER TABLE sheet_to_bigquery_runs
    ADD CONSTRAINT sheet_to_bigquery_runs_config_id_slot_why_key UNIQUE (config_id, slot, why),
    DROP CONSTRAINT runs_of_a_slot;
CREATE INDEX runs_open ON sheet_to_bigquery_runs (config_id, slot)
    WHERE state IN ('pending', 'queued', 'launching', 'running');
DROP INDEX runs_waiting_config;
DROP INDEX runs_active_batch;
DROP INDEX runs_waiting_batch;
DROP INDEX runs_waiting;
