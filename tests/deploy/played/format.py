"""gcloud's `--flatten` and `--format=value(…)`, as far as deploy.sh and the guide use them.

`tests/deploy/test_shim.py` compares this with the printer of the real SDK.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from .flags import Refused

_VALUE = re.compile(r"""value(?:\[separator=(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\]]*))\])?\((?P<keys>.*)\)""", re.DOTALL)
_KEY = re.compile(r"(?P<path>[A-Za-z0-9_.\-\[\]]*?)(?:\.(?P<transform>basename|list)\(\))?")


def shown(resources: Sequence[Any], form: str, flatten: str = "", *, condition: str = "", single: bool = False) -> str:
    """What gcloud prints of the resources that fulfil `condition`; `single` is `describe`, whose JSON is no list."""
    resources = chosen(resources, condition)
    for path in filter(None, flatten.split(",")):
        resources = [each for resource in resources for each in _flattened(resource, path)]
    if form in ("", "yaml", "json", "none", "disable"):
        return json.dumps(resources[0] if single and resources else list(resources), indent=2) if form == "json" else ""
    matched = _VALUE.fullmatch(form)
    if matched is None:
        raise Refused(f"the shim does not know --format={form}")
    separator = next((each for each in (matched["quoted"], matched["bare"]) if each is not None), "\t")
    keys = [key.strip() for key in matched["keys"].split(",")]
    return "".join(separator.join(_told(resource, key) for key in keys) + "\n" for resource in resources)


def chosen(resources: Sequence[Any], condition: str) -> list[Any]:
    """Those for which every `key="value"` of the condition (joined by AND) holds; other filters are not known.

    gcloud hands some of them on to Google, whose syntax wants the quotation marks.
    """
    terms = [term.strip().partition("=")[::2] for term in condition.split(" AND ")] if condition else []
    if not all(key and re.fullmatch(r'"[^"]+"', value) for key, value in terms):
        raise Refused(f"the shim does not know --filter={condition}")
    return [each for each in resources if all(_text(_found(each, key)) == value.strip('"') for key, value in terms)]


def _flattened(resource: Any, path: str) -> list[Any]:
    """A copy of the resource for each element of the list at `path` (`bindings[].members[]`)."""
    head, _, rest = path.partition("[]")
    rest = rest.removeprefix(".")
    return [
        _replaced(resource, head.split("."), inner)
        for element in _found(resource, head) or []
        for inner in (_flattened(element, rest) if rest else [element])
    ]


def _replaced(resource: Any, path: Sequence[str], value: Any) -> Any:
    first, *rest = path
    return {**resource, first: _replaced(resource[first], rest, value) if rest else value}


def _told(resource: Any, key: str) -> str:
    matched = _KEY.fullmatch(key)
    if matched is None:
        raise Refused(f"the shim does not know the key {key} in a format")
    value = _found(resource, matched["path"])
    if matched["transform"] == "basename":
        return str(value or "").rsplit("/", 1)[-1]
    if matched["transform"] == "list":
        return ",".join(map(str, value or []))
    return _text(value)


def _found(resource: Any, path: str) -> Any:
    """The value at a dotted path, whose `[0]` is an element; None where there is none."""
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(resource, list) and step.isdigit():
            resource = resource[int(step)] if int(step) < len(resource) else None
        elif isinstance(resource, list):
            resource = [_found(each, step) for each in resource]
        else:
            resource = resource.get(step) if isinstance(resource, dict) else None
    return resource


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case dict():
            return ";".join(f"{key}={_text(each)}" for key, each in sorted(value.items()))
        case list():
            return ";".join(map(_text, value))
        case _:
            return str(value)
