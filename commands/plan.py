"""`job_helper.py plan`: what a run would read, decide and change. It writes nothing anywhere."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from commands.exits import FAILED, SUCCEEDED
from commands.plan_cells import shown_cells
from commands.plan_config import Planned, of_file, of_row
from commands.plan_samples import SheetPlan, sampled
from commands.plan_screen import draw_plan
from commands.screen import Screen
from job.planning.plan import Planned as Made
from job.planning.plan import plan_load
from shared.clients import Clients
from shared.config import Config
from shared.errors import InvalidConfig
from shared.plan import TablePlan
from shared.run import Failure
from shared.settings import Settings, read_settings


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
    made = plan_load(
        config, clients, settings.job_project, settings.bigquery_location, settings.sheets_reads_per_minute
    )
    errors = (planned.refusal, *made.errors) if planned.refusal else made.errors
    return Plan(
        config=config.name,
        table=config.destination,
        errors=tuple(map(Failure.of, errors)),
        sheet=_with_values(made, config),
        change=made.plan.change,
        owners=planned.owners,
        schedule=planned.schedule,
        next_due=planned.next_due,
    )


def _with_values(made: Made, config: Config) -> SheetPlan:
    plan, sheet = made.plan, made.sheet
    cells = tuple(shown_cells(sheet, config.spreadsheet))
    return SheetPlan(
        requests=sheet.calls.count,
        tab=sheet.tab,
        rows=plan.rows,
        columns=sampled(plan.columns, sheet.table) if sheet.table else (),
        notices=plan.warnings,
        cells=cells,
    )
