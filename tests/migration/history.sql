-- Every state that a config, a run or a forward was in, in the order in which they came, kept by PostgreSQL itself.
CREATE TABLE migration_history (
    seq bigserial PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL,
    state jsonb NOT NULL,
    transaction bigint NOT NULL DEFAULT txid_current()
);
CREATE FUNCTION note_migration_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO migration_history (kind, state) VALUES (TG_ARGV[0], to_jsonb(NEW));
    RETURN NULL;
END
$$;
CREATE TRIGGER migration_history AFTER INSERT OR UPDATE ON sheet_to_bigquery_configs
    FOR EACH ROW EXECUTE FUNCTION note_migration_history('config');
CREATE TRIGGER migration_history AFTER INSERT OR UPDATE ON sheet_to_bigquery_runs
    FOR EACH ROW EXECUTE FUNCTION note_migration_history('run');
CREATE TRIGGER migration_history AFTER INSERT OR UPDATE ON sheet_to_bigquery_forwards
    FOR EACH ROW EXECUTE FUNCTION note_migration_history('forward');
