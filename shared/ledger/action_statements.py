"""The SQL of what people did: written once, never changed, gone by its age."""

# Of two that send the same form at the same moment, one waits here and then finds what the other did. One number, so
# that it is none of the product's other locks, which have two.
LOCK = "SELECT pg_advisory_xact_lock(:number)"

FIND = "SELECT to_jsonb(a) FROM sheet_to_bigquery_actions a WHERE a.id = :action_id"

NOTE = """
INSERT INTO sheet_to_bigquery_actions (id, acted_at, acted_by, action, config_id, config_name, run_id, details)
VALUES (:id, :acted_at, :acted_by, :action, :config_id, :config_name, :run_id, CAST(:details AS jsonb))
"""

OF_CONFIG = """
SELECT to_jsonb(a) FROM sheet_to_bigquery_actions a WHERE a.config_id = :config_id
ORDER BY a.acted_at DESC, a.id LIMIT :most
"""

# By the config's index: a config has few actions.
WHO_CANCELLED = """
SELECT a.acted_by FROM sheet_to_bigquery_actions a
WHERE a.config_id = :config_id AND a.run_id = CAST(:run_id AS uuid) AND a.action = 'cancel'
ORDER BY a.acted_at LIMIT 1
"""

CLEAN = """
DELETE FROM sheet_to_bigquery_actions WHERE id IN (
    SELECT a.id FROM sheet_to_bigquery_actions a WHERE a.acted_at < :before ORDER BY a.acted_at LIMIT :most
)
RETURNING id
"""
