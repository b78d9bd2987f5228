"""DDL: CREATE and DROP of tables, views and datasets, and adding columns.

https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language
"""

from typing import Any

from sqlglot import exp

from local.bigquery.catalog import Table
from local.bigquery.ddl_clauses import columns_of, options_of, partitioning_of
from local.bigquery.defaults import check_defaults
from local.bigquery.errors import already_exists, invalid, invalid_query, not_found, not_implemented
from local.bigquery.jobs import Job
from local.bigquery.names import DatasetName, TableName, canonical_location
from local.bigquery.partitioning import check_clustering, check_partitioning
from local.bigquery.query_request import QueryRequest
from local.bigquery.results import anonymous_result
from local.bigquery.schema import Schema, check_storable, columns_from_api, schema_to_api
from local.bigquery.selecting import described, selected
from local.bigquery.translate import table_name
from local.bigquery.warehouse import Warehouse


async def run_ddl(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Expr) -> None:
    """Run the statement and commit."""
    kind = str(tree.args.get("kind") or "").upper()
    if isinstance(tree, exp.Create) and kind == "TABLE":
        await _create_table(warehouse, job, request, tree)
    elif isinstance(tree, exp.Create) and kind == "VIEW":
        await _create_view(warehouse, job, request, tree)
    elif kind == "SCHEMA":
        await _run_schema_statement(warehouse, job, request, tree)
    elif isinstance(tree, exp.Drop) and kind in ("TABLE", "VIEW"):
        await _drop(warehouse, job, request, tree, kind)
    elif isinstance(tree, exp.Alter) and kind == "TABLE":
        await _alter_table(warehouse, job, request, tree)
    else:
        raise not_implemented(f"{tree.key.upper()} {kind}")


def _statistics(statement: str, operation: str, target: TableName | DatasetName) -> dict[str, Any]:
    key = "ddlTargetTable" if isinstance(target, TableName) else "ddlTargetDataset"
    return {
        "query": {
            "statementType": statement,
            "ddlOperationPerformed": operation,
            key: target.as_reference(),
            "totalBytesProcessed": "0",
            "totalBytesBilled": "0",
            "cacheHit": False,
        },
        "totalBytesProcessed": "0",
    }


def _named(tree: exp.Expr) -> exp.Table:
    named = tree.args["tables"][0] if isinstance(tree, exp.Drop) else tree.this
    node = named.this if isinstance(named, exp.Schema) else named
    if not isinstance(node, exp.Table):
        raise invalid_query("Syntax error: the statement names no table")
    return node


def _may_create(tree: exp.Create, kind: str, old: Table | None, name: TableName) -> str:
    """CREATE, REPLACE or SKIP. Raises duplicate, and invalid where a table or view would replace the other kind."""
    if old is None:
        return "CREATE"
    if tree.args.get("replace"):
        found = "VIEW" if old.is_view else "TABLE"
        if found != kind:
            raise invalid(f"{name} is not allowed for this operation because it is currently a {found}.")
        return "REPLACE"
    if tree.args.get("exists"):
        return "SKIP"
    raise already_exists("Table", name)


async def _create_table(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Create) -> None:
    node = _named(tree)
    name = table_name(node, request)
    query = tree.expression
    statement = "CREATE_TABLE_AS_SELECT" if query is not None else "CREATE_TABLE"
    async with warehouse.changing(name):
        operation = _may_create(tree, "TABLE", warehouse.catalog.find_table(name), name)
        table = Table(name, {})
        if operation != "SKIP":
            schema = columns_from_api(columns_of(tree))
            if query is not None:
                found, rows = await selected(warehouse, request, query, job.name.location)
                schema = _declared(schema, found)
                table = await anonymous_result(warehouse, name, schema, rows.rename_columns([c.name for c in schema]))
            attributes = {**options_of(tree), **partitioning_of(tree), "schema": schema_to_api(schema)}
            table = table.changed(expirationTime=None).changed(**attributes)
            _check(table)
        with warehouse.store.transaction():
            if operation != "SKIP":
                warehouse.catalog.put_table(table)
            warehouse.jobs.succeeded(job, _statistics(statement, operation, name))


