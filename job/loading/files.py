"""The file that a load uploads: Parquet, or lines of JSON where a column has a type that Parquet has not. Pure."""

import base64
import gzip
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from job.columns.kinds import nulls
from job.columns.table import LoadColumn, Table

# Cells that are Python objects at a time.
_CELLS = 200_000


class LoadFile(msgspec.Struct, frozen=True):
    """The bytes to upload, and their `sourceFormat` in BigQuery's API."""

    content: pa.Buffer
    source_format: str


def load_file(table: Table, columns: Sequence[LoadColumn]) -> LoadFile:
    """These columns of the table as one file; those that it has not, or not in this type, are NULL.

    cloud.google.com/bigquery/docs/json-data#load_json_data: JSON columns are loaded from lines of JSON, CSV or Avro.
    """
    parquet = _parquet(table, columns)
    if any(column.type == "JSON" for column in columns):
        return LoadFile(_as_lines(parquet, columns), "NEWLINE_DELIMITED_JSON")
    return LoadFile(parquet, "PARQUET")


def _parquet(table: Table, columns: Sequence[LoadColumn]) -> pa.Buffer:
    has = [(column.name, column.type) for column in table.columns]
    wanted = [(column.name, column.type) for column in columns]
    if wanted == has:
        return table.parquet
    file = pq.ParquetFile(pa.BufferReader(table.parquet))
    held = [name for name, type_ in wanted if (name, type_) in has]
    fields = [
        file.schema_arrow.field(name) if name in held else pa.field(name, nulls(0, type_).type)
        for name, type_ in wanted
    ]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, pa.schema(fields), compression="zstd") as writer:
        for number in range(file.num_row_groups):
            group = file.read_row_group(number, columns=held)
            rows = file.metadata.row_group(number).num_rows
            arrays = [group.column(name) if name in held else nulls(rows, type_) for name, type_ in wanted]
            writer.write_table(pa.table(arrays, schema=writer.schema), row_group_size=max(1, rows))
    return sink.getvalue()


def _as_lines(parquet: pa.Buffer, wanted: Sequence[LoadColumn]) -> pa.Buffer:
    """Compressed, since the lines of a large sheet alone would fill the memory.

    cloud.google.com/bigquery/docs/loading-data-cloud-storage-json: a load tells gzip by itself.
    """
    compressed = pa.BufferOutputStream()
    encoder = msgspec.json.Encoder(decimal_format="string")
    columns = [(column.name, _ENCODED.get(column.type, _as_it_is)) for column in wanted]
    lines_at_a_time = max(1, _CELLS // len(columns))
    with gzip.GzipFile(fileobj=compressed, mode="wb", compresslevel=1) as sink:
        for batch in pq.ParquetFile(pa.BufferReader(parquet)).iter_batches(lines_at_a_time):
            rows = zip(*(values.to_pylist() for values in batch.columns), strict=True)
            lines = (
                {name: encode(cell) for (name, encode), cell in zip(columns, row, strict=True) if cell is not None}
                for row in rows
            )
            sink.write(encoder.encode_lines(lines))
    return compressed.getvalue()


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
