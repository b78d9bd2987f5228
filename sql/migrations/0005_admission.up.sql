-- What makes dispatch fast with many runs at once: admission finds the next runs in their order, and every row has
-- fewer indexes to be entered in.
CREATE INDEX runs_waiting ON sheet_to_bigquery_runs (slot, id) WHERE state = 'pending' AND batch_cap IS NULL;
CREATE INDEX runs_waiting_batch ON sheet_to_bigquery_runs (batch, slot, id)
    WHERE state = 'pending' AND batch_cap IS NOT NULL;
CREATE INDEX runs_active_batch ON sheet_to_bigquery_runs (batch)
    WHERE state IN ('queued', 'launching', 'running') AND batch_cap IS NOT NULL;
CREATE INDEX runs_waiting_config ON sheet_to_bigquery_runs (config_id) WHERE state = 'pending';
-- Active runs have indexes of their own.
DROP INDEX runs_open;
-- One index finds the newest scheduled run and keeps a slot from being recorded twice.
ALTER TABLE sheet_to_bigquery_runs
    ADD CONSTRAINT runs_of_a_slot UNIQUE (config_id, why, slot),
    DROP CONSTRAINT sheet_to_bigquery_runs_config_id_slot_why_key;
DROP INDEX runs_scheduled;
-- How many reads the newest run took that told it: of ended runs alone.
DROP INDEX runs_newest;
CREATE INDEX runs_read ON sheet_to_bigquery_runs (config_id, created_at DESC) WHERE requests IS NOT NULL;
-- Runs that wait have not been admitted; of the others admission needs the reads alone.
DROP INDEX runs_admitted;
CREATE INDEX runs_admitted ON sheet_to_bigquery_runs (admitted_at) INCLUDE (reads) WHERE admitted_at IS NOT NULL;
-- No statistics of states: what they were some minutes ago, before ten thousand runs were recorded, would have the
-- planner take whole indexes of waiting and active runs for a row or two. Setting the type drops those there are.
ALTER TABLE sheet_to_bigquery_runs ALTER COLUMN state TYPE text, ALTER COLUMN state SET STATISTICS 0;
