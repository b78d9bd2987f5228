"""The SQL of what people do to a config by command. `{configs}` is the configs table's quoted name."""

from shared.statements import same_table

# Why it was paused before, while it was, stays where nothing new is said.
PAUSE = """
UPDATE {configs} c SET is_active = false, paused_at = :now,
    paused_reason = CASE WHEN c.is_active THEN CAST(:reason AS text)
                         ELSE coalesce(CAST(:reason AS text), c.paused_reason) END
WHERE c.id = :id RETURNING c.id
"""

RESUME = "UPDATE {configs} c SET is_active = true, paused_reason = NULL WHERE c.id = :id RETURNING c.id"

# Other active configs that replace a config's table, whoever owns them.
# ruff: noqa: S608
FIND_RIVALS = f"""
SELECT o.id || ' "' || o.name || '"' FROM {{configs}} c JOIN {{configs}} o ON {same_table("o", "c")}
WHERE c.id = :id AND o.id <> c.id AND o.is_active ORDER BY o.id
"""
