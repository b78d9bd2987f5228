"""How a destination is partitioned and clustered, and whether the config's options and the table agree on it. Pure."""

from collections.abc import Sequence

import msgspec

from job.columns.table import LoadColumn, named
from job.errors import OptionRefused
from job.loading.standing import Standing
from shared.options import Options

# cloud.google.com/bigquery/docs/partitioned-tables, and for clustering …/clustered-tables#cluster_column_types
_PARTITIONING = ("DATE", "DATETIME", "TIMESTAMP")
_CLUSTERING = (
    "STRING",
    "INT64",
    "BOOL",
    "NUMERIC",
    "BIGNUMERIC",
    "DATE",
    "DATETIME",
    "TIMESTAMP",
    "GEOGRAPHY",
)


class Layout(msgspec.Struct, frozen=True):
    """A table's partitioning (by a column, or by the time of loading where there is a type alone) and clustering."""

    partition_type: str | None = None
    partition_by: str | None = None
    cluster_by: tuple[str, ...] = ()


def lay_out(schema: Sequence[LoadColumn], standing: Standing | None, options: Options, subject: str) -> Layout:
    """The layout that the destination has, or gets.

    Raises `OptionRefused` where the options name a column that cannot serve, or where the table is there and has
    another layout: BigQuery partitions a table when it is made, and never again.
    """
    wanted = _wanted(schema, options, subject)
    if standing is None:
        return wanted
    there = Layout(standing.partition_type, standing.partition_by, standing.cluster_by)
    if wanted.partition_type and _cut(wanted) != _cut(there):
        raise OptionRefused(
            f"{subject}: the table is {_told(there)}, and {_told(wanted)} is asked for",
            "BigQuery cannot change that: load into another table, or drop this one if its rows may go",
        )
    if wanted.cluster_by and _folded(wanted.cluster_by) != _folded(there.cluster_by):
        raise OptionRefused(
            f"{subject}: the table is clustered by other columns than cluster_by asks for",
            "change them with `bq update --clustering_fields=…`, or correct cluster_by",
        )
    _check_kept(there, schema, subject)
    return there


def _check_kept(there: Layout, schema: Sequence[LoadColumn], subject: str) -> None:
    """BigQuery lays no table out by a column that it loses, or that gets a type which cannot serve."""
    types = {column.name.casefold(): column.type for column in schema}
    partitioned = (there.partition_by,) if there.partition_by else ()
    for told, names, serving in (
        ("partitioned", partitioned, _PARTITIONING),
        ("clustered", there.cluster_by, _CLUSTERING),
    ):
        if any(types.get(name.casefold()) not in serving for name in names):
            raise OptionRefused(
                f"{subject}: the table is {told} by a column that the tab has no more, or not in a type that can serve",
                "correct the column, set schema_drift to keep, or load into another table",
            )


def _wanted(schema: Sequence[LoadColumn], options: Options, subject: str) -> Layout:
    if options.load_mode == "snapshot":
        return Layout("DAY", None, _clustering(schema, options, subject))
    if options.partition_by is None:
        return Layout(cluster_by=_clustering(schema, options, subject))
    column = _column(schema, options.partition_by, "partition_by", subject)
    hourly = options.partition_type == "HOUR"
    if column.type not in _PARTITIONING or (hourly and column.type == "DATE"):
        kinds = "DATETIME or TIMESTAMP" if hourly else "DATE, DATETIME or TIMESTAMP"
        raise OptionRefused(
            f"{subject}: partition_by names a column of {column.type}, and only {kinds} can be partitioned by",
            "name another column, or give this one a type in custom_schema",
        )
    return Layout(options.partition_type, column.name, _clustering(schema, options, subject))


def _clustering(schema: Sequence[LoadColumn], options: Options, subject: str) -> tuple[str, ...]:
    columns = [_column(schema, name, "cluster_by", subject) for name in options.cluster_by]
    for number, column in enumerate(columns, 1):
        if column.type not in _CLUSTERING:
            raise OptionRefused(
                f"{subject}: cluster_by names, as number {number}, a column of {column.type},"
                " which BigQuery cannot cluster by",
                "name another column, or give this one a type in custom_schema",
            )
    return tuple(dict.fromkeys(column.name for column in columns))  # once, whether by header or by name


def _column(schema: Sequence[LoadColumn], name: str, option: str, subject: str) -> LoadColumn:
    column = named(schema, name)
    if column is None:
        raise OptionRefused(
            f"{subject}: {option} names a column that the table does not get",
            "give the header's exact text, or the column name that is made of it",
        )
    return column


def _cut(layout: Layout) -> tuple[str | None, str]:
    return layout.partition_type, (layout.partition_by or "").casefold()


def _folded(names: Sequence[str]) -> list[str]:
    return [name.casefold() for name in names]


def _told(layout: Layout) -> str:
    if layout.partition_type is None:
        return "not partitioned"
    return f"partitioned by {'a column' if layout.partition_by else 'load time'} and {layout.partition_type}"
