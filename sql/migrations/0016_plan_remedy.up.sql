-- What to do about what kept a plan from being made, which the end of `error` says as well: as a run's.
ALTER TABLE sheet_to_bigquery_plans ADD COLUMN remedy text;
