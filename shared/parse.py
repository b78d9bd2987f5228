"""The one way in for everything that comes from outside: parse once, report every problem at once."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from shared.errors import InvalidInput

Model = TypeVar("Model", bound=msgspec.Struct)


def parse(
    model: type[Model],
    raw: Mapping[str, Any],
    subject: str,
    error: type[InvalidInput] = InvalidInput,
    remedy: str = "",
) -> Model:
    """A `model` made of the values in `raw`; unknown keys are left alone (messages are read leniently).

    Field by field, so that one error names all that is wrong. `None` and absent both mean the field's
    default. Raises `error`, with `subject` in front and each field's name and the shape of its value,
    never the value.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in msgspec.structs.fields(model):
        value = raw.get(field.encode_name)
        if value is None:
            if field.required:
                problems.append(f"{field.encode_name} is missing")
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type, strict=False)
        except msgspec.ValidationError as problem:
            problems.append(f"{field.encode_name}: {problem} (it is {shape(value)})")
    if problems:
        raise error(f"{subject}: {'; '.join(problems)}", remedy)
    try:
        return model(**values)
    except ValueError as problem:
        raise error(f"{subject}: {problem}", remedy) from None


def parse_json(body: bytes | str, subject: str, error: type[InvalidInput] = InvalidInput) -> Any:
    """The JSON value in `body`. Raises `error` that names the subject and where the JSON breaks, without quoting it."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise error(f"{subject} is not JSON: {problem}", "send a JSON object") from None


def parse_object(body: bytes | str, subject: str, error: type[InvalidInput] = InvalidInput) -> dict[str, Any]:
    """The JSON object in `body`. Raises `error` where it is not JSON, or JSON of another shape."""
    value = parse_json(body, subject, error)
    if not isinstance(value, dict):
        raise error(f"{subject} is {shape(value)}", "send a JSON object")
    return value


def shape(value: Any) -> str:
    """What kind of thing a value is, without telling it: `text of 12 characters`, `a list of 3`, `a number`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return f"text of {len(value)} characters" if value.strip() else "blank text"
        case int() | float():
            return "a number"
        case Mapping():
            return f"an object with {len(value)} keys"
        case list() | tuple():
            return f"a list of {len(value)}"
        case _:
            return f"a {type(value).__name__}"
