"""Writes by anybody else to a table that the job owns: an orchestrator that was not stopped, a person, another job."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from migration.tables import look
from migration.writes import Write, end_of_attempt, writes
from shared.config import Config
from shared.ledger.comparison_queries import ComparisonQueries

if TYPE_CHECKING:
    from google.cloud import bigquery

# BigQuery notes a table's last write, and the end of the job that made it, apart.
_ROUNDING = timedelta(seconds=1)


class Owning(msgspec.Struct, frozen=True):
    """A config whose table is the job's since then: `store.owned_since` tells when."""

    config: Config
    since: datetime


class ForeignWrite(msgspec.Struct, frozen=True):
    """A job of somebody else's that wrote the config's table, and the sentence that says what to stop."""

    config_id: int | None
    job_id: str
    project: str
    user: str
    kind: str
    table: str
    at: datetime
    told: str


def foreign_writes(
    owned: Mapping[int, Owning], location: str, client: "bigquery.Client", projects: Sequence[str] = ()
) -> list[ForeignWrite]:
    """The jobs, newest first, by which others wrote tables of the job's, by their configs' ids; all at one location,
    and in one question a project, however many they are.

    `projects` are those where else such jobs may be billed. What streams rows in, or uses the Storage Write API, is
    no job: `last_write_is_foreign` sees that. Raises `PermissionMissing` without bigquery.jobs.listAll, and
    `ServiceUnavailable`.
    """
    if not owned:
        return []
    since = min(each.since for each in owned.values())
    by_table = {each.config.destination: each for each in owned.values()}
    found = writes(client, by_table, location, since, projects, with_runs=False)
    return [
        _foreign(each, by_table[each.table].config)
        for each in found
        if not each.is_ours and (each.ended is None or each.ended >= by_table[each.table].since)
    ]


def last_write_is_foreign(config: Config, client: "bigquery.Client", store: ComparisonQueries) -> str | None:
    """A sentence, where the table was written after our own last job of it had ended; None where nothing says so.

    The cheap look: it needs no permission to list jobs, and cannot tell who it was. Raises as `foreign_writes` does.
    """
    load = store.newest_load(config.id or 0, config.destination)
    if load is None:
        return None
    path = (config.google_cloud_project_id, config.bigquery_dataset_id, config.bigquery_table_id)
    table = look(client, path, "the table", "a run makes it: `job_helper.py run`")
    ended = end_of_attempt(client, load.run_id, load.attempt, (load.job_project, load.job_location))
    if ended is None or table.modified <= ended + _ROUNDING:
        return None
    return (
        f'config {config.id} "{config.name}": {table.path} was changed at {_told(table.modified)}, after the job\'s'
        f" own last write at {_told(ended)}: with bigquery.jobs.listAll, `migrate.py status` tells by whom"
    )


def _foreign(write: Write, config: Config) -> ForeignWrite:
    at = write.ended or write.began
    subject = f'config {config.id} "{config.name}": the job owns {write.table}'
    if write.is_by_hand:
        told = (
            f"{subject}, and `job_helper.py execute` wrote it by hand at {_told(at)} (BigQuery job {write.job_id}):"
            " use `job_helper.py run`, which the ledger knows of"
        )
    else:
        told = (
            f"{subject}, and {write.user or 'somebody'} wrote it at {_told(at)} (BigQuery job {write.job_id},"
            f" {write.kind}): stop what runs as that identity. If it is the older service's, remove its own push"
            " subscription to the portal's topic, and the schedule of its orchestrator"
        )
    return ForeignWrite(config.id, write.job_id, write.project, write.user, write.kind, write.table, at, told)


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
