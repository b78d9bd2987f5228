"""The columns of a loaded table, and how they differ from before: names, types and modes, as BigQuery has them."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class ColumnLoaded(msgspec.Struct, frozen=True):
    """A column of the loaded table: BigQuery's name, type and mode."""

    name: str
    type: str
    mode: str = "NULLABLE"

    @property
    def told(self) -> str:
        """Type and mode, as `INT64 NULLABLE`."""
        return f"{self.type} {self.mode}"


class ColumnChange(msgspec.Struct, frozen=True):
    """A column as `INT64 NULLABLE` before and after a load; None where it is not there."""

    name: str
    before: str | None = None
    after: str | None = None

    @property
    def told(self) -> str:
        """`+ paid BOOL NULLABLE`, `- day DATE NULLABLE`, `~ units INT64 NULLABLE → STRING NULLABLE`."""
        if self.before is None:
            return f"+ {self.name} {self.after}"
        if self.after is None:
            return f"- {self.name} {self.before}"
        return f"~ {self.name} {self.before} → {self.after}"


class Column(Protocol):
    """A column that tells its type and mode, as `INT64 NULLABLE`."""

    @property
    def name(self) -> str: ...

    @property
    def told(self) -> str: ...


def differences(before: Sequence[Column], after: Sequence[Column]) -> tuple[ColumnChange, ...]:
    """Columns that are new, or get another type or mode, then those that go; names are compared as BigQuery does."""
    was = {column.name.casefold(): column for column in before}
    now = {column.name.casefold(): column for column in after}
    came = [
        ColumnChange(column.name, was[key].told if key in was else None, column.told)
        for key, column in now.items()
        if key not in was or was[key].told != column.told
    ]
    return (*came, *(ColumnChange(column.name, column.told) for key, column in was.items() if key not in now))
