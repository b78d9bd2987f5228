"""What BigQuery is told of a load: the format, the schema, what becomes of the rows that are there, the layout."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from job.columns.table import LoadColumn
from job.loading.drift import Fitting
from job.loading.layout import Layout

if TYPE_CHECKING:
    from google.cloud import bigquery


def load_config(
    fitting: Fitting, source_format: str, layout: Layout, labels: dict[str, str]
) -> "bigquery.LoadJobConfig":
    """The settings of the load that writes the destination."""
    from google.cloud import bigquery

    config = bigquery.LoadJobConfig(
        source_format=source_format,
        write_disposition=fitting.write,
        create_disposition=bigquery.CreateDisposition.CREATE_IF_NEEDED,
        # Explicit, so that no type depends on what BigQuery thinks of a file.
        schema=schema_fields(fitting.schema),
        # Otherwise a Parquet decimal can only become NUMERIC.
        decimal_target_types=frozenset({bigquery.DecimalTargetType.NUMERIC, bigquery.DecimalTargetType.BIGNUMERIC}),
        labels=labels,
    )
    if fitting.adds:
        config.schema_update_options = [bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION]
    lay(config, layout)
    return config


def schema_fields(columns: Sequence[LoadColumn]) -> list["bigquery.SchemaField"]:
    """The columns as the API has them.

    Those of the sheet are described by it; what people have added to those that are there (descriptions, policy
    tags) is not mentioned, and so not replaced.
    """
    from google.cloud import bigquery

    return [bigquery.SchemaField.from_api_repr(_field(column)) for column in columns]


def lay(target: Any, layout: Layout) -> None:
    """Gives a load's settings, or a table that is to be made, the layout."""
    from google.cloud import bigquery

    if layout.partition_type:
        target.time_partitioning = bigquery.TimePartitioning(type_=layout.partition_type, field=layout.partition_by)
    if layout.cluster_by:
        target.clustering_fields = list(layout.cluster_by)


def _field(column: LoadColumn) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": column.type, "mode": column.mode, **column.inner}
    for key, parameter in (
        ("precision", column.precision),
        ("scale", column.scale),
        ("maxLength", column.max_length),
        ("defaultValueExpression", column.default_value_expression),
    ):
        if parameter is not None:
            field[key] = str(parameter)
    if column.index is None:
        return field
    if column.policy_tags:
        field["policyTags"] = {"names": list(column.policy_tags)}
    return field | {"description": column.description}
