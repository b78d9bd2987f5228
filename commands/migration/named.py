"""The configs that a person named: all are examined, and all that is wrong is told, before anything changes."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from commands.migration.errors import NotStarted
from commands.named import find_named
from commands.screen import Screen
from shared.errors import DatabaseUnavailable, SyncError
from shared.ledger.store import Store
from shared.owner import Owned, Tracking

Examined = TypeVar("Examined")


def require_ledger(store: Store) -> Tracking:
    """How far the tracking is there. Raises `NotStarted` where the database knows nothing of migrations."""
    tracking = store.tracking()
    if not tracking.ledger:
        raise NotStarted("the database lacks what this version needs", "run `python -m sql up` against it")
    return tracking


def require_started(store: Store) -> None:
    """Raises `NotStarted` where changes of owners would be written down nowhere."""
    if not require_ledger(store).started:
        raise no_marks()


def no_marks() -> NotStarted:
    """For who finds no migration."""
    return NotStarted(
        "the configs have no marks of whose their tables are", "`python migrate.py start` makes them, all the service's"
    )


def examine_named(
    names: Sequence[str],
    store: Store,
    look: Callable[[dict[str, Any], Owned], Examined],
    screen: Screen,
    *,
    changes: bool = True,
) -> list[Examined]:
    """What `look` makes of each config's row and owner, once for a config that is named twice.

    Where it, or a name, is refused, all refusals are told, and the last one is raised; of a command that `changes`
    anything, also that it did not.
    """
    found: dict[int, Examined] = {}
    refused: list[SyncError] = []
    for name in names:
        try:
            row = find_named(name, store)
            if row["id"] not in found:
                found[row["id"]] = look(row, store.list_owned([row["id"]])[0])
        except DatabaseUnavailable:
            raise
        except SyncError as error:
            refused.append(error)
    if refused:
        if changes:
            screen.note("nothing was changed")
        for each in refused[:-1]:
            screen.trouble(f"{each.name}: {each}")
        raise refused[-1]
    return list(found.values())


def owned_only(_row: dict[str, Any], owned: Owned) -> Owned:
    """For a step that every config can take."""
    return owned
