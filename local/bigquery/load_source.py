"""A load job's uploaded file: which reader it gets, and the schema that the job offers to the table."""

from pathlib import Path

from local.bigquery.catalog import Table
from local.bigquery.csv_input import CsvInput
from local.bigquery.errors import invalid
from local.bigquery.json_input import JsonInput
from local.bigquery.load_request import LoadRequest
from local.bigquery.parquet_input import ParquetInput
from local.bigquery.schema import Schema, by_name

Source = ParquetInput | CsvInput | JsonInput


def open_source(request: LoadRequest, path: Path, old: Table | None) -> tuple[Source, Schema]:
    """The reader and the offered schema: the job's own; else a Parquet file's; else the table's.

    Raises invalid if there is no schema at all, or the file does not fit the job's.
    """
    if request.format == "PARQUET":
        return _open_parquet(request, path, old)
    offered = request.schema or (old.schema if old else ())
    if not offered:
        raise invalid("No schema specified on job or table.")
    source = CsvInput(path, request.options) if request.format == "CSV" else JsonInput(path, request.options)
    return source, offered


def _open_parquet(request: LoadRequest, path: Path, old: Table | None) -> tuple[Source, Schema]:
    options = request.options
    source = ParquetInput(
        path,
        decimal_targets=options.get("decimalTargetTypes") or (),
        infer_lists=bool((options.get("parquetOptions") or {}).get("enableListInference")),
    )
    ignore_unknown = bool(options.get("ignoreUnknownValues"))
    if request.schema is not None:
        source.check_against(request.schema, ignore_unknown=ignore_unknown)
        return source, request.schema
    offered = source.schema()
    if old is not None and old.schema and not request.replaces_schema and ignore_unknown:
        known = by_name(old.schema)
        offered = tuple(column for column in offered if column.name.lower() in known)
    return source, offered
