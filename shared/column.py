"""A column as a config's `custom_schema` asks for it, and the list of them in the shapes that people have."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

from shared.errors import InvalidInput
from shared.parse import Checked, Problem, examine_known, parse_json, shape

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


# Digits before and behind the point that a type can have; from
# cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_decimal_type.
_DECIMAL_DIGITS = {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)}
_WITH_LENGTH = ("STRING", "BYTES")
_PARAMETERS = re.compile(r"([A-Z0-9]+)\s*\(\s*([0-9]{1,9})\s*(?:,\s*([0-9]{1,9})\s*)?\)")
_TYPE_WORD = re.compile(r"[A-Z0-9]*")
_REFUSED_TYPES = {
    "RECORD": "is RECORD, which no cell holds: give each of its fields a column of its own",
    "STRUCT": "is STRUCT, which no cell holds: give each of its fields a column of its own",
    "ARRAY": "is ARRAY, and a cell holds one value: use STRING or JSON",
    "RANGE": "is RANGE, which no cell holds: give its start and its end a column each",
    "INTERVAL": "is INTERVAL, which no Parquet file holds: use STRING, which gets a duration as 36:30:00",
}
# What else BigQuery's TableFieldSchema has, as `bq show --schema` prints it
# (cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema).
_SPELLINGS = {"maxLength": "max_length", "defaultValueExpression": "default_value_expression"}
_ON_THE_TABLE = "is not taken here: set it on the table, whose columns a load leaves as they are while the schema stays"
_REFUSED_KEYS = {
    "fields": "are for RECORD, which no cell holds",
    "rangeElementType": "is for RANGE, which no cell holds",
    "policyTags": _ON_THE_TABLE,
    "dataPolicies": _ON_THE_TABLE,
    "dataPolicyList": _ON_THE_TABLE,
    "dataGovernanceTagsInfo": _ON_THE_TABLE,
    "collation": _ON_THE_TABLE,
    "roundingMode": "is not taken: numbers are rounded half away from zero",
    "timestampPrecision": "is not taken: a sheet's moments have microseconds at most",
    "generatedColumn": "is not taken: the column's values are the sheet's",
    "foreignTypeDefinition": "is not taken: use a type of BigQuery's own",
}
# Values that say what happens anyway.
_HARMLESS = {
    "roundingMode": ("ROUNDING_MODE_UNSPECIFIED", "ROUND_HALF_AWAY_FROM_ZERO"),
    "timestampPrecision": ("6", 6),
}
_NOTHING: tuple[Any, ...] = (None, "", [], {})


class Column(Checked, frozen=True, omit_defaults=True):
    """A column of the table. `name` is BigQuery's, or the exact header: so any text is allowed in it.

    Which name BigQuery gets, and that no two columns get the same, is for the job to say, which sees the headers.
    `precision` and `scale` are digits of a decimal (in all, and behind the point), `max_length` characters of a
    STRING or bytes of BYTES. `default_value_expression` is GoogleSQL for what an INSERT that leaves the column out
    writes; a blank cell is NULL all the same, since a load writes each column.
    """

    name: str
    type: ColumnType
    mode: Literal["NULLABLE", "REQUIRED"] = "NULLABLE"
    description: str | None = None
    precision: int | None = None
    scale: int | None = None
    max_length: int | None = None
    default_value_expression: str | None = None

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if "name" in values and not values["name"].strip():
            yield "name", "is blank"
        if "type" in values:
            yield from _decimal_problems(values["type"], values.get("precision"), values.get("scale"))
            yield from _length_problems(values["type"], values.get("max_length"))

    @property
    def sql_type(self) -> str:
        """The type with its parameters, as `written_type` has it."""
        return written_type(self.type, self.precision, self.scale, self.max_length)


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


def written_type(type_: str, precision: int | None, scale: int | None, max_length: int | None) -> str:
    """A type as GoogleSQL writes it: `NUMERIC(10, 2)`, `STRING(50)`, `DATE`; a scale of 0 is not told."""
    parameters = [str(each) for each in (precision, scale or None, max_length) if each is not None]
    return f"{type_}({', '.join(parameters)})" if parameters else type_


def _examine_column(value: Any) -> tuple[Column | None, tuple[str, ...]]:
    if isinstance(value, Column):
        return value, ()
    if not isinstance(value, Mapping):
        return None, (f"it is {shape(value)}, not an object with name, type and mode",)
    raw, problems = _today(value)
    if isinstance(raw.get("type"), str):
        raw["type"] = raw["type"].strip().upper()
        word = _TYPE_WORD.match(raw["type"])
        if word and word[0] in _REFUSED_TYPES:
            return None, (f"type {_REFUSED_TYPES[word[0]]}",)
        problems += _take_parameters(raw)
    if isinstance(raw.get("mode"), str):
        raw["mode"] = raw["mode"].strip().upper() or None
        if raw["mode"] == "REPEATED":
            problems.append("mode is REPEATED, and a cell holds one value: use STRING or JSON")
            del raw["mode"]
    examined = examine_known(Column, raw)
    wrong = (*problems, *examined.problems)
    return (None, wrong) if wrong else (examined.model, ())


def _today(value: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A column's keys as `Column` names them, without those that say nothing; and those that it cannot take."""
    raw = {key: each for key, each in value.items() if key == "name" or each not in _NOTHING}
    for theirs, ours in _SPELLINGS.items():
        if theirs in raw and ours not in raw:
            raw[ours] = raw.pop(theirs)
    extra = {key: raw.pop(key) for key in _REFUSED_KEYS if key in raw}
    refused = [key for key, each in extra.items() if each not in _HARMLESS.get(key, ())]
    return raw, [f"{key} {_REFUSED_KEYS[key]}" for key in refused]


