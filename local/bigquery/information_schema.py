"""INFORMATION_SCHEMA: what the catalogue knows, as rows that SQL can read.

https://cloud.google.com/bigquery/docs/information-schema-intro
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from local.bigquery.catalog import Table
from local.bigquery.errors import invalid, not_found
from local.bigquery.jobs import Job
from local.bigquery.names import DatasetName, canonical_location
from local.bigquery.query_request import QueryRequest
from local.bigquery.schema import Column
from local.bigquery.warehouse import Warehouse

Row = dict[str, Any]

SQL_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
INSTANT = pa.timestamp("us", tz="UTC")


def information_schema(warehouse: Warehouse, request: QueryRequest, qualifiers: list[str], view: str) -> pa.Table:
    """The rows of one view. `qualifiers` are what stands before INFORMATION_SCHEMA: project, dataset or region."""
    if view in ("JOBS", "JOBS_BY_PROJECT", "JOBS_BY_USER"):
        return pa.Table.from_pylist(list(_jobs(warehouse, request, qualifiers)), JOBS_SCHEMA)
    if view not in VIEWS:
        raise not_found("Table", f"INFORMATION_SCHEMA.{view}")
    rows, schema = VIEWS[view]
    tables = [
        table for dataset in _datasets(warehouse, request, qualifiers) for table in warehouse.catalog.tables(dataset)
    ]
    return pa.Table.from_pylist([row for table in tables for row in rows(table)], schema)


def _datasets(warehouse: Warehouse, request: QueryRequest, qualifiers: list[str]) -> list[DatasetName]:
    """Those of a region, or the one that is named (or the query's default one)."""
    project = qualifiers[0] if len(qualifiers) == 2 else request.project
    last = qualifiers[-1] if qualifiers else ""
    if last.lower().startswith("region-"):
        location = canonical_location(last[len("region-") :])
        known = warehouse.catalog.datasets(project)
        return [dataset.name for dataset in known if dataset.location == location and dataset.name.dataset[0] != "_"]
    name = DatasetName(project, last) if last else request.default_dataset
    if name is None:
        raise invalid("INFORMATION_SCHEMA must be qualified with a dataset or a region")
    return [warehouse.catalog.dataset(name).name]


def sql_type(column: Column) -> str:
    """The column's type as GoogleSQL writes it, `ARRAY<STRUCT<a INT64>>` for example."""
    if column.type == "RECORD":
        single = "STRUCT<" + ", ".join(f"{inner.name} {sql_type(inner)}" for inner in column.fields) + ">"
    else:
        single = SQL_NAMES.get(column.type, column.type)
        if column.precision is not None:
            single += f"({column.precision}, {column.scale})" if column.scale else f"({column.precision})"
        elif column.max_length is not None:
            single += f"({column.max_length})"
    return f"ARRAY<{single}>" if column.mode == "REPEATED" else single


def _place(table: Table) -> Row:
    return {
        "table_catalog": table.name.project,
        "table_schema": table.name.dataset,
        "table_name": table.name.table,
    }


def _tables(table: Table) -> Iterator[Row]:
    yield {
        **_place(table),
        "table_type": "VIEW" if table.is_view else "BASE TABLE",
        "is_insertable_into": "NO" if table.is_view else "YES",
        "is_typed": "NO",
        "creation_time": _instant(table.resource["creationTime"]),
    }


def _columns(table: Table) -> Iterator[Row]:
    partitioned_by = ((table.partitioning or {}).get("field") or "").lower()
    clustered_by = [name.lower() for name in (table.resource.get("clustering") or {}).get("fields") or ()]
    for position, column in enumerate(table.schema, start=1):
        name = column.name.lower()
        yield {
            **_place(table),
            "column_name": column.name,
            "ordinal_position": position,
            "is_nullable": "NO" if column.mode == "REQUIRED" else "YES",
            "data_type": sql_type(column),
            "is_hidden": "NO",
            "is_partitioning_column": "YES" if name == partitioned_by else "NO",
            "clustering_ordinal_position": clustered_by.index(name) + 1 if name in clustered_by else None,
            "column_default": column.default or "NULL",
        }


def _field_paths(table: Table) -> Iterator[Row]:
    for column in table.schema:
        for path, inner in _paths(column, column.name):
            kept = dict(inner.kept)
            yield {
                **_place(table),
                "column_name": column.name,
                "field_path": path,
                "data_type": sql_type(inner),
                "description": kept.get("description"),
                "policy_tags": (kept.get("policyTags") or {}).get("names") or [],
            }


def _paths(column: Column, path: str) -> Iterator[tuple[str, Column]]:
    yield path, column
    for inner in column.fields:
        yield from _paths(inner, f"{path}.{inner.name}")


def _options(table: Table) -> Iterator[Row]:
    for option, key in (("description", "description"), ("friendly_name", "friendlyName")):
        if table.resource.get(key):
            text = table.resource[key].replace("\\", "\\\\").replace('"', '\\"')
            yield {
                **_place(table),
                "option_name": option,
                "option_type": "STRING",
                "option_value": f'"{text}"',
            }


def _jobs(warehouse: Warehouse, request: QueryRequest, qualifiers: list[str]) -> Iterator[Row]:
    """The project's jobs in one region."""
    region = qualifiers[-1] if qualifiers else ""
    if not region.lower().startswith("region-"):
        raise invalid("INFORMATION_SCHEMA.JOBS must be qualified with a region, for example `region-us`")
    location = canonical_location(region[len("region-") :])
    for job in warehouse.jobs.of_project(qualifiers[0] if len(qualifiers) == 2 else request.project):
        if job.name.location != location:
            continue
        statistics, error = job.resource["statistics"], job.error
        yield {
            "creation_time": _instant(statistics["creationTime"]),
            "project_id": job.name.project,
            "user_email": job.resource["user_email"],
            "job_id": job.name.job,
            "job_type": job.type,
            "statement_type": statistics.get("query", {}).get("statementType"),
            "start_time": _instant(statistics.get("startTime")),
            "end_time": _instant(statistics.get("endTime")),
            "query": job.configuration.get("query", {}).get("query"),
            "state": job.state,
            "total_bytes_processed": int(statistics.get("totalBytesProcessed", 0)),
            "total_bytes_billed": int(statistics.get("query", {}).get("totalBytesBilled", 0)),
            "destination_table": _destination(job),
            "error_result": {"reason": error["reason"], "message": error["message"]} if error else None,
            "labels": [{"key": k, "value": v} for k, v in (job.configuration.get("labels") or {}).items()],
        }


def _destination(job: Job) -> Row | None:
    """The table that the job writes; of DDL only where it writes rows."""
    table = job.configuration[job.type.lower()].get("destinationTable")
    query = job.resource["statistics"].get("query", {})
    if query.get("statementType") == "CREATE_TABLE_AS_SELECT":
        table = query["ddlTargetTable"]
    if not table:
        return None
    return {
        "project_id": table.get("projectId"),
        "dataset_id": table.get("datasetId"),
        "table_id": table.get("tableId"),
    }


def _instant(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _schema(text: str, **others: pa.DataType) -> pa.Schema:
    """Text columns by their names, then the others."""
    return pa.schema([*[pa.field(name, pa.string()) for name in text.split()], *[pa.field(*o) for o in others.items()]])


PLACE = "table_catalog table_schema table_name "
VIEWS: dict[str, tuple[Callable[[Table], Iterator[Row]], pa.Schema]] = {
    "TABLES": (
        _tables,
        _schema(PLACE + "table_type is_insertable_into is_typed", creation_time=INSTANT),
    ),
    "COLUMNS": (
        _columns,
        _schema(
            PLACE + "column_name is_nullable data_type is_hidden is_partitioning_column column_default",
            ordinal_position=pa.int64(),
            clustering_ordinal_position=pa.int64(),
        ),
    ),
    "COLUMN_FIELD_PATHS": (
        _field_paths,
        _schema(PLACE + "column_name field_path data_type description", policy_tags=pa.list_(pa.string())),
    ),
    "TABLE_OPTIONS": (_options, _schema(PLACE + "option_name option_type option_value")),
}
TABLE_REFERENCE = pa.struct([(name, pa.string()) for name in ("project_id", "dataset_id", "table_id")])
JOBS_SCHEMA = _schema(
    "project_id user_email job_id job_type statement_type query state",
    creation_time=INSTANT,
    start_time=INSTANT,
    end_time=INSTANT,
    total_bytes_processed=pa.int64(),
    total_bytes_billed=pa.int64(),
    destination_table=TABLE_REFERENCE,
    error_result=pa.struct([("reason", pa.string()), ("message", pa.string())]),
    labels=pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())])),
)
