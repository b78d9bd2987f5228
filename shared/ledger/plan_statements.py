"""The SQL of plans: asked for, launched once, ended once."""

REQUEST = """
INSERT INTO sheet_to_bigquery_plans (id, config_id, config, edited_from, requested_by, requested_at)
VALUES (gen_random_uuid(), :config_id, CAST(:config AS jsonb), CAST(:edited_from AS jsonb), :requested_by, :now)
RETURNING id
"""

FIND = "SELECT to_jsonb(p) FROM sheet_to_bigquery_plans p WHERE p.id = :plan_id"

# However often the message comes, one launch gets it.
CLAIM = """
UPDATE sheet_to_bigquery_plans SET state = 'launched', launched_at = :now
WHERE id = :plan_id AND state = 'requested'
RETURNING id
"""

NOTE_EXECUTION = """
UPDATE sheet_to_bigquery_plans SET execution = :execution
WHERE id = :plan_id AND state = 'launched' AND execution IS NULL
RETURNING id
"""

# By the word of its execution, or of one that says so where RunJob's answer was lost. What ended by a word changes no
# more; where nobody had said anything yet, a late word is better than none.
CLOSE = """
UPDATE sheet_to_bigquery_plans
SET state = :state, ended_at = :now, execution = :execution, plan = CAST(:plan AS jsonb),
    error_class = :error_class, error = :error, remedy = :remedy
WHERE id = :plan_id AND launched_at IS NOT NULL AND coalesce(execution, :execution) = :execution
  AND (state = 'launched' OR state = 'failed' AND plan IS NULL AND error_class = :silent)
RETURNING id
"""

# Without a word: launch could not start it, or its execution (if that is who says so) died.
FAIL = """
UPDATE sheet_to_bigquery_plans
SET state = 'failed', ended_at = :now, execution = coalesce(execution, :execution), error_class = :error_class,
    error = :error, remedy = :remedy
WHERE id = :plan_id AND ended_at IS NULL AND coalesce(execution, :execution, '') = coalesce(:execution, execution, '')
RETURNING id
"""

FAIL_UNANSWERED = """
UPDATE sheet_to_bigquery_plans SET state = 'failed', ended_at = :now, error_class = :error_class, error = :error,
    remedy = :remedy
WHERE ended_at IS NULL AND requested_at < :before AND coalesce(launched_at, requested_at) < :before
RETURNING id
"""

CLEAN = """
DELETE FROM sheet_to_bigquery_plans WHERE id IN (
    SELECT p.id FROM sheet_to_bigquery_plans p WHERE p.ended_at < :before ORDER BY p.ended_at LIMIT :most
)
RETURNING id
"""
