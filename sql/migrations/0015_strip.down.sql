DROP INDEX runs_ended;
CREATE INDEX runs_ended ON sheet_to_bigquery_runs (ended_at) WHERE ended_at IS NOT NULL;
