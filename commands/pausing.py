"""`job_helper.py pause` and `resume`: the owner's switch `is_active`, with a reason that is shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands.actor import act
from commands.configs import registered
from commands.exits import SUCCEEDED
from commands.named import find_named
from commands.screen import Screen
from shared.errors import InvalidInput
from shared.ledger.store import Store, open_store
from shared.settings import read_database


def pause(wanted: Sequence[str], reason: str | None, environ: Mapping[str, str], screen: Screen) -> int:
    """Pauses the configs that are named; one that is paused already gets the reason."""
    if reason is not None and not reason.strip():
        raise InvalidInput("--reason is blank", "leave it out, or say why")
    with open_store(read_database(environ)) as store:
        rows = [find_named(each, store) for each in wanted]
        for row in rows:
            _pause(row, reason, store)
        _show(rows, store, screen, {})
    return SUCCEEDED


def resume(wanted: Sequence[str], environ: Mapping[str, str], screen: Screen) -> int:
    """Resumes the configs that are named. Raises `TableConflict` at the first whose table another one has."""
    with open_store(read_database(environ)) as store:
        rows = [find_named(each, store) for each in wanted]
        resumed = {config_id: _resume(row, store) for config_id, row in {row["id"]: row for row in rows}.items()}
        _show(
            rows, store, screen, {each: "resumed; " if done else "was not paused; " for each, done in resumed.items()}
        )
    return SUCCEEDED


def _pause(row: Mapping[str, Any], reason: str | None, store: Store) -> None:
    def change() -> dict[str, str]:
        store.pause_config(row["id"], reason, store.now())
        return {"reason": reason} if reason else {}

    act("pause", change, store, row["id"], row["name"])


def _resume(row: Mapping[str, Any], store: Store) -> bool:
    """Whether it was paused."""

    def change() -> dict[str, str] | None:
        return {} if store.resume_config(row["id"]) else None

    return act("resume", change, store, row["id"], row["name"]) is not None


def _show(rows: Sequence[Mapping[str, Any]], store: Store, screen: Screen, done: Mapping[int, str]) -> None:
    """The configs as they are now, behind what was done to them, by id."""
    ids = {row["id"] for row in rows}
    names = [row["name"] for row in rows]
    # No name finds a row that a portal wrote without one.
    found = [each for each in registered(store, None if None in names else names) if each.id in ids]
    for each in found:
        screen.say(f"{each.id} {each.name}: {done.get(each.id, '')}{each.told}")
    screen.json(found)
