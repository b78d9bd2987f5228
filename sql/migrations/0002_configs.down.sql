-- Takes back what was made here and has not been changed since: indexes, and the view of this table. The guide's
-- columns stay: they hold data of the owner's (last_run, is_active), and may have been there before us.
DO $do$
DECLARE
    configs CONSTANT regclass := to_regclass($name${configs}$name$);
    shown CONSTANT regclass := to_regclass('active_job_configs');
    made regclass;
BEGIN
    IF obj_description(shown, 'pg_class') = 'made by sheet-to-bigquery, as ' || md5(pg_get_viewdef(shown)) AND EXISTS (
        SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE r.ev_class = shown AND d.refobjid = configs
    ) THEN
        DROP VIEW active_job_configs;
    END IF;
    FOR made IN
        SELECT i.indexrelid FROM pg_index i
        WHERE i.indrelid = configs AND obj_description(i.indexrelid, 'pg_class') = 'made by sheet-to-bigquery'
    LOOP
        EXECUTE format('DROP INDEX %s', made);
    END LOOP;
END
$do$;
