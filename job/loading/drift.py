"""What a load makes of a table whose columns are not those of the sheet. Pure."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from job.columns.cells import column_letters
from job.columns.table import LoadColumn, Table
from job.errors import SchemaDrifted
from job.loading.standing import Standing
from shared.loaded import ColumnChange, differences
from shared.options import Options

Write = Literal["WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND"]
_NAMED = 10


class Fitting(msgspec.Struct, frozen=True):
    """How a table is loaded into the destination.

    `schema` is what the load describes, `uploaded` those of the sheet's columns that it brings; with `adds` the
    destination gets columns. `changes` are how the sheet's columns differ from the destination's.
    """

    schema: tuple[LoadColumn, ...]
    uploaded: tuple[LoadColumn, ...]
    write: Write
    adds: bool = False
    changes: tuple[ColumnChange, ...] = ()
    warnings: tuple[str, ...] = ()


class _Drift(msgspec.Struct, frozen=True):
    """The sheet's columns beside the destination's: `new` ones, those `gone`, those of `other` types (old and new)."""

    columns: tuple[LoadColumn, ...]
    new: tuple[LoadColumn, ...]
    gone: tuple[LoadColumn, ...]
    other: tuple[tuple[LoadColumn, LoadColumn], ...]
    changes: tuple[ColumnChange, ...]


def fit(table: Table, standing: Standing | None, options: Options, subject: str) -> Fitting:
    """How `table` goes into the destination as it stands. Raises `SchemaDrifted` where the config does not allow it.

    With `follow`, a replacing load takes the sheet's columns as they are; it keeps the schema, and with it what
    people added to it (descriptions, policy tags, constraints), where columns at most are added. Where rows stay
    that were there before (append, merge, snapshot), columns are only ever added. With `keep`, none is.
    """
    write: Write = "WRITE_TRUNCATE" if options.load_mode in ("replace", "snapshot") else "WRITE_APPEND"
    if standing is None or not standing.columns:
        return Fitting(table.columns, table.columns, write)
    standing = msgspec.structs.replace(standing, columns=_headed(standing.columns, table.columns))
    if not table.rows:  # cells have no say in the types
        emptied: Write = "WRITE_TRUNCATE_DATA" if options.load_mode == "replace" else write
        return Fitting(standing.columns, tuple(column for column in standing.columns if column.can_be_filled), emptied)
    drift = _drift(table.columns, standing.columns)
    if drift.changes and options.schema_drift == "fail":
        raise _refused(drift, standing, subject, "correct the sheet or the table, or set schema_drift to follow")
    if options.schema_drift == "keep":
        return _kept(drift, standing, "WRITE_TRUNCATE_DATA" if options.load_mode == "replace" else write, subject)
    return _followed(drift, standing) if options.load_mode == "replace" else _added(drift, standing, write, subject)


def _headed(standing: Sequence[LoadColumn], sheets: Sequence[LoadColumn]) -> tuple[LoadColumn, ...]:
    """The destination's columns with the sheet's headers, by which options may name them."""
    headers = {column.name.casefold(): column.header for column in sheets}
    return tuple(msgspec.structs.replace(column, header=headers.get(column.name.casefold(), "")) for column in standing)


def _drift(sheets: Sequence[LoadColumn], standing: Sequence[LoadColumn]) -> _Drift:
    there = {column.name.casefold(): column for column in standing}
    columns = tuple(_typed(column, there.get(column.name.casefold())) for column in sheets)
    names = {column.name.casefold() for column in columns}
    pairs = [(there[column.name.casefold()], column) for column in columns if column.name.casefold() in there]
    return _Drift(
        columns=columns,
        new=tuple(column for column in columns if column.name.casefold() not in there),
        gone=tuple(column for column in standing if column.name.casefold() not in names),
        other=tuple((old, new) for old, new in pairs if old.told != new.told),
        changes=differences(standing, columns),
    )


def _typed(column: LoadColumn, there: LoadColumn | None) -> LoadColumn:
    """The column; one without any value in the destination's type, so that a blank month changes no schema."""
    if there is None or not column.blank or there.mode != "NULLABLE" or not there.can_be_filled:
        return column
    return msgspec.structs.replace(there, name=column.name, index=column.index, header=column.header, blank=True)


