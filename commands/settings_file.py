"""Settings in a file: JSON, or YAML like `orchestrator-env.yaml`, which gcloud's --env-vars-file reads too."""

from pathlib import Path

import msgspec
import yaml

from commands.config_file import read_text
from shared.errors import InvalidConfig, InvalidSettings
from shared.parse import parse_object, shape

_REMEDY = "write one NAME: 'value' a line, or a JSON object"


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
    # The base loader takes every scalar for text, as the environment does.
    try:
        settings = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (it makes text, lists and objects only)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "context_mark", None) or getattr(problem, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        # Without the cause: it quotes the line, which may hold the password.
        raise InvalidSettings(f"{path} is not YAML{place}", _REMEDY) from None
    if not settings:  # nothing but comments
        return {}
    if not isinstance(settings, dict):
        raise InvalidSettings(f"{path} is {shape(settings)}", _REMEDY)
    for name, value in settings.items():
        if not isinstance(value, str):
            raise InvalidSettings(f"{path}: {name} is {shape(value)}", _REMEDY)
    return settings
