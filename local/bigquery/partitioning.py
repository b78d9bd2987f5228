"""Partitions and clustering: what may be asked for, and which rows belong to a partition.

https://cloud.google.com/bigquery/docs/partitioned-tables
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from local.bigquery.errors import invalid, not_implemented
from local.bigquery.schema import Column, Schema, by_name

# How a partition id of each type is written.
FORMAT_OF_TYPE = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
PARTITION_COLUMN_TYPES = ("DATE", "DATETIME", "TIMESTAMP")
CLUSTERING_COLUMN_TYPES = frozenset(
    ["STRING", "INTEGER", "BOOLEAN", "NUMERIC", "BIGNUMERIC", "DATE", "DATETIME", "TIMESTAMP", "GEOGRAPHY"]
)
MOST_CLUSTERING_COLUMNS = 4


def check_partitioning(partitioning: dict[str, Any], schema: Schema | None) -> None:
    """Raises invalid on an unknown type, or a column that is missing or of the wrong type."""
    type_ = partitioning.get("type")
    if type_ not in FORMAT_OF_TYPE:
        raise invalid(f"Invalid value for timePartitioning.type: {type_}; use one of {', '.join(FORMAT_OF_TYPE)}")
    if partitioning.get("field") and schema is not None:
        column = _column(partitioning["field"], schema, "partitioning")
        if column.type not in PARTITION_COLUMN_TYPES or (column.type == "DATE" and type_ == "HOUR"):
            raise invalid(
                "The field specified for partitioning can only be of type TIMESTAMP, DATE or DATETIME. "
                f"The type found is: {column.type}."
            )
        if column.mode == "REPEATED":
            raise invalid(f"The field specified for partitioning cannot be repeated: {column.name}")


def check_clustering(clustering: dict[str, Any] | None, schema: Schema | None) -> None:
    names = (clustering or {}).get("fields") or []
    if len(names) > MOST_CLUSTERING_COLUMNS:
        raise invalid(f"Too many clustering fields: {len(names)}; at most {MOST_CLUSTERING_COLUMNS} are allowed")
    for name in names if schema is not None else []:
        column = _column(name, schema or (), "clustering")
        if column.type not in CLUSTERING_COLUMN_TYPES or column.mode == "REPEATED":
            raise invalid(f"Field {column.name} of type {column.type} cannot be used for clustering")


def _column(name: str, schema: Schema, purpose: str) -> Column:
    column = by_name(schema).get(name.lower())
    if column is None:
        raise invalid(f"The field specified for {purpose} cannot be found in the schema: {name}")
    return column


def same_partitioning(old: dict[str, Any] | None, new: dict[str, Any] | None) -> bool:
    """Whether both cut a table into the same partitions."""
    return _cut(old) == _cut(new)


def _cut(partitioning: dict[str, Any] | None) -> tuple[Any, ...]:
    return (partitioning["type"], (partitioning.get("field") or "").lower()) if partitioning else ()


def partition_of_now(partitioning: dict[str, Any]) -> str:
    """Where rows go that are loaded into an ingestion-time partitioned table without a decorator."""
    return datetime.now(UTC).strftime(FORMAT_OF_TYPE[partitioning["type"]])


def partition_start(partition: str) -> datetime:
    """The instant at which a partition begins, UTC."""
    format_ = next(f for f in FORMAT_OF_TYPE.values() if len(SOME_TIME.strftime(f)) == len(partition))
    return datetime.strptime(partition, format_).replace(tzinfo=UTC)


def check_decorator(partition: str, partitioning: dict[str, Any] | None) -> None:
    """Raises invalid when the decorator does not name a partition of the table."""
    if partitioning is None:
        raise not_implemented("A partition decorator on a table without timePartitioning")
    format_ = FORMAT_OF_TYPE[partitioning["type"]]
    try:
        fits = datetime.strptime(partition, format_).replace(tzinfo=UTC).strftime(format_) == partition
    except ValueError:
        fits = False
    if not fits:
        raise invalid(f"Invalid partition decorator ${partition} for a table partitioned by {partitioning['type']}")


def rows_of_partition(rows: pa.Table | pa.RecordBatch, column: Column, partition: str) -> pa.Array:
    """True where a row's value of the partitioning column lies in the partition."""
    start = partition_start(partition)
    values = rows.column([name.lower() for name in rows.schema.names].index(column.name.lower()))
    end = _next_start(start, partition)
    low, high = (_bound(bound, column.type) for bound in (start, end))
    inside = pc.and_(pc.greater_equal(values, low), pc.less(values, high))
    return pc.fill_null(inside, False)


def _next_start(start: datetime, partition: str) -> datetime:
    match len(partition):
        case 10:
            return start + timedelta(hours=1)
        case 8:
            return start + timedelta(days=1)
        case 6:
            return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        case _:
            return start.replace(year=start.year + 1)


def _bound(instant: datetime, type_: str) -> pa.Scalar:
    if type_ == "DATE":
        return pa.scalar(instant.date(), pa.date32())
    if type_ == "DATETIME":
        return pa.scalar(instant.replace(tzinfo=None), pa.timestamp("us"))
    return pa.scalar(instant, pa.timestamp("us", tz="UTC"))
