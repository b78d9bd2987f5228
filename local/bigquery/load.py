"""Load jobs: an uploaded file becomes a table's rows, in one atomic step at the end."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from local.bigquery.catalog import Table
from local.bigquery.defaults import check_defaults
from local.bigquery.errors import already_exists, invalid, not_found
from local.bigquery.files import DataFile
from local.bigquery.jobs import Job
from local.bigquery.load_request import LoadRequest
from local.bigquery.load_source import Source, open_source
from local.bigquery.names import TableName
from local.bigquery.partitioning import (
    check_clustering,
    check_decorator,
    check_partitioning,
    partition_of_now,
    rows_of_partition,
    same_partitioning,
)
from local.bigquery.rows import page
from local.bigquery.schema import Schema, by_name, schema_to_api, updated
from local.bigquery.warehouse import Warehouse
from local.bigquery.writing import write


async def run_load(warehouse: Warehouse, job: Job) -> None:
    """Load and commit: readers see the table's old rows and schema until the job is done, then the new ones.

    Raises what becomes the job's errorResult; the table is then as it was.
    """
    request = LoadRequest.from_api(job.configuration["load"], job.name.project)
    await asyncio.sleep(warehouse.load_seconds)
    warehouse.faults.strike()
    async with warehouse.changing(request.destination):
        old = _existing(warehouse, request)
        upload = warehouse.uploads.path(job.upload or "")
        source, offered = await warehouse.compute(lambda: open_source(request, upload, old))
        table = _prepared(request, old, offered)
        path = warehouse.files.new()
        partition = _partition_of_file(request.destination, table)
        batches = _checked(source, table, request.destination)
        loaded = await warehouse.compute(lambda: write(batches, table.schema, path, partition))
        kept = await _kept_files(warehouse, request, table, old)
        table = Table(table.name, table.resource, (*kept, loaded))
        with warehouse.store.transaction():
            warehouse.catalog.dataset(table.name.in_dataset)
            warehouse.catalog.put_table(table)
            warehouse.jobs.succeeded(job, _statistics(loaded, upload.stat().st_size))


def _existing(warehouse: Warehouse, request: LoadRequest) -> Table | None:
    warehouse.catalog.dataset(request.destination.in_dataset)
    table = warehouse.catalog.find_table(request.destination)
    if table is None and not request.may_create:
        raise not_found("Table", request.destination)
    if table is not None and table.is_view:
        raise invalid(f"{table.name} is not allowed for this operation because it is currently a VIEW.")
    if table is not None and request.write == "WRITE_EMPTY" and table.rows:
        raise already_exists("Table", table.name)
    return table


def _prepared(request: LoadRequest, old: Table | None, offered: Schema) -> Table:
    """The destination with the schema that it will have, and no files yet."""
    options = request.options
    if old is None or not old.schema:
        table = _new_table(request, offered, old)
    elif request.replaces_schema:
        # Descriptions, policy tags and modes are the new schema's: the old one's are gone.
        table = old.changed(schema=schema_to_api(offered))
    else:
        may_add, may_relax = request.may_add, request.may_relax
        merged = updated(old.schema, offered, old.name, may_add=may_add, may_relax=may_relax, may_omit=True)
        table = old.changed(schema=schema_to_api(merged))
    asked = options.get("timePartitioning")
    if asked and not same_partitioning(table.partitioning, asked):
        raise invalid(
            f"Incompatible table partitioning specification. Destination table {table.name} is partitioned otherwise "
            "than the job asks for."
        )
    if table.partitioning:
        check_partitioning(table.partitioning, table.schema)
    check_clustering(table.resource.get("clustering"), table.schema)
    check_defaults(table.schema)
    if request.destination.partition:
        check_decorator(request.destination.partition, table.partitioning)
    return Table(table.name, table.resource)


def _new_table(request: LoadRequest, offered: Schema, old: Table | None) -> Table:
    options = request.options
    properties = options.get("destinationTableProperties") or {}
    partitioning = options.get("timePartitioning")
    if partitioning is None and request.destination.partition and old is None:
        partitioning = {"type": "DAY"}
    return (old or Table(request.destination.whole, {})).changed(
        schema=schema_to_api(offered),
        **({"timePartitioning": partitioning} if partitioning else {}),
        **({"clustering": options["clustering"]} if options.get("clustering") else {}),
        **{key: properties[key] for key in ("description", "friendlyName", "labels") if properties.get(key)},
    )


def _partition_of_file(destination: TableName, table: Table) -> str:
    """Ingestion-time partitioned rows carry their partition with the file; a partitioning column says it itself."""
    if table.partitioning is None or table.partitioning.get("field"):
        return ""
    return destination.partition or partition_of_now(table.partitioning)


def _checked(source: Source, table: Table, destination: TableName) -> Iterator[pa.RecordBatch]:
    """The source's rows; under a decorator they all have to belong to that partition."""
    field = (table.partitioning or {}).get("field")
    for batch in source.batches(table.schema):
        if destination.partition and field:
            column = by_name(table.schema)[field.lower()]
            inside = rows_of_partition(batch, column, destination.partition)
            if inside.false_count:
                raise invalid(
                    "Some rows belong to different partitions rather than destination partition "
                    f"{destination.partition}"
                )
        yield batch


async def _kept_files(
    warehouse: Warehouse, request: LoadRequest, table: Table, old: Table | None
) -> tuple[DataFile, ...]:
    """What stays of the table's old rows."""
    if old is None or request.write in ("WRITE_APPEND", "WRITE_EMPTY"):
        return old.files if old else ()
    partition = request.destination.partition
    if not partition:
        return ()
    field = (table.partitioning or {}).get("field")
    if not field:
        return tuple(file for file in old.files if file.partition != partition)
    return await rewritten_without(warehouse, old, partition, field)


async def rewritten_without(warehouse: Warehouse, table: Table, partition: str, field: str) -> tuple[DataFile, ...]:
    """The table's rows that lie outside a partition of a partitioning column, in a new file."""
    column = by_name(table.schema)[field.lower()]

    def rewrite(paths: list[Any]) -> DataFile:
        rows = page(paths, table.schema, 0, table.rows)
        outside = pa.compute.invert(rows_of_partition(rows, column, partition))
        return write(rows.filter(outside).to_batches(), table.schema, warehouse.files.new())

    with warehouse.files.reading(table.files) as paths:
        rest = await warehouse.compute(lambda: rewrite(paths))
    return (rest,)


def _statistics(loaded: DataFile, upload_bytes: int) -> dict[str, Any]:
    return {
        "load": {
            "inputFiles": "1",
            "inputFileBytes": str(upload_bytes),
            "outputRows": str(loaded.rows),
            "outputBytes": str(loaded.bytes),
            "badRecords": "0",
        },
        "totalSlotMs": "0",
    }
