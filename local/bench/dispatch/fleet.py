"""A configs table and its ledger, filled as they are after some days: daily configs, of which some are due now."""

from typing import Any

# Ids 1 to `due` are due, their slots spread over the last hour; the others are not for at least an hour.
CONFIGS = """
INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_sheet_tab_name, google_cloud_project_id,
    bigquery_dataset_id, bigquery_table_id, last_run, scheduled_run)
SELECT 'config ' || n, 'https://docs.google.com/spreadsheets/d/generated-spreadsheet-number-' || n || '/edit#gid=0',
    'Sheet1', 'team-project-' || n % 50, 'reports_' || n % 200, 'table_' || n, at, at
FROM (
    SELECT n, now() - CASE
        WHEN n <= :due THEN interval '24 hours' + n * interval '1 hour' / :due
        ELSE interval '1 hour' + n * interval '22 hours' / :configs
    END AS at FROM generate_series(1, :configs) n
) numbered
"""
# A run a day of each config, that went well.
RUNS = """
INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at, not_before,
    reads, admitted_at, published_at, attempt, claimed_at, had_last_run, job_project, job_location, execution,
    lease_until, deadline, ended_at, verdict, rows, bytes, requests)
SELECT gen_random_uuid(), id, name, concat_ws('.', google_cloud_project_id, bigquery_dataset_id, bigquery_table_id),
    at, 'schedule', 'succeeded', at, at, 4, at, at, 1, at, true, 'local-project', 'US',
    'projects/local-project/locations/us-central1/jobs/sheettobigquery-job/executions/sheettobigquery-job-' || id,
    at, at, at, 'loaded', 1000, 100000, 4
FROM (
    SELECT c.*, last_run - (day - 1) * interval '24 hours' AS at
    FROM sheet_to_bigquery_configs c, generate_series(1, :days) day
) each_day
"""


def fill(connection: Any, configs: int, due: int, days: int = 2) -> None:
    """Fills the empty tables of a migrated database, over a pg8000.native connection, and analyses them."""
    connection.run(CONFIGS, configs=configs, due=due)
    connection.run(RUNS, days=days)
    connection.run("VACUUM ANALYZE")
