-- Plans: what a run of a config would do, asked for by a person and told by an execution of the job that loads nothing.
-- Headers, columns' names and cells' addresses; no cell values.
CREATE TABLE sheet_to_bigquery_plans (
    id uuid PRIMARY KEY,
    config_id bigint, -- NULL: a candidate, which is in no table
    config jsonb NOT NULL, -- the columns of a config's row as they were then, as the parser takes them
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'launched', 'done', 'failed')),
    launched_at timestamptz,
    execution text,
    ended_at timestamptz,
    plan jsonb, -- shared/plan.py
    error_class text,
    error text,
    CONSTRAINT ended_plans_have_an_end CHECK ((state IN ('done', 'failed')) = (ended_at IS NOT NULL)),
    CONSTRAINT launched_plans_have_a_launch CHECK (
        state = 'failed' OR (state = 'requested') = (launched_at IS NULL)
    ),
    CONSTRAINT done_plans_tell CHECK (state <> 'done' OR (plan IS NOT NULL AND error_class IS NULL)),
    CONSTRAINT failed_plans_have_an_error CHECK ((state = 'failed') = (error IS NOT NULL AND error_class IS NOT NULL))
);
-- Those that nobody has answered yet, and what is cleaned away by age.
CREATE INDEX plans_open ON sheet_to_bigquery_plans (requested_at) WHERE ended_at IS NULL;
CREATE INDEX plans_ended ON sheet_to_bigquery_plans (ended_at) WHERE ended_at IS NOT NULL;
