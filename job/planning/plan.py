"""What a run of a config would do, by the job's own reading and its own decision. Nothing here writes."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from job.columns.table import Table
from job.errors import UnexpectedFailure
from job.planning.cells import cells_in, named_cell
from job.planning.columns import planned_columns
from job.planning.destination import look, plan_table
from job.reading.calls import Calls
from job.reading.read import Reading, read_table
from job.reading.refusals import Subject
from job.reading.sheet import SheetReader
from job.reading.tab import Tab
from shared.clients import Clients
from shared.config import Column, Config
from shared.errors import SyncError
from shared.plan import Plan, PlanError, TablePlan

# A person waits, but the quota's minute may have to come round: a run would wait three times as long.
_WAIT_BUDGET = 60.0
Found = TypeVar("Found")


class SheetRead(msgspec.Struct, frozen=True):
    """What a run would read: `tab` if it was found, and a `reading` or the `error` instead.

    `named` are the addresses in the tab of the cells that the warnings, or the error, name (`C17`). `calls` and
    `sheets` are what it was read with.
    """

    calls: Calls
    sheets: Any
    tab: Tab | None
    reading: Reading | None
    error: SyncError | None
    warnings: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def table(self) -> Table | None:
        return self.reading.table if self.reading else None


class Planned(msgspec.Struct, frozen=True):
    """A plan, what was read for it, and the errors that it tells."""

    plan: Plan
    sheet: SheetRead
    errors: tuple[SyncError, ...]


def plan_load(config: Config, clients: Clients, job_project: str, location: str, reads_per_minute: int) -> Planned:
    """Plans a run of the config. BigQuery is asked in `job_project`; a missing dataset would be made in `location`."""
    destination, unseen = _tried(lambda: look(config, clients.bigquery(job_project), location))
    standing = destination.standing if destination and config.options.keeps_types else None
    sheet = read_sheet(config, clients, reads_per_minute, standing.asked() if standing else ())
    change: TablePlan | None = None
    unwritable = unseen
    if destination:
        subject = Subject.of(config, clients.identity).config
        change, unwritable = _tried(lambda: plan_table(config, destination, sheet.table, subject))
    errors = tuple(error for error in (sheet.error, unwritable) if error is not None)
    return Planned(_told(config, sheet, change, errors), sheet, errors)


def read_sheet(config: Config, clients: Clients, reads_per_minute: int, standing: Sequence[Column] = ()) -> SheetRead:
    """Reads the sheet as the job does. `standing` are columns that keep the type which they have in the destination."""
    subject = Subject.of(config, clients.identity)
    calls = Calls(subject, reads_per_minute, wait_budget=_WAIT_BUDGET)
    sheets = clients.sheets()
    reader = _TellingReader(calls, sheets, clients.drive(), config)
    reading, error = _tried(lambda: read_table(reader, config, subject.config, standing))
    warnings = reading.warnings if reading else ()
    tab = reader.found
    named = cells_in([error.what] if error else warnings, tab) if tab else ()
    return SheetRead(calls, sheets, tab, reading, error, warnings, tuple(named))


class _TellingReader(SheetReader):
    """Keeps the tab that it found."""

    found: Tab | None = None

    def tab(self) -> Tab:
        self.found = super().tab()
        return self.found


def _told(config: Config, sheet: SheetRead, change: TablePlan | None, errors: Sequence[SyncError]) -> Plan:
    tab, table = sheet.tab, sheet.table
    return Plan(
        requests=sheet.calls.count,
        tab=tab.title if tab else None,
        rows=table.rows if table else None,
        columns=tuple(planned_columns(table)) if table else (),
        warnings=sheet.warnings,
        cells=tuple(named_cell(cell, config.spreadsheet, tab) for cell in sheet.named) if tab else (),
        change=change,
        errors=tuple(map(PlanError.of, errors)),
    )


def _tried(look: Callable[[], Found]) -> tuple[Found | None, SyncError | None]:
    try:
        return look(), None
    except SyncError as error:
        return None, error
    except Exception as problem:  # as the job tells it
        return None, UnexpectedFailure.of(problem)
