"""The API's own description, as google-api-python-client carries it: what a request's body may contain."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from local.bigquery.errors import invalid


@cache
def document() -> dict[str, Any]:
    resource = files("googleapiclient.discovery_cache").joinpath("documents", "bigquery.v2.json")
    loaded: dict[str, Any] = json.loads(resource.read_text("utf-8"))
    return loaded


def check_body(body: Any, schema: str) -> dict[str, Any]:
    """The body, if it is an object of the named schema (`Job`, `Table`, …). Raises invalid as Google does."""
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. An object is expected.")
    _check(body, {"$ref": schema}, "")
    return body


def _check(value: Any, kind: dict[str, Any], where: str) -> None:
    if value is None:
        return
    kind = document()["schemas"][kind["$ref"]] if "$ref" in kind else kind
    match kind["type"]:
        case "object":
            _check_object(value, kind, where)
        case "array":
            _expect(isinstance(value, list), where, "a list")
            for position, item in enumerate(value):
                _check(item, kind["items"], f"{where}[{position}]")
        case "string" if kind.get("format") in ("int64", "uint64"):
            _expect(isinstance(value, int | str) and _is_whole(value), where, "an int64")
        case "string":
            _expect(isinstance(value, str), where, "a string")
            _expect(value in kind.get("enum", [value]), where, f"one of {kind.get('enum')}")
        case "boolean":
            _expect(isinstance(value, bool) or value in ("true", "false"), where, "a boolean")
        case "integer":
            _expect(_is_whole(value), where, "an integer")
        case "number":
            _expect(isinstance(value, int | float) and not isinstance(value, bool), where, "a number")


def _check_object(value: Any, kind: dict[str, Any], where: str) -> None:
    _expect(isinstance(value, dict), where, "an object")
    properties = kind.get("properties", {})
    for name, item in value.items():
        inner = properties.get(name) or kind.get("additionalProperties")
        if inner is None and properties:
            raise invalid(f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field.")
        if inner is not None:
            _check(item, inner, f"{where}.{name}".lstrip("."))


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or str(value).removeprefix("-").isdecimal()


def _expect(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise invalid(f"Invalid value at '{where}': {what} is expected")
