"""The destination as it stands before a load: its columns, rows and layout."""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from google.api_core import exceptions

from job.columns.table import LoadColumn
from job.loading.patience import SECONDS, retry
from shared.column import Column, current_type
from shared.config import Config
from shared.errors import LoadRefused

if TYPE_CHECKING:
    from google.cloud import bigquery


# What belongs to the type itself, of RECORD and of RANGE
# (cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema).
_INNER = ("fields", "rangeElementType")


class Standing(msgspec.Struct, frozen=True):
    """A table that is there. `columns` as a load would describe them; `partition_type` of `partition_by`, which is
    None for a table that is partitioned by the time of loading; `streaming`: rows are still being streamed in."""

    columns: tuple[LoadColumn, ...]
    rows: int
    modified: datetime | None
    partition_type: str | None = None
    partition_by: str | None = None
    cluster_by: tuple[str, ...] = ()
    streaming: bool = False

    def asked(self) -> tuple[Column, ...]:
        """Its columns as a custom schema would ask for them; without those that no load can fill."""
        fields = ("name", "type", "mode", "precision", "scale", "max_length")
        return tuple(
            msgspec.convert({field: getattr(column, field) for field in fields}, Column)
            for column in self.columns
            if column.can_be_filled
        )


def look_at(client: "bigquery.Client", config: Config) -> Standing | None:
    """The config's table; None where it, or its dataset, is not there.

    Raises `LoadRefused` for a view or the like, and what the client raises.
    """
    try:
        table = client.get_table(reference(config), retry=retry(), timeout=SECONDS)
    except exceptions.NotFound:
        return None
    if table.table_type != "TABLE":
        raise LoadRefused(
            f"{config.destination} is no table (BigQuery says {table.table_type})", "choose another bigquery_table_id"
        )
    partitioning = table.time_partitioning
    return Standing(
        columns=tuple(_column(field) for field in table.schema),
        rows=int(table.num_rows or 0),
        modified=table.modified,
        partition_type=partitioning.type_ if partitioning else None,
        partition_by=partitioning.field if partitioning else None,
        cluster_by=tuple(table.clustering_fields or ()),
        streaming=table.streaming_buffer is not None,
    )


def reference(config: Config, partition: str | None = None) -> "bigquery.TableReference":
    """The config's table, or the partition of it that has this date (`20261128`)."""
    from google.cloud import bigquery

    dataset = bigquery.DatasetReference(config.google_cloud_project_id, config.bigquery_dataset_id)
    return dataset.table(f"{config.bigquery_table_id}${partition}" if partition else config.bigquery_table_id)


def _column(field: "bigquery.SchemaField") -> LoadColumn:
    return LoadColumn(
        name=field.name,
        type=current_type(field.field_type),
        mode=field.mode or "NULLABLE",
        description=field.description or "",
        precision=field.precision,
        scale=field.scale,
        max_length=field.max_length,
        default_value_expression=field.default_value_expression,
        policy_tags=field.policy_tags.names if field.policy_tags else (),
        inner={key: value for key, value in field.to_api_repr().items() if key in _INNER},
    )
