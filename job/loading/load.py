"""The one load of an attempt: atomic, under the attempt's own job id, never under another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from job.columns.table import LoadColumn, Table
from job.loading.attempt import Attempt
from job.loading.bigquery_errors import translate
from job.loading.content import content_hash, is_there
from job.loading.decision import Decision, decide
from job.loading.files import LoadFile, load_file
from job.loading.load_config import load_config
from job.loading.merge import Merge
from job.loading.patience import SECONDS, retry
from job.loading.slot import slot_of
from job.loading.standing import Standing, look_at, reference
from shared import load_job
from shared.config import Column, Config
from shared.loaded import ColumnChange
from shared.settings import JobSettings

if TYPE_CHECKING:
    from google.cloud import bigquery

BigQueryOf = Callable[[str], "bigquery.Client"]


class Loaded(msgspec.Struct, frozen=True):
    """What became of the destination: `loaded`, or nothing, since it is `unchanged` or `kept`.

    `rows` are the sheet's; `columns` those of the destination, with `changes` how the sheet's differ from before;
    `bytes` those uploaded.
    """

    verdict: load_job.Done
    rows: int
    job_id: str
    content_hash: str | None
    bytes: int = 0
    columns: tuple[LoadColumn, ...] = ()
    changes: tuple[ColumnChange, ...] = ()
    warnings: tuple[str, ...] = ()


def columns_to_keep(settings: JobSettings, bigquery_of: BigQueryOf) -> tuple[Column, ...]:
    """The destination's columns that the reading has to keep to."""
    if not settings.config.options.keeps_types:
        return ()
    with _telling(settings.config.destination):
        standing = look_at(bigquery_of(slot_of(settings).project), settings.config)
    return standing.asked() if standing else ()


def load(table: Table, settings: JobSettings, bigquery_of: BigQueryOf, subject: str) -> Loaded:
    """Brings `table` into the config's destination by one job, as the config's options say, and waits for it.

    `bigquery_of` gives a project's client, `subject` is the config in errors. Raises `AttemptClosed` if the attempt's
    id is taken by a job that is not the attempt's, `LoadFailed` or `LoadRefused` as BigQuery says,
    `PermissionMissing`, `ServiceUnavailable`, and what `decide` raises.
    """
    with _telling(settings.config.destination):
        slot = slot_of(settings)
        client = bigquery_of(slot.project)
        location = _ensure_dataset(client, settings.config, slot.location)
        slot = slot if slot.fixed else msgspec.structs.replace(slot, location=location)
        standing = look_at(client, settings.config)
        decision = decide(table, standing, settings.config.options, subject, settings.allow_shrink)
        load = _Load(table, settings, Attempt(client, slot, settings.config.destination), standing, decision)
        return load.run()


class _Load:
    """One decided load."""

    def __init__(
        self, table: Table, settings: JobSettings, attempt: Attempt, standing: Standing | None, decision: Decision
    ) -> None:
        self._table = table
        self._options = settings.config.options
        self._attempt = attempt
        self._standing = standing
        self._decision = decision
        partition = _partition(settings) if self._options.load_mode == "snapshot" else None
        self._destination = reference(settings.config, partition)
        self._content = content_hash(table, decision.fitting, self._options.load_mode, str(self._destination))

    def run(self) -> Loaded:
        if self._decision.keeps:
            return self._loaded(self._say("kept"))
        if self._options.skip_unchanged and self._is_there():
            return self._loaded(self._say("unchanged"))
        file = load_file(self._table, self._decision.fitting.uploaded)
        return self._loaded(self._write(file), file.content.size)

    def _is_there(self) -> bool:
        return is_there(self._attempt.client, self._attempt.slot, self._content, self._standing)

    def _say(self, verdict: load_job.Done) -> Any:
        """Takes the attempt's id with a query that writes nothing: so nothing can load under it any more."""
        return self._attempt.query("SELECT 1", self._labels(verdict))

    def _write(self, file: LoadFile) -> Any:
        labels = self._labels("loaded")
        if self._options.load_mode == "merge":
            merge = Merge(self._attempt, self._destination, self._standing is not None, self._decision)
            return merge.run(file, labels, datetime.now(UTC))
        settings = load_config(self._decision.fitting, file.source_format, self._decision.layout, labels)
        return self._attempt.load(file, self._destination, settings, self._attempt.slot)

    def _labels(self, verdict: load_job.Done) -> dict[str, str]:
        return self._attempt.slot.saying(verdict, self._content, self._table.rows)

    def _loaded(self, job: Any, uploaded: int = 0) -> Loaded:
        """By the job's own word: it may be that of another execution of this attempt, with other content."""
        seen = load_job.done(job)
        fitting = self._decision.fitting
        return Loaded(
            verdict=seen.verdict,
            rows=seen.rows or 0,
            job_id=job.job_id,
            content_hash=seen.content_hash,
            bytes=uploaded,
            columns=fitting.schema,
            changes=fitting.changes,
            warnings=fitting.warnings,
        )


def _partition(settings: JobSettings) -> str:
    """The partition of a snapshot: the UTC date of the run's slot; by hand, today."""
    slot = settings.run.run_slot if settings.run else None
    return f"{(slot or datetime.now(UTC)).astimezone(UTC):%Y%m%d}"


def _ensure_dataset(client: "bigquery.Client", config: Config, location: str) -> str:
    """The location of the destination's dataset, which is created in `location` if it is missing."""
    from google.cloud import bigquery

    dataset_of = bigquery.DatasetReference(config.google_cloud_project_id, config.bigquery_dataset_id)
    try:
        return client.get_dataset(dataset_of, retry=retry(), timeout=SECONDS).location or location
    except exceptions.NotFound:
        dataset = bigquery.Dataset(dataset_of)
        dataset.location = location
        # Another job may be creating it at this moment: then theirs is as good.
        made = client.create_dataset(dataset, exists_ok=True, retry=retry(), timeout=SECONDS)
        return made.location or location


@contextmanager
def _telling(destination: str) -> Iterator[None]:
    """BigQuery's refusals and silences as errors of the product's."""
    try:
        yield
    except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as error:
        # Without the cause: BigQuery's messages may quote values.
        raise translate(error, destination) from None
