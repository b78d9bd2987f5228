-- Takes back the audit and all that was compared. What stands on these tables goes with them; marks stay in the configs
-- tables, as all of their columns do, but who changes one is not written down any more.
DROP FUNCTION IF EXISTS sheet_to_bigquery_track_owner() CASCADE;
DO $do$
DECLARE
    shown CONSTANT regclass := to_regclass('comparison_view');
BEGIN
    IF obj_description(shown, 'pg_class') = 'made by sheet-to-bigquery, as ' || md5(pg_get_viewdef(shown)) THEN
        DROP VIEW comparison_view;
    END IF;
END
$do$;
DROP TABLE sheet_to_bigquery_owner_changes, sheet_to_bigquery_forwards, sheet_to_bigquery_comparisons;
DROP INDEX runs_shadow, messages_portal;
ALTER TABLE sheet_to_bigquery_runs DROP COLUMN sheet_modified_at, DROP COLUMN source;
