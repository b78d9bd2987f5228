"""`job_helper.py add`: registers a config without SQL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from commands.config_file import ConfigFile, read_config_file, read_custom_schema
from commands.configs import Registered, registered
from commands.exits import SUCCEEDED
from commands.moments import shown
from commands.screen import Screen
from job.reading.calls import Calls
from job.reading.refusals import Subject
from shared.clients import Clients
from shared.config import Config, parse_config
from shared.errors import InvalidConfig
from shared.ledger.store import open_store
from shared.registration import DAILY, parse_frequency, table_name
from shared.settings import read_database
from shared.spreadsheet import parse_url

# A person waits; a run would be more patient.
_WAIT_BUDGET = 10.0
_NAME_LENGTH = 255  # of the table's column


class Wanted(msgspec.Struct, frozen=True):
    """A config as the command's options give it; `table` and `name` may be left to the spreadsheet's title."""

    url: str
    project: str
    dataset: str
    table: str | None = None
    tab: str | None = None
    name: str | None = None
    frequency: int | None = None
    custom_schema: Path | None = None


class _Properties(msgspec.Struct):
    title: str = ""


class _Titled(msgspec.Struct):
    properties: _Properties


def add_from_file(path: Path, frequency: int | None, environ: Mapping[str, str], screen: Screen) -> int:
    """Registers the config in a file; `frequency` goes before the file's own `run_frequency_hours`."""
    given = read_config_file(path)
    hours = frequency if frequency is not None else given.frequency
    return _add(ConfigFile(given.config, hours), environ, screen)


def add_from_url(wanted: Wanted, environ: Mapping[str, str], screen: Screen) -> int:
    """Registers a config for a spreadsheet's address; what is not named is named after the spreadsheet."""
    raw: dict[str, Any] = {
        "google_sheet_url": wanted.url,
        "google_sheet_tab_name": wanted.tab,
        "google_cloud_project_id": wanted.project,
        "bigquery_dataset_id": wanted.dataset,
    }
    if wanted.custom_schema is not None:
        raw |= {"schema_handling": "custom", "custom_schema": read_custom_schema(wanted.custom_schema)}
    title = None
    if wanted.name is None or wanted.table is None:
        title = _title(wanted, environ)
    raw["name"] = wanted.name if wanted.name is not None else title
    raw["bigquery_table_id"] = wanted.table if wanted.table is not None else _table_name(title or "")
    return _add(ConfigFile(parse_config(raw, "the config"), wanted.frequency), environ, screen)


def _add(given: ConfigFile, environ: Mapping[str, str], screen: Screen) -> int:
    frequency = parse_frequency(given.frequency)
    hours = frequency if frequency is not None else DAILY
    with open_store(read_database(environ)) as store:
        config_id = store.add_config(_without_id(given.config), hours)
        added = next(each for each in registered(store, [given.config.name]) if each.id == config_id)
        is_marked = store.tracking().column
    screen.say(f"added config {added.id} {added.name}: {added.table}")
    if is_marked:
        screen.say("it is the job's (job_ready), whosever the configs are that others add: `python migrate.py status`")
    screen.say(f"next due {_when(added)}")
    screen.say(f"check what it needs with `python job_helper.py doctor {added.id}`")
    screen.json(added)
    return SUCCEEDED


def _without_id(config: Config) -> Config:
    """A file that was made from a row may have its id; the new row gets its own."""
    return msgspec.structs.replace(config, id=None)


def _when(added: Registered) -> str:
    if added.verdict == "due":
        return "now: the next dispatch runs it"
    return f"{shown(added.next_due)} UTC" if added.next_due else f"never by itself: {added.told}"


def _title(wanted: Wanted, environ: Mapping[str, str]) -> str:
    """The spreadsheet's title, with the tab's name where one is given: two tabs want two tables."""
    try:
        spreadsheet = parse_url(wanted.url)
    except ValueError as problem:
        raise InvalidConfig(f"google_sheet_url: {problem}") from None
    clients = Clients(environ)
    calls = Calls(Subject("the spreadsheet", clients.identity), reads_per_minute=60, wait_budget=_WAIT_BUDGET)
    request = clients.sheets().spreadsheets().get(spreadsheetId=spreadsheet.id, fields="properties.title")
    title = calls.send(request, _Titled).properties.title
    return f"{title} {wanted.tab or ''}".strip()[:_NAME_LENGTH]


def _table_name(title: str) -> str:
    name = table_name(title)
    if not name:
        raise InvalidConfig("the spreadsheet's title has nothing that a table could be named after", "give --table")
    return name
