-- What scheduled runs need in the owner's table, in which one row describes one sync. It is live in users'
-- databases and written by their portal, so we only ever add to it: columns nullable or defaulted, no foreign keys
-- (the portal deletes rows).
CREATE TABLE IF NOT EXISTS {configs} (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    google_sheet_url text NOT NULL,
    google_sheet_tab_name varchar(255),
    google_cloud_project_id varchar(255) NOT NULL,
    bigquery_dataset_id varchar(255) NOT NULL,
    bigquery_table_id varchar(255) NOT NULL,
    schema_handling varchar(50) DEFAULT 'auto_detect',
    custom_schema jsonb
);
ALTER TABLE {configs}
    ADD COLUMN IF NOT EXISTS last_run timestamptz,
    ADD COLUMN IF NOT EXISTS run_frequency_hours integer DEFAULT 24,
    ADD COLUMN IF NOT EXISTS is_active boolean DEFAULT true,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz DEFAULT now();

-- Indexes. One that is there stays, whoever made it; those made here say so, so that they alone are taken back.
-- An index's name is unique in its schema: in a second configs table's, the table's number follows it.
DO $do$
DECLARE
    configs CONSTANT regclass := $name${configs}$name$;
    place CONSTANT text := (
        SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = configs
    );
    wanted record;
    own_name text;
BEGIN
    FOR wanted IN VALUES
        -- The guide's.
        ('idx_configs_active_last_run', 'is_active, last_run'),
        -- Two active configs that replace one table are found by this.
        ('idx_configs_destination', $keys$
            btrim(google_cloud_project_id, E' \t\r\n'),
            btrim(bigquery_dataset_id, E' \t\r\n'),
            btrim(bigquery_table_id, E' \t\r\n')
        $keys$),
        -- By name, for requests by hand.
        ('idx_configs_name', 'name')
    LOOP
        own_name := wanted.column1 || '_' || configs::oid;
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = configs AND c.relname IN (wanted.column1, own_name)
        );
        IF to_regclass(format('%I.%I', place, wanted.column1)) IS NULL THEN
            own_name := wanted.column1;
        END IF;
        EXECUTE format('CREATE INDEX %I ON %s (%s)', own_name, configs, wanted.column2);
        EXECUTE format('COMMENT ON INDEX %I.%I IS %L', place, own_name, 'made by sheet-to-bigquery');
    END LOOP;
END
$do$;
