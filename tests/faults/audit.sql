-- Every state that a run or a config was in, in the order of their changes, and what was deleted, kept by PostgreSQL
-- itself.
CREATE TABLE fault_history (
    seq bigserial PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL,
    -- Who changed it: people say so by their connection's name.
    changed_by text NOT NULL,
    state jsonb NOT NULL,
    transaction bigint NOT NULL DEFAULT txid_current()
);
CREATE FUNCTION note_fault_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fault_history (kind, changed_by, state)
    VALUES (TG_ARGV[0], current_setting('application_name'), to_jsonb(coalesce(NEW, OLD)));
    RETURN NULL;
END
$$;
CREATE TRIGGER fault_history AFTER INSERT OR UPDATE ON sheet_to_bigquery_runs
    FOR EACH ROW EXECUTE FUNCTION note_fault_history('run');
CREATE TRIGGER fault_history AFTER INSERT OR UPDATE ON sheet_to_bigquery_configs
    FOR EACH ROW EXECUTE FUNCTION note_fault_history('config');
CREATE TRIGGER fault_history_gone AFTER DELETE ON sheet_to_bigquery_runs
    FOR EACH ROW EXECUTE FUNCTION note_fault_history('run gone');
CREATE TRIGGER fault_history_gone AFTER DELETE ON sheet_to_bigquery_messages
    FOR EACH ROW EXECUTE FUNCTION note_fault_history('message gone');
