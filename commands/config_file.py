"""A config in a file, as the guide's `--config-file test_config.json` has it."""

from pathlib import Path
from typing import Any

import msgspec

from shared.config import Config, parse_config
from shared.errors import InvalidConfig
from shared.parse import parse_object

EXAMPLE = {
    "name": "test_config",
    "google_sheet_url": "https://docs.google.com/spreadsheets/d/1A2b3C4d5E6f7G8h9I0jKlMnOpQrStUvWxYz/edit#gid=0",
    "google_sheet_tab_name": "Sheet1",
    "google_cloud_project_id": "my-project",
    "bigquery_dataset_id": "test_dataset",
    "bigquery_table_id": "test_table",
    "schema_handling": "auto_detect",
}


class ConfigFile(msgspec.Struct, frozen=True):
    """A file's config, and its `run_frequency_hours` where it has one, as registering takes it."""

    config: Config
    frequency: Any


def read_config_file(path: Path) -> ConfigFile:
    """The config in a JSON file. Raises `InvalidConfig` that names the file and every field that is wrong."""
    raw = parse_object(read_text(path), str(path), error=InvalidConfig)
    return ConfigFile(parse_config(raw, str(path)), raw.get("run_frequency_hours"))


def read_custom_schema(path: Path) -> Any:
    """The value in a JSON file of columns; which columns it has is for the config's parser to judge."""
    try:
        return msgspec.json.decode(read_text(path))
    except msgspec.DecodeError as problem:
        raise InvalidConfig(f"{path} is not JSON: {problem}", "write a list of name, type and mode") from None


def read_text(path: Path) -> str:
    """A small text file. Raises `InvalidConfig` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")  # Windows' editors write a mark in front
    except OSError as problem:
        raise InvalidConfig(f"{path} cannot be read ({problem.strerror})", "give the path of a file") from problem
    except UnicodeDecodeError:
        raise InvalidConfig(f"{path} is not text in UTF-8", "save it as UTF-8") from None
