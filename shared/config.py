"""A config: one standing sync's description, from a row of the owner's table, a JSON file, or the job's environment."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from shared.column import Column, examine_columns
from shared.errors import InvalidConfig
from shared.options import Options, encode_options, examine_options
from shared.parse import Checked, Examined, Problem, examine, refuse, shape
from shared.spreadsheet import Spreadsheet, parse_url

__all__ = ["Column", "Config", "config_environment", "encode_custom_schema", "examine_config", "parse_config"]

SchemaHandling = Literal["auto_detect", "custom", "string"]
_REMEDY = "correct it and run it again"
# What the option parity means: the older service types nothing.
_AS_THE_SERVICE: dict[str, Any] = {"schema_handling": "string", "custom_schema": ()}
_BLANK_MEANS_ABSENT = ("google_sheet_tab_name", "schema_handling")
# The owner's column: varchar(255).
_NAME_LENGTH = 255
# cloud.google.com/resource-manager/docs/creating-managing-projects, with the older `example.com:` in front
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
# cloud.google.com/bigquery/docs/datasets#dataset-naming
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
# Unicode's letters, marks, numbers, connectors, dashes and spaces (cloud.google.com/bigquery/docs/tables#table_naming).
_TABLE_CATEGORIES = ("L", "M", "N", "Pc", "Pd", "Zs")
_TABLE_BYTES = 1024


class Config(Checked, frozen=True):
    """What to read, where to load it, and how columns get their types. `id` is absent in a config file.

    `schema_handling`: `auto_detect` (the cells decide), `custom` (by `custom_schema`), or `string` (every column a
    STRING of what the sheet shows, as the owner's older service loads it).
    """

    name: str
    google_sheet_url: str
    google_cloud_project_id: str
    bigquery_dataset_id: str
    bigquery_table_id: str
    google_sheet_tab_name: str | None = None
    schema_handling: SchemaHandling = "auto_detect"
    custom_schema: tuple[Column, ...] = ()
    options: Options = Options()
    id: int | None = None

    @property
    def spreadsheet(self) -> Spreadsheet:
        return parse_url(self.google_sheet_url)

    @property
    def destination(self) -> str:
        """The table that this config replaces, as `project.dataset.table`."""
        return f"{self.google_cloud_project_id}.{self.bigquery_dataset_id}.{self.bigquery_table_id}"

    def shadow(self, suffix: str) -> "Config":
        """What a shadow run loads: the table that the older service would make, in a dataset beside its own."""
        return msgspec.structs.replace(
            self,
            bigquery_dataset_id=self.bigquery_dataset_id + suffix,
            options=msgspec.structs.replace(self.options, parity=True),
            **_AS_THE_SERVICE,
        )

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        for field, rule in _RULES.items():
            problem = rule(values[field]) if field in values else None
            if problem:
                yield field, problem
        if values.get("schema_handling") == "custom" and values.get("custom_schema") == ():
            yield "custom_schema", "has no columns, but the schema handling is custom"


def parse_config(raw: Mapping[str, Any], source: str | None = None) -> Config:
    """The config in a row or in a file's object (`raw` has the table's column names).

    `custom_schema` and `options` may be JSON strings, as portals store them, and types may have BigQuery's older
    names. Raises `InvalidConfig` that names the config and every field that is wrong.
    """
    examined = examine_config(raw)
    refuse(examined.problems, source or _subject(raw), InvalidConfig, _REMEDY)
    return examined.model


def examine_config(raw: Mapping[str, Any], spelled: Callable[[str], str] = str) -> Examined[Config]:
    """What `parse_config` makes of `raw`, without raising; `spelled` gives a field's name as the person wrote it."""
    values = {key: value.strip() if isinstance(value, str) else value for key, value in raw.items()}
    for field in _BLANK_MEANS_ABSENT:
        if values.get(field) == "":
            values[field] = None
    if isinstance(values.get("schema_handling"), str):
        values["schema_handling"] = values["schema_handling"].lower()
    options, wrong_options = examine_options(values.get("options"))
    values["options"] = options
    if options.parity:
        values |= _AS_THE_SERVICE
    values["custom_schema"], wrong = examine_columns(values.get("custom_schema"))
    if values.get("schema_handling") in (None, "auto_detect", "string"):
        wrong = []  # portals leave anything in a field that is not used
    elif wrong and values["schema_handling"] == "custom":
        values["schema_handling"] = None  # it would be told a second time, as empty
    examined = examine(Config, values, spelled)
    nested = [
        *(f"{spelled('custom_schema')}{problem}" for problem in wrong),
        *(f"{spelled('options')}{problem}" for problem in wrong_options),
    ]
    return Examined(None, [*examined.problems, *nested]) if nested else examined


