"""Google's own descriptions of its APIs, which google-api-python-client ships: what a request may have in it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from googleapiclient.discovery_cache import get_static_doc

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


class Api:
    """One version of an API, as its discovery document describes it."""

    def __init__(self, name: str, version: str) -> None:
        self._document = json.loads(get_static_doc(name, version))

    def problems(self, method: str, path: str, body: Any) -> list[str]:
        """What is wrong with a request; one that no method of the API describes is wrong as a whole."""
        for each in _methods(self._document):
            if each["httpMethod"] == method and _pattern(each.get("flatPath", each["path"])).fullmatch(path):
                return list(self._judge(each.get("request", {}), body, "body"))
        return [f"{method} {path} is no method of {self._document['id']}"]

    def _judge(self, schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
        schema = self._document["schemas"][schema["$ref"]] if "$ref" in schema else schema
        kind = schema.get("type", "any")
        if kind == "any":
            return
        if not isinstance(value, _TYPES[kind]):
            yield f"{place} is {type(value).__name__}, not {kind}"
        elif kind == "object":
            for name, inner in value.items():
                known = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
                if known is None:
                    yield f"{place}.{name} is not known"
                else:
                    yield from self._judge(known, inner, f"{place}.{name}")
        elif kind == "array":
            for number, inner in enumerate(value):
                yield from self._judge(schema["items"], inner, f"{place}[{number}]")
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{place} is {value}, none of {', '.join(schema['enum'])}"


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _pattern(template: str) -> re.Pattern[str]:
    # `{v1Id}` is the whole path of some resource.
    path = re.escape(template).replace(re.escape("{v1Id}"), ".+")
    return re.compile("/" + re.sub(r"\\\{[^}]*\\\}", "[^/]+", path))