def _followed(drift: _Drift, standing: Standing) -> Fitting:
    old = {column.name for column in standing.columns}
    spelled = all(column.name in old or column in drift.new for column in drift.columns)
    if drift.gone or drift.other or not spelled or _required(drift.new):
        columns = _protected(drift.columns, standing.columns)
        return Fitting(columns, columns, "WRITE_TRUNCATE", changes=drift.changes)
    return _extended(drift, standing, "WRITE_TRUNCATE_DATA")


def _protected(columns: Sequence[LoadColumn], standing: Sequence[LoadColumn]) -> tuple[LoadColumn, ...]:
    """The columns, with the policy tags that those of their names have: what a stranger's header changes in a table
    must not uncover other columns of it."""
    tags = {column.name.casefold(): column.policy_tags for column in standing}
    return tuple(
        msgspec.structs.replace(column, policy_tags=tags.get(column.name.casefold(), ())) for column in columns
    )


def _added(drift: _Drift, standing: Standing, write: Write, subject: str) -> Fitting:
    if drift.other or _required(drift.gone) or _required(drift.new):
        remedy = "correct the sheet or the table: where rows stay, a load can only add columns that are NULLABLE"
        raise _refused(drift, standing, subject, remedy)
    return _extended(drift, standing, write)


def _extended(drift: _Drift, standing: Standing, write: Write) -> Fitting:
    """The destination's columns stay as they are, and the sheet's new ones come after them."""
    # BigQuery adds no column with a default (cloud.google.com/bigquery/docs/default-values).
    new = tuple(msgspec.structs.replace(column, default_value_expression=None) for column in drift.new)
    return Fitting(
        schema=(*standing.columns, *new),
        uploaded=drift.columns,
        write=write,
        adds=bool(new),
        changes=drift.changes,
        warnings=_other_defaults(drift, standing),
    )


def _kept(drift: _Drift, standing: Standing, write: Write, subject: str) -> Fitting:
    uploaded = tuple(column for column in drift.columns if column not in drift.new)
    if drift.other or _required(drift.gone) or not uploaded:
        raise _refused(drift, standing, subject, "correct the sheet or the table, or set schema_drift to follow")
    left = f"not loaded, since the table has no such column: the tab's {_lettered(drift.new)}"
    warnings = (*((left,) if drift.new else ()), *_other_defaults(drift, standing))
    return Fitting(standing.columns, uploaded, write, changes=drift.changes, warnings=warnings)


def _other_defaults(drift: _Drift, standing: Standing) -> tuple[str, ...]:
    """What is told of defaults that the config asks for and the destination's columns, which stay, have not."""
    there = {column.name.casefold(): column.default_value_expression for column in standing.columns}
    asked = [column for column in drift.columns if column.default_value_expression is not None]
    other = [column for column in asked if there.get(column.name.casefold()) != column.default_value_expression]
    if not other:
        return ()
    remedy = "ALTER TABLE … ALTER COLUMN … SET DEFAULT changes it"
    return (f"the table's default is not custom_schema's in the tab's {_lettered(other)}: {remedy}",)


def _required(columns: Sequence[LoadColumn]) -> list[LoadColumn]:
    return [column for column in columns if column.mode == "REQUIRED"]


def _refused(drift: _Drift, standing: Standing, subject: str, remedy: str) -> SchemaDrifted:
    """By the tab's letters and the table's numbers: no log may show a column's name."""
    numbers = {column.name: number for number, column in enumerate(standing.columns, 1)}
    told = [f"{_lettered([new])} is {new.told} where the table has {old.told}" for old, new in drift.other]
    told += [f"{_lettered([new])} ({new.told}) is not in the table" for new in drift.new]
    told += [f"the table's column number {numbers[old.name]} ({old.told}) is not in the tab" for old in drift.gone]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    what = f"{subject}: the table has other columns than the sheet: {'; '.join(told[:_NAMED])}{more}"
    error = SchemaDrifted(what, remedy)
    error.changes = drift.changes
    return error


def _lettered(columns: Sequence[LoadColumn]) -> str:
    letters = [column_letters(column.index) for column in columns if column.index is not None]
    return f"column{'s' if len(letters) > 1 else ''} {', '.join(letters)}"
