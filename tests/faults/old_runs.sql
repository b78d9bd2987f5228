-- One run and one message a day: manual and scheduled, failed, succeeded and cancelled in turn.
INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at, not_before,
    reads, attempt, ended_at, verdict)
SELECT gen_random_uuid(), CAST(:config_id AS bigint), 'old', 'p.d.t', day, (ARRAY['schedule', 'manual'])[1 + n % 2], state,
    day, day, 4, 1, day + interval '1 minute', CASE WHEN state = 'succeeded' THEN 'loaded' END
FROM generate_series(CAST(:youngest AS integer), CAST(:oldest AS integer) - 1) n,
    LATERAL (SELECT now() - n * interval '1 day' - interval '1 hour' AS day) days,
    LATERAL (SELECT (ARRAY['failed', 'succeeded', 'cancelled'])[1 + n % 3] AS state) states
ON CONFLICT DO NOTHING;

INSERT INTO sheet_to_bigquery_messages (message_id, received_at, verdict, reason, body)
SELECT 'old-' || gen_random_uuid(), now() - n * interval '1 day', 'poison', 'config ' || CAST(:config_id AS text), ''
FROM generate_series(CAST(:youngest AS integer), CAST(:oldest AS integer) - 1) n
