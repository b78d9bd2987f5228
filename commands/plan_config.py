"""What a plan is about: a config in a file or in the database, who has its table, and when it is next due."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from commands.config_file import read_config_file
from commands.configs import Registered, registered
from commands.named import find_named
from shared.config import Config, parse_config
from shared.errors import NotOurs, SyncError, TableConflict
from shared.ledger.store import open_store
from shared.settings import read_database, read_settings


class Planned(msgspec.Struct, frozen=True):
    """A config and its standing: `schedule` is the due rule's word, `refusal` why a run of it would not begin.

    `owners` are configs in the database that replace the same table, as `7 "sales"`; None where nobody could
    be asked.
    """

    config: Config
    schedule: str
    next_due: datetime | None = None
    owners: tuple[str, ...] | None = None
    refusal: SyncError | None = None


def of_file(path: Path, environ: Mapping[str, str]) -> Planned:
    """The config in a file; no database is needed, but one that answers knows who has the table."""
    config = read_config_file(path).config
    schedule = "a config in a file has no schedule: `job_helper.py add` registers it"
    try:
        with open_store(read_database(environ)) as store:
            owners = tuple(store.active_of_table(config))
    except SyncError:
        return Planned(config, schedule)
    return Planned(config, schedule, owners=owners)


def of_row(named: str, environ: Mapping[str, str]) -> Planned:
    """The config that a person named by id or name.

    Raises `UnknownConfig` or `AmbiguousName`, and `InvalidConfig` where its row cannot be run.
    """
    with open_store(read_database(environ)) as store:
        row = find_named(named, store)
        standing = next(each for each in registered(store, [row["name"]]) if each.id == row["id"])
        config = parse_config(row)
        if row.get("migration_status") == "shadow":
            return _of_shadow(config.shadow(read_settings(environ).shadow_suffix), standing)
        owners = tuple(store.active_of_table(config, but=row["id"]))
    return Planned(config, standing.told, standing.next_due, owners, _refusal(standing))


def _of_shadow(beside: Config, standing: Registered) -> Planned:
    """The next run of a config in shadow: in the older service's shape, beside its table. It has no rival there."""
    if standing.verdict != "not_ours":
        return Planned(beside, standing.told, owners=(), refusal=_refusal(standing))
    return Planned(beside, "in shadow: loaded beside the older service, whose its own table is", owners=())


def _refusal(standing: Registered) -> SyncError | None:
    subject = f'config {standing.id} "{standing.name}"'
    match standing.verdict:
        case "paused" | "not_ours":
            return NotOurs(f"{subject} is not run", standing.told)
        case "table_conflict":
            return TableConflict(f"{subject} {standing.told}", "give one of them another table, or pause it")
        case _:
            return None
