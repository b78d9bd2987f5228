"""Writes by others to tables that the job owns, as BigQuery's job information tells them, with what to stop."""

from collections.abc import Sequence
from datetime import timedelta

from migration.errors import NotComparable
from migration.foreign_writes import foreign_writes, last_write_is_foreign
from shared.config import Config, parse_config
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
    """What others wrote, as sentences by the config's id; and what could not be looked at."""
    told: dict[int, list[str]] = {}
    unseen: dict[str, None] = {}
    for owned in found:
        if owned.owner != "job_ready":
            continue
        try:
            if sentences := _of_config(
                parse_config(store.find_config(ManualRequest(id=owned.id))), store, wiring, unseen
            ):
                told[owned.id] = sentences
        except (InvalidInput, NotComparable):  # it is gone, loads nothing, or has not loaded anything yet
            continue
        except DatabaseUnavailable:
            raise
        except (ServiceUnavailable, CredentialsMissing) as error:
            return told, [*unseen, f"others' writes are not looked for: {error}"]
        except SyncError as error:
            unseen[f"others' writes to {owned.table} are not looked for: {error}"] = None
    return told, list(unseen)


def _of_config(config: Config, store: Store, wiring: Wiring, unseen: dict[str, None]) -> list[str]:
    since = store.owned_since(config.id or 0)
    if since is None:  # it was never the service's
        return []
    client = wiring.bigquery(wiring.settings.job_project)
    try:
        since = max(since, store.now() - timedelta(days=_DAYS))
        return [each.told for each in foreign_writes(config, since, client, (wiring.settings.google_cloud_project,))]
    except PermissionMissing as error:
        unseen[f"who writes is not told: {error}"] = None
        sentence = last_write_is_foreign(config, client, store)
        return [sentence] if sentence else []
