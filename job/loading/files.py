"""The file that a load uploads: Parquet, or lines of JSON where a column has a type that Parquet has not. Pure."""

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from job.columns.table import Table

_LINES = 20_000


class LoadFile(msgspec.Struct, frozen=True):
    """The bytes to upload, and their `sourceFormat` in BigQuery's API."""

    content: pa.Buffer
    source_format: str


def load_file(table: Table) -> LoadFile:
    """The table as one file.

    cloud.google.com/bigquery/docs/json-data#load_json_data: JSON columns are loaded from lines of JSON, CSV or Avro.
    """
    if any(column.type == "JSON" for column in table.columns):
        return LoadFile(_as_lines(table), "NEWLINE_DELIMITED_JSON")
    return LoadFile(table.parquet, "PARQUET")


def _as_lines(table: Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    encoder = msgspec.json.Encoder(decimal_format="string")
    columns = [(column.name, _ENCODED.get(column.type, _as_it_is)) for column in table.columns]
    for batch in pq.ParquetFile(pa.BufferReader(table.parquet)).iter_batches(_LINES):
        rows = zip(*(values.to_pylist() for values in batch.columns), strict=True)
        lines = (
            {name: encode(cell) for (name, encode), cell in zip(columns, row, strict=True) if cell is not None}
            for row in rows
        )
        sink.write(encoder.encode_lines(lines))
    return sink.getvalue()


def _as_it_is(cell: Any) -> Any:
    return cell


def _moment(cell: datetime) -> str:
    """BigQuery's DATETIME has no zone, its TIMESTAMP is read as UTC without one."""
    return cell.replace(tzinfo=None).isoformat(sep=" ")


def _base64(cell: bytes) -> str:
    return base64.b64encode(cell).decode()


# What is not here, BigQuery reads as msgspec writes it: dates and times as in ISO 8601, decimals as text.
_ENCODED: dict[str, Callable[[Any], Any]] = {
    "JSON": msgspec.Raw,
    "BYTES": _base64,
    "DATETIME": _moment,
    "TIMESTAMP": _moment,
}
