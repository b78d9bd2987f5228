"""The columns that a run would load, and how full they are."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from job.columns.table import Table
from shared.plan import PlannedColumn

# Characters of a header: a column has to be recognised, and a message has to hold ten thousand of them.
_LONGEST_HEADER = 300


def planned_columns(table: Table) -> Iterator[PlannedColumn]:
    """The table's columns, in its order."""
    for column, filled in zip(table.columns, _filled(table), strict=True):
        yield PlannedColumn(_shown(column.header), column.name, column.sql_type, column.mode, filled)


def present(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values that are not blank: a STRING that no cell fills is '' where every column is a STRING."""
    there = values.drop_null()
    return there.filter(pc.not_equal(there, "")) if pa.types.is_string(there.type) else there


def _filled(table: Table) -> list[int]:
    filled = [0] * len(table.columns)
    file = pq.ParquetFile(pa.BufferReader(table.parquet))
    for group in range(file.num_row_groups):  # each a block of the reading, which memory holds
        for number, values in enumerate(file.read_row_group(group).columns):
            filled[number] += len(present(values))
    return filled


def _shown(header: str) -> str:
    """A header that a message and PostgreSQL can hold: there are no NULs in them."""
    return header.replace("\0", "")[:_LONGEST_HEADER]
