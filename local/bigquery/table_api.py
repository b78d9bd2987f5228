"""The tables and tabledata endpoints: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.bigquery.catalog import Table
from local.bigquery.clock import now_ms
from local.bigquery.dataset_api import dataset_name, warehouse_of
from local.bigquery.defaults import check_defaults
from local.bigquery.errors import already_exists, invalid
from local.bigquery.insert import check_labels
from local.bigquery.names import TableName, check_project
from local.bigquery.partitioning import check_clustering, check_partitioning, same_partitioning
from local.bigquery.requests import (
    MOST_ROWS_A_PAGE,
    check_etag,
    json_body,
    merged_patch,
    number,
    one_page,
    start_of_page,
)
from local.bigquery.rows import encoded_rows, page
from local.bigquery.schema import Schema, by_name, check_storable, schema_from_api, schema_to_api, updated
from local.bigquery.view_schema import view_schema

MUTABLE = frozenset(
    [
        "schema",
        "friendlyName",
        "description",
        "labels",
        "expirationTime",
        "timePartitioning",
        "clustering",
        "requirePartitionFilter",
        "view",
        "defaultCollation",
        "tableConstraints",
        "resourceTags",
    ]
)


def table_name(request: Request) -> TableName:
    reference = {"datasetId": request.path_params["dataset"], "tableId": request.path_params["table"]}
    return TableName.from_api(reference, check_project(request.path_params["project"]))


def is_mutable(key: str) -> bool:
    return key in MUTABLE


def presented(table: Table) -> dict[str, Any]:
    size = str(table.bytes)
    sizes = {
        "numRows": str(table.rows),
        "numBytes": size,
        "numLongTermBytes": "0",
        "numTotalLogicalBytes": size,
    }
    return {**table.resource, **({} if table.is_view else sizes)}


def checked(table: Table) -> Table:
    """The table with its schema as the API writes it. Raises invalid for what BigQuery refuses."""
    resource = table.resource
    schema = check_storable(table.schema)
    check_defaults(schema)
    check_labels(resource.get("labels") or {})
    if resource.get("timePartitioning"):
        check_partitioning(resource["timePartitioning"], schema)
    check_clustering(resource.get("clustering"), schema if schema else None)
    expiration = resource.get("expirationTime")
    if expiration is not None and int(expiration) < now_ms():
        raise invalid("Invalid value for expirationTime: it lies in the past")
    return table.changed(schema=schema_to_api(schema)) if schema else table


async def insert(request: Request) -> Response:
    warehouse, dataset = warehouse_of(request), dataset_name(request)
    body = await json_body(request, "Table")
    reference = {"datasetId": dataset.dataset, **(body.get("tableReference") or {})}
    name = TableName.from_api(reference, dataset.project)
    if name.in_dataset != dataset or name.partition:
        raise invalid(f"tableReference {name} is not a table of {dataset}")
    parent = warehouse.catalog.dataset(dataset)
    if body.get("externalDataConfiguration") or body.get("materializedView"):
        raise invalid("Only tables and logical views can be created here")
    resource = {key: value for key, value in body.items() if is_mutable(key) and value is not None}
    lifetime = parent.resource.get("defaultTableExpirationMs")
    if lifetime and "expirationTime" not in resource:
        resource["expirationTime"] = str(now_ms() + int(lifetime))
    async with warehouse.changing(name):
        if warehouse.catalog.find_table(name) is not None:
            raise already_exists("Table", name)
        table = checked(Table(name, resource))
        if table.is_view:
            table = table.changed(schema=schema_to_api(await view_schema(warehouse, table, parent.location)))
        with warehouse.store.transaction():
            return JSONResponse(presented(warehouse.catalog.put_table(table)))


async def get(request: Request) -> Response:
    return JSONResponse(presented(warehouse_of(request).catalog.table(table_name(request))))


async def granted(request: Request) -> Response:
    """tables.testIamPermissions: here everybody may do everything with a table that is there."""
    warehouse_of(request).catalog.table(table_name(request))
    asked = await json_body(request, "TestIamPermissionsRequest")
    return JSONResponse({"permissions": asked.get("permissions", [])})


async def list_(request: Request) -> Response:
    warehouse, dataset = warehouse_of(request), dataset_name(request)
    warehouse.catalog.dataset(dataset)
    tables = warehouse.catalog.tables(dataset)
    found, token = one_page(request, tables)
    keys = (
        "kind id tableReference type friendlyName labels creationTime expirationTime timePartitioning clustering view"
    )
    items = [{key: table.resource[key] for key in keys.split() if key in table.resource} for table in found]
    return JSONResponse({"kind": "bigquery#tableList", "etag": "", "tables": items, "totalItems": len(tables), **token})


async def patch(request: Request) -> Response:
    return await _change(request, replaces=False)


async def update(request: Request) -> Response:
    return await _change(request, replaces=True)


async def _change(request: Request, *, replaces: bool) -> Response:
    """Columns may be added and relaxed, never taken away or retyped; partitioning stays what it is."""
    warehouse, name = warehouse_of(request), table_name(request)
    body = await json_body(request, "Table")
    async with warehouse.changing(name):
        old = warehouse.catalog.table(name)
        check_etag(request, old.resource["etag"])
        kept = {key: value for key, value in old.resource.items() if not is_mutable(key) or key == "schema"}
        changed = merged_patch(kept if replaces else old.resource, body, is_mutable)
        table = Table(name.whole, changed, old.files)
        if body.get("schema") and old.schema and not old.is_view:
            table = table.changed(schema=schema_to_api(_changed_schema(old, schema_from_api(body["schema"]))))
        if old.files and not same_partitioning(old.partitioning, table.partitioning):
            raise invalid("Cannot change partitioning spec for a partitioned table")
        if table.is_view and "view" in body:
            location = warehouse.catalog.dataset(name.in_dataset).location
            table = table.changed(schema=schema_to_api(await view_schema(warehouse, table, location)))
        with warehouse.store.transaction():
            return JSONResponse(presented(warehouse.catalog.put_table(checked(table))))


def _changed_schema(old: Table, new: Schema) -> Schema:
    """The new schema's descriptions and tags count; its types and modes have to be allowed changes."""
    allowed = by_name(updated(old.schema, new, old.name, may_add=True, may_relax=True, may_omit=False))
    offered = by_name(new)
    return tuple(replace(column, kept=offered[name].kept) for name, column in allowed.items())


