"""A config's row as the texts in a form's fields, and what their change makes of its columns.

What a person did not touch stays as it was, however a portal wrote it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from console.config_fields import (
    ALL_OPTIONS,
    DESCRIBED,
    EACH_OPTION,
    HOURS,
    OPTIONS,
    SCHEMA,
    TAB,
    TYPED,
    URL,
    WORDS,
    address_beside,
    hours_in,
)
from console.forms import Field, FormRefused, tidy
from shared.errors import InvalidInput
from shared.options import Options
from shared.parse import parse_json
from shared.registration import DAILY

_OF_OPTIONS = {field.name: field for field in msgspec.structs.fields(Options)}
_DEFAULTS = msgspec.structs.asdict(Options())
# What is told of a value: enough to know it by.
_LONGEST_TOLD = 80


def fields_of(row: Mapping[str, Any]) -> tuple[Field, ...]:
    """The form's fields for a row, with the texts that it has: a field for each option, or one for all of them."""
    of_options = EACH_OPTION if _options(row) is not None else (ALL_OPTIONS,)
    grouped = (msgspec.structs.replace(field, group=ALL_OPTIONS.group) for field in of_options)
    return tuple(_with_text(field, _text(field, row)) for field in (*DESCRIBED, *TYPED, *grouped))


def texts(row: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the fields, by their names."""
    return {field.name: field.value for field in fields_of(row)}


def fill_in(fields: Iterable[Field], wanted: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields with other texts."""
    return tuple(_with_text(field, wanted.get(field.name, field.value)) for field in fields)


def digests(told: Mapping[str, str]) -> str:
    """What a form remembers of the texts that it was shown with: too little to read, enough to know them again."""
    return " ".join(f"{name}={_digest(text)}" for name, text in told.items())


def unlike(shown: str, told: Mapping[str, str]) -> set[str]:
    """The fields whose texts are not those that the digests `shown` were made of."""
    known = dict(each.split("=", 1) for each in shown.split() if "=" in each)
    return {name for name, text in told.items() if known.get(name) != _digest(text)}


def changes_of(row: Mapping[str, Any], wanted: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The columns that the texts change, with their new values, and what is wrong with them, by field.

    What the parser of configs has to say of them is not told here.
    """
    before = texts(row)
    touched = {name: tidy(text) for name, text in wanted.items() if tidy(text) != tidy(before.get(name, text))}
    changes: dict[str, Any] = {}
    problems: dict[str, str] = {}
    try:
        hours = hours_in(wanted[HOURS], HOURS)
        changes |= {HOURS: hours} if HOURS in touched else {}
    except FormRefused as refused:
        problems |= refused.problems
    for name in (SCHEMA, OPTIONS):
        try:
            changes |= {name: _json(touched[name])} if name in touched else {}
        except InvalidInput as error:
            problems[name] = error.what.strip()
    each = {name: _option(name, text) for name, text in touched.items() if name in _DEFAULTS}
    if each:
        merged = {**(_options(row) or {}), **each}
        changes[OPTIONS] = {name: value for name, value in merged.items() if value is not None} or None
    changes |= {
        name: text or None for name, text in touched.items() if name in WORDS and name not in (HOURS, SCHEMA, OPTIONS)
    }
    if TAB in changes:
        after = {**row, **changes}
        changes[URL] = address_beside(after.get(TAB), after.get(URL))
    return {name: value for name, value in changes.items() if value != row.get(name)}, problems


def told_changes(changed: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What an edit changed, for people: `tab Q1 → Q2`; of what is long only that it did."""
    told = []
    # In the order of the form: JSON in PostgreSQL keeps none.
    for column in (each for each in WORDS if each in changed):
        before, after = changed[column].get("before"), changed[column].get("after")
        told += _told_options(before, after) if column == OPTIONS else [_told_change(WORDS[column], before, after)]
    return told


def _told_options(before: Any, after: Any) -> list[str]:
    """Each option that changed; of a text, as portals keep JSON, and what else is no object, only that it did."""
    if not all(each is None or isinstance(each, dict) for each in (before, after)):
        return [WORDS[OPTIONS]]
    old, new = before or {}, after or {}
    changed = (name for name in sorted({*old, *new}) if old.get(name) != new.get(name))
    return [_told_change(name, old.get(name), new.get(name)) for name in changed]


def _told_change(word: str, before: Any, after: Any) -> str:
    sides = _brief(before), _brief(after)
    return f"{word} {' → '.join(sides)}" if max(map(len, sides)) <= _LONGEST_TOLD else word


def _brief(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _with_text(field: Field, text: str) -> Field:
    """A choice that a row has, and the form has not, is there to be left as it is."""
    choices = field.choices
    if field.kind == "choice" and text not in dict(choices):
        choices = (*choices, (text, f"{text} (which there is none of)"))
    return msgspec.structs.replace(field, value=text, choices=choices)


def _text(field: Field, row: Mapping[str, Any]) -> str:
    value = row.get(field.name)
    match field.name:
        case name if name in _DEFAULTS:
            return _option_text(name, (_options(row) or {}).get(name))
        case "options" | "custom_schema":
            return _json_text(value)
        case "schema_handling":
            return value.strip().lower() or "auto_detect" if isinstance(value, str) else _brief(value or "auto_detect")
        case "run_frequency_hours":
            return str(DAILY) if value is None else _brief(value)
    return "" if value is None else _brief(value)


def _json_text(value: Any) -> str:
    """An element of a list a line each; a text, as portals keep JSON, as it is."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        lines = ",\n".join(f"  {msgspec.json.encode(each).decode()}" for each in value)
        return f"[\n{lines}\n]" if lines else "[]"
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _json(text: str) -> Any:
    return parse_json(text, "", InvalidInput) if text else None


def _options(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row's options, where a field each can show them; None where only their JSON can."""
    given = row.get(OPTIONS)
    try:
        options = _json(given.strip()) if isinstance(given, str) else given
    except InvalidInput:
        return None
    options = {} if options is None else options
    if not isinstance(options, dict) or not all(_fits(name, value) for name, value in options.items()):
        return None
    return options


def _fits(name: str, value: Any) -> bool:
    if name not in _OF_OPTIONS:
        return False
    try:
        return value is None or _converted(name, value) is not None
    except msgspec.ValidationError:
        return False


def _converted(name: str, value: Any) -> Any:
    return msgspec.convert(value.strip() if isinstance(value, str) else value, _OF_OPTIONS[name].type, strict=False)


def _option_text(name: str, value: Any) -> str:
    shown = _DEFAULTS[name] if value is None else _converted(name, value)
    if isinstance(shown, tuple):
        return "\n".join(shown)
    return "" if shown is None else _brief(shown)


def _option(name: str, text: str) -> Any:
    """The option's value; None for its default. What is no number stays text, for the parser to tell."""
    default = _DEFAULTS[name]
    value: Any = text
    if isinstance(default, tuple):
        value = tuple(filter(None, map(str.strip, text.splitlines())))
    elif isinstance(default, bool):
        value = text == "true"
    elif _is_number(name):
        value = _number(text)
    return None if value in ("", default) else list(value) if isinstance(value, tuple) else value


def _is_number(name: str) -> bool:
    """Whether the option is a number, or that and left out."""
    type_ = inspect.type_info(_OF_OPTIONS[name].type)
    types = type_.types if isinstance(type_, inspect.UnionType) else (type_,)
    return any(isinstance(each, inspect.IntType | inspect.FloatType) for each in types)


def _number(text: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    return value if isinstance(value, int | float) and not isinstance(value, bool) else text


def _digest(text: str) -> str:
    return hashlib.sha256(tidy(text).encode()).hexdigest()[:12]