def _take_parameters(raw: dict[str, Any]) -> list[str]:
    """Moves the numbers of `NUMERIC(10, 2)` or `STRING(50)` from `type` to where they have names."""
    found = _PARAMETERS.fullmatch(raw["type"])
    raw["type"] = current_type(found[1] if found else raw["type"])
    if found is None or raw["type"] not in get_args(ColumnType):
        return []
    numbers = [int(number) for number in found.groups()[1:] if number]
    if raw["type"] in _DECIMAL_DIGITS:
        fields = ["precision", "scale"]
    elif raw["type"] in _WITH_LENGTH and len(numbers) == 1:
        fields = ["max_length"]
    else:
        return ["type has numbers in brackets that it does not take"]
    return [
        f"{field} differs from the number in the type's brackets"
        for field, number in zip(fields, numbers, strict=False)
        if str(raw.setdefault(field, number)).strip() != str(number)
    ]


def _decimal_problems(type_: str, precision: int | None, scale: int | None) -> Iterable[Problem]:
    if type_ not in _DECIMAL_DIGITS:
        for field, given in (("precision", precision), ("scale", scale)):
            if given is not None:
                yield field, f"is for NUMERIC and BIGNUMERIC, not for {type_}"
        return
    if precision is None and scale is not None:
        yield "scale", "has no precision beside it"
    before, behind = _DECIMAL_DIGITS[type_]
    places = scale or 0
    if not 0 <= places <= behind:
        yield "scale", f"is not from 0 to {behind}, as {type_} takes it"
        places = min(max(places, 0), behind)
    if precision is not None and not max(1, places) <= precision <= places + before:
        with_scale = f" with {places} digits behind the point" if places else ""
        yield "precision", f"is not from {max(1, places)} to {places + before}, as {type_}{with_scale} takes it"


def _length_problems(type_: str, max_length: int | None) -> Iterable[Problem]:
    if max_length is None:
        return
    if type_ not in _WITH_LENGTH:
        yield "max_length", f"is for STRING and BYTES, not for {type_}"
    elif max_length < 1:
        yield "max_length", "is not 1 or more"


def _repeated(columns: list[Column]) -> list[str]:
    """Two columns of one name: only one of them could be the header's."""
    first: dict[str, int] = {}
    return [
        f" columns {first[column.name]} and {number} have the same name"
        for number, column in enumerate(columns, start=1)
        if first.setdefault(column.name, number) != number
    ]