async def delete(request: Request) -> Response:
    warehouse, name = warehouse_of(request), table_name(request)
    async with warehouse.changing(name):
        table = warehouse.catalog.table(name)
        if name.partition:
            files = tuple(file for file in table.files if file.partition != name.partition)
            if table.partitioning is None or table.partitioning.get("field"):
                raise invalid("Only a partition of an ingestion-time partitioned table can be deleted here")
            with warehouse.store.transaction():
                warehouse.catalog.put_table(Table(table.name, table.resource, files))
        else:
            with warehouse.store.transaction():
                warehouse.catalog.drop_table(table)
    return Response(status_code=204)


async def rows(request: Request) -> Response:
    """tabledata.list: pages by row number, `selectedFields` by name."""
    warehouse, name = warehouse_of(request), table_name(request)
    table = warehouse.catalog.table(name)
    if table.is_view:
        raise invalid(f"Cannot list a table of type VIEW: {name}")
    files = [file for file in table.files if not name.partition or file.partition == name.partition]
    start = start_of_page(request)
    count = min(number(request, "maxResults", MOST_ROWS_A_PAGE), MOST_ROWS_A_PAGE)
    total = sum(file.rows for file in files)
    schema = _selected(table.schema, request.query_params.get("selectedFields"))
    int64_timestamps = request.query_params.get("formatOptions.useInt64Timestamp") in ("true", "True")
    with warehouse.files.reading(files) as paths:
        encoded = await warehouse.compute(
            lambda: encoded_rows(page(paths, schema, start, count), schema, int64_timestamps=int64_timestamps)
        )
    token = {"pageToken": str(start + count)} if start + count < total and count else {}
    answer = {"kind": "bigquery#tableDataList", "etag": table.resource["etag"], "totalRows": str(total)}
    return JSONResponse({**answer, "rows": encoded, **token})


def _selected(schema: Schema, selected: str | None) -> Schema:
    if not selected:
        return schema
    names = {name.strip().lower() for name in selected.split(",")}
    missing = names - by_name(schema).keys()
    if missing:
        raise invalid(f"No such field: {sorted(missing)[0]}", "selectedFields")
    return tuple(column for column in schema if column.name.lower() in names)


TABLES = "/projects/{project}/datasets/{dataset}/tables"
ROUTES = [
    Route(TABLES, insert, methods=["POST"]),
    Route(TABLES, list_, methods=["GET"]),
    Route(TABLES + "/{table}:testIamPermissions", granted, methods=["POST"]),
    Route(TABLES + "/{table}", get, methods=["GET"]),
    Route(TABLES + "/{table}", patch, methods=["PATCH"]),
    Route(TABLES + "/{table}", update, methods=["PUT"]),
    Route(TABLES + "/{table}", delete, methods=["DELETE"]),
    Route(TABLES + "/{table}/data", rows, methods=["GET"]),
]
