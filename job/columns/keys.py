"""Whether a table's merge keys tell its rows apart. Pure."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from job.columns.cells import address
from job.columns.findings import ADDRESSES_TOLD
from job.columns.table import LoadColumn, Table, named
from job.errors import KeysViolated, OptionRefused

# What GoogleSQL's `=` does not compare.
_INCOMPARABLE = ("JSON", "GEOGRAPHY")


def key_columns(columns: Sequence[LoadColumn], keys: Sequence[str], subject: str) -> list[LoadColumn]:
    """The columns that `merge_keys` name. Raises `OptionRefused` where one names none, or none that can be compared."""
    found: list[LoadColumn] = []
    for number, key in enumerate(keys, 1):
        column = named(columns, key)
        if column is None:
            raise OptionRefused(
                f"{subject}: merge_keys names, as number {number}, a column that the tab does not have",
                "give the header's exact text, or the column name that is made of it",
            )
        if column.type in _INCOMPARABLE:
            raise OptionRefused(
                f"{subject}: merge_keys names, as number {number}, a column of {column.type}, which cannot be compared",
                "name another column",
            )
        found.append(column)
    return found


def check_keys(table: Table, keys: Sequence[str], title: str, subject: str) -> None:
    """Raises `KeysViolated` where a row of `table` has no value in a key column, or the same key as another row.

    A MERGE could not tell which of the rows counts. `title` is the tab's, for the cells' addresses.
    """
    if not keys or not table.rows:
        return
    columns = key_columns(table.columns, keys, subject)
    values = pq.read_table(pa.BufferReader(table.parquet), columns=[column.name for column in columns])
    problems = [*_blanks(table, values, columns, title), *_repeated(table, values, columns, title)]
    if problems:
        more = f"; and {len(problems) - ADDRESSES_TOLD} more" if len(problems) > ADDRESSES_TOLD else ""
        raise KeysViolated(
            f"{subject}: merge_keys do not tell the rows apart: {'; '.join(problems[:ADDRESSES_TOLD])}{more}",
            "correct these cells, or name columns that together are different in every row",
        )


def _blanks(table: Table, values: pa.Table, columns: Sequence[LoadColumn], title: str) -> Iterator[str]:
    for column in columns:
        missing = pc.indices_nonzero(pc.is_null(values.column(column.name))).to_pylist()
        for row in table.sheet_rows(missing):
            yield f"nothing in {address(title, row, column.index or 0)}"


def _repeated(table: Table, values: pa.Table, columns: Sequence[LoadColumn], title: str) -> Iterator[str]:
    """Rows whose whole key another row above has, each named with the first of its like."""
    names = [column.name for column in columns]
    groups = values.group_by(names).aggregate([([], "count_all")])
    if len(groups) == len(values):
        return
    first: dict[tuple[object, ...], int] = {}
    repeated: list[tuple[int, int]] = []
    for position, row in enumerate(values.to_pylist()):
        key = tuple(row[name] for name in names)
        if None not in key and first.setdefault(key, position) != position:
            repeated.append((first[key], position))
    positions = sorted({position for pair in repeated for position in pair})
    numbers = dict(zip(positions, table.sheet_rows(positions), strict=True))
    index = columns[0].index or 0
    for one, other in repeated:
        yield f"{address(title, numbers[one], index)} and {address(title, numbers[other], index)} have the same key"
