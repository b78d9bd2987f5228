"""`migrate.py start`: from now on every config's row says whose its table is, and every change of that is kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from commands.exits import SUCCEEDED
from commands.migration.actor import Change
from commands.screen import Screen
from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.owner import Owned
from shared.settings import read_database
from sql import tracking


def start(new: Literal["service", "job_ready"], change: Change, environ: Mapping[str, str], screen: Screen) -> int:
    """Starts the tracking; starting again changes nothing. Raises `InvalidSettings` before `python -m sql up`."""
    database = read_database(environ)
    with connect(database) as connection:
        store = Store(Session(connection, database.configs_table))
        were_marked = store.tracking().column
        if change.dry_run:
            lines = _plan(new, store)
        else:
            lines = list(tracking.start(connection, database.configs_table, new, change.actor))
        configs = store.list_owned()
        counts = Counter(each.owner for each in configs)
    for line in lines:
        screen.say(line)
    told = ", ".join(f"{count:,} {owner}" for owner, count in sorted(counts.items()))
    screen.say(f"configs: {told or 'none yet'}")
    if not were_marked:
        _tell_of_stopped(configs, change, screen)
    screen.say("What `job_helper.py add` or the console adds from now on is the job's (job_ready): it has no service.")
    screen.json({"dry_run": change.dry_run, "told": lines, "configs": counts})
    return SUCCEEDED


def _tell_of_stopped(configs: Sequence[Owned], change: Change, screen: Screen) -> None:
    """That the job begins nothing more of what it has run until now, where there is any such."""
    if stopped := [each for each in configs if each.active and each.job_at]:
        few = ", ".join(each.label for each in stopped[:3]) + (", …" if len(stopped) > 3 else "")
        screen.trouble(
            f"the job has run {len(stopped):,} of these configs ({few}), and"
            f" {'would begin' if change.dry_run else 'begins'} nothing more of them until each is promoted;"
            " without a comparison, `python migrate.py shadow NAME…` and `promote NAME… --force REASON` let it go on"
        )


def _plan(new: str, store: Store) -> list[str]:
    there = store.tracking()
    column = (
        "migration_status is there, and is taken as it is (NULL is service)"
        if there.column
        else f"would add migration_status: the configs that are there are the service's, those that others add {new}"
    )
    trigger = "changes are written down already" if there.trigger else "would write down every change from then on"
    return [column, trigger, "dry run: nothing was changed"]
