ALTER TABLE sheet_to_bigquery_runs DROP COLUMN remedy;
ALTER TABLE sheet_to_bigquery_plans DROP COLUMN edited_from;
DELETE FROM sheet_to_bigquery_actions WHERE action = 'edit';
ALTER TABLE sheet_to_bigquery_actions
    DROP CONSTRAINT sheet_to_bigquery_actions_action_check,
    ADD CONSTRAINT sheet_to_bigquery_actions_action_check CHECK (action IN (
        'run', 'retry', 'cancel', 'pause', 'resume', 'frequency', 'plan', 'add', 'promote', 'rollback'
    ));
