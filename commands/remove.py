"""`job_helper.py remove`: forgets a config; what it loaded, and that it did, stays."""

from collections.abc import Mapping

from commands.exits import SUCCEEDED
from commands.named import find_named
from commands.screen import Screen
from shared.ledger.store import open_store
from shared.settings import read_database


def remove(wanted: str, environ: Mapping[str, str], screen: Screen) -> int:
    """Removes the config that is named. Raises `InvalidInput` while a run of it is open: its end would move nothing."""
    with open_store(read_database(environ)) as store:
        row = find_named(wanted, store)
        removed = store.remove_config(row["id"])
    name = "without a name" if removed.name is None else removed.name
    screen.say(f"removed config {removed.id} {name}; its runs and its table {removed.table}, if there is one, stay")
    screen.json(removed)
    return SUCCEEDED
