"""Rows as tabledata.list and getQueryResults answer them: `{"f": [{"v": …}, …]}`, every scalar as text."""

import base64
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from local.bigquery.schema import Column, Schema
from local.bigquery.types import arrow_schema, arrow_type
from local.bigquery.values import decimal_text

Encoded = list[Any]


def page(paths: Sequence[Path], schema: Schema, start: int, count: int) -> pa.Table:
    """Rows `start` to `start + count` of the files one after the other, reading no row group beside them."""
    wanted = arrow_schema(schema)
    parts = []
    skipped = 0
    for path in paths:
        with pq.ParquetFile(path) as file:
            for group in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                first, last = max(start - skipped, 0), min(start + count - skipped, rows)
                if first < last:
                    parts.append(_named(file.read_row_group(group), schema).slice(first, last - first))
                skipped += rows
    return pa.concat_tables([wanted.empty_table(), *parts]).slice(0, count)


def _named(table: pa.Table, schema: Schema) -> pa.Table:
    """The file's columns in the schema's order; a column younger than the file is NULL."""
    positions = {name.lower(): position for position, name in enumerate(table.column_names)}
    columns = []
    for column in schema:
        position = positions.get(column.name.lower())
        type_ = arrow_type(column)
        columns.append(pa.nulls(len(table), type_) if position is None else table.column(position).cast(type_))
    return pa.Table.from_arrays(columns, schema=arrow_schema(schema))


def encoded_rows(table: pa.Table, schema: Schema, *, int64_timestamps: bool) -> list[dict[str, Any]]:
    """`int64_timestamps`: TIMESTAMP as microseconds (formatOptions.useInt64Timestamp) and not as float seconds."""
    columns = [_encoded(table.column(i).combine_chunks(), column, int64_timestamps) for i, column in enumerate(schema)]
    return [{"f": [{"v": value} for value in row]} for row in zip(*columns, strict=True)]


def _encoded(values: pa.Array, column: Column, int64_timestamps: bool) -> Encoded:
    if column.mode == "REPEATED":
        return _encoded_lists(values, column, int64_timestamps)
    if column.type == "RECORD":
        return _encoded_records(values, column, int64_timestamps)
    if column.type == "TIMESTAMP":
        micros = values.cast(pa.int64())
        if int64_timestamps:
            return micros.cast(pa.string()).to_pylist()
        return [None if value is None else repr(value / 1_000_000) for value in micros.to_pylist()]
    return ENCODERS.get(column.type, pa.Array.to_pylist)(values)


def _encoded_lists(values: pa.Array, column: Column, int64_timestamps: bool) -> Encoded:
    single = Column(column.name, column.type, "NULLABLE", column.fields)
    flat = iter(_encoded(values.flatten(), single, int64_timestamps))
    return [[{"v": next(flat)} for _ in range(length or 0)] for length in pc.list_value_length(values).to_pylist()]


def _encoded_records(values: pa.Array, column: Column, int64_timestamps: bool) -> Encoded:
    inner = [
        _encoded(pc.struct_field(values, position), field, int64_timestamps)
        for position, field in enumerate(column.fields)
    ]
    present = values.is_valid().to_pylist()
    return [
        {"f": [{"v": value} for value in row]} if there else None
        for there, row in zip(present, zip(*inner, strict=True), strict=True)
    ]


def _as_text(values: pa.Array) -> Encoded:
    return values.cast(pa.string()).to_pylist()


def _as_float(values: pa.Array) -> Encoded:
    return [None if value is None else float_text(value) for value in values.to_pylist()]


def float_text(value: float) -> str:
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "NaN" if math.isnan(value) else repr(value)


def _as_decimal(values: pa.Array) -> Encoded:
    return [None if value is None else decimal_text(Decimal(value)) for value in values.to_pylist()]


def _as_time(values: pa.Array) -> Encoded:
    return [None if text is None else text.removesuffix(".000000") for text in _as_text(values)]


def _as_datetime(values: pa.Array) -> Encoded:
    return [None if text is None else text.replace(" ", "T") for text in _as_time(values)]


def _as_base64(values: pa.Array) -> Encoded:
    return [None if value is None else base64.b64encode(value).decode() for value in values.to_pylist()]


ENCODERS: dict[str, Callable[[pa.Array], Encoded]] = {
    "INTEGER": _as_text,
    "BOOLEAN": _as_text,
    "DATE": _as_text,
    "FLOAT": _as_float,
    "NUMERIC": _as_decimal,
    "BIGNUMERIC": _as_decimal,
    "TIME": _as_time,
    "DATETIME": _as_datetime,
    "BYTES": _as_base64,
}
