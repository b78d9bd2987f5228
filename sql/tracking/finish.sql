-- Takes back what start.sql made, views first; the audit, the comparisons and the forwards stay, as evidence. Run again,
-- it changes nothing.
DO $do$
DECLARE
    configs CONSTANT regclass := $name${configs}$name$;
    made_by CONSTANT text := 'made by sheet-to-bigquery, as ';
    compared CONSTANT regclass := to_regclass('comparison_view');
    shown CONSTANT regclass := to_regclass('active_job_configs');
BEGIN
    IF obj_description(compared, 'pg_class') = made_by || md5(pg_get_viewdef(compared)) THEN
        DROP VIEW comparison_view;
    END IF;
    -- The guide's own, too: it shows the column, and goes with it.
    IF EXISTS (
        SELECT FROM pg_rewrite r
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refobjid = configs
        JOIN pg_attribute a ON a.attrelid = configs AND a.attnum = d.refobjsubid AND a.attname = 'migration_status'
        WHERE r.ev_class = shown
    ) THEN
        DROP VIEW active_job_configs;
    END IF;
END
$do$;
DROP TRIGGER IF EXISTS sheet_to_bigquery_track_owner ON {configs};
DO $do$
BEGIN
    -- A second configs table's trigger may need it still.
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = to_regprocedure('sheet_to_bigquery_track_owner()')) THEN
        DROP FUNCTION IF EXISTS sheet_to_bigquery_track_owner();
    END IF;
END
$do$;
ALTER TABLE {configs} DROP COLUMN IF EXISTS migration_status;
