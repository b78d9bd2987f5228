"""A column as a config's `custom_schema` asks for it, and the list of them in the shapes that people have."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from shared.errors import InvalidInput
from shared.parse import Checked, Problem, examine, parse_json, shape

ColumnType = Literal[
    "STRING",
    "BYTES",
    "INT64",
    "FLOAT64",
    "BOOL",
    "NUMERIC",
    "BIGNUMERIC",
    "DATE",
    "TIME",
    "DATETIME",
    "TIMESTAMP",
    "JSON",
    "GEOGRAPHY",
]
# The other names of the same types, in the REST API and in GoogleSQL.
_ALIASES = {
    "INTEGER": "INT64",
    "INT": "INT64",
    "SMALLINT": "INT64",
    "BIGINT": "INT64",
    "TINYINT": "INT64",
    "BYTEINT": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}


class Column(Checked, frozen=True):
    """A column of the table. `name` is BigQuery's, or the exact header: so any text is allowed in it.

    Which name BigQuery gets, and that no two columns get the same, is for the job to say, which sees the headers.
    """

    name: str
    type: ColumnType
    mode: Literal["NULLABLE", "REQUIRED"] = "NULLABLE"
    description: str | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if "name" in values and not values["name"].strip():
            yield "name", "is blank"


def examine_columns(value: Any) -> tuple[tuple[Column, ...], list[str]]:
    """The columns in a `custom_schema`, and what is wrong with it: a list, that list as JSON, or `bq show --schema`.

    The problems go on where the field's name ends. Columns are told by their number: their names are headers,
    which no log shows.
    """
    try:
        value = parse_json(value, "", InvalidInput) if isinstance(value, str) and value.strip() else value
    except InvalidInput as problem:
        return (), [problem.what]
    if isinstance(value, Mapping) and "fields" in value:
        value = value["fields"]  # the API's TableSchema
    if value is None or value == "":
        return (), []
    if not isinstance(value, list | tuple):
        return (), [f" is {shape(value)}, not a list of objects with name, type and mode"]
    columns: list[Column] = []
    problems: list[str] = []
    for number, each in enumerate(value, start=1):
        column, wrong = _examine_column(each)
        problems += [f" column {number}: {problem}" for problem in wrong]
        columns += [column] if column else []
    return tuple(columns), problems or _repeated(columns)


def current_type(name: str) -> str:
    """A type's name as GoogleSQL has it today: `INTEGER`, as the REST API answers, is `INT64`."""
    upper = name.strip().upper()
    return _ALIASES.get(upper, upper)


def _examine_column(value: Any) -> tuple[Column | None, tuple[str, ...]]:
    if isinstance(value, Column):
        return value, ()
    if not isinstance(value, Mapping):
        return None, (f"it is {shape(value)}, not an object with name, type and mode",)
    raw = dict(value)
    if isinstance(raw.get("type"), str):
        raw["type"] = current_type(raw["type"])
        if "(" in raw["type"]:  # NUMERIC(10,2), STRING(50)
            return None, ("type has parameters in brackets, which a load does not take: leave them out",)
    if isinstance(raw.get("mode"), str):
        raw["mode"] = raw["mode"].strip().upper() or None
    examined = examine(Column, raw)
    return (None, examined.problems) if examined.problems else (examined.model, ())


def _repeated(columns: list[Column]) -> list[str]:
    """Two columns of one name: only one of them could be the header's."""
    first: dict[str, int] = {}
    return [
        f" columns {first[column.name]} and {number} have the same name"
        for number, column in enumerate(columns, start=1)
        if first.setdefault(column.name, number) != number
    ]
