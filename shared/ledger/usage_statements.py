"""The SQL of what both systems did in a span of time, for their comparison after a migration."""

JOB_USE = """
SELECT why = 'shadow', count(*), count(*) FILTER (WHERE state = 'succeeded'), count(*) FILTER (WHERE state = 'failed'),
    coalesce(sum(lasted), 0)::float8, coalesce(sum(greatest(lasted, 60)), 0)::float8,
    coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY lasted), 0)::float8,
    coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY lasted), 0)::float8,
    coalesce(sum((seconds ->> 'read')::float8), 0)::float8, coalesce(sum((seconds ->> 'load')::float8), 0)::float8,
    coalesce(sum(bytes), 0)::bigint
FROM (
    SELECT *, extract(epoch FROM ended_at - claimed_at) AS lasted FROM sheet_to_bigquery_runs
    WHERE ended_at >= :since AND ended_at < :until AND state IN ('succeeded', 'failed')
) ended
GROUP BY why = 'shadow' ORDER BY 1
"""

SERVICE_USE = """
SELECT count(*), count(*) FILTER (WHERE status BETWEEN 200 AND 299),
    count(*) FILTER (WHERE status NOT BETWEEN 200 AND 299), count(*) FILTER (WHERE ended_at IS NULL),
    coalesce(sum(lasted), 0)::float8,
    coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY lasted), 0)::float8,
    coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY lasted), 0)::float8
FROM (
    SELECT *, extract(epoch FROM ended_at - begun_at) AS lasted FROM sheet_to_bigquery_forwards
    WHERE begun_at >= :since AND begun_at < :until
) forwarded
"""
