"""Running a SELECT over snapshots of the tables that it names, or only describing what it gives."""

from collections import Counter

import pyarrow as pa
from sqlglot import exp

from local.bigquery.computed import Computing
from local.bigquery.engine import Session
from local.bigquery.errors import invalid_query, not_implemented
from local.bigquery.parameters import parameter_columns, parameter_values
from local.bigquery.query_request import QueryRequest
from local.bigquery.schema import Schema
from local.bigquery.sources import Sources, collect
from local.bigquery.translate import bind_parameters, name_outputs, parse, to_duckdb
from local.bigquery.warehouse import Warehouse


async def selected(
    warehouse: Warehouse, request: QueryRequest, tree: exp.Expr, location: str
) -> tuple[Schema, pa.Table]:
    """Collect what the SELECT reads and compute its rows."""
    sources = collect(warehouse, request, tree, location)
    with warehouse.files.reading(sources.files):
        return await warehouse.compute(lambda: select(warehouse, request, sources, tree))


def select(warehouse: Warehouse, request: QueryRequest, sources: Sources, tree: exp.Expr) -> tuple[Schema, pa.Table]:
    """Compute the rows (in a thread)."""
    name_outputs(tree)
    with Session(warehouse.engine) as session:
        sources.attach(session, warehouse.files)
        parameters = parameter_values(request.parameters, request.named_parameters)
        Computing(session, tree, parameters).resolve()
        schema, rows = session.result(to_duckdb(tree), parameters)
    repeated = [name for name, count in Counter(column.name.lower() for column in schema).items() if count > 1]
    if repeated:
        raise invalid_query(
            f"Duplicate column names in the result are not supported. Found duplicate(s): {', '.join(repeated)}"
        )
    return schema, rows


async def described(warehouse: Warehouse, request: QueryRequest, location: str) -> tuple[Sources, Schema]:
    """What a SELECT reads and the columns that it gives."""
    tree = parse(request.sql)
    bind_parameters(tree, request, parameter_columns(request.parameters, request.named_parameters))
    if not isinstance(tree, exp.Query):
        raise not_implemented("A dry run of anything but a SELECT")
    sources = collect(warehouse, request, tree, location)

    def describe() -> Schema:
        name_outputs(tree)
        with Session(warehouse.engine) as session:
            sources.attach(session, warehouse.files)
            values = parameter_values(request.parameters, request.named_parameters)
            Computing(session, tree, values).resolve()
            return session.described(to_duckdb(tree), values)

    with warehouse.files.reading(sources.files):
        return sources, await warehouse.compute(describe)
