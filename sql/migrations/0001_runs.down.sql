-- Takes back our own tables, view and indexes. The owner's table and the guide's columns stay: they hold data
-- of the owner's (last_run, is_active), and may have been there before us.
DROP TABLE sheet_to_bigquery_messages;
DROP TABLE sheet_to_bigquery_runs;
DROP VIEW IF EXISTS active_job_configs;
DROP INDEX IF EXISTS idx_configs_name;
DROP INDEX IF EXISTS idx_configs_destination;
