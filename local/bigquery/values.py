"""Arrow columns of typed values: made to fit a BigQuery column, refused where they do not, and measured."""

from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from local.bigquery.errors import BigQueryError, invalid
from local.bigquery.schema import Column
from local.bigquery.types import ARROW, arrow_type

# Years 1 to 9999, in days and in microseconds since the epoch.
DATE_RANGE = (-719_162, 2_932_896)
TIMESTAMP_RANGE = (-62_135_596_800_000_000, 253_402_300_799_999_999)

# https://cloud.google.com/bigquery/pricing#data
BYTES_OF_TYPE = {
    "INTEGER": 8,
    "FLOAT": 8,
    "BOOLEAN": 1,
    "NUMERIC": 16,
    "BIGNUMERIC": 32,
    "DATE": 8,
    "TIME": 8,
    "DATETIME": 8,
    "TIMESTAMP": 8,
    "INTERVAL": 16,
}
BYTES_BEFORE_TEXT = 2


def reading_failed(what: str, column: str | None = None) -> BigQueryError:
    return invalid(f"Error while reading data, error message: {what}", column)


def fitted(values: pa.Array, column: Column) -> pa.Array:
    """The values as the column's file holds them. Raises invalid where one does not fit: nothing is bent."""
    if column.mode == "REQUIRED" and values.null_count:
        raise reading_failed(f"Only optional fields can be set to NULL. Field: {column.name}; Value: NULL", column.name)
    if column.mode == "REPEATED":
        return _fitted_list(values, column)
    try:
        if column.type == "RECORD":
            return _fitted_record(values, column)
        return FITTED.get(column.type, _cast)(values, column)
    except pa.ArrowInvalid as error:
        raise reading_failed(f"Field {column.name} does not fit the type {column.type}", column.name) from error


def _cast(values: pa.Array, column: Column) -> pa.Array:
    return values.cast(arrow_type(column))


def _fitted_text(values: pa.Array, column: Column) -> pa.Array:
    text = values.cast(arrow_type(column))
    length = pc.utf8_length if column.type == "STRING" else pc.binary_length
    if column.max_length is not None and (pc.max(length(text)).as_py() or 0) > column.max_length:
        raise reading_failed(
            f"Field {column.name}: a value is longer than {column.type}({column.max_length}) allows",
            column.name,
        )
    return text


def _fitted_numeric(values: pa.Array, column: Column) -> pa.Array:
    """Digits after the point beyond the scale are rounded, half away from zero; too many before it are refused."""
    scale, integer_digits = (9, 29) if column.type == "NUMERIC" else (38, 38)
    if column.precision is not None:
        scale = column.scale or 0
        integer_digits = column.precision - scale
    wide = values.cast(pa.decimal256(76, 38))
    rounded = pc.round(wide, ndigits=scale, round_mode="half_towards_infinity")
    exact = rounded.cast(pa.decimal256(min(76, integer_digits + scale), scale))
    if column.type == "NUMERIC":
        return exact.cast(ARROW["NUMERIC"])
    return pa.array([None if v is None else decimal_text(v) for v in exact.to_pylist()], pa.string())


def decimal_text(value: Decimal) -> str:
    """Without trailing zeros and without an exponent."""
    text = format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _fitted_date(values: pa.Array, column: Column) -> pa.Array:
    days = values.cast(pa.date32())
    _check_range(days.cast(pa.int32()), DATE_RANGE, column)
    return days


def _fitted_instant(values: pa.Array, column: Column) -> pa.Array:
    """Fractions of a microsecond are cut off, as the reference of timestampTargetPrecision says."""
    instants = values.cast(arrow_type(column), safe=False)
    _check_range(instants.cast(pa.int64()), TIMESTAMP_RANGE, column)
    return instants


def _check_range(values: pa.Array, allowed: tuple[int, int], column: Column) -> None:
    extremes = pc.min_max(values)
    low, high = extremes["min"].as_py(), extremes["max"].as_py()
    if low is not None and not (allowed[0] <= low and high <= allowed[1]):
        raise reading_failed(f"Field {column.name}: a {column.type} is outside the years 1 to 9999", column.name)


def _fitted_list(values: pa.Array, column: Column) -> pa.Array:
    """A REPEATED column has no NULL: an absent list is an empty one, and an element must be there."""
    lists = values.cast(pa.list_(values.type.value_type))
    if lists.null_count:
        empty = pa.scalar([], type=lists.type)
        lists = pc.if_else(pc.is_valid(lists), lists, empty)
    single = Column(
        column.name, column.type, "REQUIRED", column.fields, column.precision, column.scale, column.max_length
    )
    return pa.ListArray.from_arrays(lists.offsets, fitted(lists.values, single))


def _fitted_record(values: pa.Array, column: Column) -> pa.Array:
    given = {values.type.field(i).name.lower(): i for i in range(values.type.num_fields)}
    arrays = []
    for inner in column.fields:
        position = given.get(inner.name.lower())
        nothing = pa.nulls(len(values), arrow_type(inner))
        arrays.append(nothing if position is None else fitted(pc.struct_field(values, position), inner))
    return pa.StructArray.from_arrays(arrays, names=[inner.name for inner in column.fields], mask=values.is_null())


FITTED: dict[str, Callable[[pa.Array, Column], pa.Array]] = {
    "STRING": _fitted_text,
    "BYTES": _fitted_text,
    "NUMERIC": _fitted_numeric,
    "BIGNUMERIC": _fitted_numeric,
    "DATE": _fitted_date,
    "DATETIME": _fitted_instant,
    "TIMESTAMP": _fitted_instant,
}


def logical_bytes(values: pa.Array, column: Column) -> int:
    """The size that BigQuery counts: per value by its type, text by its UTF-8 bytes, NULL as nothing."""
    if column.mode == "REPEATED":
        single = Column(column.name, column.type, "NULLABLE", column.fields)
        return logical_bytes(values.flatten(), single)
    if column.type == "RECORD":
        return sum(
            logical_bytes(pc.struct_field(values, position), inner) for position, inner in enumerate(column.fields)
        )
    present = len(values) - values.null_count
    if column.type in BYTES_OF_TYPE:
        return present * BYTES_OF_TYPE[column.type]
    return present * BYTES_BEFORE_TEXT + (pc.sum(pc.binary_length(values)).as_py() or 0)
