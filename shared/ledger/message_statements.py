"""The SQL of messages: each acted on once, kept where nobody understood it, decided on by people, gone by its age."""

_KEPT = "m.message_id, m.received_at, m.verdict, m.reason, m.body"

# ruff: noqa: S608
LIST_POISON = f"""
SELECT {_KEPT} FROM sheet_to_bigquery_messages m WHERE m.verdict = 'poison'
ORDER BY m.received_at DESC, m.message_id LIMIT :most
"""

FIND = f"SELECT {_KEPT} FROM sheet_to_bigquery_messages m WHERE m.message_id = :message_id"

# A person's decision; no row where it is not poison, or not any more.
DECIDE = """
UPDATE sheet_to_bigquery_messages SET verdict = :verdict WHERE message_id = :message_id AND verdict = 'poison'
RETURNING message_id
"""

CLEAN = """
DELETE FROM sheet_to_bigquery_messages WHERE message_id IN (
    SELECT message_id FROM sheet_to_bigquery_messages WHERE received_at < :before ORDER BY received_at LIMIT :most
)
RETURNING message_id
"""

# Claims a message's id; no row for one that was seen before.
RECORD_MESSAGE = """
INSERT INTO sheet_to_bigquery_messages (message_id, received_at, verdict, reason, body)
VALUES (:message_id, :now, :verdict, :reason, :body)
ON CONFLICT DO NOTHING RETURNING message_id
"""

# The run by hand of a config that waits and has not begun: what one more request allows, it allows too.
FOLLOW_UP = """
UPDATE sheet_to_bigquery_runs SET allow_shrink = allow_shrink OR CAST(:allow_shrink AS boolean)
WHERE config_id = :config_id AND why = 'manual' AND state = 'pending' AND attempt = 0
RETURNING id
"""

# Which run a request by hand led to.
NOTE_MESSAGE_RUN = "UPDATE sheet_to_bigquery_messages SET run_id = :run_id WHERE message_id = :message_id"

# What became of a request by hand.
FIND_MESSAGE = "SELECT verdict, reason, run_id FROM sheet_to_bigquery_messages WHERE message_id = :message_id"

# Whether a config was loaded since a message of it came, by either system.
_LOADED_SINCE = """(
    EXISTS (
        SELECT FROM sheet_to_bigquery_runs later
        WHERE later.config_id = r.config_id AND later.why <> 'shadow' AND later.state = 'succeeded'
          AND later.claimed_at >= m.received_at
    ) OR EXISTS (
        SELECT FROM sheet_to_bigquery_forwards f
        WHERE f.config_id = r.config_id AND f.begun_at >= m.received_at AND f.status BETWEEN 200 AND 299
    )
)"""

# The portal's messages whose run was cancelled, with nothing loaded since; a config's newest first.
UNANSWERED = f"""
SELECT r.config_id, {_KEPT} FROM sheet_to_bigquery_messages m JOIN sheet_to_bigquery_runs r ON r.id = m.run_id
WHERE (CAST(:config_ids AS bigint[]) IS NULL OR r.config_id = ANY(CAST(:config_ids AS bigint[])))
  AND r.state = 'cancelled'
  AND m.message_id LIKE 'portal/%' AND m.verdict IN ('accepted', 'poison') AND NOT {_LOADED_SINCE}
ORDER BY r.config_id, m.received_at DESC, m.message_id
"""

# What was kept as poison because its run was cancelled: a load since has answered it, and nobody has to decide.
ANSWER = f"""
UPDATE sheet_to_bigquery_messages m SET verdict = 'retried'
FROM sheet_to_bigquery_runs r
WHERE r.id = m.run_id AND r.state = 'cancelled'
  AND m.message_id LIKE 'portal/%' AND m.verdict = 'poison' AND {_LOADED_SINCE}
"""

# They were published again, for the older service.
RETURN = """
UPDATE sheet_to_bigquery_messages SET verdict = 'retried'
WHERE message_id = ANY(CAST(:message_ids AS text[])) AND verdict IN ('accepted', 'poison')
"""

# How many messages nobody understood, with the newest of them.
NEWEST_POISON = """
SELECT (SELECT count(*) FROM sheet_to_bigquery_messages WHERE verdict = 'poison'), m.received_at, m.reason
FROM sheet_to_bigquery_messages m WHERE m.verdict = 'poison' ORDER BY m.received_at DESC, m.message_id LIMIT 1
"""
