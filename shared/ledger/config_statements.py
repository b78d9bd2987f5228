"""The SQL of configs' rows, and of what people do to them. `{configs}` is the configs table's quoted name."""

from collections.abc import Iterable

from shared.ledger.statements import DATASET, DESTINATION, IS_OPEN, PROJECT, TABLE, same_table

# Why it was paused before, while it was, stays where nothing new is said.
PAUSE = """
UPDATE {configs} c SET is_active = false, paused_at = :now,
    paused_reason = CASE WHEN c.is_active THEN CAST(:reason AS text)
                         ELSE coalesce(CAST(:reason AS text), c.paused_reason) END
WHERE c.id = :id RETURNING c.id
"""

RESUME = """
UPDATE {configs} c SET is_active = true, paused_reason = NULL WHERE c.id = :id AND c.is_active IS NOT TRUE
RETURNING c.id
"""

# Compare and set. A portal's column may be of another type, so that the hours are compared as JSON writes them.
SET_FREQUENCY = """
UPDATE {configs} c SET run_frequency_hours = :hours, updated_at = now()
WHERE c.id = :id AND to_jsonb(c)->>'run_frequency_hours' IS NOT DISTINCT FROM CAST(:shown AS text)
RETURNING c.id
"""

# The columns that people edit, as each is set.
# ruff: noqa: S608
_AS_JSON = "CAST(:{column} AS jsonb)"
_EDITABLE = {
    "name": ":{column}",
    "google_sheet_url": ":{column}",
    "google_sheet_tab_name": ":{column}",
    "google_cloud_project_id": ":{column}",
    "bigquery_dataset_id": ":{column}",
    "bigquery_table_id": ":{column}",
    "schema_handling": ":{column}",
    "custom_schema": _AS_JSON,
    "options": _AS_JSON,
    "run_frequency_hours": ":{column}",
}
EDITABLE = tuple(_EDITABLE)
# What an edit goes by, beside them: whose the table is, where configs are marked.
SHOWN = (*EDITABLE, "migration_status")
_SHOWN = ", ".join(f"'{column}', to_jsonb(c)->'{column}'" for column in SHOWN)


def edit(columns: Iterable[str]) -> str:
    """Compare and set: sets these columns, and no other, where all that it goes by is as it was shown."""
    changes = ", ".join(f"{column} = {_EDITABLE[column].format(column=column)}" for column in columns)
    return f"""
UPDATE {{configs}} c SET {changes}, updated_at = now()
WHERE c.id = :id AND jsonb_build_object({_SHOWN}) = CAST(:shown AS jsonb) RETURNING c.id
"""


# Other active configs that replace a config's table, whoever owns them.
FIND_RIVALS = f"""
SELECT o.id || ' "' || o.name || '"' FROM {{configs}} c JOIN {{configs}} o ON {same_table("o", "c")}
WHERE c.id = :id AND o.id <> c.id AND o.is_active ORDER BY o.id
"""

# Active configs, but for one, that replace a table, whoever owns them: the older service writes it just as well.
FIND_ACTIVE_OF_TABLE = f"""
SELECT c.id || ' "' || c.name || '"' FROM {{configs}} c
WHERE {PROJECT.format(c="c")} = :google_cloud_project_id AND {DATASET.format(c="c")} = :bigquery_dataset_id
  AND {TABLE.format(c="c")} = :bigquery_table_id AND c.is_active
  AND c.id IS DISTINCT FROM CAST(:but AS bigint)
ORDER BY c.id
"""

# Configs whose own table is this one, whoever owns it, paused ones too.
OF_TABLE = f"""
SELECT c.id || ' "' || coalesce(c.name, '') || '"' FROM {{configs}} c
WHERE {PROJECT.format(c="c")} = :project AND {DATASET.format(c="c")} = :dataset AND {TABLE.format(c="c")} = :name
ORDER BY c.id
"""

# Not while a run of it is open: its end moves last_run, and tells people, by the row.
REMOVE = f"""
DELETE FROM {{configs}} c WHERE c.id = :id
  AND NOT EXISTS (SELECT FROM sheet_to_bigquery_runs r WHERE r.config_id = c.id AND {IS_OPEN})
RETURNING c.id, c.name, {DESTINATION.format(c="c")}
"""

OLDEST_OPEN_RUN = f"""
SELECT r.id::text, r.state FROM sheet_to_bigquery_runs r WHERE r.config_id = :id AND {IS_OPEN}
ORDER BY r.created_at LIMIT 1
"""

# As bigint: an id that the column cannot hold is nobody's, not an error.
FIND_CONFIG = "SELECT to_jsonb(c) FROM {configs} c WHERE c.id = CAST(:id AS bigint)"

# Ten tell enough of a name that is not just one config's.
FIND_CONFIGS_NAMED = "SELECT to_jsonb(c) FROM {configs} c WHERE c.name = :name ORDER BY c.id LIMIT 10"

# Where the newest configs load, what most of them have first: a portal's thousands are not gone through for it.
DATASETS_IN_USE = f"""
SELECT newest.project, newest.dataset FROM (
    SELECT {PROJECT.format(c="c")} AS project, {DATASET.format(c="c")} AS dataset
    FROM {{configs}} c ORDER BY c.id DESC LIMIT 1000
) newest
WHERE newest.project <> '' AND newest.dataset <> ''
GROUP BY newest.project, newest.dataset ORDER BY count(*) DESC, newest.project, newest.dataset LIMIT :most
"""

KNOWN_NAMES = "SELECT DISTINCT c.name FROM {configs} c WHERE c.name = ANY(CAST(:names AS text[]))"

LIST_CONFIGS = "SELECT to_jsonb(c) FROM {configs} c ORDER BY c.id"

# Whether configs are marked with who owns their tables.
IS_TRACKED = """
SELECT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = $name${configs}$name$::regclass AND attname = 'migration_status' AND NOT attisdropped
)
"""

# The times are given because a table that a portal's framework made may demand them without a default.
_ADD = """
INSERT INTO {{configs}} AS c (name, google_sheet_url, google_sheet_tab_name, google_cloud_project_id,
    bigquery_dataset_id, bigquery_table_id, schema_handling, custom_schema, options, run_frequency_hours, is_active,
    created_at, updated_at{column})
VALUES (:name, :google_sheet_url, :google_sheet_tab_name, :google_cloud_project_id, :bigquery_dataset_id,
    :bigquery_table_id, :schema_handling, CAST(:custom_schema AS jsonb), CAST(:options AS jsonb),
    :run_frequency_hours, true, now(), now(){mark})
RETURNING c.id
"""
ADD_CONFIG = _ADD.format(column="", mark="")
# Where the older service still has configs of its own, a config is the job's only if it says so. From the beginning:
# one that changes hands would keep the shape of the service's table.
ADD_OWNED_CONFIG = _ADD.format(column=", migration_status", mark=", 'job_ready'")
