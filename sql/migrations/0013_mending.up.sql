-- What people mend a config by: an edit at the console, which may be planned before it is saved, and the remedy of what a
-- run failed with.
ALTER TABLE sheet_to_bigquery_actions
    DROP CONSTRAINT sheet_to_bigquery_actions_action_check,
    ADD CONSTRAINT sheet_to_bigquery_actions_action_check CHECK (action IN (
        'run', 'retry', 'cancel', 'pause', 'resume', 'frequency', 'edit', 'plan', 'add', 'promote', 'rollback'
    ));
ALTER TABLE sheet_to_bigquery_plans
    ADD COLUMN edited_from jsonb; -- of a plan of an edit: the config's columns before it, as a person was shown them
-- What to do about it, which the end of `error` says as well.
ALTER TABLE sheet_to_bigquery_runs ADD COLUMN remedy text;
