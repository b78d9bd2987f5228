"""`job_helper.py plan`: what a run would read, decide and change. It writes nothing anywhere."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from commands.exits import FAILED, SUCCEEDED
from commands.plan_config import Planned, of_file, of_row
from commands.plan_screen import draw_plan
from commands.plan_sheet import SheetPlan, plan_sheet
from commands.plan_table import TablePlan, look, plan_table
from commands.screen import Screen
from job.reading.refusals import Subject
from shared.clients import Clients
from shared.errors import InvalidConfig, SyncError
from shared.run import Failure
from shared.settings import Settings, read_settings

Found = TypeVar("Found")


class Plan(msgspec.Struct, frozen=True):
    """All that a plan tells. A run would fail with the first of the `errors`, and succeed if there are none."""

    config: str
    table: str
    errors: tuple[Failure, ...]
    sheet: SheetPlan
    change: TablePlan | None
    owners: tuple[str, ...] | None
    schedule: str
    next_due: datetime | None


def plan(wanted: str | None, path: Path | None, environ: Mapping[str, str], screen: Screen) -> int:
    """Plans a run of the config that is named, or of the one in a file; the exit code tells whether it would succeed.

    Raises what is wrong with the command's own input: the settings, the file, a name that nobody has.
    """
    settings = read_settings(environ)
    if path is not None:
        planned = of_file(path, environ)
    else:
        try:
            planned = of_row(wanted or "", environ)
        except InvalidConfig as error:  # of the row: what a run of it would fail with
            screen.trouble(f"a run would fail: {error.name}: {error}")
            screen.json({"errors": [Failure.of(error)]})
            return FAILED
    with screen.progress.status("reading"):
        made = _plan(planned, settings, Clients(environ))
    draw_plan(made, screen)
    screen.json(made)
    return FAILED if made.errors else SUCCEEDED


def _plan(planned: Planned, settings: Settings, clients: Clients) -> Plan:
    config = planned.config
    destination, unseen = _tried(
        lambda: look(config, clients.bigquery(settings.job_project), settings.bigquery_location)
    )
    standing = destination.standing if destination and config.options.keeps_types else None
    kept = standing.asked() if standing else ()
    sheet, table, unreadable = plan_sheet(config, clients, settings.sheets_reads_per_minute, kept)
    change, unwritable = None, unseen
    if destination:
        subject = Subject.of(config, clients.identity).config
        change, unwritable = _tried(lambda: plan_table(config, destination, table, subject))
    errors = [error for error in (planned.refusal, unreadable, unwritable) if error is not None]
    return Plan(
        config=config.name,
        table=config.destination,
        errors=tuple(map(Failure.of, errors)),
        sheet=sheet,
        change=change,
        owners=planned.owners,
        schedule=planned.schedule,
        next_due=planned.next_due,
    )


def _tried(look: Callable[[], Found]) -> tuple[Found | None, SyncError | None]:
    try:
        return look(), None
    except SyncError as error:
        return None, error
