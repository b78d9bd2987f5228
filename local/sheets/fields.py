"""Field masks (`fields=sheets(properties(title,sheetId),data/rowData)`), checked against Google's schemas.

https://developers.google.com/workspace/sheets/api/guides/field-masks
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeAlias

# A mask as a tree: a field's own mask, empty where everything in it is wanted.
Mask: TypeAlias = dict[str, "Mask"]
ALL = "*"


class InvalidMask(ValueError):
    """A mask that cannot be parsed, or names a field that is not there; the text is the field's path."""


@lru_cache(maxsize=4)
def schemas(api: str) -> Mapping[str, Any]:
    """The schemas of `sheets.v4` or `drive.v3`, from the discovery documents of google-api-python-client."""
    document = files("googleapiclient") / "discovery_cache" / "documents" / f"{api}.json"
    found: Mapping[str, Any] = json.loads(document.read_text(encoding="utf-8"))["schemas"]
    return found


def parse_mask(text: str, api: str, message: str) -> Mask:
    """The mask of a message of an API: `parse_mask("sheets.properties", "sheets.v4", "Spreadsheet")`."""
    reader = _Reader(text)
    mask = reader.fields()
    reader.end()
    _check(mask, schemas(api)[message], schemas(api), "")
    return mask


def selects(mask: Mask, *path: str) -> bool:
    """Whether the field at that path is wanted, in whole or in part."""
    for name in path:
        if not mask or mask.get(ALL) == {}:
            return True
        if name not in mask and ALL not in mask:
            return False
        mask = submask(mask, name)
    return True


def submask(mask: Mask, name: str) -> Mask:
    """A field's own mask; the field has to be selected."""
    return mask[name] if name in mask else mask.get(ALL, {})


def apply_mask(value: Any, mask: Mask) -> Any:
    """What a mask leaves of an answer; a list's mask is each of its items'."""
    if not mask:
        return value
    if isinstance(value, list):
        return [apply_mask(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    wanted = value if ALL in mask else mask
    return {name: apply_mask(value[name], submask(mask, name)) for name in value if name in wanted}


def _check(mask: Mask, schema: Mapping[str, Any], known: Mapping[str, Any], path: str) -> None:
    """Refuses a field that the schema does not have; `known` are the schemas that it refers to."""
    for name, inner in mask.items():
        here = f"{path}.{name}" if path else name
        if name == ALL:
            continue
        if name not in schema.get("properties", {}):
            raise InvalidMask(here)
        described = schema["properties"][name]
        described = described.get("items", described)
        _check(inner, known[described["$ref"]] if "$ref" in described else described, known, here)


class _Reader:
    """Reads `a,b(c,d/e),f.g`: commas separate, brackets nest, dots and slashes lead one level down."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def fields(self) -> Mask:
        mask: Mask = {}
        while True:
            self._field(mask)
            if self._peek() != ",":
                return mask
            self.place += 1

    def end(self) -> None:
        if self.place < len(self.text):
            raise InvalidMask(self.text)

    def _field(self, mask: Mask) -> None:
        name = "".join(self._name())
        if not name:
            raise InvalidMask(self.text)
        known = name in mask
        inner: Mask = {}
        if self._peek() in (".", "/"):
            self.place += 1
            self._field(inner)
        elif self._peek() == "(":
            self.place += 1
            inner = self.fields()
            if self._peek() != ")":
                raise InvalidMask(self.text)
            self.place += 1
        if known and mask[name] and inner:
            _merge(mask[name], inner)
        else:
            mask[name] = {} if known else inner

    def _name(self) -> Iterator[str]:
        while self._peek() not in (",", ".", "/", "(", ")", ""):
            character = self._peek()
            self.place += 1
            if not character.isspace():
                yield character

    def _peek(self) -> str:
        return self.text[self.place : self.place + 1]


def _merge(mask: Mask, other: Mask) -> None:
    """`a.b,a.c` is `a(b,c)`; a whole field outweighs parts of it."""
    for name, inner in other.items():
        if name in mask and mask[name] and inner:
            _merge(mask[name], inner)
        else:
            mask[name] = {} if name in mask else inner
