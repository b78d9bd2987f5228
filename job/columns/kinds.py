"""The kinds of content that a column can have, and how two of them in one column become one. Pure."""

from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a column holds. Those below MIXED are never inferred: only a custom schema asks for them."""

    BLANK = "BLANK"
    BOOL = "BOOL"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    DATE = "DATE"
    TIME = "TIME"
    DATETIME = "DATETIME"
    # A duration, which may be longer than a day: loaded as text, `36:30:00`, since Parquet has no INTERVAL.
    ELAPSED = "ELAPSED"
    TEXT = "TEXT"
    # Text beside other things, or things that no type holds together: loaded as the sheet shows them.
    MIXED = "MIXED"
    BYTES = "BYTES"
    NUMERIC = "NUMERIC"
    BIGNUMERIC = "BIGNUMERIC"
    TIMESTAMP = "TIMESTAMP"
    JSON = "JSON"
    GEOGRAPHY = "GEOGRAPHY"


_WIDER = {
    frozenset({Kind.INT64, Kind.FLOAT64}): Kind.FLOAT64,
    frozenset({Kind.DATE, Kind.DATETIME}): Kind.DATETIME,
    frozenset({Kind.TIME, Kind.ELAPSED}): Kind.ELAPSED,
}

_ARROW: "Mapping[Kind, pa.DataType]" = {
    Kind.BOOL: pa.bool_(),
    Kind.INT64: pa.int64(),
    Kind.FLOAT64: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.TIME: pa.time64("us"),
    Kind.DATETIME: pa.timestamp("us"),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Kind.BYTES: pa.binary(),
    # cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types
    Kind.NUMERIC: pa.decimal128(38, 9),
    Kind.BIGNUMERIC: pa.decimal256(76, 38),
}
_TEXTUAL = frozenset({Kind.BLANK, Kind.ELAPSED, Kind.TEXT, Kind.MIXED})
_LOADABLE = frozenset({"STRING", *(kind.value for kind in Kind if kind not in _TEXTUAL)})


def widen(one: Kind, other: Kind) -> Kind:
    """The narrowest kind that holds both; blank cells fit everywhere, and what fits nothing else is MIXED."""
    if one is other or other is Kind.BLANK:
        return one
    if one is Kind.BLANK:
        return other
    return _WIDER.get(frozenset({one, other}), Kind.MIXED)


def bigquery_type(kind: Kind) -> str:
    """The BigQuery type of a column of this kind; a column without any value is a STRING."""
    return "STRING" if kind in _TEXTUAL else kind.value


def is_loadable(type_: str) -> bool:
    """Whether a load can fill columns of this BigQuery type."""
    return type_ in _LOADABLE


def nulls(rows: int, type_: str) -> pa.Array:
    """So many NULLs for a column of this BigQuery type."""
    return pa.nulls(rows, pa.string() if type_ == "STRING" else arrow_type(Kind(type_)))


def arrow_type(kind: Kind) -> pa.DataType:
    return _ARROW.get(kind, pa.string())
