"""Which rows of a block are blank. Pure."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from job.columns.infer import padded_array
from job.columns.kinds import Kind
from job.columns.values import Values


def rows_of(columns: Sequence[Values]) -> int:
    """How many rows a block has, down to its last cell that is not blank."""
    return max((_length(values) for values in columns), default=0)


def kept_rows(columns: Sequence[Values], rows: int) -> pa.BooleanArray | None:
    """Which of the rows hold anything; None where all do. A cell with an error is something."""
    if any(
        values.array is not None and len(values.array) >= rows and not values.array.null_count for values in columns
    ):
        return None
    kept = pa.array([False] * rows, pa.bool_())
    for values in columns:
        if values.kind is not Kind.BLANK or values.errors:
            kept = pc.or_(kept, _present(values, rows))
    return None if pc.all(kept, min_count=0).as_py() else kept


def _length(values: Values) -> int:
    last_error = values.errors[-1] + 1 if values.errors else 0
    if values.kind is Kind.BLANK:
        return last_error
    present = values.present()
    for position in range(len(present) - 1, last_error - 1, -1):
        if present[position].as_py():
            return position + 1
    return last_error


def _present(values: Values, rows: int) -> pa.BooleanArray:
    present = padded_array(values.present(), rows).fill_null(False)
    if not values.errors:
        return present
    flags = present.to_pylist()
    for position in values.errors:
        flags[position] = True
    return pa.array(flags, pa.bool_())
