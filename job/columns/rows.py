"""Which rows of a block are blank. Pure."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from job.columns.infer import padded
from job.columns.values import Values


def rows_of(columns: Sequence[Values]) -> int:
    """How many rows a block has, down to its last cell that is not blank."""
    return max((_length(values) for values in columns), default=0)


def kept_rows(columns: Sequence[Values], rows: int) -> pa.BooleanArray | None:
    """Which of the rows hold anything; None where all do. A cell with an error is something."""
    for values in columns:
        if len(values.cells) >= rows and not values.errors and None not in values.cells[:rows]:
            return None
    present = pa.array([False] * rows, pa.bool_())
    for values in columns:
        if values.types or values.errors:
            present = pc.or_(present, _present(values, rows))
    return None if pc.all(present, min_count=0).as_py() else present


def _length(values: Values) -> int:
    for position in range(len(values.cells) - 1, -1, -1):
        if values.cells[position] is not None or (values.errors and values.errors[-1] >= position):
            return position + 1
    return 0


def _present(values: Values, rows: int) -> pa.BooleanArray:
    flags = [cell is not None for cell in padded(values.cells, rows)[:rows]]
    for position in values.errors:
        flags[position] = True
    return pa.array(flags, pa.bool_())
