"""Running jobs: each is a task on the event loop, from PENDING over RUNNING to DONE."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from local.bigquery.errors import BigQueryError
from local.bigquery.jobs import Job
from local.bigquery.names import JobName
from local.bigquery.warehouse import Warehouse

log = logging.getLogger("local.bigquery")

Run = Callable[[Warehouse, Job], Awaitable[None]]

CANCELLED = BigQueryError(400, "stopped", "Job execution was cancelled: User requested cancellation")


class Runner:
    """Starts what `runs` says for a job's type; a run commits its result and the job's success in one transaction."""

    def __init__(self, warehouse: Warehouse, runs: dict[str, Run]) -> None:
        self._warehouse = warehouse
        self._runs = runs
        self._tasks: dict[JobName, asyncio.Task[None]] = {}

    def start(self, job: Job) -> None:
        task = asyncio.create_task(self._run(job), name=str(job.name))
        self._tasks[job.name] = task
        task.add_done_callback(lambda _: self._tasks.pop(job.name, None))

    def resume(self) -> None:
        """Run again what a killed server had accepted and not finished: it left no trace in any table."""
        for job in self._warehouse.jobs.unfinished():
            self.start(job)

    async def wait(self, name: JobName, seconds: float) -> None:
        """Until the job is done, or that long."""
        task = self._tasks.get(name)
        if task is not None:
            await asyncio.wait({task}, timeout=seconds)

    async def cancel(self, job: Job) -> None:
        """Best effort, as in BigQuery: a job that is done stays as it is."""
        task = self._tasks.get(job.name)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def stop(self) -> None:
        """At shutdown: unfinished jobs stay as they are and run again at the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel("shutdown")
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, job: Job) -> None:
        jobs = self._warehouse.jobs
        job = jobs.started(job)
        try:
            async with asyncio.timeout(_seconds_allowed(job)):
                await self._runs[job.type](self._warehouse, job)
        except BigQueryError as error:
            jobs.failed(job, error)
        except TimeoutError:
            jobs.failed(
                job, BigQueryError(400, "stopped", f"Operation timed out after {_seconds_allowed(job)} seconds.")
            )
        except asyncio.CancelledError as cancelled:
            if cancelled.args == ("shutdown",):
                raise
            jobs.failed(job, CANCELLED)
        except Exception as error:
            log.exception("job %s failed by a fault of this server", job.name)
            jobs.failed(
                job,
                BigQueryError(500, "internalError", f"An internal error occurred: {type(error).__name__}"),
            )
        if job.upload:
            self._warehouse.uploads.drop([job.upload])


def _seconds_allowed(job: Job) -> float | None:
    """The job's own limit (jobTimeoutMs); what it would have written is then not written."""
    limit = job.configuration.get("jobTimeoutMs")
    return int(limit) / 1000 if limit else None
