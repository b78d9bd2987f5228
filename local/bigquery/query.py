"""Query jobs: SELECT into an anonymous or a named table; what changes tables goes to dml and ddl."""

from typing import Any

from sqlglot import exp

from local.bigquery.ddl import run_ddl
from local.bigquery.dml import run_dml
from local.bigquery.errors import not_implemented
from local.bigquery.jobs import Job
from local.bigquery.parameters import parameter_columns
from local.bigquery.query_request import QueryRequest
from local.bigquery.results import anonymous_result, anonymous_table, destination_result
from local.bigquery.schema import Schema, schema_to_api
from local.bigquery.selecting import described, select
from local.bigquery.sources import Sources, collect
from local.bigquery.translate import bind_parameters, parse
from local.bigquery.warehouse import Warehouse

DML = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
DDL = (exp.Create, exp.Drop, exp.Alter)


async def run_query(warehouse: Warehouse, job: Job) -> None:
    """Run the one statement and commit. Raises what becomes the job's errorResult."""
    request = QueryRequest.from_api(job.configuration["query"], job.name.project)
    tree = parse(request.sql)
    bind_parameters(tree, request, parameter_columns(request.parameters, request.named_parameters))
    if isinstance(tree, exp.Query):
        await _run_select(warehouse, job, request, tree)
    elif isinstance(tree, DML):
        await run_dml(warehouse, job, request, tree)
    elif isinstance(tree, DDL):
        await run_ddl(warehouse, job, request, tree)
    else:
        raise not_implemented(f"A statement of type {type(tree).__name__}")


async def _run_select(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Expr) -> None:
    sources = collect(warehouse, request, tree, job.name.location)
    with warehouse.files.reading(sources.files):
        schema, rows = await warehouse.compute(lambda: select(warehouse, request, sources, tree))
    name = request.destination or anonymous_table(warehouse, job.name.project, job.name.location)
    async with warehouse.changing(name):
        if request.destination:
            table = await destination_result(warehouse, request, name, schema, rows)
        else:
            table = await anonymous_result(warehouse, name, schema, rows)
        query = {**job.configuration["query"], "destinationTable": name.as_reference()}
        with warehouse.store.transaction():
            warehouse.catalog.put_table(table)
            configuration = {**job.configuration, "query": query}
            warehouse.jobs.succeeded(job, select_statistics(sources, schema), configuration)


def select_statistics(sources: Sources, schema: Schema) -> dict[str, Any]:
    processed = str(sum(file.bytes for file in sources.files))
    return {
        "query": {
            "statementType": "SELECT",
            "schema": schema_to_api(schema),
            "referencedTables": sources.references,
            "totalBytesProcessed": processed,
            "totalBytesBilled": processed,
            "cacheHit": False,
        },
        "totalBytesProcessed": processed,
    }


async def dry_run(warehouse: Warehouse, project: str, location: str, configuration: dict[str, Any]) -> dict[str, Any]:
    """The statistics that a query would have, checked against the tables as they are, and nothing run."""
    sources, schema = await described(warehouse, QueryRequest.from_api(configuration["query"], project), location)
    return select_statistics(sources, schema)
