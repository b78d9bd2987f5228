"""The BigQuery job id that an execution may use: the fence that makes a run load once."""

import uuid
from typing import Any

import msgspec

from shared import load_job
from shared.settings import JobSettings, RunIdentity


class Slot(msgspec.Struct, frozen=True):
    """A job id with its project and location, in which alone it is unique, and the labels that tell whose it is.

    `run` is absent where a person started the job by hand: the id is then the execution's alone.
    """

    project: str
    location: str
    job_id: str
    labels: dict[str, str]
    run: RunIdentity | None = None

    @property
    def fixed(self) -> bool:
        """Whether the location is the run's, stored with it, and not to be chosen."""
        return self.run is not None

    def holds(self, job: Any) -> bool:
        """Whether a job found under the id is this attempt's, by whichever of its executions, and no burn."""
        if self.run is None:
            return True
        burned = (job.labels or {}).get("verdict") == "burned"
        return load_job.is_of(job, self.run.run_id, self.run.run_attempt) and not burned

    def saying(self, verdict: load_job.Done, content: str, rows: int) -> dict[str, str]:
        """The labels of a job that does this with such content."""
        return self.labels | {"verdict": verdict} | load_job.content_labels(content, rows)

    def staging(self) -> "Slot":
        """The id under which a merge's rows are staged, before the job under the attempt's own id writes the table."""
        return msgspec.structs.replace(self, job_id=f"{self.job_id}_staging")


def slot_of(settings: JobSettings) -> Slot:
    """The run's slot; without a run one made from the execution, or a fresh one where there is not even that."""
    run = settings.run
    if run is None:
        start = f"{settings.execution}_{settings.task_attempt}" if settings.execution else uuid.uuid4().hex
        project = settings.config.google_cloud_project_id
        return Slot(project, settings.bigquery_location, f"sheet_to_bigquery_{start}", {})
    return Slot(
        project=run.bigquery_job_project,
        location=run.bigquery_location,
        job_id=load_job.job_id(run.run_id, run.run_attempt),
        labels=load_job.labels(run.run_id, run.run_attempt, (settings.execution or "unknown").lower(), "loaded"),
        run=run,
    )
