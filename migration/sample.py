"""Some of the rows that differ, for a person at a terminal: the only place where the migration sees values."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from migration.checksums import Answer, ask, source
from migration.errors import NotComparable
from migration.tables import Seen

if TYPE_CHECKING:
    from google.cloud import bigquery

_MOST = 10
# A key stands on the left: looking further costs, and finds chance.
_CANDIDATES = 50
# What can be counted apart, and is likely to name a row.
_KEY_TYPES = ("STRING", "INT64", "NUMERIC", "DATE", "DATETIME", "TIMESTAMP")


class Differing(msgspec.Struct, frozen=True):
    """A row that differs. `key` is its key's value as JSON, None where the tables have none.

    With a key, `service` and `job` hold the columns that differ, or the whole row where the other side has none
    (which is None then). Without one, the row is whole, and stands `service_times` and `job_times` in the tables.
    """

    key: str | None
    service: dict[str, Any] | None
    job: dict[str, Any] | None
    service_times: int
    job_times: int


class Sample(msgspec.Struct, frozen=True):
    """Rows that differ, by the column `key`, if there is one."""

    key: str | None
    rows: tuple[Differing, ...]
    bytes_processed: int


def sample(
    client: "bigquery.Client", service: Seen, job: Seen, pairs: Sequence[tuple[str, str]], wanted: str | None
) -> Sample:
    """Ten rows that differ, at most. `pairs` are the common columns' names in both tables, `wanted` is a key.

    The tables have to be in one location. Raises `NotComparable` where the wanted key is none, and what `ask` raises.
    """
    sides = (source(service, [name for name, _ in pairs]), source(job, [name for _, name in pairs]))
    names = [name for name, _ in pairs]
    number, read = _key(client, service, sides, names, wanted)
    if number is None:
        answer = ask(client, _without_key(*sides), service)
        rows = [_counted(row, names) for row in answer.rows]
    else:
        answer = ask(client, _by_key(*sides, f"c{number}"), service)
        rows = [_keyed(row, names) for row in answer.rows]
    key = names[number] if number is not None else None
    return Sample(key, tuple(rows), read + answer.bytes_processed)


def _key(
    client: "bigquery.Client", service: Seen, sides: tuple[str, str], names: Sequence[str], wanted: str | None
) -> tuple[int | None, int]:
    """The number of the first column that is unique and never NULL on both sides, and the bytes of looking for it."""
    types = {column.name: column.type for column in service.columns}
    if wanted is None:
        asked = [n for n, name in enumerate(names) if types[name] in _KEY_TYPES][:_CANDIDATES]
    else:
        asked = [n for n, name in enumerate(names) if name.casefold() == wanted.casefold()]
        if not asked:
            raise NotComparable("the key that was given is no column of both tables", "give another, or none")
    if not asked:
        return None, 0
    answers = [_unique(client, service, side, asked) for side in sides]
    read = sum(answer.bytes_processed for answer in answers)
    unique = [number for number in asked if all(answer.rows[0][f"u{number}"] for answer in answers)]
    if wanted is not None and not unique:
        raise NotComparable("the key that was given has a value twice, or NULL", "give another, or none")
    return (unique[0] if unique else None), read


def _unique(client: "bigquery.Client", table: Seen, side: str, asked: Sequence[int]) -> Answer:
    counts = ", ".join(f"COUNT(DISTINCT c{number}) = COUNT(*) AS u{number}" for number in asked)
    return ask(client, f"SELECT {counts} FROM {side} AS t", table)  # noqa: S608  (names, in backticks)


def _by_key(service: str, job: str, key: str) -> str:
    def rows(side: str) -> str:
        return f"(SELECT TO_JSON_STRING(t.{key}) AS k, TO_JSON_STRING(t) AS r FROM {side} AS t)"  # noqa: S608

    return (
        f"SELECT COALESCE(s.k, j.k) AS k, s.r AS service, j.r AS job FROM {rows(service)} AS s"  # noqa: S608
        f" FULL JOIN {rows(job)} AS j ON s.k = j.k"
        f" WHERE s.r IS NULL OR j.r IS NULL OR s.r != j.r ORDER BY k LIMIT {_MOST}"
    )


def _without_key(service: str, job: str) -> str:
    def rows(side: str, counted: str) -> str:
        return f"SELECT TO_JSON_STRING(t) AS r, {counted} FROM {side} AS t"  # noqa: S608

    return (
        "SELECT r, SUM(s) AS service, SUM(j) AS job FROM ("  # noqa: S608
        f"{rows(service, '1 AS s, 0 AS j')} UNION ALL {rows(job, '0 AS s, 1 AS j')}"
        f") AS both_sides GROUP BY r HAVING SUM(s) != SUM(j) ORDER BY r LIMIT {_MOST}"
    )


def _keyed(row: dict[str, Any], names: Sequence[str]) -> Differing:
    service, job = (_row(row[side], names) for side in ("service", "job"))
    if service is not None and job is not None:
        differing = [name for name in names if service[name] != job[name]]
        service, job = ({name: side[name] for name in differing} for side in (service, job))
    return Differing(row["k"], service, job, int(service is not None), int(job is not None))


def _counted(row: dict[str, Any], names: Sequence[str]) -> Differing:
    whole = _row(row["r"], names)
    return Differing(None, whole if row["service"] else None, whole if row["job"] else None, row["service"], row["job"])


def _row(text: str | None, names: Sequence[str]) -> dict[str, Any] | None:
    if text is None:
        return None
    values = json.loads(text)
    return {name: values[f"c{number}"] for number, name in enumerate(names)}
