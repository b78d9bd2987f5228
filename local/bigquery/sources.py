"""What a statement reads: snapshots of tables, views over them, and INFORMATION_SCHEMA, as DuckDB relations."""

from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from local.bigquery.catalog import Table
from local.bigquery.engine import Session, select_from_files
from local.bigquery.errors import invalid, not_found
from local.bigquery.files import DataFile, Files
from local.bigquery.information_schema import information_schema
from local.bigquery.names import DatasetName, TableName
from local.bigquery.partitioning import partition_start
from local.bigquery.query_request import QueryRequest
from local.bigquery.translate import (
    INFORMATION_SCHEMA,
    name_outputs,
    parse,
    point_at,
    referenced_tables,
    table_name,
    to_duckdb,
)
from local.bigquery.warehouse import Warehouse

DEEPEST_VIEW = 16
PARTITION_COLUMNS = ("_partitiontime", "_partitiondate")


@dataclass
class Sources:
    """Collected on the event loop's thread in one go, so that a statement reads one instant; then used in a thread."""

    location: str
    tables: dict[TableName, Table] = field(default_factory=dict)
    views: dict[TableName, str] = field(default_factory=dict)
    system: dict[str, pa.Table] = field(default_factory=dict)
    with_partitions: bool = False

    @property
    def files(self) -> list[DataFile]:
        return [file for table in self.tables.values() for file in table.files]

    @property
    def references(self) -> list[dict[str, str]]:
        return [name.as_reference() for name in self.tables]

    def attach(self, session: Session, files: Files) -> None:
        """Create the relations that the statement's nodes now point at; tables first, then views inside out."""
        for name, table in self.tables.items():
            session.add_view(relation(name), self.select(table, files))
        for system, rows in self.system.items():
            session.add_rows(system, rows)
        for name, sql in self.views.items():
            session.add_view(relation(name), sql)

    def select(self, table: Table, files: Files) -> str:
        """SQL for the table's rows, with the pseudo columns of an ingestion-time partitioned one if asked for."""
        if not self.with_partitions or table.partitioning is None or table.partitioning.get("field"):
            return select_from_files([files.path(file.name) for file in table.files], table.schema)
        parts = [
            f"SELECT *, TIMESTAMPTZ '{partition_start(file.partition).isoformat()}' AS _PARTITIONTIME,"
            f" DATE '{partition_start(file.partition).date()}' AS _PARTITIONDATE"
            f" FROM ({select_from_files([files.path(file.name)], table.schema)})"
            for file in table.files
        ]
        nothing = (
            "SELECT *, CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS _PARTITIONTIME, CAST(NULL AS DATE) AS _PARTITIONDATE"
            f" FROM ({select_from_files([], table.schema)})"
        )
        return " UNION ALL ".join([nothing, *parts])


def relation(name: TableName) -> str:
    return f"{name.project}.{name.dataset}.{name.table}"


def collect(
    warehouse: Warehouse,
    request: QueryRequest,
    tree: exp.Expr,
    location: str,
    target: exp.Table | None = None,
) -> Sources:
    """Find every table that the tree names (beside `target`, which a statement changes) and point its nodes at them.

    Raises notFound for a table or dataset that does not exist in the job's location.
    """
    sources = Sources(location)
    sources.with_partitions = any(node.name.lower() in PARTITION_COLUMNS for node in tree.find_all(exp.Column))
    _collect(warehouse, request, tree, sources, target, depth=0)
    return sources


def _collect(
    warehouse: Warehouse,
    request: QueryRequest,
    tree: exp.Expr,
    sources: Sources,
    target: exp.Table | None,
    depth: int,
) -> None:
    if depth > DEEPEST_VIEW:
        raise invalid(f"Views are nested deeper than {DEEPEST_VIEW} levels")
    for node in list(referenced_tables(tree)):
        if node is target:
            continue
        if node.name.upper().startswith(INFORMATION_SCHEMA):
            _collect_information_schema(warehouse, request, node, sources)
            continue
        name = table_name(node, request)
        check_location(warehouse, name.in_dataset, sources.location)
        table = warehouse.catalog.find_table(name)
        if table is None:
            raise not_found("Table", name, f" was not found in location {sources.location}")
        if table.is_view and name not in sources.views:
            _collect_view(warehouse, table, sources, depth)
        elif not table.is_view:
            sources.tables[name] = table
        point_at(node, relation(name))


def _collect_view(warehouse: Warehouse, view: Table, sources: Sources, depth: int) -> None:
    inner = QueryRequest.of_view(view.resource["view"]["query"], view.name.project)
    tree = parse(inner.sql)
    _collect(warehouse, inner, tree, sources, None, depth + 1)
    name_outputs(tree)
    sources.views[view.name] = to_duckdb(tree)


def check_location(warehouse: Warehouse, dataset: DatasetName, location: str) -> None:
    """Raises notFound unless the dataset is there, in the job's location."""
    known = {known.name: known.location for known in warehouse.catalog.datasets(dataset.project)}
    if known.get(dataset) != location:
        raise not_found("Dataset", dataset, f" was not found in location {location}")


def _collect_information_schema(warehouse: Warehouse, request: QueryRequest, node: exp.Table, sources: Sources) -> None:
    qualifiers = [part.name for part in node.parts[:-1]]
    view = node.name.upper().removeprefix(INFORMATION_SCHEMA)
    rows = information_schema(warehouse, request, qualifiers, view)
    name = ".".join((*qualifiers, INFORMATION_SCHEMA + view))
    sources.system[name] = rows
    point_at(node, name)
