-- What a run did beside its rows and columns, and what a person allowed it.
ALTER TABLE sheet_to_bigquery_runs
    ADD COLUMN allow_shrink boolean NOT NULL DEFAULT false, -- for this run, the option max_shrink holds nothing back
    ADD COLUMN verdict text CHECK (verdict IN ('loaded', 'unchanged', 'kept')), -- of a run that succeeded
    ADD COLUMN schema_changes jsonb,
    ADD COLUMN content_hash text;
UPDATE sheet_to_bigquery_runs SET verdict = 'loaded' WHERE state = 'succeeded';
ALTER TABLE sheet_to_bigquery_runs
    ADD CONSTRAINT verdicts_are_of_successes CHECK (verdict IS NULL OR state = 'succeeded');
-- The newest load of a config, whose content its table may have still.
CREATE INDEX runs_loaded ON sheet_to_bigquery_runs (config_id, ended_at DESC) WHERE verdict = 'loaded';
