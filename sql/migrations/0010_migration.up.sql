-- The migration from the older service. Who owned a config's table when, and who changed that why: written by the
-- trigger that `migrate.py start` sets (sql/tracking/start.sql), and kept when it goes.
CREATE TABLE sheet_to_bigquery_owner_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    config_id bigint NOT NULL,
    config_name text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    reason text,
    before text NOT NULL,
    after text NOT NULL
);
CREATE INDEX owner_changes_of_config ON sheet_to_bigquery_owner_changes (config_id, id);

-- The portal's messages that were handed to the service. While one is open, the service may be writing the table.
CREATE TABLE sheet_to_bigquery_forwards (
    message_id text PRIMARY KEY,
    config_id bigint, -- NULL: of no config that the message names
    destination text, -- project.dataset.table, as the message has it; NULL: it names none
    begun_at timestamptz NOT NULL, -- of the newest attempt
    open_until timestamptz NOT NULL, -- the service has given up by then, whatever it answered
    attempts integer NOT NULL DEFAULT 1 CHECK (attempts > 0),
    ended_at timestamptz, -- when a definite answer came
    status integer, -- HTTP's, of that answer
    CONSTRAINT answered_forwards_have_a_status CHECK ((ended_at IS NULL) = (status IS NULL))
);
CREATE INDEX forwards_open_config ON sheet_to_bigquery_forwards (config_id) WHERE ended_at IS NULL;
CREATE INDEX forwards_open_destination ON sheet_to_bigquery_forwards (destination) WHERE ended_at IS NULL;
CREATE INDEX forwards_of_config ON sheet_to_bigquery_forwards (config_id, begun_at DESC);
CREATE INDEX forwards_begun ON sheet_to_bigquery_forwards (begun_at);

-- How the service's table and the job's compared. Columns' names and counts; no cell values.
CREATE TABLE sheet_to_bigquery_comparisons (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    config_id bigint NOT NULL,
    config_name text NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT now(),
    service_table text NOT NULL,
    job_table text NOT NULL,
    run_id uuid, -- the run that loaded the job's table
    source text, -- that run's
    service_loaded_at timestamptz,
    job_loaded_at timestamptz,
    verdict text NOT NULL CHECK (verdict IN ('MATCH', 'MISMATCH', 'SHEET_CHANGED', 'SHADOW_OLDER')),
    service_rows bigint,
    job_rows bigint,
    differences jsonb,
    CONSTRAINT comparisons_of_two_loads UNIQUE (config_id, run_id, service_loaded_at)
);
CREATE INDEX comparisons_newest ON sheet_to_bigquery_comparisons (config_id, compared_at DESC);

-- Drive's modifiedTime of the spreadsheet as the run read it: whether it changed between two loads.
ALTER TABLE sheet_to_bigquery_runs ADD COLUMN sheet_modified_at timestamptz;
-- A hash of what the config read when the run was claimed: what was compared before an edit proves nothing of it.
ALTER TABLE sheet_to_bigquery_runs ADD COLUMN source text;
-- A rollback asks which of the portal's messages waited for a run that it cancelled.
CREATE INDEX messages_portal ON sheet_to_bigquery_messages (run_id) WHERE message_id LIKE 'portal/%';
-- At most one shadow run waits that has not begun.
CREATE UNIQUE INDEX runs_shadow ON sheet_to_bigquery_runs (config_id)
    WHERE why = 'shadow' AND state = 'pending' AND attempt = 0;
