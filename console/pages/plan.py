"""A plan's page: what a run would read and change, as the job told it, or how long it has been awaited."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from console.edited import told_changes
from console.visit import Page, PageMissing, Visit
from shared import links
from shared.config import Config, parse_config
from shared.errors import InvalidConfig
from shared.links import NamedCell, named_cells
from shared.plan import PLAN_SECONDS, Plan, PlannedColumn, PlanState, RequestedPlan, TablePlan
from shared.run_facts import Told, without_remedy
from shared.settings import Settings
from shared.spreadsheet import spreadsheet_of

# How soon the page looks again, and when people are told that it takes longer than it should, in seconds.
_LIVE = 3
_SLOW = 120


class Trouble(msgspec.Struct, frozen=True):
    """What a run would fail with, or why nobody could tell, and the cells that are named there."""

    error_class: str
    what: Told
    remedy: Told | None = None


class PlanPage(msgspec.Struct, frozen=True):
    """The page, at an instant. `config_id` is None for a candidate that is in no table.

    `spreadsheet`, `table_link`, `execution` and `logs` are addresses. `answered`: the job told what is from `tab` on;
    else `errors` tell why nobody could. `edited` tells what an edit changes that is not saved. `given_up_at` is when an
    unanswered plan ends.
    """

    at: datetime
    id: str
    state: PlanState
    requested_by: str
    requested_at: datetime
    given_up_at: datetime
    name: str
    table: str
    answered: bool
    config_id: int | None = None
    edited: tuple[str, ...] = ()
    spreadsheet: str | None = None
    table_link: str | None = None
    launched_at: datetime | None = None
    ended_at: datetime | None = None
    execution: str | None = None
    logs: str | None = None
    tab: str | None = None
    rows: int | None = None
    requests: int = 0
    columns: tuple[PlannedColumn, ...] = ()
    change: TablePlan | None = None
    warnings: tuple[Told, ...] = ()
    errors: tuple[Trouble, ...] = ()

    @property
    def live_seconds(self) -> int | None:
        """How soon to look again; None once it has ended."""
        return _LIVE if self.ended_at is None else None

    @property
    def waited(self) -> float:
        """Seconds, since somebody asked for it."""
        return ((self.ended_at or self.at) - self.requested_at).total_seconds()

    @property
    def is_slow(self) -> bool:
        return self.ended_at is None and self.waited > _SLOW


def build(visit: Visit) -> PlanPage:
    """Raises `PageMissing` for an id that is nobody's."""
    found = visit.store.find_plan(str(visit.path["plan_id"]))
    if found is None:
        raise PageMissing("there is no plan of this id", "old plans are cleaned away: ask for a new one")
    plan = found.plan or Plan()
    spreadsheet = spreadsheet_of(found.config)
    table = _table(found.config, visit.settings)
    longest = timedelta(seconds=PLAN_SECONDS + visit.settings.lease_seconds)
    return PlanPage(
        at=visit.now,
        id=found.id,
        state=found.state,
        requested_by=found.requested_by,
        requested_at=found.requested_at,
        given_up_at=(found.launched_at or found.requested_at) + longest,
        name=str(found.config.get("name") or ""),
        table=table,
        answered=found.plan is not None,
        config_id=found.config_id,
        edited=tuple(_edited(found)),
        spreadsheet=spreadsheet.own_link if spreadsheet else None,
        table_link=links.table(table),
        launched_at=found.launched_at,
        ended_at=found.ended_at,
        execution=links.execution(found.execution) if found.execution else None,
        logs=links.logs(found.execution, found.launched_at) if found.execution else None,
        tab=plan.tab,
        rows=plan.rows,
        requests=plan.requests,
        columns=plan.columns,
        change=plan.change,
        warnings=tuple(_told(text, plan) for text in plan.warnings),
        errors=tuple(_errors(found, plan)),
    )


def _table(row: Mapping[str, Any], settings: Settings) -> str:
    """The table that a run of the config would load: a shadow's is in the dataset beside."""
    try:
        config: Config = parse_config(row)
    except InvalidConfig:
        fields = ("google_cloud_project_id", "bigquery_dataset_id", "bigquery_table_id")
        return ".".join(str(row.get(field) or "?") for field in fields)
    is_shadow = row.get("migration_status") == "shadow"
    return (config.shadow(settings.shadow_suffix) if is_shadow else config).destination


def _edited(found: RequestedPlan) -> list[str]:
    before = found.edited_from or {}
    changed = {column: {"before": value, "after": found.config.get(column)} for column, value in before.items()}
    return told_changes({column: each for column, each in changed.items() if each["before"] != each["after"]})


def _errors(found: RequestedPlan, plan: Plan) -> Iterable[Trouble]:
    for error in plan.errors:
        remedy = _told(error.remedy, plan) if error.remedy else None
        yield Trouble(error.error_class, _told(error.what, plan), remedy)
    if found.error and not plan.errors:
        remedy = Told(found.remedy) if found.remedy else None
        yield Trouble(found.error_class or "", Told(without_remedy(found.error, found.remedy)), remedy)


def _told(text: str, plan: Plan) -> Told:
    """The text with the cells that it names, at the addresses that the job gave them."""
    known = {each.cell: each.link for each in plan.cells}
    cells = (each.cell for each in named_cells([text], None))
    return Told(text, tuple(NamedCell(cell, known[cell]) for cell in cells if cell in known))


PAGE = Page(
    address="/plans/<uuid:plan_id>", twin="/plans/<uuid:plan_id>.json", template="plan.html", title="Plan", build=build
)
