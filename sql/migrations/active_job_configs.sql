-- The view that the guide names, made by every `up` where it is missing: who alters a column that it shows has to
-- drop it first. Where configs are marked for the migration, it shows those that are the job's. Its comment tells ours,
-- as we made it, from one that somebody else made or narrowed.
DO $do$
BEGIN
    IF to_regclass('active_job_configs') IS NULL THEN
        IF EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = $name${configs}$name$::regclass AND attname = 'migration_status' AND NOT attisdropped
        ) THEN
            CREATE VIEW active_job_configs AS
                SELECT * FROM {configs} WHERE is_active AND migration_status = 'job_ready';
        ELSE
            CREATE VIEW active_job_configs AS SELECT * FROM {configs} WHERE is_active;
        END IF;
        EXECUTE format(
            'COMMENT ON VIEW active_job_configs IS %L',
            'made by sheet-to-bigquery, as ' || md5(pg_get_viewdef('active_job_configs'::regclass))
        );
    END IF;
END
$do$;
