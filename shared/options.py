"""A config's `options`: what to read of the tab, what may be loaded, and how. All defaults are here."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.errors import InvalidInput
from shared.parse import Checked, Problem, examine_known, parse_json, shape

OnEmpty = Literal["fail", "keep", "empty"]
SchemaDrift = Literal["follow", "keep", "fail"]
LoadMode = Literal["replace", "append", "merge", "snapshot"]
PartitionType = Literal["HOUR", "DAY", "MONTH", "YEAR"]

# cloud.google.com/bigquery/docs/clustered-tables#limitations
_MOST_CLUSTER_COLUMNS = 4
_NAMED = ("merge_keys", "cluster_by")


class Options(Checked, frozen=True, omit_defaults=True):
    """What a config may say beside the owner's columns. Columns are named as in a custom schema: by name or header.

    `range`: an A1 area of the tab (`B3:F`) or a named range; all of the tab without it.
    `header_row`: the row, as Sheets numbers it, that names the columns; the range's first without it. What is above
    it is not read.
    `on_empty`, where no row lies below the header: `fail`, `keep` the table as it is, or load an `empty` one.
    `max_shrink`: the largest part of the table's rows, 0 to 1, that a replacing load may lose; no limit without it.
    `schema_drift`, where the table has other columns than the sheet: `follow` the sheet, `keep` the table's, `fail`.
    `load_mode`: `replace` the rows, `append` to them, `merge` by `merge_keys`, or replace the partition of the
    run's slot's UTC date in a table of `snapshot`s.
    `partition_by`: a column of dates or times, by `partition_type`; `cluster_by`: up to four columns, in order.
    `skip_unchanged`: load nothing where the table has this very content and nobody has written it since.
    `max_error_cells`: how many cells in error (`#N/A`) may be loaded as NULL; no limit without it.
    `parity`: columns as the older service makes them: all STRING as shown, headers as they stand, whatever
    `schema_handling` says.
    """

    range: str | None = None
    header_row: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    on_empty: OnEmpty = "fail"
    max_shrink: Annotated[float, Meta(ge=0, lt=1)] | None = None
    schema_drift: SchemaDrift = "follow"
    load_mode: LoadMode = "replace"
    merge_keys: tuple[str, ...] = ()
    partition_by: str | None = None
    partition_type: PartitionType = "DAY"
    cluster_by: tuple[str, ...] = ()
    skip_unchanged: bool = False
    max_error_cells: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    parity: bool = False

    @property
    def keeps_types(self) -> bool:
        """Whether cells have to become what the table's columns are: where its rows, or its schema, stay."""
        return self.load_mode != "replace" or self.schema_drift == "keep"

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        for field in ("range", "partition_by"):
            if values.get(field) is not None and not values[field].strip():
                yield field, "is blank"
        for field in _NAMED:
            yield from _names_problems(field, values.get(field, ()))
        if len(values.get("cluster_by", ())) > _MOST_CLUSTER_COLUMNS:
            yield "cluster_by", f"has {len(values['cluster_by'])} columns, and {_MOST_CLUSTER_COLUMNS} is the most"
        yield from _combined_problems(values)


def _names_problems(field: str, names: tuple[str, ...]) -> Iterable[Problem]:
    if any(not name.strip() for name in names):
        yield field, "has a blank name"
    if len(set(names)) < len(names):
        yield field, "has a name twice"


def _combined_problems(values: Mapping[str, Any]) -> Iterable[Problem]:
    """Options that have no meaning beside another one: each would be believed to work."""
    mode = values.get("load_mode")
    if mode is None:  # it is wrong itself
        return
    keys = values.get("merge_keys")
    if mode == "merge" and keys == ():
        yield "merge_keys", "has no columns, but load_mode is merge"
    if mode != "merge" and keys:
        yield "merge_keys", f"means nothing with load_mode {mode}"
    if mode != "replace" and values.get("max_shrink") is not None:
        yield "max_shrink", f"means nothing with load_mode {mode}"
    if mode in ("append", "merge") and values.get("on_empty") == "empty":
        yield "on_empty", f"empty would empty nothing with load_mode {mode}: choose fail or keep"
    if mode == "snapshot" and values.get("partition_by") is not None:
        yield "partition_by", "means nothing with load_mode snapshot, whose partitions are the runs' dates"
    if values.get("partition_type") not in (None, "DAY") and values.get("partition_by") is None:
        yield "partition_type", "means nothing without partition_by"


def examine_options(value: Any) -> tuple[Options, tuple[str, ...]]:
    """The options in a JSON object, or in its text, and what is wrong with it, each going on after the field's name.

    An option that there is none of is wrong too: mistyped, it would mean its default.
    """
    try:
        value = parse_json(value, "", InvalidInput) if isinstance(value, str) and value.strip() else value
    except InvalidInput as problem:
        return Options(), (problem.what,)
    if value is None or value == "":
        return Options(), ()
    if not isinstance(value, Mapping):
        return Options(), (f" is {shape(value)}, not an object",)
    examined = examine_known(Options, {key: _stripped(each) for key, each in value.items()})
    if examined.problems:
        return Options(), tuple(f": {problem}" for problem in examined.problems)
    return examined.model, ()


def encode_options(options: Options) -> str:
    """The options as the job's variable OPTIONS carries them: a JSON object; empty where all are the defaults."""
    encoded = msgspec.json.encode(options).decode()
    return "" if encoded == "{}" else encoded


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value
