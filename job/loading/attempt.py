"""The one BigQuery job of an attempt: inserted under the attempt's id, or found there, and waited for."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError

from job.loading.bigquery_errors import failure
from job.loading.files import LoadFile
from job.loading.patience import SECONDS, UPLOAD_RETRIES, UPLOAD_SECONDS, retry
from job.loading.slot import Slot
from shared.errors import AttemptClosed
from shared.failpoints import failpoint

if TYPE_CHECKING:
    from google.cloud import bigquery

# jobs.get can lag behind the 409 that tells of the job: seconds to wait before looking again.
_LAG = (0.5, 1, 2, 4, 8)
# Seconds between two looks at a job that goes on.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Attempt:
    """The jobs of one execution. `slot` is the attempt's id, `destination` the table, as errors name it."""

    def __init__(self, client: "bigquery.Client", slot: Slot, destination: str) -> None:
        self.client = client
        self.slot = slot
        self.destination = destination

    def load(
        self, file: LoadFile, table: "bigquery.TableReference", settings: "bigquery.LoadJobConfig", slot: Slot
    ) -> Any:
        """The done job that loaded the file into the table, under the slot's id; or another execution's."""

        def insert() -> Any:
            return self.client.load_table_from_file(
                pa.BufferReader(file.content),
                table,
                size=file.content.size,
                num_retries=UPLOAD_RETRIES,
                job_id=slot.job_id,
                project=slot.project,
                location=slot.location,
                job_config=settings,
                timeout=UPLOAD_SECONDS,
            )

        return self._done(insert, slot)

    def query(self, sql: str, labels: dict[str, str]) -> Any:
        """The done job that ran the statement under the attempt's id; or another execution's."""
        from google.cloud import bigquery

        def insert() -> Any:
            return self.client.query(
                sql,
                job_config=bigquery.QueryJobConfig(labels=labels),
                job_id=self.slot.job_id,
                project=self.slot.project,
                location=self.slot.location,
                timeout=SECONDS,
                retry=retry(),
                job_retry=None,  # it would try again under an id of its own
            )

        return self._done(insert, self.slot)

    def _done(self, insert: Callable[[], Any], slot: Slot) -> Any:
        """The job under the slot's id: inserted now, or by an earlier try of this attempt; when it is done.

        Raises what BigQuery says of a job that failed, and `AttemptClosed` where the id is taken by a job that is
        not this attempt's.
        """
        failpoint("job.before_insert")
        job = self._inserted(insert, slot)
        failpoint("job.after_insert")
        pause = _FIRST_PAUSE
        while job.state != "DONE":
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            job.reload(retry=retry(), timeout=SECONDS)
        if job.error_result:
            raise failure(job.error_result, self.destination)
        return job

    def _inserted(self, insert: Callable[[], Any], slot: Slot) -> Any:
        try:
            return insert()
        except exceptions.Conflict:
            # Also what the client makes of its own first insert, if the answer to that was lost on the way.
            job = self._find(slot)
            if job is None:
                raise self._closed() from None
            return job
        except (exceptions.ServerError, exceptions.RetryError, GoogleAuthError, OSError):
            # The insert may have landed all the same.
            job = self._find(slot)
            if job is None:
                raise
            return job

    def _find(self, slot: Slot) -> Any | None:
        """The job that has the slot's id, None if there is none. Raises `AttemptClosed` if it is not the attempt's."""
        for pause in (*_LAG, None):
            try:
                job = self.client.get_job(
                    slot.job_id, project=slot.project, location=slot.location, retry=retry(), timeout=SECONDS
                )
            except exceptions.Forbidden:
                raise self._closed() from None
            except exceptions.NotFound:
                if pause is not None:
                    time.sleep(pause)
                continue
            if not slot.holds(job):
                raise self._closed()
            return job
        return None

    def _closed(self) -> AttemptClosed:
        return AttemptClosed(
            f"{self.destination}: this attempt's BigQuery job id belongs to another job",
            "nothing was written; the run goes on with its next attempt, if it needs one",
        )
