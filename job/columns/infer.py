"""The kind of a column's cells in one block, and the cells as an Arrow array of that kind. Pure."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from job.columns.kinds import Kind, arrow_type, bigquery_type
from job.columns.moments import as_array, elapsed
from job.columns.values import Values

_MOMENTS = frozenset({Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.ELAPSED})


@dataclass(slots=True)
class Chunk:
    """One column of one block: an array as long as the block has rows.

    A MIXED chunk's array is all null: what the sheet shows is read when all blocks are known. `empty` tells
    that nothing is there at all; a column of errors is BLANK, but not empty. `violations` are the positions
    of cells that a custom schema does not allow, each with the reason.
    """

    kind: Kind
    array: pa.Array
    empty: bool = False
    violations: list[tuple[int, str]] = field(default_factory=list)


def infer(values: Values, rows: int, moments: Kind = Kind.BLANK) -> Chunk:
    """The chunk of a column that no schema describes; `moments` is the kind of its dates, if it has only such."""
    kind = moments if values.only_moments else Kind.MIXED if values.moments else values.kind
    if values.array is None or kind is Kind.MIXED:
        return Chunk(kind, pa.nulls(rows, arrow_type(kind)), empty=kind is Kind.BLANK and not values.errors)
    array = as_array(values.array, kind) if kind in _MOMENTS else values.array
    return Chunk(kind, padded_array(array, rows))


def shown_text(values: Values, rows: int) -> pa.StringArray:
    """A column as the sheet shows it, which is read as text: NULL where it shows nothing, or an error."""
    return pa.nulls(rows, pa.string()) if values.array is None else padded_array(values.array, rows)


def as_shown(chunk: Chunk) -> Chunk:
    """The chunk of a column that is to be STRING: what is no text is loaded as the sheet shows it."""
    if chunk.kind in (Kind.BLANK, Kind.TEXT):
        return chunk
    return Chunk(Kind.MIXED, pa.nulls(len(chunk.array), pa.string()))


def stands(kind: Kind, wider: Kind) -> bool:
    """Whether an array of one kind is one of the wider kind already."""
    return kind is wider or (bigquery_type(kind) == bigquery_type(wider) == "STRING" and wider is not Kind.MIXED)


def recast(array: pa.Array, kind: Kind, wider: Kind) -> pa.Array:
    """An array of one kind as the wider kind that later blocks ask for; what becomes MIXED is read again."""
    if stands(kind, wider):
        return array
    if kind is Kind.BLANK or wider is Kind.MIXED:
        return pa.nulls(len(array), arrow_type(wider))
    if wider is Kind.ELAPSED:
        milliseconds = pc.divide(array.cast(pa.int64()), 1000).to_pylist()
        return pa.array([None if each is None else elapsed(each) for each in milliseconds], pa.string())
    # Above 2^53 a whole number loses digits as FLOAT64; Sheets does not keep these digits either.
    return array.cast(arrow_type(wider), safe=wider is not Kind.FLOAT64)


def padded(cells: list[Any], rows: int) -> list[Any]:
    """The cells with the blank ones that the API leaves out at the end."""
    return cells if len(cells) == rows else cells + [None] * (rows - len(cells))


def padded_array(array: pa.Array, rows: int) -> pa.Array:
    """The same of an array."""
    missing = rows - len(array)
    return pa.concat_arrays([array, pa.nulls(missing, array.type)]) if missing > 0 else array.slice(0, rows)
