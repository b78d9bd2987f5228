"""The SQL of kept messages: what people look at, decide on, and what goes by its age."""

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
