"""DML: INSERT, UPDATE, DELETE, MERGE and TRUNCATE TABLE, each one atomic update of one table.

https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax
"""

from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local.bigquery.catalog import Table
from local.bigquery.engine import Session, as_schema, select_from_files
from local.bigquery.errors import invalid, invalid_query
from local.bigquery.files import DataFile
from local.bigquery.jobs import Job
from local.bigquery.merging import (
    check_merge,
    check_update,
    prepare_merge,
    run_merge,
    unqualify_assignments,
)
from local.bigquery.parameters import parameter_values
from local.bigquery.partitioning import partition_of_now
from local.bigquery.query_request import QueryRequest
from local.bigquery.sources import Sources, check_location, collect
from local.bigquery.translate import table_name, to_duckdb
from local.bigquery.types import quoted
from local.bigquery.warehouse import Warehouse
from local.bigquery.writing import write

COUNTED_AS: dict[type[exp.Expr], str] = {
    exp.Insert: "insertedRowCount",
    exp.Update: "updatedRowCount",
    exp.Delete: "deletedRowCount",
}


@dataclass(frozen=True)
class Change:
    """What a statement did: the rows' new file, whether it replaces the old ones, and the counts by kind."""

    file: DataFile
    replaces: bool
    counts: dict[str, int]


async def run_dml(warehouse: Warehouse, job: Job, request: QueryRequest, tree: exp.Expr) -> None:
    """Run the statement on a snapshot and commit. The table is not changed by others meanwhile."""
    node = _target(tree)
    name = table_name(node, request)
    async with warehouse.changing(name):
        check_location(warehouse, name.in_dataset, job.name.location)
        table = warehouse.catalog.table(name)
        if table.is_view:
            raise invalid(f"{name} is a VIEW: DML needs a table")
        if isinstance(tree, exp.TruncateTable):
            changed, counts = Table(name, table.resource), {"deletedRowCount": table.rows}
            sources = Sources(job.name.location)
        else:
            sources = collect(warehouse, request, tree, job.name.location, target=node)
            changed, counts = await _changed(warehouse, request, tree, node, table, sources)
        with warehouse.store.transaction():
            warehouse.catalog.put_table(changed)
            query = {**job.configuration["query"], "destinationTable": name.as_reference()}
            configuration = {**job.configuration, "query": query}
            warehouse.jobs.succeeded(job, _statistics(tree, changed, sources, counts), configuration)


def _target(tree: exp.Expr) -> exp.Table:
    """The node of the table that the statement changes."""
    if isinstance(tree, exp.TruncateTable):
        return tree.expressions[0]
    # DELETE without FROM keeps its table apart.
    node = tree.args.get("tables") or tree.this
    node = node[0] if isinstance(node, list) else node
    node = node.this if isinstance(node, exp.Schema) else node
    if not isinstance(node, exp.Table):
        raise invalid_query("Syntax error: the statement names no table")
    if isinstance(tree, exp.Update | exp.Delete) and tree.args.get("where") is None:
        raise invalid_query(f"{tree.key.upper()} must have a WHERE clause")
    return node


async def _changed(
    warehouse: Warehouse,
    request: QueryRequest,
    tree: exp.Expr,
    node: exp.Table,
    table: Table,
    sources: Sources,
) -> tuple[Table, dict[str, int]]:
    with warehouse.files.reading([*table.files, *sources.files]):
        change = await warehouse.compute(lambda: _change(warehouse, request, tree, node, table, sources))
    kept = () if change.replaces else table.files
    return Table(table.name, table.resource, (*kept, change.file)), change.counts


def _change(
    warehouse: Warehouse,
    request: QueryRequest,
    tree: exp.Expr,
    node: exp.Table,
    table: Table,
    sources: Sources,
) -> Change:
    """In a thread: a DuckDB table stands for the target, an INSERT's holds its new rows only."""
    inserts = isinstance(tree, exp.Insert)
    target = table.name.table
    paths = [warehouse.files.path(file.name) for file in table.files]
    with Session(warehouse.engine) as session:
        sources.attach(session, warehouse.files)
        session.add_table(target, table.schema, None if inserts else select_from_files(paths, table.schema))
        node.set("this", exp.to_identifier(target, quoted=True))
        node.set("db", None)
        node.set("catalog", None)
        counts = _execute(session, request, tree, table)
        rows = session.execute(f"SELECT * FROM {quoted(target)}").to_arrow_table()
        file = write(as_schema(rows, table.schema).to_batches(), table.schema, warehouse.files.new(), _partition(table))
    return Change(file, not inserts, counts)


def _partition(table: Table) -> str:
    """Rows of DML land in the current partition of an ingestion-time partitioned table."""
    if table.partitioning is None or table.partitioning.get("field"):
        return ""
    return partition_of_now(table.partitioning)


def _execute(session: Session, request: QueryRequest, tree: exp.Expr, table: Table) -> dict[str, int]:
    parameters = parameter_values(request.parameters, request.named_parameters)
    if isinstance(tree, exp.Merge):
        prepare_merge(tree, table)
        check_merge(session, tree, parameters)
        return run_merge(session, tree, parameters)
    if isinstance(tree, exp.Update):
        unqualify_assignments(tree)
        check_update(session, tree, parameters)
    counted = session.execute(to_duckdb(tree), parameters).fetchone()
    return {COUNTED_AS[type(tree)]: int(counted[0]) if counted else 0}


def _statistics(tree: exp.Expr, table: Table, sources: Sources, counts: dict[str, int]) -> dict[str, Any]:
    kind = "TRUNCATE_TABLE" if isinstance(tree, exp.TruncateTable) else tree.key.upper()
    processed = str(sum(file.bytes for file in sources.files))
    return {
        "query": {
            "statementType": kind,
            "numDmlAffectedRows": str(sum(counts.values())),
            "dmlStats": {name: str(count) for name, count in counts.items()},
            "referencedTables": [table.name.as_reference(), *sources.references],
            "totalBytesProcessed": processed,
            "totalBytesBilled": processed,
            "cacheHit": False,
        },
        "totalBytesProcessed": processed,
    }
