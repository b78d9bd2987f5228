"""`migrate.py history`: the audit."""

from collections.abc import Mapping, Sequence

from commands.exits import SUCCEEDED
from commands.migration.named import examine_named, owned_only, require_ledger
from commands.moments import shown
from commands.screen import Screen
from shared.ledger.store import open_store
from shared.settings import read_database

_COLUMNS = ("WHEN (UTC)", "CONFIG", "FROM", "TO", "WHO", "WHY")


def show_history(names: Sequence[str], most: int, environ: Mapping[str, str], screen: Screen) -> int:
    """Changes of owners, and when tracking them began and ended, newest first; they stay when the marks are gone."""
    with open_store(read_database(environ)) as store:
        require_ledger(store)
        ids = [owned.id for owned in examine_named(names, store, owned_only, screen, changes=False)] if names else None
        found = store.owner_changes(ids, most)
    if not found:
        screen.say("No owner was changed yet.")
    else:
        rows = [
            (
                shown(each.changed_at),
                "all" if each.config_id is None else f"{each.config_id} {each.config_name}",
                each.before,
                each.after,
                each.changed_by,
                each.reason,
            )
            for each in found
        ]
        screen.table(_COLUMNS, rows)
    screen.json(found)
    return SUCCEEDED
