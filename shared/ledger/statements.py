"""What the ledger's statements share: the clock, the locks, and which table a config replaces, with whom.

All runtime SQL stands in this folder, as named statements with bound parameters; `{configs}` is the configs table's
quoted name.

Rows of the configs table are read as JSON (`to_jsonb`), so that one statement serves tables with and without
optional columns (`migration_status`), and so that a portal's odd values reach the parser instead of failing here.
"""

from collections.abc import Iterable
from typing import get_args

from shared.run import Why
from shared.states import ACTIVE, listed

NOW = "SELECT now()"

# Serialises callers for one transaction; a cap inside one UPDATE leaks under concurrency. The lock's first
# number is this product's (the letters "s2bq"), the second says which verb.
LOCK_DISPATCH = "SELECT pg_advisory_xact_lock(1932681841, 1)"
LOCK_ADMISSION = "SELECT pg_advisory_xact_lock(1932681841, 2)"

# Until the transaction's end, or until the second: nobody knows how many are due or open, and PostgreSQL would rather
# read all of them and sort them; and only who goes through an index in its order leaves out for the next one what is
# dead in it.
IN_INDEX_ORDER = "SET LOCAL enable_bitmapscan = off"
IN_ANY_ORDER = "SET LOCAL enable_bitmapscan TO DEFAULT"

# Why runs of the job's own are recorded, and not beside the older service.
OWN_REASONS: tuple[Why, ...] = tuple(why for why in get_args(Why) if why != "shadow")
ACTIVE_STATES = listed(ACTIVE)
# Whether a run `r` is open, by the indexes of those that are: that `ended_at` is NULL is known by none.
IS_OPEN = f"(r.state = 'pending' OR r.state IN {ACTIVE_STATES})"
# Without the blanks around them, as the parser takes them: `sales ` and `sales` are one table.
PROJECT, DATASET, TABLE = (
    f"btrim({{c}}.{column}, E' \\t\\r\\n')"
    for column in ("google_cloud_project_id", "bigquery_dataset_id", "bigquery_table_id")
)


def each_of(reasons: Iterable[Why]) -> str:
    """The rows `reason (why)`: asked of each by itself, what runs were recorded for is found by an index."""
    return f"(VALUES {', '.join(listed([why]) for why in reasons)}) reason (why)"


def same_table(one: str, other: str) -> str:
    """The condition that two configs, by their aliases, replace the same table."""
    return " AND ".join(f"{part.format(c=one)} = {part.format(c=other)}" for part in (PROJECT, DATASET, TABLE))


DESTINATION = f"concat_ws('.', {PROJECT}, {DATASET}, {TABLE})"

# What a config reads, hashed: its sheet, its tab, and its options but for parity, which comes and goes with the owner.
SOURCE = """md5(jsonb_build_array({c}.google_sheet_url, {c}.google_sheet_tab_name, CASE
    WHEN jsonb_typeof({c}.options) = 'object' THEN nullif({c}.options - 'parity', '{{}}') ELSE {c}.options
END)::text)"""

# Owned by the job: no column migration_status, or its value is job_ready (NULL is 'service').
OWNED = """(
    NOT to_jsonb({c}) ? 'migration_status' OR to_jsonb({c})->>'migration_status' IS NOT DISTINCT FROM 'job_ready'
)"""

# The older service's, while the job loads it beside as well.
SHADOWED = "(to_jsonb({c})->>'migration_status' IS NOT DISTINCT FROM 'shadow')"
# What a shadow run of a config loads, in a dataset beside its own: Config.shadow, in SQL.
SHADOW = f"concat_ws('.', {PROJECT}, {DATASET} || CAST(:shadow_suffix AS text), {TABLE})"


def _rivals(owned: str) -> str:
    """Other active configs, owned so, that replace the same table as `c`."""
    return f"FROM {{configs}} o WHERE {same_table('o', 'c')} AND o.id <> c.id AND o.is_active AND {owned}"


def owned_for(run: str, config: str) -> str:
    """Whether a config, by its alias, is owned such that the run may go: a shadow run is of a shadow config."""
    shadowed, owned = SHADOWED.format(c=config), OWNED.format(c=config)
    return f"(CASE WHEN {run}.why = 'shadow' THEN {shadowed} ELSE {owned} END)"


def rival(owned: str) -> str:
    """The first of a config's rivals as `7 "sales"`; NULL where there is none."""
    return f"""(SELECT o.id || ' "' || o.name || '"' {_rivals(owned)} ORDER BY o.id LIMIT 1)"""


# Of the job's own configs.
RIVALS = _rivals(OWNED.format(c="o"))
RIVAL = rival(OWNED.format(c="o"))
