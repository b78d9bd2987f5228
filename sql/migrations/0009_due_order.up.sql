-- The index that finds due configs knows their order to the end, so that dispatch can go through them part by part:
-- their number stands behind the instant. One that somebody else made under its name stays.
DO $do$
DECLARE
    configs CONSTANT regclass := $name${configs}$name$;
    made record;
BEGIN
    FOR made IN
        SELECT c.relname AS name, n.nspname AS place
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE i.indrelid = configs AND obj_description(i.indexrelid, 'pg_class') = 'made by sheet-to-bigquery'
          AND c.relname IN ('idx_configs_due', 'idx_configs_due_' || configs::oid)
    LOOP
        -- Dropped first: who takes the lesser lock first and this one then can meet somebody who does the same.
        EXECUTE format('DROP INDEX %I.%I', made.place, made.name);
        EXECUTE format(
            $index$
                CREATE INDEX %I ON %s ((
                    CASE WHEN last_run = scheduled_run
                    THEN date_part('epoch', last_run AT TIME ZONE 'UTC') + 3600::float8 * coalesce(run_frequency_hours, 24)
                    ELSE 0 END
                ), id) WHERE is_active
            $index$,
            made.name, configs
        );
        EXECUTE format('COMMENT ON INDEX %I.%I IS %L', made.place, made.name, 'made by sheet-to-bigquery');
    END LOOP;
END
$do$;
