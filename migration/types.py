"""The step after promotion: from the service's columns (all STRING, as the sheet shows it) to real types. Pure.

What columns a run would make is for the caller to ask: `job.planning.plan.read_sheet` reads the sheet once with
`options.parity` and once without, and its columns go in here. Taking the step is `store.drop_parity`.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from shared.config import Config
from shared.identifier import identifier

# What a reader of a column notices when it gets this type.
_NOTICED = {
    "BOOL": "'TRUE' and 'FALSE' become true and false",
    "INT64": "numbers lose their display ('1,234' becomes 1234), and functions of text no longer take them",
    "FLOAT64": "numbers lose their display ('1,234.50 €' becomes 1234.5), and functions of text no longer take them",
    "NUMERIC": "numbers lose their display ('1,234.50 €' becomes 1234.5), and functions of text no longer take them",
    "BIGNUMERIC": "numbers lose their display ('1,234.50 €' becomes 1234.5), and functions of text no longer take them",
    "DATE": "dates lose their display ('31/01/2026' becomes 2026-01-31), and compare as dates, not as text",
    "DATETIME": "moments lose their display and compare as moments, not as text",
    "TIMESTAMP": "moments lose their display, are in UTC, and compare as moments, not as text",
    "TIME": "times lose their display ('9:05 AM' becomes 09:05:00), and compare as times, not as text",
}
_BLANK = "blank cells are NULL, also where they were ''"
# How a view gives a type back as text; by a plain CAST where nothing stands here.
_AS_TEXT = {
    "BOOL": "UPPER(CAST({column} AS STRING))",
    "BYTES": "TO_BASE64({column})",
    "JSON": "TO_JSON_STRING({column})",
    "GEOGRAPHY": "ST_ASTEXT({column})",
}
# Types whose text is what the sheet showed, whatever the locale and the cell's format are. A sheet shows TRUE.
_EXACT = ("STRING",)


class Planned(Protocol):
    """A column as a plan tells it: `shared.plan.PlannedColumn` is one."""

    @property
    def header(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...


class TypeChange(msgspec.Struct, frozen=True):
    """What becomes of one column: None after where it goes, None before where it is new.

    `noticed` are sentences for the table's readers. `as_before` is the view's expression for the column as it was, of
    which `exact` tells whether it gives the very text back (but for blank cells).
    """

    before_name: str | None
    before_type: str | None
    after_name: str | None
    after_type: str | None
    noticed: tuple[str, ...]
    as_before: str | None
    exact: bool


class TypesPlan(msgspec.Struct, frozen=True):
    """The step for one config's table. `noticed` is about its rows; `view` is the SQL of the view, if one is wanted."""

    table: str
    columns: tuple[TypeChange, ...]
    noticed: tuple[str, ...]
    view: str | None = None


def plan_types(
    config: Config, before: Sequence[Planned], after: Sequence[Planned], view: str | None = None
) -> TypesPlan:
    """What the step changes, column by column: `before` as parity makes them, `after` as the config's own options do.

    `config` is without parity. Columns belong together by the sheet's header. `view` is the name, in the table's
    dataset, of a view that keeps the old shape (`TABLE_as_before` by custom); without it, no SQL is made.
    """
    by_header = {column.header: column for column in after}
    headers = {column.header for column in before}
    shown = config.schema_handling == "string"  # then cells stay what the sheet shows, blank ones too
    changes = [_change(column, by_header.get(column.header), shown) for column in before]
    changes += [_change(None, column, shown) for column in after if column.header not in headers]
    rows = () if shown else ("rows without any value are left out, where the service loaded rows of NULLs",)
    sql = _view(config, view, changes) if view else None
    return TypesPlan(config.destination, tuple(changes), rows, sql)


def table_of(config: Config) -> str:
    """The config's table as the view's last words name it."""
    return ".".join(
        map(identifier, (config.google_cloud_project_id, config.bigquery_dataset_id, config.bigquery_table_id))
    )


def _change(before: Planned | None, after: Planned | None, shown: bool) -> TypeChange:
    if before is None:
        if after is None:
            raise ValueError("a change needs a column")
        return TypeChange(None, None, after.name, after.type, ("a new column",), None, False)
    if after is None:
        gone = ("the column goes",)
        return TypeChange(before.name, before.type, None, None, gone, "CAST(NULL AS STRING)", False)
    kind = after.type.partition("(")[0]
    text = _AS_TEXT.get(kind, "CAST({column} AS STRING)") if kind != "STRING" else "{column}"
    return TypeChange(
        before_name=before.name,
        before_type=before.type,
        after_name=after.name,
        after_type=after.type,
        noticed=(*_noticed(before, after, kind), *(() if shown else (_BLANK,))),
        as_before=text.format(column=identifier(after.name)),
        exact=kind in _EXACT,
    )


def _noticed(before: Planned, after: Planned, kind: str) -> Iterator[str]:
    if before.name != after.name:
        yield f"the name changes from {before.name} to {after.name}"
    if before.type != after.type:
        yield _NOTICED.get(kind, f"text becomes {kind}")


def _view(config: Config, view: str, changes: Sequence[TypeChange]) -> str:
    """The columns as they were called, in their order, each as text."""
    path = (config.google_cloud_project_id, config.bigquery_dataset_id, view)
    columns = ",\n  ".join(
        f"{each.as_before} AS {identifier(each.before_name)}" for each in changes if each.before_name is not None
    )
    named = ".".join(map(identifier, path))
    return f"CREATE OR REPLACE VIEW {named} AS\nSELECT\n  {columns}\nFROM {table_of(config)}"
