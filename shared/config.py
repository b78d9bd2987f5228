"""A config: one standing sync's description, from a row of the owner's table, a JSON file, or the job's environment."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from shared import parse
from shared.errors import InvalidConfig
from shared.spreadsheet import Spreadsheet, parse_url

SchemaHandling = Literal["auto_detect", "custom"]
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
# The names that BigQuery's REST API and legacy SQL use for the same types.
_ALIASES = {
    "INTEGER": "INT64",
    "INT": "INT64",
    "SMALLINT": "INT64",
    "BIGINT": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
# cloud.google.com/bigquery/docs/datasets#dataset-naming and …/tables#table_naming
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_TABLE = re.compile(r"[\w\- ]{1,1024}")
_BLANK_MEANS_ABSENT = ("google_sheet_tab_name", "schema_handling", "custom_schema")


class Column(msgspec.Struct, frozen=True):
    """A column as `custom_schema` asks for it, matched by BigQuery's name or by the exact header."""

    name: str
    type: ColumnType
    mode: Literal["NULLABLE", "REQUIRED"] = "NULLABLE"
    description: str | None = None


class Config(msgspec.Struct, frozen=True):
    """What to read, where to load it, and how columns get their types. `id` is absent in a config file."""

    name: str
    google_sheet_url: str
    google_cloud_project_id: str
    bigquery_dataset_id: str
    bigquery_table_id: str
    google_sheet_tab_name: str | None = None
    schema_handling: SchemaHandling = "auto_detect"
    custom_schema: tuple[Column, ...] = ()
    id: int | None = None

    def __post_init__(self) -> None:
        problems = [
            *(["name is blank"] if not self.name.strip() else []),
            *_misnamed("google_cloud_project_id", _PROJECT, self.google_cloud_project_id, "a project id"),
            *_misnamed("bigquery_dataset_id", _DATASET, self.bigquery_dataset_id, "letters, digits and _"),
            *_misnamed("bigquery_table_id", _TABLE, self.bigquery_table_id, "letters, digits, _, - and spaces"),
        ]
        try:
            parse_url(self.google_sheet_url)
        except ValueError as problem:
            problems.append(f"google_sheet_url: {problem}")
        if self.schema_handling == "custom" and not self.custom_schema:
            problems.append("schema_handling is custom, but custom_schema is empty")
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def spreadsheet(self) -> Spreadsheet:
        return parse_url(self.google_sheet_url)

    @property
    def destination(self) -> str:
        """The table that this config replaces, as `project.dataset.table`."""
        return f"{self.google_cloud_project_id}.{self.bigquery_dataset_id}.{self.bigquery_table_id}"


def parse_config(raw: Mapping[str, Any], source: str | None = None) -> Config:
    """The config in a row, a file's object or the job's variables (`raw` has the table's column names).

    `custom_schema` may be a JSON string, as portals store it, and its types may have BigQuery's older
    names. Raises `InvalidConfig` that names the config and every field that is wrong.
    """
    subject = source or _subject(raw)
    values = {key: value.strip() if isinstance(value, str) else value for key, value in raw.items()}
    for field in _BLANK_MEANS_ABSENT:
        if values.get(field) == "":
            values[field] = None
    values["custom_schema"] = _custom_schema(values.get("custom_schema"), subject)
    return parse.parse(Config, values, subject, error=InvalidConfig, remedy="correct it and run it again")


def encode_custom_schema(columns: tuple[Column, ...]) -> str:
    """`custom_schema` as the job's variable CUSTOM_SCHEMA carries it: a JSON list; empty for none."""
    return msgspec.json.encode(columns).decode() if columns else ""


def current_type(name: str) -> str:
    """A type's name as GoogleSQL has it today: `INTEGER`, as the REST API answers, is `INT64`."""
    upper = name.strip().upper()
    return _ALIASES.get(upper, upper)


def _subject(raw: Mapping[str, Any]) -> str:
    number = f" {raw['id']}" if raw.get("id") is not None else ""
    name = f' "{raw["name"]}"' if isinstance(raw.get("name"), str) else ""
    return f"config{number}{name}"


def _misnamed(field: str, pattern: re.Pattern[str], value: str, allowed: str) -> list[str]:
    return [] if pattern.fullmatch(value) else [f"{field} is not made of {allowed} ({parse.shape(value)})"]


def _custom_schema(value: Any, subject: str) -> Any:
    """The schema as a list of objects with today's type names; what is malformed is left for `parse` to name."""
    if isinstance(value, str):
        value = parse.parse_json(value, f"{subject}: custom_schema", error=InvalidConfig)
    if isinstance(value, Mapping) and isinstance(value.get("fields"), list):
        value = value["fields"]  # the shape of `bq show --schema` and of the API's TableSchema
    if not isinstance(value, list):
        return value
    return [_with_current_names(each) if isinstance(each, Mapping) else each for each in value]


def _with_current_names(column: Mapping[str, Any]) -> dict[str, Any]:
    renamed = dict(column)
    if isinstance(column.get("type"), str):
        renamed["type"] = current_type(column["type"])
    if isinstance(column.get("mode"), str):
        renamed["mode"] = column["mode"].strip().upper() or "NULLABLE"
    return {key: value for key, value in renamed.items() if value is not None}
