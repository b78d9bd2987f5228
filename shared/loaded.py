"""The columns of a loaded table, and how they differ from before: names, types and modes, as BigQuery has them."""

import msgspec


class ColumnLoaded(msgspec.Struct, frozen=True):
    """A column of the loaded table: BigQuery's name, type and mode."""

    name: str
    type: str
    mode: str = "NULLABLE"


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
