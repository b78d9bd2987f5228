"""Settings in a file: JSON, or the flat YAML of `orchestrator-env.yaml`, which gcloud's --env-vars-file reads too."""

import re
from pathlib import Path

import msgspec

from commands.config_file import read_text
from shared.errors import InvalidConfig, InvalidSettings
from shared.parse import parse_object, shape

_REMEDY = "write one NAME: 'value' a line, or a JSON object"
_LINE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*:(?:\s+(?P<value>.*))?")
_SINGLE = re.compile(r"'(?P<text>(?:[^']|'')*)'\s*(?:#.*)?")
_DOUBLE = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")\s*(?:#.*)?')
# What begins a value that is more than a plain word in YAML: lists, objects, anchors, blocks, tags.
_NOT_PLAIN = tuple("[{&*!|>%@`,?-'\"")


def read_settings_file(path: Path) -> dict[str, str]:
    """The settings by their names. Raises `InvalidSettings` that names the file, and the line or the field."""
    try:
        text = read_text(path)
    except InvalidConfig as problem:
        raise InvalidSettings(problem.what, problem.remedy) from problem
    return _of_json(text, path) if text.lstrip().startswith("{") else _of_yaml(text, path)


def _of_json(text: str, path: Path) -> dict[str, str]:
    settings: dict[str, str] = {}
    for name, value in parse_object(text, str(path), error=InvalidSettings).items():
        match value:
            case None:
                continue
            case str():
                settings[name] = value
            case bool() | int() | float():
                settings[name] = msgspec.json.encode(value).decode()
            case _:
                raise InvalidSettings(f"{path}: {name} is {shape(value)}", _REMEDY)
    return settings


def _of_yaml(text: str, path: Path) -> dict[str, str]:
    settings: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#") or line.rstrip() == "---":
            continue
        match = _LINE.fullmatch(line.rstrip())
        value = _scalar((match["value"] or "").strip()) if match else None
        if match is None or value is None:
            # Never the line itself: it may hold the password.
            raise InvalidSettings(f"{path}: line {number} is not a setting", _REMEDY)
        if match["name"] in settings:
            raise InvalidSettings(f"{path}: {match['name']} is there twice", "keep one of them")
        settings[match["name"]] = value
    return settings


def _scalar(text: str) -> str | None:
    """A YAML scalar's text: quoted, or plain up to a comment; None for anything that is not one."""
    if single := _SINGLE.fullmatch(text):
        return single["text"].replace("''", "'")
    if double := _DOUBLE.fullmatch(text):
        try:
            return msgspec.json.decode(double["text"], type=str)
        except msgspec.DecodeError:
            return None
    if text.startswith(_NOT_PLAIN):
        return None
    plain = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
    return None if ": " in plain else plain
