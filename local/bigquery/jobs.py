"""Jobs: their identity, their states over time, and what is kept of them."""

from dataclasses import dataclass
from typing import Any

from local.bigquery.clock import now_ms
from local.bigquery.errors import BigQueryError, already_exists, not_found
from local.bigquery.names import MULTI_REGIONS, JobName, canonical_location
from local.bigquery.store import Store, from_json, to_json

PENDING, RUNNING, DONE = "PENDING", "RUNNING", "DONE"


@dataclass(frozen=True)
class Job:
    """A job as stored; `upload` names the file that a load job reads."""

    name: JobName
    resource: dict[str, Any]
    upload: str | None = None

    @property
    def state(self) -> str:
        return str(self.resource["status"]["state"])

    @property
    def is_done(self) -> bool:
        return self.state == DONE

    @property
    def configuration(self) -> dict[str, Any]:
        configuration: dict[str, Any] = self.resource["configuration"]
        return configuration

    @property
    def type(self) -> str:
        """`LOAD`, `QUERY` or `COPY`."""
        return str(self.configuration["jobType"])

    @property
    def error(self) -> dict[str, str] | None:
        return self.resource["status"].get("errorResult")


class Jobs:
    """The stored jobs. An id stays taken after its job failed: that is what fences a repeated insert."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def check_free(self, name: JobName) -> None:
        """Raises duplicate if the project has a job of this id in this location."""
        if self._find(name) is not None:
            raise already_exists("Job", name)

    def insert(self, name: JobName, configuration: dict[str, Any], upload: str | None) -> Job:
        """A new job in state PENDING. Raises duplicate."""
        self.check_free(name)
        created = now_ms()
        resource = {
            "kind": "bigquery#job",
            "id": str(name),
            "jobReference": name.as_reference(),
            "configuration": configuration,
            "status": {"state": PENDING},
            "statistics": {"creationTime": str(created)},
            "user_email": f"local@{name.project}.iam.gserviceaccount.com",
            "jobCreationReason": {"code": "REQUESTED"},
        }
        statement = "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._store.run(statement, *name, PENDING, created, to_json(resource), upload)
        return Job(name, resource, upload)

    def get(self, project: str, job: str, location: str | None) -> Job:
        """By id and location. Without one, the US and EU multi-regions are looked at, as the reference of
        jobs.get says. Raises notFound."""
        locations = [canonical_location(location)] if location else list(MULTI_REGIONS)
        for place in locations:
            found = self._find(JobName(project, place, job))
            if found is not None:
                return found
        raise not_found("Job", JobName(project, locations[0], job))

    def unfinished(self) -> list[Job]:
        """The jobs that a server which was killed had accepted."""
        statement = "SELECT project, location, job_id, resource, upload FROM jobs WHERE state <> ? ORDER BY created_ms"
        return [
            Job(JobName(project, location, job), from_json(resource), upload)
            for project, location, job, resource, upload in self._store.rows(statement, DONE)
        ]

    def of_project(self, project: str) -> list[Job]:
        """Newest first."""
        statement = (
            "SELECT location, job_id, resource, upload FROM jobs WHERE project = ? ORDER BY created_ms DESC, rowid DESC"
        )
        return [
            Job(JobName(project, location, job), from_json(resource), upload)
            for location, job, resource, upload in self._store.rows(statement, project)
        ]

    def started(self, job: Job) -> Job:
        statistics = {**job.resource["statistics"], "startTime": str(now_ms())}
        return self._put(job, {"state": RUNNING}, statistics)

    def succeeded(self, job: Job, statistics: dict[str, Any], configuration: dict[str, Any] | None = None) -> Job:
        """Done; call it in the transaction that writes the job's result."""
        return self._put(job, {"state": DONE}, _ended(job, statistics), configuration)

    def failed(self, job: Job, error: BigQueryError, details: tuple[BigQueryError, ...] = ()) -> Job:
        proto = error.as_proto()
        errors = [proto, *(detail.as_proto() for detail in details)]
        return self._put(job, {"state": DONE, "errorResult": proto, "errors": errors}, _ended(job, {}))

    def delete(self, job: Job) -> None:
        self._store.run("DELETE FROM jobs WHERE project = ? AND location = ? AND job_id = ?", *job.name)

    def upload_names(self) -> set[str]:
        """The files that unfinished jobs will read."""
        return {job.upload for job in self.unfinished() if job.upload}

    def _find(self, name: JobName) -> Job | None:
        statement = "SELECT resource, upload FROM jobs WHERE project = ? AND location = ? AND job_id = ?"
        rows = self._store.rows(statement, *name)
        return Job(name, from_json(rows[0][0]), rows[0][1]) if rows else None

    def _put(
        self,
        job: Job,
        status: dict[str, Any],
        statistics: dict[str, Any],
        configuration: dict[str, Any] | None = None,
    ) -> Job:
        resource = {**job.resource, "status": status, "statistics": statistics}
        if configuration:
            resource["configuration"] = configuration
        self._store.run(
            "UPDATE jobs SET state = ?, resource = ? WHERE project = ? AND location = ? AND job_id = ?",
            status["state"],
            to_json(resource),
            *job.name,
        )
        return Job(job.name, resource, job.upload)


def _ended(job: Job, statistics: dict[str, Any]) -> dict[str, Any]:
    times = {
        key: job.resource["statistics"][key]
        for key in ("creationTime", "startTime")
        if key in job.resource["statistics"]
    }
    return {**times, **statistics, "endTime": str(now_ms())}
