"""The one way in for everything that comes from outside: parse once, report every problem at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import inspect

from shared.errors import InvalidInput, SyncError

Model = TypeVar("Model", bound=msgspec.Struct)
# What `Checked.problems` gives: a field's name and what is wrong with it, as the end of a sentence.
Problem = tuple[str, str]
# The JSON escape of a NUL: PostgreSQL keeps none, and no environment variable holds one.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Checked(msgspec.Struct, frozen=True):
    """A model with rules beyond its fields' types; no instance of it breaks them."""

    def __post_init__(self) -> None:
        found = self.problems(msgspec.structs.asdict(self))
        if sentences := [f"{field} {problem}" for field, problem in found]:
            raise ValueError("; ".join(sentences))

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        """The fields that break a rule. `values` lacks those that are wrong already."""
        return ()


class Examined(Generic[Model]):
    """What became of raw values: a model, or sentences that say what is wrong with them."""

    def __init__(self, model: Model | None, problems: Iterable[str] = ()) -> None:
        self._model = model
        self.problems = tuple(problems)

    @property
    def model(self) -> Model:
        """The model. Raises `ValueError` where there are problems instead."""
        if self._model is None:
            raise ValueError("; ".join(self.problems))
        return self._model


def parse(
    model: type[Model],
    raw: Mapping[str, Any],
    subject: str,
    error: type[SyncError] = InvalidInput,
    remedy: str = "",
    *,
    known_only: bool = False,
) -> Model:
    """A `model` made of the values in `raw`; unknown keys are left alone (messages are read leniently).

    With `known_only` they are wrong: where a person writes, one that is mistyped would mean its default.
    Raises `error`, with `subject` in front and every field that is wrong, and never a value.
    """
    examined = examine_known(model, raw) if known_only else examine(model, raw)
    refuse(examined.problems, subject, error, remedy)
    return examined.model


def examine(model: type[Model], raw: Mapping[str, Any], spelled: Callable[[str], str] = str) -> Examined[Model]:
    """What `parse` makes of `raw`, without raising, so that one error can tell of several models.

    Field by field, so that all that is wrong is found. `None` and absent both mean the field's default.
    `spelled` gives a field's name as the person wrote it.
    """
    names = {field.name: spelled(field.encode_name) for field in msgspec.structs.fields(model)}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in msgspec.structs.fields(model):
        value = raw.get(field.encode_name)
        if value is None and field.required:
            problems.append(f"{names[field.name]} is missing")
        elif value is None:
            values[field.name] = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        else:
            try:
                values[field.name] = msgspec.convert(value, field.type, strict=False)
            except msgspec.ValidationError as problem:
                problems.append(f"{names[field.name]} {_mismatch(field.type, value, problem)}")
    if issubclass(model, Checked):
        problems += [f"{names[field]} {problem}" for field, problem in model.problems(values)]
    return Examined(None, problems) if problems else Examined(model(**values))


def examine_known(model: type[Model], raw: Mapping[str, Any]) -> Examined[Model]:
    """What `examine` makes of `raw`, whose unknown keys are wrong."""
    examined = examine(model, raw)
    unknown = _unknown(model, raw)
    return Examined(None, [*examined.problems, *unknown]) if unknown else examined


def _unknown(model: type[msgspec.Struct], raw: Mapping[str, Any]) -> list[str]:
    known = [field.encode_name for field in msgspec.structs.fields(model)]
    return [f"{key} is none of {', '.join(known)}" for key in raw if key not in known]


def refuse(problems: Iterable[str], subject: str, error: type[SyncError], remedy: str = "") -> None:
    """Raises `error` that names the subject and all problems, if there are any."""
    if told := "; ".join(problems):
        raise error(f"{subject}: {told}", remedy)


def parse_json(body: bytes | str, subject: str, error: type[SyncError] = InvalidInput) -> Any:
    """The JSON value in `body`. Raises `error` that names the subject and where the JSON breaks, without quoting it."""
    try:
        text = body.encode() if isinstance(body, str) else body
        if not text.strip():
            raise error(f"{subject} is empty", "send a JSON object")
        if _NUL.search(text):
            raise error(f"{subject} has a NUL character (\\u0000)", "leave it out")
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as problem:
        reason = "it is not text in UTF-8" if isinstance(problem, UnicodeError) else problem
        raise error(f"{subject} is not JSON: {reason}", "send a JSON object") from None
    except RecursionError:
        raise error(f"{subject} is not JSON that anybody means: it is nested too deep", "send a JSON object") from None


def parse_object(body: bytes | str, subject: str, error: type[SyncError] = InvalidInput) -> dict[str, Any]:
    """The JSON object in `body`. Raises `error` where it is not JSON, or JSON of another shape."""
    value = parse_json(body, subject, error)
    if not isinstance(value, dict):
        raise error(f"{subject} is {shape(value)}, not an object", "send a JSON object")
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
        case bytes():
            return f"{len(value)} bytes"
        case Mapping():
            return f"an object with {len(value)} keys"
        case list() | tuple():
            return f"a list of {len(value)}"
        case _:
            return f"a {type(value).__name__}"


def _mismatch(type_: Any, value: Any, problem: msgspec.ValidationError) -> str:
    # The library's own sentence may quote the value: of it, only the place within a list or an object is used.
    _sentence, inside, place = str(problem).partition(" - at ")
    if inside:
        return f"is {shape(value)}, and wrong at {place}"
    return f"is {shape(value)}, not {_wanted(inspect.type_info(type_))}"


def _wanted(type_: inspect.Type) -> str:
    """A type in words."""
    match type_:
        case inspect.UnionType():
            return " or ".join(_wanted(each) for each in type_.types if not isinstance(each, inspect.NoneType))
        case inspect.LiteralType():
            return f"one of {', '.join(str(each) for each in type_.values)}"
        case inspect.IntType(ge=least, le=most):
            bounds = f" from {least} to {most}" if most is not None else f" of {least} or more" if least else ""
            return f"a whole number{bounds}"
        case inspect.FloatType(ge=least, lt=bound):
            return "a number" if least is None or bound is None else f"a number from {least:g}, below {bound:g}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text"
        case inspect.DateTimeType():
            return "an instant with its zone, as 2026-11-28T23:05:00Z"
        case inspect.ListType() | inspect.VarTupleType():
            return "a list"
        case _:
            return "an object"
