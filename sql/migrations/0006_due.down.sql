-- The column stays, as all of the table's do.
DO $do$
DECLARE
    configs CONSTANT regclass := to_regclass($name${configs}$name$);
    made regclass;
BEGIN
    FOR made IN
        SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = configs AND obj_description(i.indexrelid, 'pg_class') = 'made by sheet-to-bigquery'
          AND c.relname IN ('idx_configs_due', 'idx_configs_due_' || configs::oid)
    LOOP
        EXECUTE format('DROP INDEX %s', made);
    END LOOP;
END
$do$;
