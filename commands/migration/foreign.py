"""Writes by others to tables that the job owns, as BigQuery's job information tells them, with what to stop."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from migration.errors import NotComparable
from migration.foreign_writes import Owning, foreign_writes, last_write_is_foreign
from shared.config import parse_config
from shared.errors import (
    CredentialsMissing,
    DatabaseUnavailable,
    InvalidInput,
    PermissionMissing,
    ServiceUnavailable,
    SyncError,
)
from shared.ledger.store import Store
from shared.messages import ManualRequest
from shared.owner import Owned
from shared.wiring import Wiring

# Who wrote once a week ago, and not since, needs no stopping; and BigQuery reads all jobs since then for each table.
_DAYS = 7


def look_for_others(found: Sequence[Owned], store: Store, wiring: Wiring) -> tuple[dict[int, list[str]], list[str]]:
    """What others wrote, as sentences by the config's id; and what could not be looked at.

    BigQuery is asked once for all tables of a location, where its jobs may be listed.
    """
    told: dict[int, list[str]] = {}
    unseen: dict[str, None] = {}
    try:
        for location, owned in _by_location(found, store, wiring, unseen).items():
            for config_id, sentence in _of_location(location, owned, store, wiring, unseen):
                told.setdefault(config_id, []).append(sentence)
    except (ServiceUnavailable, CredentialsMissing) as error:
        unseen[f"others' writes are not looked for: {error}"] = None
    return told, list(unseen)


def _by_location(
    found: Sequence[Owned], store: Store, wiring: Wiring, unseen: dict[str, None]
) -> dict[str, dict[int, Owning]]:
    """The job's tables that were the service's, by their location; a dataset is asked for its own once."""
    oldest = store.now() - timedelta(days=_DAYS)
    located: dict[tuple[str, str], str] = {}
    there: dict[str, dict[int, Owning]] = defaultdict(dict)
    for owned in found:
        since = store.owned_since(owned.id) if owned.owner == "job_ready" else None
        if since is None:
            continue
        try:
            config = parse_config(store.find_config(ManualRequest(id=owned.id)))
            dataset = config.google_cloud_project_id, config.bigquery_dataset_id
            if dataset not in located:
                located[dataset] = wiring.location_of(config)
        except InvalidInput:  # it is gone, or loads nothing
            continue
        except (DatabaseUnavailable, ServiceUnavailable, CredentialsMissing):
            raise
        except SyncError as error:
            unseen[f"others' writes to {owned.table} are not looked for: {error}"] = None
            continue
        there[located[dataset]][owned.id] = Owning(config, max(since, oldest))
    return there


def _of_location(
    location: str, owned: Mapping[int, Owning], store: Store, wiring: Wiring, unseen: dict[str, None]
) -> Iterator[tuple[int, str]]:
    client = wiring.bigquery(wiring.settings.job_project)
    try:
        for each in foreign_writes(owned, location, client, (wiring.settings.google_cloud_project,)):
            yield each.config_id or 0, each.told
    except PermissionMissing as error:
        unseen[f"who writes is not told: {error}"] = None
        for config_id, owning in owned.items():
            with contextlib.suppress(NotComparable):  # it has not loaded anything yet
                if sentence := last_write_is_foreign(owning.config, client, store):
                    yield config_id, sentence
