"""What a table holds after its run, queried by SQL through the BigQuery client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.environment import PROJECT

if TYPE_CHECKING:
    from google.cloud import bigquery

FIRST_ROWS = 3


@dataclass(frozen=True)
class Column:
    """A column's name and type, and how many rows have a value in it."""

    name: str
    type: str
    values: int


@dataclass(frozen=True)
class LoadedTable:
    """A table's columns, its number of rows, and the first of them."""

    rows: int
    columns: Sequence[Column]
    first_rows: Sequence[Sequence[Any]]


def look_at_table(client: "bigquery.Client", dataset: str, table: str) -> LoadedTable:
    """Query one table. Raises `google.api_core.exceptions.NotFound` where there is none."""
    from google.cloud import bigquery

    parameter = bigquery.ScalarQueryParameter("table", "STRING", table)
    columns = client.query_and_wait(
        f"SELECT column_name, data_type FROM `{PROJECT}`.{dataset}.INFORMATION_SCHEMA.COLUMNS"
        " WHERE table_name = @table ORDER BY ordinal_position",
        job_config=bigquery.QueryJobConfig(query_parameters=[parameter]),
    )
    named = [(row["column_name"], row["data_type"]) for row in columns]
    source = f"`{PROJECT}.{dataset}.{table}`"
    counts = ", ".join(["COUNT(*)", *(f"COUNT(`{name}`)" for name, _ in named)])
    (counted,) = client.query_and_wait(f"SELECT {counts} FROM {source}")
    rows, *values = counted.values()
    first = client.query_and_wait(f"SELECT * FROM {source} LIMIT {FIRST_ROWS}")
    return LoadedTable(
        rows=rows,
        columns=[Column(name, kind, count) for (name, kind), count in zip(named, values, strict=True)],
        first_rows=[row.values() for row in first],
    )
