"""What a comparison of the service's table with the job's found, and the shadow run that it is about."""

from datetime import datetime
from typing import Literal

import msgspec

from shared.loaded import ColumnChange

Verdict = Literal["MATCH", "MISMATCH", "SHEET_CHANGED", "SHADOW_OLDER"]


class ColumnDifference(msgspec.Struct, frozen=True):
    """A column of both tables whose NULLs, or values, are not the same ones on both sides."""

    name: str
    service_nulls: int
    job_nulls: int
    values_differ: bool


class Differences(msgspec.Struct, frozen=True):
    """What differs: names and counts, never values; this is what the ledger keeps.

    `schema`: columns that only one side has (`before` is the service's), or has in another type. `rows_differ`: the
    columns hold the same values, but not in the same rows. `order_differs`: a note, since no query sees it.
    """

    schema: tuple[ColumnChange, ...] = ()
    columns: tuple[ColumnDifference, ...] = ()
    rows_differ: bool = False
    order_differs: bool = False


class ShadowRun(msgspec.Struct, frozen=True):
    """The newest run that loaded, or is loading, a config's shadow table. `sheet_modified_at` is Drive's."""

    run_id: str
    attempt: int
    state: str
    claimed_at: datetime
    ended_at: datetime | None
    job_project: str
    job_location: str
    sheet_modified_at: datetime | None


class Load(msgspec.Struct, frozen=True):
    """A run's attempt that loaded a table, and where its BigQuery job is."""

    run_id: str
    attempt: int
    job_project: str
    job_location: str


class Compared(msgspec.Struct, frozen=True):
    """A comparison as the ledger has it."""

    config_id: int
    config_name: str
    compared_at: datetime
    service_table: str
    job_table: str
    verdict: Verdict
    run_id: str | None = None
    service_loaded_at: datetime | None = None
    job_loaded_at: datetime | None = None
    service_rows: int | None = None
    job_rows: int | None = None
    differences: Differences | None = None
