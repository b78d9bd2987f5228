"""The one load of an attempt: atomic, under the attempt's own job id, never under another."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from job.columns.table import LoadColumn, Table
from job.loading.bigquery_errors import failure, translate
from job.loading.files import LoadFile, load_file
from job.loading.slot import Slot, slot_of
from shared.column import current_type
from shared.config import Config
from shared.errors import AttemptClosed
from shared.settings import JobSettings

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.cloud import bigquery

# jobs.get can lag behind the 409 that tells of the job: seconds to wait before looking again.
_LAG = (0.5, 1, 2, 4, 8)
_UPLOAD_RETRIES = 6
# Longest silence of one call; an upload of the largest sheet is 30 MB.
_SECONDS = 60
_UPLOAD_SECONDS = 180
# How long BigQuery may be away before the attempt is given up, in seconds.
_PATIENCE = 120


class Loaded(msgspec.Struct, frozen=True):
    """What BigQuery says that the load did."""

    rows: int
    job_id: str


def load(table: Table, settings: JobSettings, bigquery_of: Callable[[str], "bigquery.Client"]) -> Loaded:
    """Replaces the config's table with `table` in one atomic load job, and waits for it.

    `bigquery_of` gives a project's client. Raises `AttemptClosed` if the slot's id is taken by a job that is not
    this attempt's load, `LoadFailed` or `LoadRefused` as BigQuery says, `PermissionMissing`, `ServiceUnavailable`.
    """
    destination = settings.config.destination
    slot = slot_of(settings)
    client = bigquery_of(slot.project)
    try:
        location = _ensure_dataset(client, settings.config, slot.location)
        slot = slot if slot.fixed else msgspec.structs.replace(slot, location=location)
        fits = _fits(client, table, settings.config)
        job = _insert(client, table, settings.config, slot, fits)
        _wait(job)
    except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as error:
        # Without the cause: BigQuery's messages may quote values.
        raise translate(error, destination) from None
    if job.error_result:
        raise failure(job.error_result, destination)
    return Loaded(rows=int(job.output_rows or 0), job_id=slot.job_id)


def _ensure_dataset(client: "bigquery.Client", config: Config, location: str) -> str:
    """The location of the destination's dataset, which is created in `location` if it is missing."""
    from google.cloud import bigquery

    reference = bigquery.DatasetReference(config.google_cloud_project_id, config.bigquery_dataset_id)
    try:
        return client.get_dataset(reference, retry=_retry(), timeout=_SECONDS).location or location
    except exceptions.NotFound:
        dataset = bigquery.Dataset(reference)
        dataset.location = location
        # Another job may be creating it at this moment: then theirs is as good.
        made = client.create_dataset(dataset, exists_ok=True, retry=_retry(), timeout=_SECONDS)
        return made.location or location


def _fits(client: "bigquery.Client", table: Table, config: Config) -> bool:
    """Whether the destination has the columns of `table` already, whatever else is known of them there."""
    try:
        standing = client.get_table(_destination(config), retry=_retry(), timeout=_SECONDS)
    except (exceptions.NotFound, exceptions.Forbidden):
        return False  # the load says what is missing, if anything is
    fields = [(field.name, current_type(field.field_type), field.mode) for field in standing.schema]
    same = fields == [(each.name, each.type, each.mode) for each in table.columns]
    return same and standing.table_type == "TABLE"  # a view is refused by the load, in its own words


def _insert(client: "bigquery.Client", table: Table, config: Config, slot: Slot, fits: bool) -> Any:
    """The load job under the slot's id: inserted now, or by an earlier try of this attempt."""
    file = load_file(table)
    try:
        return client.load_table_from_file(
            pa.BufferReader(file.content),
            _destination(config),
            size=file.content.size,
            num_retries=_UPLOAD_RETRIES,
            job_id=slot.job_id,
            project=slot.project,
            location=slot.location,
            job_config=_job_config(table, file, slot, fits),
            timeout=_UPLOAD_SECONDS,
        )
    except exceptions.Conflict:
        # Also what the client makes of its own first insert, if the answer to that was lost on the way.
        job = _find(client, config, slot)
        if job is None:
            raise _closed(config) from None
        return job
    except (exceptions.ServerError, exceptions.RetryError, GoogleAuthError, OSError):
        # The insert may have landed all the same.
        job = _find(client, config, slot)
        if job is None:
            raise
        return job


def _find(client: "bigquery.Client", config: Config, slot: Slot) -> Any | None:
    """The job that has the slot's id, None if there is none.

    Raises `AttemptClosed` if it is not this attempt's load.
    """
    for pause in (*_LAG, None):
        try:
            job = client.get_job(
                slot.job_id, project=slot.project, location=slot.location, retry=_retry(), timeout=_SECONDS
            )
        except exceptions.Forbidden:
            raise _closed(config) from None
        except exceptions.NotFound:
            if pause is not None:
                time.sleep(pause)
            continue
        if not slot.holds(job, _destination(config)):
            raise _closed(config)
        return job
    return None


def _wait(job: Any) -> None:
    """Waits until the job is done; its error, if any, is left in `error_result`."""
    try:
        job.result(retry=_retry())
    except exceptions.GoogleAPICallError:
        if not job.error_result:
            raise


def _job_config(table: Table, file: LoadFile, slot: Slot, fits: bool) -> "bigquery.LoadJobConfig":
    """The load's settings. Where the destination `fits`, what people have added to its columns stays.

    That is descriptions, policy tags, constraints: WRITE_TRUNCATE drops them with the schema that it replaces.
    """
    from google.cloud import bigquery

    write = bigquery.WriteDisposition.WRITE_TRUNCATE_DATA if fits else bigquery.WriteDisposition.WRITE_TRUNCATE
    return bigquery.LoadJobConfig(
        source_format=file.source_format,
        write_disposition=write,
        create_disposition=bigquery.CreateDisposition.CREATE_IF_NEEDED,
        # Explicit, so that no type depends on what BigQuery thinks of a file.
        schema=[bigquery.SchemaField.from_api_repr(_field(each, described=not fits)) for each in table.columns],
        # Otherwise a Parquet decimal can only become NUMERIC.
        decimal_target_types=frozenset({bigquery.DecimalTargetType.NUMERIC, bigquery.DecimalTargetType.BIGNUMERIC}),
        labels=slot.labels,
    )


def _field(column: LoadColumn, described: bool) -> dict[str, str]:
    field = {"name": column.name, "type": column.type, "mode": column.mode}
    return field | ({"description": column.description} if described else {})


def _destination(config: Config) -> "bigquery.TableReference":
    from google.cloud import bigquery

    dataset = bigquery.DatasetReference(config.google_cloud_project_id, config.bigquery_dataset_id)
    return dataset.table(config.bigquery_table_id)


def _retry() -> "Retry":
    from google.cloud.bigquery.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(_PATIENCE)


def _closed(config: Config) -> AttemptClosed:
    return AttemptClosed(
        f"{config.destination}: this attempt's BigQuery job id belongs to another job",
        "nothing was written; the run goes on with its next attempt, if it needs one",
    )
