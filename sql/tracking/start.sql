-- What tells the owner of each config's table while a team moves from the older service: the column, and what stands
-- on it. Run again, it changes nothing. {default} is the mark of configs that come later.
--
-- A column that is there, whoever made it, is taken as it is; NULL is 'service'.
DO $do$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = $name${configs}$name$::regclass AND attname = 'migration_status' AND NOT attisdropped
    ) THEN
        ALTER TABLE {configs} ADD COLUMN migration_status varchar(20) DEFAULT 'service';
        ALTER TABLE {configs} ALTER COLUMN migration_status SET DEFAULT '{default}';
    END IF;
END
$do$;

-- Shadow configs, by index: dispatch asks for them every few minutes, among a million. The index goes with the column.
DO $do$
DECLARE
    configs CONSTANT regclass := $name${configs}$name$;
    place CONSTANT text := (
        SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = configs
    );
    own_name text := 'idx_configs_shadow';
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
    EXECUTE format('CREATE INDEX %I ON %s (id) WHERE is_active AND migration_status = ''shadow''', own_name, configs);
    EXECUTE format('COMMENT ON INDEX %I.%I IS %L', place, own_name, 'made by sheet-to-bigquery');
END
$do$;

-- Every change of a mark, by whomever and with whatever tool, goes through here. It runs as the tables' owner: who may
-- mark a config, a portal's role say, need not be allowed to write the audit or the ledger. So every literal has its type:
-- else an operator that somebody made for another type could be called in that owner's name.
CREATE OR REPLACE FUNCTION sheet_to_bigquery_track_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $do$
DECLARE
    new_owner CONSTANT text := coalesce(NEW.migration_status, 'service');
    old_owner text;
    given jsonb;
    shapes text[] := '{}';
BEGIN
    IF new_owner NOT IN ('service', 'shadow', 'job_ready') THEN
        RAISE EXCEPTION 'migration_status has to be service, shadow or job_ready, not "%"', new_owner
            USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    old_owner := coalesce(OLD.migration_status, 'service');
    IF old_owner = new_owner THEN
        -- Real types take the place of the service's shape in a table of the job's, or the other way round.
        FOREACH given IN ARRAY CASE WHEN new_owner = 'job_ready' THEN ARRAY[OLD.options, NEW.options] ELSE '{}' END LOOP
            BEGIN
                IF jsonb_typeof(given) = 'string' THEN
                    given := CAST(nullif(btrim(given #>> '{}'::text[]), '') AS jsonb);
                END IF;
            EXCEPTION WHEN invalid_text_representation THEN
                given := NULL;
            END;
            shapes := array_append(
                shapes, CASE WHEN given -> 'parity'::text = 'true'::jsonb THEN 'parity'::text ELSE 'types'::text END
            );
        END LOOP;
        IF shapes[1] <> shapes[2] THEN
            INSERT INTO sheet_to_bigquery_owner_changes (config_id, config_name, changed_by, reason, before, after)
            VALUES (
                NEW.id, coalesce(NEW.name, ''),
                coalesce(nullif(current_setting('sheet_to_bigquery.actor', true), ''), session_user),
                nullif(current_setting('sheet_to_bigquery.reason', true), ''), shapes[1], shapes[2]
            );
        END IF;
        RETURN NEW;
    END IF;
    INSERT INTO sheet_to_bigquery_owner_changes (config_id, config_name, changed_by, reason, before, after)
    VALUES (
        NEW.id, coalesce(NEW.name, ''),
        coalesce(nullif(current_setting('sheet_to_bigquery.actor', true), ''), session_user),
        nullif(current_setting('sheet_to_bigquery.reason', true), ''), old_owner, new_owner
    );
    -- The job keeps the shape of the service's table, until its types are wanted. Portals store JSON as text, too.
    IF new_owner = 'job_ready' THEN
        BEGIN
            given := CASE WHEN jsonb_typeof(NEW.options) = 'string'
                THEN CAST(nullif(btrim(NEW.options #>> '{}'::text[]), '') AS jsonb) ELSE nullif(NEW.options, 'null') END;
            given := coalesce(given, '{}');
        EXCEPTION WHEN invalid_text_representation THEN
            given := NEW.options; -- no JSON: the parser will say so
        END;
        IF jsonb_typeof(given) = 'object' AND NOT given ? 'parity'::text THEN
            NEW.options := given || '{"parity": true}'::jsonb;
        END IF;
    END IF;
    -- What is in flight for the old owner is not wanted any more. A run that somebody is closing at this moment is left
    -- to them: they may be waiting for this very row, and whoever marks configs must not be the one who is refused.
    IF old_owner IN ('shadow', 'job_ready') THEN
        UPDATE sheet_to_bigquery_runs
        SET cancel_requested_at = coalesce(cancel_requested_at, now()), lease_until = now()
        WHERE id IN (
            SELECT id FROM sheet_to_bigquery_runs WHERE config_id = NEW.id AND state IN ('launching', 'running')
            FOR UPDATE SKIP LOCKED
        );
    END IF;
    RETURN NEW;
END
$do$;
DO $do$
BEGIN
    EXECUTE format(
        'ALTER FUNCTION sheet_to_bigquery_track_owner() SET search_path = %I, pg_temp', (
            SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = 'sheet_to_bigquery_runs'::regclass
        )
    );
END
$do$;
REVOKE ALL ON FUNCTION sheet_to_bigquery_track_owner() FROM PUBLIC;
DROP TRIGGER IF EXISTS sheet_to_bigquery_track_owner ON {configs};
CREATE TRIGGER sheet_to_bigquery_track_owner BEFORE INSERT OR UPDATE OF migration_status, options ON {configs}
FOR EACH ROW EXECUTE FUNCTION sheet_to_bigquery_track_owner();

-- Our own views as they are now; those that somebody else made or narrowed stay.
DO $do$
DECLARE
    made_by CONSTANT text := 'made by sheet-to-bigquery, as ';
    shown regclass := to_regclass('active_job_configs');
BEGIN
    IF shown IS NULL OR (
        obj_description(shown, 'pg_class') = made_by || md5(pg_get_viewdef(shown)) AND EXISTS (
            SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            WHERE r.ev_class = shown AND d.refobjid = $name${configs}$name$::regclass
        )
    ) THEN
        CREATE OR REPLACE VIEW active_job_configs AS
            SELECT * FROM {configs} WHERE is_active AND migration_status = 'job_ready';
        shown := 'active_job_configs'::regclass;
        EXECUTE format('COMMENT ON VIEW active_job_configs IS %L', made_by || md5(pg_get_viewdef(shown)));
    END IF;
    -- The guide's columns, over the newest comparison of each config.
    shown := to_regclass('comparison_view');
    IF shown IS NULL OR obj_description(shown, 'pg_class') = made_by || md5(pg_get_viewdef(shown)) THEN
        CREATE OR REPLACE VIEW comparison_view AS
            SELECT DISTINCT ON (config_id) config_name, service_loaded_at AS service_last_run,
                   job_loaded_at AS job_last_run, service_rows AS service_row_count, job_rows AS job_row_count
            FROM sheet_to_bigquery_comparisons ORDER BY config_id, compared_at DESC, id DESC;
        shown := 'comparison_view'::regclass;
        EXECUTE format('COMMENT ON VIEW comparison_view IS %L', made_by || md5(pg_get_viewdef(shown)));
    END IF;
END
$do$;
