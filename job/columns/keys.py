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
    """The columns that `merge_keys` name, each once.

    Raises `OptionRefused` where one names none, or none that can be compared.
    """
    found: list[LoadColumn] = []
    for number, key in enumerate(keys, 1):
        column = named(columns, key)
        if column is None:
            raise OptionRefused(
                f"{subject}: merge_keys names, as number {number}, a column that is not loaded",
                "give the header's exact text, or the column name that is made of it",
            )
        if column.type in _INCOMPARABLE:
            raise OptionRefused(
                f"{subject}: merge_keys names, as number {number}, a column of {column.type}, which cannot be compared",
                "name another column",
            )
        if column not in found:
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
    blank = {column.index or 0: pc.indices_nonzero(pc.is_null(values.column(column.name))) for column in columns}
    repeated = _repeated(values)
    count = sum(map(len, blank.values())) + repeated.num_rows
    if count:
        told = [cell for index, rows in blank.items() for cell in _blanks(table, rows, title, index)]
        told = [*told, *_pairs(table, repeated, title, columns[0].index or 0)][:ADDRESSES_TOLD]
        more = f"; and {count - len(told)} more" if count > len(told) else ""
        raise KeysViolated(
            f"{subject}: merge_keys do not tell the rows apart: {'; '.join(told)}{more}",
            "correct these cells, or name columns that together are different in every row",
        )


def _blanks(table: Table, positions: pa.Array, title: str, index: int) -> Iterator[str]:
    """The first of a key column's blank cells."""
    for row in table.sheet_rows(positions.slice(0, ADDRESSES_TOLD).to_pylist()):
        yield f"nothing in {address(title, row, index)}"


def _pairs(table: Table, repeated: pa.Table, title: str, index: int) -> Iterator[str]:
    """The first of the rows that repeat a key, each named with the first of its like."""
    pairs = repeated.slice(0, ADDRESSES_TOLD).to_pylist()
    positions = sorted({position for pair in pairs for position in pair.values()})
    rows = dict(zip(positions, table.sheet_rows(positions), strict=True))
    for pair in pairs:
        first, other = (address(title, rows[pair[each]], index) for each in ("first", "row"))
        yield f"{first} and {other} have the same key"


def _repeated(values: pa.Table) -> pa.Table:
    """Rows whose whole key another row above has (`row`, from the top), with the first of their like (`first`).

    No row becomes an object of Python's: one slip in a formula repeats the keys of a whole sheet.
    """
    keys = [str(number) for number in range(values.num_columns)]
    rows = pa.arange(0, values.num_rows)
    numbered = values.rename_columns(keys).append_column("row", rows).drop_null()
    groups = numbered.group_by(keys, use_threads=False).aggregate([("row", "list")])
    alike = groups.column("row_list").combine_chunks()
    if len(alike) == numbered.num_rows:
        return pa.table({"row": rows, "first": rows}).slice(0, 0)
    firsts = pc.list_element(alike, 0).take(pc.list_parent_indices(alike))
    pairs = pa.table({"row": alike.flatten(), "first": firsts})
    return pairs.filter(pc.not_equal(pairs.column("row"), pairs.column("first"))).sort_by("row")
