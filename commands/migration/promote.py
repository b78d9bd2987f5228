"""`migrate.py promote`: a table that was proved equal is the job's from now on."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.exits import SUCCEEDED
from commands.migration.actor import Change
from commands.migration.named import examine_named, require_started
from commands.screen import Screen
from shared import promotion as rules
from shared.errors import ServiceAtWork, TableBusy
from shared.ledger.store import Store, open_store
from shared.owner import Owner
from shared.promotion import Proved, refuse_at_work
from shared.settings import read_database, read_migrating

_PAUSE = 1.0
_PROMOTED = """The portal's messages of these configs run the job from now on, and so does the schedule; the service
gets them no more. Their tables keep the service's shape, all STRING, until `python migrate.py types` changes that.
`python migrate.py rollback NAME` takes it back at any time."""


class Promoted(msgspec.Struct, frozen=True):
    """A config that is the job's, and whose it was."""

    id: int
    name: str
    table: str
    before: Owner
    matches: int


def promote(
    names: Sequence[str],
    matches: int | None,
    force: str | None,
    seconds: float,
    change: Change,
    environ: Mapping[str, str],
    screen: Screen,
) -> int:
    """Marks configs job_ready, all or none; one that is already stays so.

    Raises, with nothing changed, `WrongPhase`, `NotProved` without `force`, `InvalidConfig`, `TableConflict`, and
    `ServiceAtWork` or `TableBusy` where the service did not pause in its own loads within `seconds`.
    """
    needed = matches or read_migrating(environ).migration_matches
    with open_store(read_database(environ)) as store:
        require_started(store)
        wanted = examine_named(
            names,
            store,
            lambda row, owned: rules.examine_promotion(
                row, owned, store.consecutive_matches(owned.id, owned.table), needed, store, forced=force is not None
            ),
            screen,
        )
        if not change.dry_run:
            reason = "; ".join(each for each in (change.reason, force and f"forced: {force}") if each) or None
            _mark_in_a_pause([each.row for each in wanted], seconds, reason, change.actor, store, screen)
    for each in wanted:
        if each.unseen:
            screen.note(f"{each.owned.label}: {each.unseen}; what its own runs do was not compared")
    _report(wanted, needed, force, change, screen)
    screen.json(
        [Promoted(each.owned.id, each.owned.name, each.owned.table, each.owned.owner, each.matches) for each in wanted]
    )
    return SUCCEEDED


def _mark_in_a_pause(
    rows: Sequence[Mapping[str, Any]], seconds: float, reason: str | None, actor: str, store: Store, screen: Screen
) -> None:
    """Once the service is at work on none of the tables. Raises `ServiceAtWork`, `TableBusy`, or `Overtaken`."""
    ids = [row["id"] for row in rows]
    until = time.monotonic() + seconds
    told = False
    while True:
        told = _wait_for_service(ids, until, told, store, screen)
        try:
            rules.promote(rows, actor, reason, store)
        except TableBusy:  # the service got a message after that look: it is waited for like any other
            if time.monotonic() >= until:
                raise
        else:
            rules.end_unwanted(ids, store)
            return


def _wait_for_service(ids: Sequence[int], until: float, told: bool, store: Store, screen: Screen) -> bool:
    """Until the service is at work on none of the tables; whether that was told. Raises `ServiceAtWork`."""
    while True:
        try:
            refuse_at_work(store.list_owned(ids))
        except ServiceAtWork as busy:
            if time.monotonic() >= until:
                raise
            if not told:
                screen.note(f"waiting for the service's own load: {busy.what}")
                told = True
            time.sleep(_PAUSE)
        else:
            return told


def _report(wanted: Sequence[Proved], needed: int, force: str | None, change: Change, screen: Screen) -> None:
    for each in wanted:
        owned = each.owned
        proved = f"{each.matches} MATCH in a row, {needed} needed"
        if force is not None:
            newest = f"the newest comparison says {owned.verdict}" if owned.verdict else "it was never compared"
            proved = f"forced: {proved}; {newest}"
        if owned.owner == "job_ready":
            screen.say(f"{owned.id} {owned.name}: job_ready already")
        elif change.dry_run:
            screen.say(f"{owned.id} {owned.name}: would be job_ready ({proved})")
        else:
            screen.say(f"{owned.id} {owned.name}: {owned.owner} → job_ready ({proved})")
    if change.dry_run:
        screen.say("dry run: nothing was changed")
        return
    screen.say(_PROMOTED)
