DROP INDEX runs_loaded;
ALTER TABLE sheet_to_bigquery_runs
    DROP CONSTRAINT verdicts_are_of_successes,
    DROP COLUMN allow_shrink,
    DROP COLUMN verdict,
    DROP COLUMN schema_changes,
    DROP COLUMN content_hash;
