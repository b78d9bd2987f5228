-- The audit also tells when tracking began and ended, which is of no config alone.
ALTER TABLE sheet_to_bigquery_owner_changes ALTER COLUMN config_id DROP NOT NULL;
