"""A large configs table and its ledger as the console sees them: configs in many states, each with its history."""

from typing import Any

# All of one frequency, but for one more, which is hourly, with last runs spread over their last period: one in fifty is
# paused, one in a hundred due.
CONFIGS = """
INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_sheet_tab_name, google_cloud_project_id,
    bigquery_dataset_id, bigquery_table_id, last_run, scheduled_run, run_frequency_hours, is_active, paused_reason)
SELECT 'Sales of region ' || n, 'https://docs.google.com/spreadsheets/d/generated-spreadsheet-number-' || n || '/edit',
    'Sheet1', 'team-project-' || n % 50, 'reports_' || n % 200, 'sales_of_region_' || n, at, at, hours, n % 50 <> 0,
    CASE WHEN n % 50 = 0 THEN 'the sheet moved' END
FROM (
    SELECT n, hours, now() - make_interval(hours => hours)
        * CASE WHEN n > :configs THEN 0.5 WHEN n % 100 = 1 THEN 1.02 ELSE 0.95 * n / :configs END AS at
    FROM generate_series(1, :configs + 1) n
    CROSS JOIN LATERAL (SELECT CASE WHEN n > :configs THEN 1 ELSE CAST(:hours AS integer) END AS hours) period
) numbered
"""
# A run a period of each config, of the last one more of them: one in thirty failed, one in three had nothing to load,
# some with warnings. In the order of their time, as dispatch records them.
RUNS = """
INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at, not_before,
    reads, admitted_at, attempt, claimed_at, had_last_run, job_project, job_location, execution, lease_until, deadline,
    ended_at, verdict, rows, bytes, requests, columns, warnings, error_class, error)
SELECT gen_random_uuid(), id, name, concat_ws('.', google_cloud_project_id, bigquery_dataset_id, bigquery_table_id),
    at, 'schedule', CASE WHEN kind = 0 THEN 'failed' ELSE 'succeeded' END, at, at, 4, at, 1, at, true,
    'local-project', 'US', 'projects/local-project/locations/us-central1/jobs/job/executions/job-' || id, at, at,
    at + (5 + kind) * interval '1 second',
    CASE WHEN kind = 0 THEN NULL WHEN kind % 3 = 0 THEN 'unchanged' ELSE 'loaded' END,
    CASE WHEN kind > 0 THEN 1000 + nth * 7 + kind * 31 END, 100000, 4,
    '[{"name": "region", "type": "STRING"}, {"name": "amount", "type": "NUMERIC"}, {"name": "day", "type": "DATE"}]',
    CASE WHEN id % 11 = 0 THEN '["column C: 3 cells are no numbers: C17, C18, C40"]'::jsonb END,
    CASE WHEN kind = 0 THEN 'SheetNotShared' END,
    CASE WHEN kind = 0 THEN 'the spreadsheet is not shared with the job: share it as Viewer' END
FROM (
    SELECT c.*, nth, (c.id * 7 + nth) % 30 AS kind,
        last_run - (nth - 1) * make_interval(hours => run_frequency_hours) AS at
    FROM sheet_to_bigquery_configs c
    CROSS JOIN LATERAL (SELECT CASE WHEN id > :configs THEN CAST(:long AS integer) ELSE :runs END AS most) runs
    CROSS JOIN LATERAL generate_series(1, most) nth
) each_period
ORDER BY at
"""
# Where the newest one failed, the table is as old as the one before.
FAILED = """
UPDATE sheet_to_bigquery_configs
SET last_run = last_run - make_interval(hours => run_frequency_hours),
    scheduled_run = last_run - make_interval(hours => run_frequency_hours)
WHERE (id * 7 + 1) % 30 = 0
"""
_OPEN = """
INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at, not_before,
    reads, admitted_at, attempt, claimed_at, had_last_run, job_project, job_location, execution, lease_until, deadline)
SELECT gen_random_uuid(), id, name, concat_ws('.', google_cloud_project_id, bigquery_dataset_id, bigquery_table_id),
    now(), 'manual', CASE WHEN goes_on THEN 'running' ELSE 'pending' END, now(), now(), 4,
    CASE WHEN goes_on THEN now() END, CASE WHEN goes_on THEN 1 ELSE 0 END, CASE WHEN goes_on THEN now() END,
    CASE WHEN goes_on THEN true END, CASE WHEN goes_on THEN 'local-project' END, CASE WHEN goes_on THEN 'US' END,
    CASE WHEN goes_on THEN 'projects/p/locations/l/jobs/job/executions/job-' || id END,
    CASE WHEN goes_on THEN now() + interval '1 hour' END, CASE WHEN goes_on THEN now() + interval '1 hour' END
FROM (SELECT c.*, {goes_on} AS goes_on FROM sheet_to_bigquery_configs c WHERE {opened}) opened
"""
# Of every hundredth config a run waits, of every five hundredth one goes on.
OPEN = _OPEN.format(opened="id % 100 = 3", goes_on="id % 500 = 3")


# Runs that were open since the tables were vacuumed last: what is left of them in the indexes of open runs.
GONE = f"BEGIN; {_OPEN.format(opened='id % 100 <> 3', goes_on='true')}; ROLLBACK"

# While the team moves, four of five configs are loaded in shadow, the rest are the job's already; nine of ten of them
# compared well, as often as is asked for.
SHADOWS = """
UPDATE sheet_to_bigquery_configs SET migration_status = CASE WHEN id % 5 = 0 THEN 'job_ready' ELSE 'shadow' END
"""
SHADOW_RUNS = """
UPDATE sheet_to_bigquery_runs SET why = 'shadow'
WHERE ended_at IS NOT NULL AND config_id IN (
    SELECT id FROM sheet_to_bigquery_configs WHERE migration_status = 'shadow'
)
"""
COMPARISONS = """
INSERT INTO sheet_to_bigquery_comparisons
    (config_id, config_name, service_table, job_table, run_id, service_loaded_at, job_loaded_at, verdict)
SELECT id, name, concat_ws('.', google_cloud_project_id, bigquery_dataset_id, bigquery_table_id), 'p.d.shadow',
    gen_random_uuid(), now() - nth * interval '1 hour', now(),
    CASE WHEN id % 10 = 3 AND nth = 3 THEN 'MISMATCH' ELSE 'MATCH' END
FROM sheet_to_bigquery_configs, generate_series(1, 3) nth WHERE migration_status = 'shadow'
"""


def fill(connection: Any, configs: int, runs: int, hours: int, long: int) -> None:
    """Fills the empty tables of a migrated database, over a pg8000.native connection, and analyses them.

    Each of the `configs`, due every so many `hours`, has so many `runs` that ended; one more has `long` of them.
    """
    connection.run(CONFIGS, configs=configs, hours=hours)
    connection.run(RUNS, configs=configs, runs=runs, long=long)
    connection.run(FAILED)
    connection.run(OPEN)
    connection.run("VACUUM ANALYZE")
    connection.run(GONE)


def move(connection: Any) -> None:
    """Marks the configs of a filled ledger in which owners are tracked."""
    for statement in (SHADOWS, SHADOW_RUNS, COMPARISONS, "VACUUM ANALYZE"):
        connection.run(statement)
