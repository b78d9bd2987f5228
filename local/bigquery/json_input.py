"""Reading an uploaded file of newline-delimited JSON as BigQuery does: one object a line, fields by name.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json
"""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from io import BufferedReader
from pathlib import Path
from typing import Any

import pyarrow as pa

from local.bigquery.errors import BigQueryError, not_implemented
from local.bigquery.schema import Column, Schema, by_name
from local.bigquery.text_values import value_of_text
from local.bigquery.typed_batches import batches
from local.bigquery.values import reading_failed

# The first bytes of a gzip file (RFC 1952).
_GZIP = b"\x1f\x8b"


class JsonInput:
    """One uploaded file with the options of its load job."""

    def __init__(self, path: Path, options: dict[str, Any]) -> None:
        if options.get("maxBadRecords"):
            raise not_implemented("NDJSON with maxBadRecords")
        self._path = path
        self._ignore_unknown = bool(options.get("ignoreUnknownValues"))

    def batches(self, schema: Schema) -> Iterator[pa.RecordBatch]:
        return batches(self._rows(schema), schema)

    def _rows(self, schema: Schema) -> Iterator[list[Any]]:
        with self._opened() as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield list(self._record(self._parsed(line, number), schema, number).values())

    def _opened(self) -> gzip.GzipFile | BufferedReader:
        """Plain or compressed: BigQuery tells by the file's first bytes."""
        with self._path.open("rb") as file:
            compressed = file.read(2) == _GZIP
        return gzip.open(self._path) if compressed else self._path.open("rb")

    def _parsed(self, line: bytes, number: int) -> Any:
        try:
            return json.loads(line, parse_float=Decimal)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self._failed(f"JSON parsing error in row {number}: the line is no JSON object") from error

    def _record(self, record: Any, schema: Schema, number: int) -> dict[str, Any]:
        if not isinstance(record, dict):
            raise self._failed(f"JSON parsing error in row {number}: Start of object expected")
        known = by_name(schema)
        given = {}
        for name, value in record.items():
            if name.lower() in known:
                given[name.lower()] = value
            elif not self._ignore_unknown:
                raise self._failed(f"JSON parsing error in row {number}: No such field: {name}", name)
        return {column.name: self._field(given.get(column.name.lower()), column, number) for column in schema}

    def _field(self, value: Any, column: Column, number: int) -> Any:
        if column.mode != "REPEATED":
            return self._single(value, column, number)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._failed(f"Repeated field must be imported as a JSON array. Field: {column.name}", column.name)
        if None in value:
            raise self._failed(
                f"Only optional fields can be set to NULL. Field: {column.name}; Value: NULL", column.name
            )
        return [self._single(item, column, number) for item in value]

    def _single(self, value: Any, column: Column, number: int) -> Any:
        if value is None:
            return None
        if column.type == "RECORD":
            return self._record(value, column.fields, number)
        if column.type == "JSON":
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float)
        if isinstance(value, dict | list):
            raise self._failed(
                f"JSON object or array where a {column.type} is expected. Field: {column.name}", column.name
            )
        text = str(value).lower() if isinstance(value, bool) else str(value)
        try:
            return value_of_text(_whole(text) if column.type == "INTEGER" else text, column.type)
        except (ValueError, ArithmeticError) as error:
            raise self._failed(
                f"JSON parsing error in row {number}: Could not convert a value to {column.type}. Field: {column.name}",
                column.name,
            ) from error

    @staticmethod
    def _failed(what: str, column: str | None = None) -> BigQueryError:
        return reading_failed(f"JSON table encountered too many errors, giving up. {what}", column)


def _whole(text: str) -> str:
    """1.0 and 1e3 are integers; 5.5 is refused and not rounded."""
    number = Decimal(text) if any(sign in text for sign in ".eE") else None
    return text if number is None or number != number.to_integral_value() else str(int(number))
