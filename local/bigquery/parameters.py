"""Query parameters: declared types and text values, as the API sends them, into what DuckDB binds.

https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from local.bigquery.errors import invalid
from local.bigquery.schema import Column
from local.bigquery.text_values import value_of_text


def parameter_columns(parameters: Sequence[dict[str, Any]], named: bool) -> dict[str, Column]:
    """Each parameter's type by its name in DuckDB: its own, or p0, p1, …"""
    return {
        _name(parameter, position, named): _column(parameter.get("parameterType") or {}, f"p{position}")
        for position, parameter in enumerate(parameters)
    }


def parameter_values(parameters: Sequence[dict[str, Any]], named: bool) -> dict[str, Any]:
    """Raises invalid where a value does not parse as its declared type."""
    columns = parameter_columns(parameters, named)
    return {
        name: _value(parameter.get("parameterValue") or {}, columns[name])
        for name, parameter in zip(columns, parameters, strict=True)
    }


def _name(parameter: dict[str, Any], position: int, named: bool) -> str:
    if not named:
        return f"p{position}"
    if not parameter.get("name"):
        raise invalid("A named query parameter has no name")
    return str(parameter["name"]).lower()


def _column(type_: dict[str, Any], name: str) -> Column:
    written = type_.get("type") or ""
    if written == "ARRAY":
        return replace(_column(type_.get("arrayType") or {}, name), mode="REPEATED")
    if written == "STRUCT":
        fields = [_column(inner["type"], inner.get("name") or "") for inner in type_.get("structTypes") or ()]
        return Column(name, "RECORD", fields=tuple(fields))
    return Column.from_api({"name": name, "type": written})


def _value(value: dict[str, Any], column: Column) -> Any:
    if column.mode == "REPEATED":
        return [_value(item, replace(column, mode="NULLABLE")) for item in value.get("arrayValues") or ()]
    if column.type == "RECORD":
        given = value.get("structValues") or {}
        return {inner.name: _value(given.get(inner.name) or {}, inner) for inner in column.fields}
    text = value.get("value")
    if text is None:
        return None
    try:
        return value_of_text(str(text), column.type)
    except (KeyError, ValueError) as error:
        raise invalid(f"Invalid value for query parameter {column.name} of type {column.type}") from error
