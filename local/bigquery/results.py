"""Where a query's rows go: an anonymous table that expires, or the destination that the job names.

https://cloud.google.com/bigquery/docs/writing-results
"""

import hashlib
import uuid

import pyarrow as pa

from local.bigquery.catalog import Table
from local.bigquery.clock import now_ms
from local.bigquery.errors import already_exists, invalid, not_found
from local.bigquery.names import DatasetName, TableName
from local.bigquery.partitioning import check_clustering, check_partitioning
from local.bigquery.query_request import QueryRequest
from local.bigquery.schema import Schema, check_storable, schema_to_api, updated
from local.bigquery.warehouse import Warehouse
from local.bigquery.writing import write

# Anonymous results live 24 hours.
RESULT_LIFETIME_MS = 24 * 60 * 60 * 1000


def anonymous_table(warehouse: Warehouse, project: str, location: str) -> TableName:
    """A new name in the project's hidden dataset of this location, which is made if need be."""
    digest = hashlib.sha1(f"{project}.{location}".encode(), usedforsecurity=False).hexdigest()
    dataset = DatasetName(project, f"_{digest}")
    if dataset not in {known.name for known in warehouse.catalog.datasets(project)}:
        warehouse.catalog.create_dataset(dataset, {"location": location})
    return TableName(*dataset, f"anon{uuid.uuid4().hex}")


async def anonymous_result(warehouse: Warehouse, name: TableName, schema: Schema, rows: pa.Table) -> Table:
    """The table to commit together with the job."""
    path = warehouse.files.new()
    file = await warehouse.compute(lambda: write(rows.to_batches(), schema, path))
    resource = {"schema": schema_to_api(schema), "expirationTime": str(now_ms() + RESULT_LIFETIME_MS)}
    return Table(name, resource, (file,))


async def destination_result(
    warehouse: Warehouse, request: QueryRequest, name: TableName, schema: Schema, rows: pa.Table
) -> Table:
    """The destination's next state, by the job's dispositions; the caller holds its lock."""
    check_storable(schema)
    old = warehouse.catalog.find_table(name)
    if old is None and not request.may_create:
        raise not_found("Table", name)
    if name.partition or (old is not None and old.is_view):
        raise invalid(f"{name} cannot be a query's destination: it is a view or a partition")
    if old is not None and old.rows and request.write == "WRITE_EMPTY":
        raise already_exists("Table", name)
    table = _prepared(request, name, old, schema)
    path = warehouse.files.new()
    names = [column.name for column in schema]
    file = await warehouse.compute(lambda: write(rows.rename_columns(names).to_batches(), schema, path))
    kept = old.files if old is not None and request.write in ("WRITE_APPEND", "WRITE_EMPTY") else ()
    return Table(name, table.resource, (*kept, file))


def _prepared(request: QueryRequest, name: TableName, old: Table | None, schema: Schema) -> Table:
    if old is None or not old.schema:
        wanted = {key: request.options[key] for key in ("timePartitioning", "clustering") if request.options.get(key)}
        table = (old or Table(name, {})).changed(schema=schema_to_api(schema), **wanted)
    elif request.write == "WRITE_TRUNCATE":
        table = old.changed(schema=schema_to_api(schema))
    else:
        updates = request.options.get("schemaUpdateOptions") or ()
        may_add, may_relax = "ALLOW_FIELD_ADDITION" in updates, "ALLOW_FIELD_RELAXATION" in updates
        merged = updated(old.schema, schema, name, may_add=may_add, may_relax=may_relax, may_omit=True)
        table = old.changed(schema=schema_to_api(merged))
    if table.partitioning:
        check_partitioning(table.partitioning, table.schema)
    check_clustering(table.resource.get("clustering"), table.schema)
    return table
