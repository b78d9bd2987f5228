"""Reading an uploaded CSV file as BigQuery does: columns by position, every field by the schema's type.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from local.bigquery.errors import BigQueryError, not_implemented
from local.bigquery.schema import Column, Schema
from local.bigquery.text_values import value_of_text
from local.bigquery.typed_batches import batches
from local.bigquery.values import reading_failed

# A cell may hold a whole document; Python's default would stop at 128 KiB.
csv.field_size_limit(100 * 1024 * 1024)


class CsvInput:
    """One uploaded file with the options of its load job."""

    def __init__(self, path: Path, options: dict[str, Any]) -> None:
        for unsupported in ("maxBadRecords", "nullMarkers", "sourceColumnMatch", "encoding"):
            if options.get(unsupported) and options.get(unsupported) not in ("UTF-8", "POSITION"):
                raise not_implemented(f"CSV with {unsupported}")
        self._path = path
        self._options = options

    def batches(self, schema: Schema) -> Iterator[pa.RecordBatch]:
        return batches(self._rows(schema), schema)

    def _rows(self, schema: Schema) -> Iterator[list[Any]]:
        options = self._options
        delimiter = {"tab": "\t", "\\t": "\t"}.get(options.get("fieldDelimiter") or ",", options.get("fieldDelimiter"))
        quote = options.get("quote", '"')
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(
                file,
                delimiter=delimiter or ",",
                quotechar=quote or None,
                quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
                strict=True,
            )
            try:
                for number, row in enumerate(reader):
                    if number >= int(options.get("skipLeadingRows") or 0) and row:
                        yield self._typed(row, schema, number)
            except (csv.Error, UnicodeDecodeError) as error:
                raise self._failed(f"{type(error).__name__} at line {reader.line_num}") from error

    def _typed(self, row: list[str], schema: Schema, number: int) -> list[Any]:
        if any("\n" in field for field in row) and not self._options.get("allowQuotedNewlines"):
            raise self._failed(f'Missing close quote character (") in row {number + 1}: allowQuotedNewlines is not set')
        if len(row) > len(schema) and not self._options.get("ignoreUnknownValues"):
            raise self._failed(
                f"Too many values in row {number + 1}. Found {len(row)} column(s), expected {len(schema)}"
            )
        if len(row) < len(schema) and not self._options.get("allowJaggedRows"):
            raise self._failed(
                f"CSV table references column position {len(schema) - 1}, but row {number + 1} contains only "
                f"{len(row)} columns"
            )
        padded = [*row[: len(schema)], *[None] * (len(schema) - len(row))]
        return [self._value(text, column, number) for text, column in zip(padded, schema, strict=True)]

    def _value(self, text: str | None, column: Column, number: int) -> Any:
        """An empty field is NULL, except in a STRING column where it is the empty string (unless nullMarker is '')."""
        marker = self._options.get("nullMarker")
        if text is None or (text == (marker or "") and (marker or column.type != "STRING")):
            return None
        if column.mode == "REPEATED" or column.type == "RECORD":
            raise self._failed(f"CSV cannot hold the {column.written_type} field {column.name}")
        try:
            return value_of_text(text, column.type)
        except ValueError as error:
            raise self._failed(
                f"Could not parse a value as {column.type} for field {column.name} in row {number + 1}",
                column.name,
            ) from error

    @staticmethod
    def _failed(what: str, column: str | None = None) -> BigQueryError:
        return reading_failed(f"CSV processing encountered too many errors, giving up. {what}", column)
