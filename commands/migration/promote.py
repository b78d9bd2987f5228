"""`migrate.py promote`: a table that was proved equal is the job's from now on."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.exits import SUCCEEDED
from commands.migration.actor import Change
from commands.migration.errors import NotProved, ServiceAtWork, WrongPhase
from commands.migration.named import examine_named, refuse_twins, require_started, unlike_its_shadow
from commands.moments import shown
from commands.screen import Screen
from shared.config import parse_config
from shared.errors import TableBusy
from shared.failpoints import failpoint
from shared.ledger.store import Store, open_store
from shared.owner import Owned, Owner
from shared.settings import read_database, read_migrating

_PAUSE = 1.0
_PROMOTED = """The portal's messages of these configs run the job from now on, and so does the schedule; the service
gets them no more. Their tables keep the service's shape, all STRING, until `python migrate.py types` changes that.
`python migrate.py rollback NAME` takes it back at any time."""


class Proved(msgspec.Struct, frozen=True):
    """A config, how many comparisons in a row were MATCH, and what its run does that they did not see."""

    owned: Owned
    matches: int
    unseen: str | None = None


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
        wanted = examine_named(names, store, lambda row, owned: _examine(row, owned, needed, force, store), screen)
        if not change.dry_run:
            ids = [each.owned.id for each in wanted]
            _mark_in_a_pause(ids, seconds, force, change, store, screen)
    for each in wanted:
        if each.unseen:
            screen.note(f"{each.owned.label}: {each.unseen}; what its own runs do was not compared")
    _report(wanted, needed, force, change, screen)
    screen.json(
        [Promoted(each.owned.id, each.owned.name, each.owned.table, each.owned.owner, each.matches) for each in wanted]
    )
    return SUCCEEDED


def _examine(row: dict[str, Any], owned: Owned, needed: int, force: str | None, store: Store) -> Proved:
    matches = store.consecutive_matches(owned.id, owned.table)
    if owned.owner == "job_ready":  # an earlier call did it
        return Proved(owned, matches)
    if owned.owner == "service":
        raise WrongPhase(
            f"{owned.label} is the service's, and was not loaded beside it",
            f"`python migrate.py shadow {owned.id}`, and compare first",
        )
    config = parse_config(row)
    refuse_twins(config, owned, store)
    unseen = unlike_its_shadow(config)
    if unseen and force is None:
        raise NotProved(
            f"{owned.label}: {unseen}, so a MATCH says nothing about the job's own runs",
            "take load_mode, and what belongs to it, out of options until the migration is over; or --force REASON",
        )
    if matches < needed and force is None:
        newest = f", and the newest comparison says {owned.verdict}" if owned.verdict else ""
        raise NotProved(
            f"{owned.label} has {matches} of {needed} MATCH in a row{newest}",
            f"`python migrate.py compare {owned.id}` after each load of the service's; or --force REASON",
        )
    return Proved(owned, matches, unseen)


def _mark_in_a_pause(
    ids: Sequence[int], seconds: float, force: str | None, change: Change, store: Store, screen: Screen
) -> None:
    """Once the service is at work on none of the tables. Raises `ServiceAtWork`, or `TableBusy`."""
    until = time.monotonic() + seconds
    told = False
    while True:
        told = _wait_for_service(ids, until, told, store, screen)
        try:
            _mark(ids, force, change, store)
        except TableBusy:  # the service got a message after that look: it is waited for like any other
            if time.monotonic() >= until:
                raise
        else:
            return


def _wait_for_service(ids: Sequence[int], until: float, told: bool, store: Store, screen: Screen) -> bool:
    """Until the service is at work on none of the tables; whether that was told. Raises `ServiceAtWork`."""
    while busy := [each for each in store.list_owned(ids) if each.forward_until]:
        if time.monotonic() >= until:
            raise ServiceAtWork(
                f"the service may be loading the table of {busy[0].label}, until {shown(busy[0].forward_until)} UTC at"
                " the latest; nothing was changed",
                "try again, or wait longer with --wait SECONDS",
            )
        if not told:
            screen.note(f"waiting for the service's own load of {busy[0].label}")
            told = True
        time.sleep(_PAUSE)
    return told


def _mark(ids: Sequence[int], force: str | None, change: Change, store: Store) -> None:
    reason = "; ".join(each for each in (change.reason, force and f"forced: {force}") if each) or None
    store.set_owner(ids, ("shadow",), "job_ready", change.actor, reason)
    failpoint("migrate.after_mark")
    # What is in flight is the sweep's to close, before the config's first run as the owner.
    for run in store.open_runs(ids):
        if run.why == "shadow":
            store.cancel(run.id, store.now())


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
