"""What there is to tell of one run, gathered once: `job_helper.py show` and the console's page tell the same."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from shared import links, load_job
from shared.ledger.store import Store
from shared.links import NamedCell, named_cells
from shared.loaded import ColumnChange, ColumnLoaded, differences
from shared.run import Run
from shared.spreadsheet import Spreadsheet, spreadsheet_of

# As main.py names them, in its order.
_STAGES = ("read", "load")


class Told(msgspec.Struct, frozen=True):
    """An error or a warning, and the cells that it names."""

    text: str
    cells: tuple[NamedCell, ...] = ()


class Stage(msgspec.Struct, frozen=True):
    """A part of the execution's work (`read`, `load`), in seconds of wall time."""

    name: str
    seconds: float


class Wait(msgspec.Struct, frozen=True):
    """What the run was at, from when to when; `until` is None while it goes on.

    `waiting`: for its turn among the runs, for the quota or for its next attempt. `queued`: its message is on its way
    to launch. `running`: its newest attempt.
    """

    name: str
    since: datetime
    until: datetime | None

    @property
    def seconds(self) -> float | None:
        return round((self.until - self.since).total_seconds(), 1) if self.until else None


class Links(msgspec.Struct, frozen=True):
    """Where people look further; None where there is nothing to be seen (yet), or the row is gone."""

    spreadsheet: str | None = None
    table: str | None = None
    job: str | None = None
    execution: str | None = None
    logs: str | None = None


class RunFacts(msgspec.Struct, frozen=True):
    """A run with all that is known of it; no cell values.

    `former` is the config's newest load of the same table before this run. `changes` are how the columns differ from
    that load's, where both are known; else how they differ from the table's, as the job told it. `remedy` is what to do
    about the `error`, which has it at its end where an older job did not tell it by itself. `cancelled_by` is who
    asked for the run's end, at the console or by `job_helper.py`; None also where that is no longer known.
    """

    run: Run
    active: bool
    former: Run | None
    columns: tuple[ColumnLoaded, ...]
    changes: tuple[ColumnChange, ...]
    warnings: tuple[Told, ...]
    error: Told | None
    remedy: Told | None
    stages: tuple[Stage, ...]
    waits: tuple[Wait, ...]
    links: Links
    cancelled_by: str | None = None


def find_facts(run_id: str, store: Store) -> RunFacts | None:
    """What is known of a run; None for an id that is nobody's."""
    standing = store.find_run(run_id)
    if standing is None:
        return None
    run = standing.run
    former = store.former_load(run)
    spreadsheet = spreadsheet_of(standing.row)
    columns = _columns(run)
    before = _columns(former) if former else ()
    return RunFacts(
        run=run,
        active=standing.active,
        former=former,
        columns=columns,
        changes=differences(before, columns) if before and columns else tuple(run.schema_changes or ()),
        warnings=tuple(_told(text, spreadsheet) for text in run.warnings or ()),
        error=_told(without_remedy(run.error, run.remedy), spreadsheet) if run.error else None,
        remedy=_told(run.remedy, spreadsheet) if run.error and run.remedy else None,
        stages=tuple(_stages(run.seconds or {})),
        waits=tuple(_waits(run)),
        links=_links(run, spreadsheet),
        cancelled_by=store.who_cancelled(run) if run.cancel_requested_at or run.state == "cancelled" else None,
    )


def _columns(run: Run) -> tuple[ColumnLoaded, ...]:
    return msgspec.convert(run.columns or [], tuple[ColumnLoaded, ...])


def _told(text: str, spreadsheet: Spreadsheet | None) -> Told:
    return Told(text, tuple(named_cells([text], spreadsheet)))


def without_remedy(error: str, remedy: str | None) -> str:
    """An error as the ledger keeps it, whose end is its remedy, where that is told by itself."""
    return error.removesuffix(f": {remedy}") if remedy else error


def _stages(seconds: Mapping[str, float]) -> Iterable[Stage]:
    """In the order in which the job goes through them, which JSON in PostgreSQL does not keep."""
    return (Stage(name, seconds[name]) for name in _STAGES if name in seconds)


def _waits(run: Run) -> Iterable[Wait]:
    """The newest admission and attempt; what a retried run did before is in the first part."""
    if run.state == "pending" or run.admitted_at is None:
        yield Wait("waiting", run.created_at, run.ended_at)
        return
    yield Wait("waiting", run.created_at, run.admitted_at)
    if run.claimed_at is None or run.claimed_at < run.admitted_at:
        yield Wait("queued", run.admitted_at, run.ended_at)
        return
    yield Wait("queued", run.admitted_at, run.claimed_at)
    yield Wait("running", run.claimed_at, run.ended_at)


def _links(run: Run, spreadsheet: Spreadsheet | None) -> Links:
    job = None
    if run.attempt and run.job_project and run.job_location:
        job = links.job(run.job_project, run.job_location, load_job.job_id(run.id, run.attempt))
    return Links(
        spreadsheet=spreadsheet.own_link if spreadsheet else None,
        table=links.table(run.destination),
        job=job,
        execution=links.execution(run.execution) if run.execution else None,
        logs=links.logs(run.execution, run.claimed_at) if run.execution else None,
    )
