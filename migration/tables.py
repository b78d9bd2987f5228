"""A table as BigQuery describes it: where it is, its columns, and when it was last written."""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from google.api_core import exceptions

from migration.errors import NotComparable
from shared.asking import BRIEF_RETRY, SECONDS, asking
from shared.column import current_type
from shared.identifier import identifier

if TYPE_CHECKING:
    from google.cloud import bigquery


class SeenColumn(msgspec.Struct, frozen=True):
    """A column; `type` is GoogleSQL's, such as `NUMERIC(10, 2)` or `ARRAY<STRUCT<a INT64>>`."""

    name: str
    type: str


class Seen(msgspec.Struct, frozen=True):
    """A table as it stood at one moment: `modified` is when it was last written, in UTC."""

    project: str
    dataset: str
    table: str
    location: str
    modified: datetime
    columns: tuple[SeenColumn, ...]

    @property
    def path(self) -> str:
        return f"{self.project}.{self.dataset}.{self.table}"

    @property
    def sql(self) -> str:
        return ".".join(map(identifier, (self.project, self.dataset, self.table)))


def look(client: "bigquery.Client", path: tuple[str, str, str], whose: str, remedy: str) -> Seen:
    """The table at (project, dataset, table). `whose` names it in errors, `remedy` is for a table that is not there.

    Raises `NotComparable` where it, or its dataset, is not there or is no table; `PermissionMissing`;
    `ServiceUnavailable`.
    """
    from google.cloud import bigquery

    project, dataset, name = path
    told = f"{whose} {project}.{dataset}.{name}"
    reference = bigquery.DatasetReference(project, dataset).table(name)
    grant = f"grant roles/bigquery.dataViewer on {project}.{dataset} to this identity"
    with asking(told, missing=remedy, refused=grant):
        try:
            table = client.get_table(reference, retry=BRIEF_RETRY, timeout=SECONDS)
        except exceptions.NotFound:
            raise NotComparable(f"{told} is not there", remedy) from None
    if table.table_type != "TABLE":
        raise NotComparable(f"{told} is no table (BigQuery says {table.table_type})", "name the table itself")
    columns = tuple(SeenColumn(field.name, type_of(field)) for field in table.schema)
    return Seen(project, dataset, name, table.location or "US", table.modified, columns)


def type_of(field: "bigquery.SchemaField") -> str:
    """The field's type as GoogleSQL writes it."""
    single = current_type(field.field_type)
    if field.fields:
        single = f"STRUCT<{', '.join(f'{inner.name} {type_of(inner)}' for inner in field.fields)}>"
    elif field.precision is not None:
        single += f"({field.precision}, {field.scale})" if field.scale else f"({field.precision})"
    elif field.max_length is not None:
        single += f"({field.max_length})"
    return f"ARRAY<{single}>" if field.mode == "REPEATED" else single
