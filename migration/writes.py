"""Who wrote tables, by BigQuery's own record of jobs: INFORMATION_SCHEMA.JOBS_BY_PROJECT, kept for 180 days.

https://cloud.google.com/bigquery/docs/information-schema-jobs
"""

import contextlib
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared import load_job
from shared.asking import asking
from shared.identifier import identifier

if TYPE_CHECKING:
    from google.cloud import bigquery

_SECONDS = 120
# What `load_job.job_id` makes of a run's id and attempt.
_RUN_JOB = "^sheet_to_bigquery_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}_[0-9]+$"
# Jobs that failed wrote nothing; one that goes on may. `creation_time` is what the view is partitioned by, and an
# hour before the first moment asked for holds any job that ended after it. Runs' own jobs, of which there are far more
# than of any other, are told only where they are asked for.
_WRITES = """
SELECT job_id, user_email, job_type, statement_type, creation_time, end_time, labels,
    CONCAT(destination_table.project_id, '.', destination_table.dataset_id, '.', destination_table.table_id) AS written
FROM {project}.{region}.INFORMATION_SCHEMA.JOBS_BY_PROJECT
WHERE creation_time >= TIMESTAMP_SUB(@since, INTERVAL 1 HOUR)
  AND (end_time IS NULL OR end_time >= @since) AND error_result IS NULL
  AND CONCAT(destination_table.project_id, '.', destination_table.dataset_id, '.', destination_table.table_id)
      IN UNNEST(@tables)
  AND (@with_runs OR NOT REGEXP_CONTAINS(job_id, @run_job))
ORDER BY creation_time DESC LIMIT 10000
"""


class Write(msgspec.Struct, frozen=True):
    """A job that wrote a table, or is about to; times in UTC. `ended` is None while it goes on."""

    job_id: str
    project: str
    user: str
    kind: str
    table: str
    began: datetime
    ended: datetime | None
    labels: dict[str, str]

    @property
    def is_ours(self) -> bool:
        """Whether a run's attempt is it: the id is made of what the labels tell."""
        run, attempt = self.labels.get("run"), self.labels.get("attempt", "")
        return run is not None and attempt.isdecimal() and self.job_id == load_job.job_id(run, int(attempt))

    @property
    def writer(self) -> str:
        """Who it was: `ana@example.com (BigQuery job 1a2b, UPDATE)`."""
        return f"{self.user or 'somebody'} (BigQuery job {self.job_id}, {self.kind})"

    @property
    def is_by_hand(self) -> bool:
        """Whether the product's own job did it without a run: `job_helper.py execute`."""
        return not self.is_ours and self.job_id.startswith("sheet_to_bigquery_")


def writes(
    client: "bigquery.Client",
    tables: Collection[str],
    location: str,
    since: datetime,
    projects: Iterable[str] = (),
    *,
    with_runs: bool = True,
) -> list[Write]:
    """The jobs that wrote one of the tables (`project.dataset.table`) and ended since then, or have not ended; newest
    first. All tables are of one location, and cost one query a project.

    They are looked for in the tables' own projects, in the client's, and in `projects`: a job is told by the project
    that it was billed to, and no other. Raises `PermissionMissing` and `ServiceUnavailable`.
    """
    found: list[Write] = []
    own = sorted({table.rsplit(".", 2)[0] for table in tables})
    for project in dict.fromkeys((*own, client.project, *projects)):
        found += _writes_of(client, project, tables, location, since, with_runs)
    return sorted(found, key=lambda each: each.began, reverse=True)


def _writes_of(
    client: "bigquery.Client", project: str, tables: Collection[str], location: str, since: datetime, with_runs: bool
) -> list[Write]:
    from google.cloud import bigquery

    statement = _WRITES.format(project=identifier(project), region=identifier(f"region-{location.lower()}"))
    config = bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ScalarQueryParameter("since", "TIMESTAMP", since),
            bigquery.ArrayQueryParameter("tables", "STRING", sorted(tables)),
            bigquery.ScalarQueryParameter("with_runs", "BOOL", with_runs),
            bigquery.ScalarQueryParameter("run_job", "STRING", _RUN_JOB),
        ]
    )
    refused = f"grant bigquery.jobs.listAll (roles/bigquery.resourceViewer) in {project} to this identity"
    with asking(f"the jobs of {project}", missing="correct the project", refused=refused):
        rows = list(client.query(statement, job_config=config, location=location).result(timeout=_SECONDS))
    return [
        Write(
            job_id=row["job_id"],
            project=project,
            user=row["user_email"] or "",
            kind=row["statement_type"] or row["job_type"],
            table=row["written"],
            began=row["creation_time"],
            ended=row["end_time"],
            labels={label["key"]: label["value"] for label in row["labels"] or ()},
        )
        for row in rows
    ]


def end_of_attempt(client: "bigquery.Client", run_id: str, attempt: int, place: tuple[str, str]) -> datetime | None:
    """When the job of a run's attempt ended, in the (project, location) of its run; None where it cannot be seen."""
    from google.api_core import exceptions

    from shared.asking import BRIEF_RETRY, SECONDS

    with contextlib.suppress(exceptions.NotFound, exceptions.Forbidden):
        job = client.get_job(
            load_job.job_id(run_id, attempt), project=place[0], location=place[1], retry=BRIEF_RETRY, timeout=SECONDS
        )
        if job.state == "DONE" and load_job.is_of(job, run_id, attempt):
            ended: datetime | None = job.ended
            return ended
    return None
