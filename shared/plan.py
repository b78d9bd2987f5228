"""A plan: what a run of a config would read, decide and change, as the job tells it without loading anything.

Headers and columns' names are in it, and addresses of cells; no cell's value is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.errors import SyncError
from shared.links import NamedCell
from shared.loaded import ColumnChange

# A run may take longer. A person waits for a plan, and Cloud Run ends its execution after so long.
PLAN_SECONDS = 900
# What an execution for a plan has as its RUN_ID. A job that is older than plans takes its variables for a run's, or for
# those of a load by hand: an id that is no UUID makes it refuse both.
NO_RUN = "plan"
# Characters of an error, as of a run's.
_LONGEST_ERROR = 20_000
PlanState = Literal["requested", "launched", "done", "failed"]


class PlannedColumn(msgspec.Struct, frozen=True):
    """A column as a run would load it. `filled` counts the cells that are not blank."""

    header: str
    name: str
    type: str
    mode: str
    filled: int


class TablePlan(msgspec.Struct, frozen=True):
    """What a run does to the destination. `rows` are those it has now; None where there is no table.

    `after` are those that it will have, None where nothing could be loaded or only the MERGE can tell; `schema` is
    how the sheet's columns differ from the table's, of which `left_out` tells what is not followed.
    """

    effect: str
    location: str
    rows: int | None = None
    after: int | None = None
    schema: tuple[ColumnChange, ...] = ()
    left_out: tuple[str, ...] = ()


class PlanError(msgspec.Struct, frozen=True):
    """What a run would fail with, and what to do about it."""

    error_class: str
    what: str
    remedy: str = ""

    @classmethod
    def of(cls, error: SyncError) -> "PlanError":
        return cls(error.name, error.what[:_LONGEST_ERROR], error.remedy[:_LONGEST_ERROR])

    @property
    def told(self) -> str:
        """As a run's error is told."""
        return f"{self.what}: {self.remedy}" if self.remedy else self.what


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that the job tells. A run would fail with the first of the `errors`, and succeed if there are none.

    `tab` is its title, if it was found; `rows` and `columns` are there if it could be loaded. `warnings` are the run's
    and what became of odd headers; `cells` are those that they, or the error, name. `change` is None where the
    destination could not be looked at. `requests` are those sent to Sheets and Drive.
    """

    requests: int = 0
    tab: str | None = None
    rows: int | None = None
    columns: tuple[PlannedColumn, ...] = ()
    warnings: tuple[str, ...] = ()
    cells: tuple[NamedCell, ...] = ()
    change: TablePlan | None = None
    errors: tuple[PlanError, ...] = ()


class RequestedPlan(msgspec.Struct, frozen=True):
    """A row of the ledger: who asked for a plan of what, and what became of it. Times are aware, in UTC.

    `config` has the columns of a config's row, as the parser takes them; `config_id` is None for a candidate that is
    in no table. `edited_from`, of an edit that is not saved, are the columns before it. `done`: a run would succeed.
    `failed`: it would not, as `error` tells (and `plan`, where there is one), or nobody could tell;
    `remedy` is what to do about it, which the end of `error` says as well.
    """

    id: str
    config: Mapping[str, Any]
    requested_by: str
    requested_at: datetime
    state: PlanState
    config_id: int | None = None
    edited_from: Mapping[str, Any] | None = None
    launched_at: datetime | None = None
    execution: str | None = None
    ended_at: datetime | None = None
    plan: Plan | None = None
    error_class: str | None = None
    error: str | None = None
    remedy: str | None = None
