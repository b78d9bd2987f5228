"""The ledger's queries of a config's history."""

from datetime import datetime
from typing import Any

import msgspec

from shared.ledger import history_statements
from shared.ledger.queries import Queries
from shared.loaded import ColumnChange, ColumnLoaded
from shared.plan import PlanState
from shared.run import Why
from shared.states import State

# So many of the newest loads are looked at for those that told the columns, or changed them.
_LOOKED_AT = 500


class PastRun(msgspec.Struct, frozen=True):
    """A run as a list tells it. `seconds` are from its claim to its end; `warnings` and `changes` (of the table's
    columns) are counts.
    """

    id: str
    why: Why
    slot: datetime
    state: State
    created_at: datetime
    attempt: int
    warnings: int
    changes: int
    verdict: str | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    rows: int | None = None
    error_class: str | None = None
    cancel_requested_at: datetime | None = None


class EndedRuns(msgspec.Struct, frozen=True):
    """Some of a config's runs that ended, the newest first. `newer_after` and `older_before` are the instants after and
    before which more were recorded, None where none were.
    """

    runs: list[PastRun]
    newer_after: datetime | None = None
    older_before: datetime | None = None


class LoadedColumns(msgspec.Struct, frozen=True):
    """The columns of a table as a run loaded it."""

    run_id: str
    ended_at: datetime
    table: str
    columns: list[ColumnLoaded]


class LoadedChanges(msgspec.Struct, frozen=True):
    """How a run changed the columns of its table."""

    run_id: str
    ended_at: datetime
    changes: list[ColumnChange]


class PastPlan(msgspec.Struct, frozen=True):
    """A plan as a list tells it."""

    id: str
    requested_by: str
    requested_at: datetime
    state: PlanState
    error_class: str | None = None


class HistoryQueries(Queries):
    """What became of one config."""

    def open_runs_of(self, config_id: int) -> list[PastRun]:
        """What goes on, then what waits, in its order."""
        return [_past(row) for (row,) in self._run(history_statements.OPEN_RUNS_OF, config_id=config_id)]

    def ended_runs_of(
        self, config_id: int, most: int, before: datetime | None = None, after: datetime | None = None
    ) -> EndedRuns:
        """So many of the runs that ended (more, where several were recorded at one instant): the newest, or those next
        to an instant, before or after which they were recorded.
        """
        asked = {"config_id": config_id, "most": most}
        if after is None:
            rows = self._run(history_statements.ENDED_RUNS_BEFORE, before=before, **asked)
        else:
            rows = self._run(history_statements.ENDED_RUNS_AFTER, after=after, **asked)
        if not rows:
            return EndedRuns([])
        runs = [_past(row) for (row,) in rows]
        shown = {"newest": runs[0].created_at, "oldest": runs[-1].created_at}
        ((are_newer, are_older),) = self._run(history_statements.ENDED_RUNS_BESIDE, config_id=config_id, **shown)
        return EndedRuns(runs, shown["newest"] if are_newer else None, shown["oldest"] if are_older else None)

    def newest_columns(self, config_id: int) -> LoadedColumns | None:
        """The columns that the newest load told; None where none did."""
        rows = self._run(history_statements.NEWEST_COLUMNS, config_id=config_id, looked_at=_LOOKED_AT)
        return _to(LoadedColumns, rows[0]) if rows else None

    def newest_changes(self, config_id: int, most: int) -> list[LoadedChanges]:
        """The newest loads that changed their table's columns, the newest first."""
        asked = {"config_id": config_id, "looked_at": _LOOKED_AT, "most": most}
        return [_to(LoadedChanges, row) for row in self._run(history_statements.NEWEST_CHANGES, **asked)]

    def newest_plans_of(self, config_id: int, most: int) -> list[PastPlan]:
        """The newest plans of the config, the newest first."""
        rows = self._run(history_statements.NEWEST_PLANS_OF, config_id=config_id, most=most)
        return [msgspec.convert(row, PastPlan, strict=False) for (row,) in rows]


def _past(row: dict[str, Any]) -> PastRun:
    return msgspec.convert(row, PastRun, strict=False)


def _to(struct: type[Any], row: list[Any]) -> Any:
    """A row whose columns are the struct's fields, in their order."""
    return msgspec.convert(dict(zip(struct.__struct_fields__, (str(row[0]), *row[1:]), strict=True)), struct)
