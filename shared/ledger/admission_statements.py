"""The SQL of admission: which pending runs are queued now. `{configs}` is the configs table's quoted name."""

from shared.ledger.statements import ACTIVE_STATES, DESTINATION

# ruff: noqa: S608
# Waiting runs that may begin, with where they go (`heading`): where their config says now, but for shadow runs. Nothing
# of their config or on that table is active, and they are the first of their config's. Statistics know nothing yet of
# runs that dispatch has just recorded: OFFSET 0 keeps PostgreSQL from joining all of them by those, and leaves a look
# into an index for each, as many as are wanted.
_MAY_BEGIN = f"""
    SELECT r.id, r.turn, r.reads, goes.heading
    FROM sheet_to_bigquery_runs r
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT {DESTINATION.format(c="c")} FROM {{configs}} c WHERE c.id = r.config_id AND r.why <> 'shadow'
        ), r.destination) AS heading OFFSET 0
    ) goes
    WHERE r.state = 'pending' AND r.not_before <= :now
      AND NOT EXISTS (
          SELECT FROM sheet_to_bigquery_runs a
          WHERE a.config_id = r.config_id AND a.state IN {ACTIVE_STATES} OFFSET 0
      )
      AND NOT EXISTS (
          SELECT FROM sheet_to_bigquery_runs a
          WHERE a.destination = goes.heading AND a.state IN {ACTIVE_STATES} OFFSET 0
      )
      AND NOT EXISTS (
          SELECT FROM sheet_to_bigquery_runs e
          WHERE e.config_id = r.config_id AND e.state = 'pending'
            AND (e.attempt = 0, e.slot, e.id) < (r.attempt = 0, r.slot, r.id) OFFSET 0
      )
"""

# Queues the most overdue pending runs that fit the cap, their batch's cap and the Sheets quota, one per config
# and per table, by their turns: configs that always fail get theirs, and nobody else's. A run that needs more reads
# than the quota has goes when nothing else is reserved. Tells their ids, and whether room was left by runs that have
# to wait for another of these on the same table.
ADMIT = f"""
WITH RECURSIVE room AS (
    SELECT greatest(0, least(:most, :cap - count(*))) AS runs
    FROM sheet_to_bigquery_runs WHERE state IN {ACTIVE_STATES}
), reserved AS (
    SELECT coalesce(sum(reads_reserved), 0) AS reads FROM sheet_to_bigquery_runs
    WHERE admitted_at > CAST(:now AS timestamptz) - interval '60 seconds'
), capped AS (
    (
        SELECT batch, batch_cap FROM sheet_to_bigquery_runs
        WHERE state = 'pending' AND batch_cap IS NOT NULL ORDER BY batch LIMIT 1
    )
    UNION ALL
    SELECT next.batch, next.batch_cap
    FROM capped CROSS JOIN LATERAL (
        SELECT r.batch, r.batch_cap FROM sheet_to_bigquery_runs r
        WHERE r.state = 'pending' AND r.batch_cap IS NOT NULL AND r.batch > capped.batch ORDER BY r.batch LIMIT 1
    ) next
), waiting AS (
    ({_MAY_BEGIN} AND r.batch_cap IS NULL ORDER BY r.turn, r.id LIMIT (SELECT runs FROM room))
    UNION ALL
    SELECT of_batch.*
    FROM capped CROSS JOIN LATERAL (
        {_MAY_BEGIN} AND r.batch_cap IS NOT NULL AND r.batch = capped.batch
        ORDER BY r.turn, r.id
        LIMIT greatest(0, capped.batch_cap - (
            SELECT count(*) FROM sheet_to_bigquery_runs a
            WHERE a.batch = capped.batch AND a.batch_cap IS NOT NULL AND a.state IN {ACTIVE_STATES}
        ))
    ) of_batch
), first_of_table AS (
    SELECT DISTINCT ON (heading) * FROM waiting ORDER BY heading, turn, id
), ranked AS (
    SELECT id, heading, row_number() OVER overdue AS position, sum(reads) OVER overdue AS reads_so_far
    FROM first_of_table WINDOW overdue AS (ORDER BY turn, id)
), fitting AS (
    SELECT ranked.id, ranked.heading FROM ranked, room, reserved
    WHERE ranked.position <= room.runs
      AND (
          ranked.reads_so_far + reserved.reads <= :reads_per_minute
          OR (ranked.position = 1 AND reserved.reads = 0)
      )
    LIMIT :most
), queued AS (
    UPDATE sheet_to_bigquery_runs r
    SET state = 'queued', admitted_at = :now, published_at = NULL, destination = fitting.heading,
        -- An earlier attempt's reads, where they count still, count on with these: rather too long than too short.
        reads_reserved = r.reads + CASE
            WHEN r.admitted_at > CAST(:now AS timestamptz) - interval '60 seconds' THEN r.reads_reserved ELSE 0
        END
    FROM fitting
    -- As a subquery, so that the rows are taken by their ids and not from an index of all that waits.
    WHERE r.id = fitting.id AND r.state = (SELECT 'pending')
    RETURNING r.id
)
SELECT (SELECT coalesce(json_agg(id), '[]') FROM queued),
       (SELECT count(*) FROM waiting) > (SELECT count(*) FROM first_of_table)
"""

# When time alone may let admission go on: a waiting run's time comes, or reads that were reserved count no longer.
# NULL where no run waits for time, or the cap is reached: what ends admits the next.
NEXT_ADMISSION = f"""
SELECT least(
    (SELECT min(not_before) FROM sheet_to_bigquery_runs WHERE state = 'pending' AND not_before > :now),
    (SELECT min(admitted_at) + interval '60 seconds' FROM sheet_to_bigquery_runs
     WHERE admitted_at > CAST(:now AS timestamptz) - interval '60 seconds' AND reads_reserved > 0
       AND EXISTS (SELECT FROM sheet_to_bigquery_runs WHERE state = 'pending' AND not_before <= :now))
)
WHERE (SELECT count(*) FROM sheet_to_bigquery_runs WHERE state IN {ACTIVE_STATES}) < :cap
"""

# Queued runs whose message was never published, or is taking longer than a lease: publishing again is harmless. That
# a message was published is not noted for each: it would say no more than admitted_at, and cost as much as admission.
UNPUBLISHED = """
UPDATE sheet_to_bigquery_runs SET published_at = :now
WHERE state = 'queued' AND coalesce(published_at, admitted_at) < :published_before
RETURNING id
"""
