"""A plan's second part: what a run would change in BigQuery. Nothing here writes, and no job is created."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from google.api_core import exceptions

from commands.google import BRIEF_RETRY, SECONDS, asking
from commands.plan_sheet import PlannedColumn
from job.loading.bigquery_errors import failure
from shared.column import current_type
from shared.config import Config

if TYPE_CHECKING:
    from google.cloud import bigquery


class ColumnChange(msgspec.Struct, frozen=True):
    """A column as `INT64 NULLABLE` before and after the load; None where it is not there."""

    name: str
    before: str | None
    after: str | None


class TablePlan(msgspec.Struct, frozen=True):
    """What a load does to the destination. `rows` are those it has now; None where there is no table."""

    effect: Literal["creates it and its dataset", "creates it", "replaces it"]
    location: str
    rows: int | None = None
    schema: tuple[ColumnChange, ...] = ()


def plan_table(config: Config, client: "bigquery.Client", location: str, columns: Sequence[PlannedColumn]) -> TablePlan:
    """How loading `columns` would change the destination; a missing dataset would be created in `location`.

    Raises `LoadRefused`, as a load would, where a view or the like has the table's name; `PermissionMissing`;
    `ServiceUnavailable`.
    """
    from google.cloud import bigquery

    reference = bigquery.DatasetReference(config.google_cloud_project_id, config.bigquery_dataset_id)
    grant = f"grant roles/bigquery.dataViewer on {reference.dataset_id} to this identity"
    with asking(config.destination, missing="correct google_cloud_project_id", refused=grant):
        try:
            table = client.get_table(reference.table(config.bigquery_table_id), timeout=SECONDS, retry=BRIEF_RETRY)
        except exceptions.NotFound:
            return _missing(client, reference, location)
    if table.table_type != "TABLE":
        raise failure({"reason": "invalid"}, config.destination)
    return TablePlan("replaces it", table.location or "", table.num_rows, tuple(_changes(table.schema, columns)))


def _missing(client: "bigquery.Client", reference: "bigquery.DatasetReference", location: str) -> TablePlan:
    try:
        dataset = client.get_dataset(reference, timeout=SECONDS, retry=BRIEF_RETRY)
    except exceptions.NotFound:
        return TablePlan("creates it and its dataset", location)
    return TablePlan("creates it", dataset.location or "")


def _changes(schema: Sequence["bigquery.SchemaField"], columns: Sequence[PlannedColumn]) -> Iterator[ColumnChange]:
    """Columns that are new, or get another type or mode, then those that go; names are compared as BigQuery does."""
    if not columns:  # nothing could be read: nothing would be loaded
        return
    before = {
        field.name.casefold(): (field.name, f"{current_type(field.field_type)} {field.mode or 'NULLABLE'}")
        for field in schema
    }
    after = {column.name.casefold(): (column.name, f"{column.type} {column.mode}") for column in columns}
    for key, (name, told) in after.items():
        _, was = before.get(key, (name, None))
        if was != told:
            yield ColumnChange(name, was, told)
    for key, (name, was) in before.items():
        if key not in after:
            yield ColumnChange(name, was, None)
