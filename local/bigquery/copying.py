"""Copy jobs: a table's rows and schema into another table. No row is rewritten: files are linked."""

import os
from dataclasses import dataclass
from typing import Any, Self

from local.bigquery.catalog import Table
from local.bigquery.errors import already_exists, invalid, not_found, not_implemented
from local.bigquery.files import DataFile
from local.bigquery.jobs import Job
from local.bigquery.load_request import CREATE_DISPOSITIONS, one_of
from local.bigquery.names import TableName
from local.bigquery.schema import updated
from local.bigquery.warehouse import Warehouse

WRITE_DISPOSITIONS = ("WRITE_EMPTY", "WRITE_APPEND", "WRITE_TRUNCATE")
CARRIED = ("schema", "timePartitioning", "clustering", "description", "labels")


@dataclass(frozen=True)
class CopyRequest:
    sources: tuple[TableName, ...]
    destination: TableName
    write: str
    may_create: bool

    @classmethod
    def from_api(cls, copy: dict[str, Any], project: str) -> Self:
        """Raises invalid (or notImplemented) on what BigQuery refuses at submission."""
        references = copy.get("sourceTables") or [copy.get("sourceTable") or {}]
        if copy.get("operationType", "COPY") != "COPY":
            raise not_implemented(f"A copy of operationType {copy['operationType']}")
        sources = tuple(TableName.from_api(reference, project) for reference in references)
        destination = TableName.from_api(copy.get("destinationTable") or {}, project)
        if any(name.partition for name in (*sources, destination)):
            raise not_implemented("A copy of a partition")
        write = one_of(copy, "writeDisposition", "WRITE_EMPTY", WRITE_DISPOSITIONS)
        create = one_of(copy, "createDisposition", "CREATE_IF_NEEDED", CREATE_DISPOSITIONS)
        return cls(sources, destination, write, create == "CREATE_IF_NEEDED")


async def run_copy(warehouse: Warehouse, job: Job) -> None:
    """One atomic update of the destination. Raises what becomes the job's errorResult."""
    request = CopyRequest.from_api(job.configuration["copy"], job.name.project)
    async with warehouse.changing(request.destination):
        sources = [warehouse.catalog.table(name) for name in request.sources]
        old = _existing(warehouse, request)
        table = _copied(request, sources, old)
        files = [file for source in sources for file in source.files]
        with warehouse.files.reading(files):
            linked = await warehouse.compute(lambda: tuple(_linked(warehouse, file) for file in files))
        kept = old.files if old and request.write != "WRITE_TRUNCATE" else ()
        table = Table(table.name, table.resource, (*kept, *linked))
        with warehouse.store.transaction():
            warehouse.catalog.put_table(table)
            rows, size = sum(file.rows for file in linked), sum(file.bytes for file in linked)
            warehouse.jobs.succeeded(job, {"copy": {"copiedRows": str(rows), "copiedLogicalBytes": str(size)}})


def _existing(warehouse: Warehouse, request: CopyRequest) -> Table | None:
    warehouse.catalog.dataset(request.destination.in_dataset)
    old = warehouse.catalog.find_table(request.destination)
    if old is None and not request.may_create:
        raise not_found("Table", request.destination)
    if old is not None and old.rows and request.write == "WRITE_EMPTY":
        raise already_exists("Table", old.name)
    return old


def _copied(request: CopyRequest, sources: list[Table], old: Table | None) -> Table:
    first = sources[0]
    for source in sources:
        if source.is_view:
            raise invalid(f"{source.name} is a VIEW: only tables can be copied")
        if [column.shape for column in source.schema] != [column.shape for column in first.schema]:
            raise invalid(f"Incompatible table schemas: {source.name} differs from {first.name}")
    if old is not None and old.schema and request.write != "WRITE_TRUNCATE":
        updated(old.schema, first.schema, old.name, may_add=False, may_relax=False, may_omit=False)
        return old
    return Table(request.destination, {key: first.resource[key] for key in CARRIED if key in first.resource})


def _linked(warehouse: Warehouse, file: DataFile) -> DataFile:
    path = warehouse.files.new()
    os.link(warehouse.files.path(file.name), path)
    return file._replace(name=path.name)
