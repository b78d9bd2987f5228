ALTER TABLE sheet_to_bigquery_plans DROP COLUMN remedy;