def _declared(declared: Schema, found: Schema) -> Schema:
    """Columns that are declared beside AS SELECT have to be those of the query."""
    if not declared:
        return found
    if [(c.type, c.mode == "REPEATED") for c in declared] != [(c.type, c.mode == "REPEATED") for c in found]:
        raise invalid_query("The declared columns do not match the columns of the query")
    return declared


def _check(table: Table) -> None:
    check_storable(table.schema)
    check_defaults(table.schema)
    if table.partitioning:
        check_partitioning(table.partitioning, table.schema)
    check_clustering(table.resource.get("clustering"), table.schema)


async def _create_view(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Create) -> None:
    name = table_name(_named(tree), request)
    sql = tree.expression.sql(dialect="bigquery")
    inner = QueryRequest.of_view(sql, name.project)
    _, schema = await described(warehouse, inner, job.name.location)
    async with warehouse.changing(name):
        operation = _may_create(tree, "VIEW", warehouse.catalog.find_table(name), name)
        view = {"query": sql, "useLegacySql": False}
        table = Table(name, {**options_of(tree), "view": view, "schema": schema_to_api(schema)})
        with warehouse.store.transaction():
            if operation != "SKIP":
                warehouse.catalog.put_table(table)
            warehouse.jobs.succeeded(job, _statistics("CREATE_VIEW", operation, name))


async def _drop(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Drop, kind: str) -> None:
    name = table_name(_named(tree), request)
    async with warehouse.changing(name):
        table = warehouse.catalog.find_table(name)
        if table is None and not tree.args.get("exists"):
            raise not_found("Table", name)
        if table is not None and table.is_view != (kind == "VIEW"):
            raise invalid_query(f"{name} is not a {kind}")
        with warehouse.store.transaction():
            if table is not None:
                warehouse.catalog.drop_table(table)
            warehouse.jobs.succeeded(job, _statistics(f"DROP_{kind}", "DROP" if table else "SKIP", name))


async def _alter_table(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Alter) -> None:
    """ADD COLUMN only."""
    name = table_name(_named(tree), request)
    added = tree.args["actions"]
    if not all(isinstance(action, exp.ColumnDef) for action in added):
        raise not_implemented("ALTER TABLE with anything but ADD COLUMN")
    async with warehouse.changing(name):
        table = warehouse.catalog.table(name)
        new = columns_from_api(columns_of(exp.Schema(expressions=added)))
        if any(column.mode == "REQUIRED" for column in new):
            raise invalid_query("Cannot add required columns to an existing table")
        fields = [column.to_api() for column in (*table.schema, *new)]
        schema = schema_to_api(columns_from_api(fields))
        with warehouse.store.transaction():
            warehouse.catalog.put_table(table.changed(schema=schema))
            warehouse.jobs.succeeded(job, _statistics("ALTER_TABLE", "ALTER", name))


async def _run_schema_statement(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Expr) -> None:
    """CREATE SCHEMA and DROP SCHEMA."""
    parts = [part.name for part in _named(tree).parts]
    name = DatasetName(parts[0] if len(parts) == 2 else request.project, parts[-1])
    exists = name in {dataset.name for dataset in warehouse.catalog.datasets(name.project)}
    async with warehouse.changing_all(name):
        _commit_schema_statement(warehouse, job, tree, name, exists)


def _commit_schema_statement(warehouse: Warehouse, job: Job, tree: exp.Expr, name: DatasetName, exists: bool) -> None:
    with warehouse.store.transaction():
        if isinstance(tree, exp.Create):
            options = options_of(tree)
            location = canonical_location(options.pop("location", job.name.location))
            if not exists:
                warehouse.catalog.create_dataset(name, {**options, "location": location})
            elif not tree.args.get("exists"):
                raise already_exists("Dataset", name)
            operation = "SKIP" if exists else "CREATE"
        else:
            operation = _drop_schema(warehouse, name, tree, exists)
        warehouse.jobs.succeeded(job, _statistics(f"{tree.key.upper()}_SCHEMA", operation, name))


def _drop_schema(warehouse: Warehouse, name: DatasetName, tree: exp.Expr, exists: bool) -> str:
    if not exists and tree.args.get("exists"):
        return "SKIP"
    warehouse.catalog.dataset(name)
    if warehouse.catalog.tables(name) and not tree.args.get("cascade"):
        raise invalid_query(f"Dataset {name} is still in use")
    warehouse.catalog.drop_dataset(name)
    return "DROP"
