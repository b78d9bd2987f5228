"""What a table holds, in numbers that BigQuery computes: rows, and for each column NULLs and a checksum.

A checksum is the sum of the values' fingerprints, so that the order of rows does not matter while a pair of equal
rows does (an XOR would lose it). A value's fingerprint is of its JSON text, in which NULL, '' and 'null' differ, and
1 and '1' too. The rows have a checksum as well: it tells values that moved from one row to another. The sums are
NUMERIC, whose 29 digits hold the fingerprints of ten thousand million rows.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from migration.errors import NotComparable
from migration.tables import Seen
from shared.asking import asking
from shared.identifier import identifier

if TYPE_CHECKING:
    from google.cloud import bigquery

# The longest query is 1 MB (cloud.google.com/bigquery/quotas, "query jobs").
_LONGEST = 1_000_000
# Two aggregates each: ten thousand columns take ten queries, and each reads its own columns once.
COLUMNS_A_QUERY = 1_000
# A person waits; the largest sheet is ten million cells.
_SECONDS = 300


class Column(msgspec.Struct, frozen=True):
    """One column's NULLs, and its values' checksum."""

    nulls: int
    checksum: Decimal


class Measured(msgspec.Struct, frozen=True):
    """A table's rows, the checksum of the rows as wholes, and its columns as they were asked for."""

    rows: int
    checksum: Decimal
    columns: tuple[Column, ...]
    bytes_processed: int


class Answer(msgspec.Struct, frozen=True):
    """A query's rows, and the bytes that it read."""

    rows: list[Any]
    bytes_processed: int


def measure(
    client: "bigquery.Client", table: Seen, names: Sequence[str], columns_a_query: int = COLUMNS_A_QUERY
) -> Measured:
    """The numbers of the table's columns `names`, in this order; of its rows, as far as these columns go.

    Raises `NotComparable` where the names are too long for one query, `PermissionMissing`, `ServiceUnavailable`.
    """
    columns: list[Column] = []
    rows, checksum, read = 0, Decimal(0), 0
    for part in _parts(len(names), columns_a_query):
        answer = ask(client, _statement(table, names, part), table)
        read += answer.bytes_processed
        values = answer.rows[0]
        if not part.start:
            rows, checksum = values["row_count"], values["row_sum"] or Decimal(0)
        columns += (Column(values[f"n{number}"], values[f"s{number}"] or Decimal(0)) for number in part)
    return Measured(rows, checksum, tuple(columns), read)


def source(table: Seen, names: Sequence[str]) -> str:
    """A subquery with these columns as c0, c1, …: their own names and order play no part from here on."""
    columns = ", ".join(f"{identifier(name)} AS c{number}" for number, name in enumerate(names))
    return f"(SELECT {columns or '1 AS nothing'} FROM {table.sql})"  # noqa: S608  (names, in backticks)


def ask(client: "bigquery.Client", statement: str, table: Seen) -> Answer:
    """Runs a query where the table is. Raises as `measure` does."""
    if len(statement.encode()) > _LONGEST:
        raise NotComparable(
            f"{table.path} has so many columns with such long names that no query can name them all",
            "compare it by hand",
        )
    grant = f"grant roles/bigquery.dataViewer on {table.project}.{table.dataset}, and roles/bigquery.jobUser"
    with asking(table.path, missing="compare again", refused=f"{grant} in {client.project}, to this identity"):
        job = client.query(statement, location=table.location)
        rows = [dict(row) for row in job.result(timeout=_SECONDS)]
    return Answer(rows, job.total_bytes_processed or 0)


def _parts(count: int, most: int) -> Iterator[range]:
    for start in range(0, max(count, 1), most):
        yield range(start, min(start + most, count))


def _statement(table: Seen, names: Sequence[str], part: range) -> str:
    rows = ["COUNT(*) AS row_count", f"{_sum('t')} AS row_sum"] if not part.start else []
    columns = (f"COUNTIF(c{number} IS NULL) AS n{number}, {_sum(f'c{number}')} AS s{number}" for number in part)
    return f"SELECT {', '.join((*rows, *columns))} FROM {source(table, names)} AS t"  # noqa: S608


def _sum(value: str) -> str:
    return f"SUM(CAST(FARM_FINGERPRINT(TO_JSON_STRING({value})) AS NUMERIC))"
