"""Batches of fitted rows into one new Parquet file."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from local.bigquery.files import DataFile
from local.bigquery.schema import Schema
from local.bigquery.types import arrow_schema
from local.bigquery.values import logical_bytes


def write(batches: Iterable[pa.RecordBatch], schema: Schema, path: Path, partition: str = "") -> DataFile:
    """Consumes the batches; when one of them raises, no file is left."""
    rows = size = 0
    try:
        with pq.ParquetWriter(path, arrow_schema(schema), compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
                rows += batch.num_rows
                size += sum(logical_bytes(batch.column(i), column) for i, column in enumerate(schema))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return DataFile(path.name, rows, size, partition)
