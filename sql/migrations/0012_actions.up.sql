-- What people did at the console, each written in the transaction of what it changed; of a message, once it was published.
-- Who, when, what and why; no cell values. Rows are never changed: only added, and cleaned away by age.
CREATE TABLE sheet_to_bigquery_actions (
    id uuid PRIMARY KEY, -- made of the form that was sent: one that comes twice acts once
    acted_at timestamptz NOT NULL,
    acted_by text NOT NULL,
    action text NOT NULL CHECK (action IN (
        'run', 'retry', 'cancel', 'pause', 'resume', 'frequency', 'plan', 'add', 'promote', 'rollback'
    )),
    config_id bigint, -- NULL: a plan of a candidate, which is in no table
    config_name text,
    run_id uuid, -- the run that was cancelled, or asked for again
    details jsonb NOT NULL DEFAULT '{}' -- shared/acted.py
);
CREATE INDEX actions_of_config ON sheet_to_bigquery_actions (config_id, acted_at DESC);
CREATE INDEX actions_acted ON sheet_to_bigquery_actions (acted_at);
