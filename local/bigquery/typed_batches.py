"""Python values, column by column, into batches that fit a schema."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import pyarrow as pa

from local.bigquery.schema import Column, Schema
from local.bigquery.types import ARROW
from local.bigquery.values import fitted, reading_failed

ROWS_PER_BATCH = 20_000
# Enough digits for a BIGNUMERIC and for noticing that one is too long.
DIGITS = Context(prec=120, rounding=ROUND_HALF_UP)


def batches(rows: Iterator[Sequence[Any]], schema: Schema) -> Iterator[pa.RecordBatch]:
    """Each row holds one value per column, of the Python type that `text_values` gives."""
    pending: list[Sequence[Any]] = []
    for row in rows:
        pending.append(row)
        if len(pending) == ROWS_PER_BATCH:
            yield _batch(pending, schema)
            pending = []
    yield _batch(pending, schema)


def _batch(rows: list[Sequence[Any]], schema: Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [fitted(_array(values, column), column) for values, column in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in schema])


def _array(values: Sequence[Any], column: Column) -> pa.Array:
    """Before fitting: decimals wide, so that too many digits are noticed and not cut."""
    type_ = _unfitted_type(column)
    try:
        return pa.array([_prepared(value) for value in values], type_)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise reading_failed(f"Field {column.name} does not fit the type {column.type}", column.name) from error


def _prepared(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-38), context=DIGITS)
    if isinstance(value, list):
        return [_prepared(item) for item in value]
    if isinstance(value, dict):
        return {name: _prepared(item) for name, item in value.items()}
    return value


def _unfitted_type(column: Column) -> pa.DataType:
    if column.type == "RECORD":
        single: pa.DataType = pa.struct([pa.field(c.name, _unfitted_type(c)) for c in column.fields])
    elif column.type in ("NUMERIC", "BIGNUMERIC"):
        single = pa.decimal256(76, 38)
    else:
        single = ARROW[column.type]
    return pa.list_(single) if column.mode == "REPEATED" else single
