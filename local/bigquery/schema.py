"""A table's columns, as the API writes them (TableFieldSchema) and as the rest of the server reads them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from local.bigquery.errors import BigQueryError, invalid, not_implemented
from local.bigquery.names import check_column_name

# The API answers with the older names, whichever was sent.
ALIASES = {
    "INT64": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}
TYPES = frozenset(
    [
        "STRING",
        "BYTES",
        "INTEGER",
        "FLOAT",
        "BOOLEAN",
        "NUMERIC",
        "BIGNUMERIC",
        "DATE",
        "TIME",
        "DATETIME",
        "TIMESTAMP",
        "JSON",
        "GEOGRAPHY",
        "INTERVAL",
        "RECORD",
    ]
)
MODES = frozenset(("NULLABLE", "REQUIRED", "REPEATED"))
# Attributes that the server keeps and gives back without acting on them.
KEPT = ("description", "policyTags", "defaultValueExpression", "collation", "roundingMode", "dataPolicies")
LONGEST_DESCRIPTION = 1024
MOST_COLUMNS = 10_000


@dataclass(frozen=True)
class Column:
    """One field of a schema; `kept` are the attributes that only travel through."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple["Column", ...] = ()
    precision: int | None = None
    scale: int | None = None
    max_length: int | None = None
    kept: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def from_api(cls, field: dict[str, Any]) -> Self:
        """Raises invalid on an unknown type or mode, a bad name, or parameters that the type does not have."""
        name = field.get("name") or ""
        check_column_name(name)
        written = str(field.get("type") or "").upper()
        type_ = ALIASES.get(written, written)
        if type_ not in TYPES:
            raise invalid(f"Invalid value for type: {field.get('type')} is not a valid value (field {name})", name)
        mode = (field.get("mode") or "NULLABLE").upper()
        if mode not in MODES:
            raise invalid(f"Invalid value for mode: {mode} is not a valid value (field {name})", name)
        if bool(field.get("fields")) != (type_ == "RECORD"):
            raise invalid(f"Field {name}: a RECORD has fields, and nothing else has", name)
        if len(field.get("description") or "") > LONGEST_DESCRIPTION:
            raise invalid(f"Field {name}: the description is longer than {LONGEST_DESCRIPTION} characters", name)
        column = cls(
            name,
            type_,
            mode,
            columns_from_api(field.get("fields") or []),
            _number(field, "precision"),
            _number(field, "scale"),
            _number(field, "maxLength"),
            tuple((key, field[key]) for key in KEPT if field.get(key)),
        )
        column._check_parameters()
        return column

    def _check_parameters(self) -> None:
        """https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types"""
        if self.max_length is not None and (self.type not in ("STRING", "BYTES") or self.max_length < 1):
            raise invalid(f"Field {self.name}: maxLength does not fit the type {self.type}", self.name)
        if self.precision is None and self.scale is None:
            return
        most = {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)}.get(self.type)
        if most is None or self.precision is None:
            raise invalid(f"Field {self.name}: precision and scale do not fit the type {self.type}", self.name)
        scale = self.scale or 0
        if not (0 <= scale <= most[1] and max(1, scale) <= self.precision <= most[0] + scale):
            raise invalid(f"Field {self.name}: {self.type}({self.precision}, {scale}) is out of range", self.name)

    def to_api(self) -> dict[str, Any]:
        field: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.fields:
            field["fields"] = [column.to_api() for column in self.fields]
        for key, value in (
            ("precision", self.precision),
            ("scale", self.scale),
            ("maxLength", self.max_length),
        ):
            if value is not None:
                field[key] = str(value)
        return field | dict(self.kept)

    @property
    def default(self) -> str | None:
        """What DML writes where a row says nothing of the column, as GoogleSQL."""
        return dict(self.kept).get("defaultValueExpression")

    @property
    def shape(self) -> tuple[Any, ...]:
        """What has to be equal for two columns to hold the same values."""
        inner = tuple(column.shape for column in self.fields)
        return (self.type, self.mode == "REPEATED", self.precision, self.scale, self.max_length, inner)

    @property
    def written_type(self) -> str:
        return f"REPEATED {self.type}" if self.mode == "REPEATED" else self.type


Schema = tuple[Column, ...]


def _number(field: dict[str, Any], key: str) -> int | None:
    value = field.get(key)
    return None if value is None else int(value)


def columns_from_api(fields: Sequence[dict[str, Any]]) -> Schema:
    """Raises invalid if names repeat (case does not distinguish them) or there are too many."""
    columns = tuple(Column.from_api(field) for field in fields)
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() in seen:
            raise invalid(f"Duplicate column names in the schema: {column.name} (names are case-insensitive)")
        seen.add(column.name.lower())
    if len(columns) > MOST_COLUMNS:
        raise invalid(f"Too many fields: {len(columns)}; a table has at most {MOST_COLUMNS} columns")
    return columns


def schema_from_api(resource: dict[str, Any] | None) -> Schema:
    return columns_from_api((resource or {}).get("fields") or [])


def schema_to_api(schema: Iterable[Column]) -> dict[str, Any]:
    return {"fields": [column.to_api() for column in schema]}


def check_storable(schema: Schema) -> Schema:
    """Raises notImplemented for what a query may give but no table holds here."""
    for column in schema:
        if column.type == "INTERVAL":
            raise not_implemented(f"A table's column of type INTERVAL ({column.name})")
        check_storable(column.fields)
    return schema


def by_name(schema: Iterable[Column]) -> dict[str, Column]:
    return {column.name.lower(): column for column in schema}


def mismatch(table: object, what: str) -> BigQueryError:
    return invalid(f"Provided Schema does not match Table {table}. {what}")


def updated(old: Schema, new: Schema, table: object, *, may_add: bool, may_relax: bool, may_omit: bool) -> Schema:
    """The table's schema after `new` was offered to it, its descriptions and order kept.

    Loads may leave columns out (`may_omit`); tables.update and tables.patch may not. Measured by others on the
    service: a column offered as REQUIRED where the table has it NULLABLE is taken and stays NULLABLE; a new
    REQUIRED column is refused.
    """
    offered = by_name(new)
    for column in old:
        if column.name.lower() not in offered and (not may_omit or column.mode == "REQUIRED"):
            raise mismatch(table, f"Field {column.name} is missing in new schema")
    merged = [_updated_column(column, offered.get(column.name.lower()), table, may_relax) for column in old]
    known = by_name(old)
    added = [column for column in new if column.name.lower() not in known]
    if added and not may_add:
        raise mismatch(table, f"Cannot add fields (field: {added[0].name})")
    for column in added:
        if column.mode == "REQUIRED":
            raise mismatch(table, f"Cannot add required fields to an existing schema. (field: {column.name})")
    return (*merged, *added)


def _updated_column(old: Column, new: Column | None, table: object, may_relax: bool) -> Column:
    if new is None:
        return old
    if (old.type, old.mode == "REPEATED") != (new.type, new.mode == "REPEATED"):
        raise mismatch(table, f"Field {old.name} has changed type from {old.written_type} to {new.written_type}")
    if old.mode == "REQUIRED" and new.mode == "NULLABLE":
        if not may_relax:
            raise mismatch(table, f"Field {old.name} has changed mode from REQUIRED to NULLABLE")
        return replace(old, mode="NULLABLE")
    return old
