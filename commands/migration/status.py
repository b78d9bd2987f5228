"""`migrate.py status`: whose every config's table is, and what stands between it and the next step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.exits import SUCCEEDED
from commands.migration.named import examine_named, owned_only, require_started
from commands.moments import shown
from commands.screen import Screen
from shared.ledger.store import open_store
from shared.owner import Owned, Owner
from shared.settings import read_database, read_migrating

_COLUMNS = ("ID", "NAME", "OWNER", "OPEN", "SERVICE (UTC)", "SHADOW (UTC)", "JOB (UTC)", "VERDICT", "MATCHES")
_PHASES: tuple[Owner, ...] = ("service", "shadow", "job_ready")


class Standing(msgspec.Struct, frozen=True):
    """A config, what is not handed over yet, MATCHes in a row while it is in shadow, and what others wrote."""

    owned: Owned
    handing_over: str | None
    matches: int | None
    others: list[str]


def show_status(names: Sequence[str], with_cloud: bool, environ: Mapping[str, str], screen: Screen) -> int:
    """All configs, or those that are named; with the cloud, BigQuery tells who else writes the job's tables."""
    needed = read_migrating(environ).migration_matches
    others: dict[int, list[str]] = {}
    unseen: list[str] = []
    with open_store(read_database(environ)) as store:
        require_started(store)
        found = examine_named(names, store, owned_only, screen, changes=False) if names else store.list_owned()
        if with_cloud and any(each.owner == "job_ready" for each in found):
            from commands.migration.foreign import look_for_others
            from shared.wiring import Wiring

            others, unseen = look_for_others(found, store, Wiring(environ))
        standings = [
            Standing(
                each,
                handing_over(each),
                store.consecutive_matches(each.id, each.table) if each.owner == "shadow" else None,
                others.get(each.id, []),
            )
            for each in found
        ]
    _draw(standings, needed, screen)
    for line in unseen:
        screen.note(line)
    screen.json({"counts": _counts(standings), "needed": needed, "configs": [_told(each) for each in standings]})
    return SUCCEEDED


def handing_over(owned: Owned) -> str | None:
    """What the one who had the table before has open still; None where nothing is."""
    if owned.owner != "job_ready" and owned.open_run and owned.open_why != "shadow":
        return "a run of the job's is in flight: the service's messages wait for its end"
    if owned.owner == "job_ready" and owned.forward_until:
        until = shown(owned.forward_until)
        return f"the service may be loading it, until {until} UTC at the latest: runs of the job wait for that"
    return None


def _counts(standings: Sequence[Standing]) -> dict[Owner, int]:
    counts = Counter(each.owned.owner for each in standings)
    return {phase: counts[phase] for phase in _PHASES}


def _draw(standings: Sequence[Standing], needed: int, screen: Screen) -> None:
    screen.say(" · ".join(f"{count:,} {phase}" for phase, count in _counts(standings).items()))
    pending = [each for each in standings if each.handing_over]
    if pending:
        screen.say(f"{len(pending):,} handed over, but not yet let go by who had them before")
    written = [each for each in standings if each.others]
    if written:
        screen.say(f"{len(written):,} of the job's tables are written by somebody else, too")
    screen.say()
    screen.table(_COLUMNS, [_row(each, needed) for each in standings])
    for each in pending:
        screen.say(f"{each.owned.id} {each.owned.name}: {each.handing_over}")
    for each in written:
        for line in each.others:
            screen.say(line)


def _told(standing: Standing) -> dict[str, Any]:
    told = {name: getattr(standing, name) for name in ("handing_over", "matches", "others")}
    return msgspec.structs.asdict(standing.owned) | told


def _row(standing: Standing, needed: int) -> tuple[str, ...]:
    owned = standing.owned
    answered = f" ({owned.service_status})" if owned.service_status and not 200 <= owned.service_status < 300 else ""
    return (
        str(owned.id),
        owned.name if owned.active else f"{owned.name} (paused)",
        owned.owner,
        _open(owned),
        shown(owned.service_at) + answered,
        _ended(shown(owned.shadow_at), owned.shadow_state),
        _ended(shown(owned.job_at), owned.job_state),
        owned.verdict or "",
        f"{standing.matches} of {needed}" if standing.matches is not None else "",
    )


def _open(owned: Owned) -> str:
    opened = [f"{owned.open_why} run" if owned.open_run else "", "message" if owned.forward_until else ""]
    return ", ".join(each for each in opened if each)


def _ended(when: str, state: str | None) -> str:
    return when if state in (None, "succeeded") else f"{when} {state}"