def encode_custom_schema(columns: tuple[Column, ...]) -> str:
    """`custom_schema` as the job's variable CUSTOM_SCHEMA carries it: a JSON list; empty for none."""
    return msgspec.json.encode(columns).decode() if columns else ""


def config_environment(config: Config) -> dict[str, str]:
    """The guide's variables for a config; those without a value are left out."""
    variables = {
        "CONFIG_ID": str(config.id) if config.id is not None else "",
        "CONFIG_NAME": config.name,
        "GOOGLE_SHEET_URL": config.google_sheet_url,
        "GOOGLE_SHEET_TAB_NAME": config.google_sheet_tab_name or "",
        "GOOGLE_CLOUD_PROJECT_ID": config.google_cloud_project_id,
        "BIGQUERY_DATASET_ID": config.bigquery_dataset_id,
        "BIGQUERY_TABLE_ID": config.bigquery_table_id,
        "SCHEMA_HANDLING": config.schema_handling,
        "CUSTOM_SCHEMA": encode_custom_schema(config.custom_schema),
        # What parity means is said above; a job that is older than the option would refuse it.
        "OPTIONS": encode_options(msgspec.structs.replace(config.options, parity=False)),
    }
    return {name: value for name, value in variables.items() if value}


def _subject(raw: Mapping[str, Any]) -> str:
    number = f" {raw['id']}" if raw.get("id") is not None else ""
    name = f' "{raw["name"]}"' if isinstance(raw.get("name"), str) else ""
    return f"config{number}{name}"


def project_problem(value: str) -> str | None:
    """What is wrong with a Google Cloud project's id, if anything is."""
    if _PROJECT.fullmatch(value):
        return None
    return f"is {shape(value)}, not a project id (6 to 30 lower-case letters, digits and hyphens)"


def _name_problem(value: str) -> str | None:
    if not value.strip():
        return "is blank"
    return None if len(value) <= _NAME_LENGTH else f"is {shape(value)}, and {_NAME_LENGTH} is the most"


def _url_problem(value: str) -> str | None:
    try:
        parse_url(value)
    except ValueError as problem:
        return f"cannot be used: {problem}"
    return None


def _dataset_problem(value: str) -> str | None:
    return None if _DATASET.fullmatch(value) else f"is {shape(value)}, not a dataset's name (letters, digits and _)"


def table_problem(value: str) -> str | None:
    """What is wrong with a table's name, or a view's, without its dataset, if anything is."""
    legal = all(unicodedata.category(character).startswith(_TABLE_CATEGORIES) for character in value)
    if value.strip() and legal and len(value.encode()) <= _TABLE_BYTES:
        return None
    return f"is {shape(value)}, not a table's name alone (letters, digits, _, - and spaces, at most 1,024 bytes)"


_RULES: dict[str, Callable[[str], str | None]] = {
    "name": _name_problem,
    "google_sheet_url": _url_problem,
    "google_cloud_project_id": project_problem,
    "bigquery_dataset_id": _dataset_problem,
    "bigquery_table_id": table_problem,
}
