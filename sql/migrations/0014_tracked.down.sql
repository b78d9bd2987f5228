-- What is of no config has no place in the audit as it was.
DELETE FROM sheet_to_bigquery_owner_changes WHERE config_id IS NULL;
ALTER TABLE sheet_to_bigquery_owner_changes ALTER COLUMN config_id SET NOT NULL;
