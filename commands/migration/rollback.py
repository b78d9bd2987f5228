"""`migrate.py rollback`: configs' tables are the service's again, at once.

The mark comes first, and nothing undoes it: from then on nothing of the job's begins, and the portal's messages go to
the service as soon as what is in flight is closed. That is done here and now, by taking each attempt's BigQuery job id;
where it cannot be, messages are held back until the sweep, or this command again, has done it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from commands.exits import FAILED, SUCCEEDED
from commands.migration.actor import Change
from commands.migration.closing import Closing, close_runs
from commands.migration.cloud import Step, deployment_steps, take
from commands.migration.named import examine_named, owned_only, require_started
from commands.migration.returning import return_messages
from commands.screen import Screen
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.owner import Owned, Owner
from shared.promotion import give_back
from shared.wiring import Wiring

_COLUMNS = ("ID", "NAME", "FROM", "TO", "WHAT WAS OPEN")


class RolledBack(msgspec.Struct, frozen=True):
    """A config that is the service's, whose it was, and what became of the runs that were open; `returned` tells
    whether a message that waited for one of them was published again, for the service."""

    id: int
    name: str
    table: str
    before: Owner
    closed: list[Closing]
    returned: bool = False

    @property
    def is_open(self) -> bool:
        return any(each.became == "open" for each in self.closed)


def rollback(names: Sequence[str], seconds: float, change: Change, environ: Mapping[str, str], screen: Screen) -> int:
    """Gives the tables of the configs that are named back; 1 where a run could not be closed yet."""
    wiring = Wiring(environ)
    with wiring.store() as store:
        require_started(store)
        wanted = examine_named(names, store, owned_only, screen)
        done, all_returned = _go_back(wanted, seconds, change, store, wiring, screen)
    _report(done, change, screen)
    screen.json(done)
    return _code(done, all_returned, "rollback NAME…", screen)


def rollback_all(
    seconds: float, with_cloud: bool, env_file: Path | None, change: Change, environ: Mapping[str, str], screen: Screen
) -> int:
    """Gives all tables back, pauses the schedule and returns the service's traffic; 1 where any of that is not done."""
    wiring = Wiring(environ)
    with wiring.store() as store:
        require_started(store)
        # With those of a rollback that was not brought to its end.
        ids = sorted({*store.taken_ids(), *store.services_with_open_runs(), *store.unanswered_messages()})
        done, all_returned = _go_back(store.list_owned(ids), seconds, change, store, wiring, screen)
    _report(done, change, screen)
    failpoint("migrate.before_cloud")
    steps = deployment_steps(wiring.settings, environ, env_file) if with_cloud else []
    taken: list[Step] = [take(step, change.dry_run, environ, screen) for step in steps]
    screen.json({"configs": done, "cloud": taken})
    code = _code(done, all_returned, "rollback --all", screen)
    return code if all(step.done for step in taken) or change.dry_run else FAILED


def _go_back(
    wanted: Sequence[Owned], seconds: float, change: Change, store: Store, wiring: Wiring, screen: Screen
) -> tuple[list[RolledBack], bool]:
    """What became of each, and whether all messages that waited are with the service."""
    ids = [each.id for each in wanted]
    closed: list[Closing] = []
    returned: set[int] = set()
    all_returned = True
    if not change.dry_run and ids:
        give_back(ids, change.actor, change.reason, store)
        open_runs = store.open_runs(ids)
        closed = close_runs(open_runs, store, wiring, seconds)
        returned, all_returned = return_messages(ids, store, wiring, screen)
    done = [
        RolledBack(
            each.id,
            each.name,
            each.table,
            each.owner,
            [one for one in closed if one.config_id == each.id],
            each.id in returned,
        )
        for each in wanted
    ]
    return done, all_returned


def _report(done: Sequence[RolledBack], change: Change, screen: Screen) -> None:
    if not done:
        screen.say("every config is the service's already")
        return
    rows = [
        (
            str(each.id),
            each.name,
            each.before,
            "service",
            _what_was_open(each) or ("" if change.dry_run else "nothing"),
        )
        for each in done
    ]
    screen.table(_COLUMNS, rows)
    if change.dry_run:
        screen.say("dry run: nothing was changed")


def _what_was_open(done: RolledBack) -> str:
    message = ["the portal's message that waited goes to the service"] if done.returned else []
    return "; ".join([*(one.line for one in done.closed), *message])


def _code(done: Sequence[RolledBack], all_returned: bool, again: str, screen: Screen) -> int:
    left = [each for each in done if each.is_open]
    if not left:
        return SUCCEEDED if all_returned else FAILED
    names = ", ".join(f"{each.id} {each.name}" for each in left)
    screen.trouble(
        f"the marks stand, but a run is open of: {names}. Its table is the job's until then, and the portal's messages"
        f" are held back: the sweep closes it within minutes, unless it is paused; `python migrate.py {again}` does it"
        " when Google answers"
    )
    return FAILED
