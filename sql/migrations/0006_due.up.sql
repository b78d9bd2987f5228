-- What lets the due rule find a few due configs among a million by index. The column is ours: the slot of the last
-- scheduled run that succeeded. Where last_run says the same, the schedule stands there; where it does not, somebody
-- else moved last_run, and the ledger has to be asked.
ALTER TABLE {configs} ADD COLUMN IF NOT EXISTS scheduled_run timestamptz;
DO $do$
DECLARE
    configs CONSTANT regclass := $name${configs}$name$;
    place CONSTANT text := (
        SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = configs
    );
    own_name text := 'idx_configs_due';
BEGIN
    IF EXISTS (
        SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = configs AND c.relname IN (own_name, own_name || '_' || configs::oid)
    ) THEN
        RETURN;
    END IF;
    -- An index's name is unique in its schema: in a second configs table's, the table's number follows it.
    IF to_regclass(format('%I.%I', place, own_name)) IS NOT NULL THEN
        own_name := own_name || '_' || configs::oid;
    END IF;
    -- Before when a config is not due, in seconds since 1970, which no year and no interval overflows; 0 where the
    -- ledger has to be asked.
    EXECUTE format(
        $index$
            CREATE INDEX %I ON %s ((
                CASE WHEN last_run = scheduled_run
                THEN date_part('epoch', last_run AT TIME ZONE 'UTC') + 3600::float8 * coalesce(run_frequency_hours, 24)
                ELSE 0 END
            )) WHERE is_active
        $index$,
        own_name, configs
    );
    EXECUTE format('COMMENT ON INDEX %I.%I IS %L', place, own_name, 'made by sheet-to-bigquery');
END
$do$;
