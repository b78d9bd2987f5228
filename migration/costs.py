"""Time, resources and cost of both systems side by side, over a span of days."""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from migration.metrics import Used
from migration.prices import Prices
from migration.sizes import Size
from shared.asking import asking
from shared.identifier import identifier
from shared.ledger.usage_queries import UsageQueries
from shared.usage import JobUse, ServiceUse

if TYPE_CHECKING:
    from google.cloud import bigquery

_SECONDS = 120
# By the labels that every job of a run has. Queries are billed by the bytes they read, loads are not.
_BILLED = """
SELECT COUNT(*) AS jobs, COALESCE(SUM(total_bytes_billed), 0) AS billed
FROM {project}.{region}.INFORMATION_SCHEMA.JOBS_BY_PROJECT
WHERE creation_time >= @since AND creation_time < @until AND STARTS_WITH(job_id, 'sheet_to_bigquery_')
"""


class Billed(msgspec.Struct, frozen=True):
    """The job's own BigQuery jobs in one location, and the bytes that they are billed for."""

    jobs: int
    bytes_billed: int


class Side(msgspec.Struct, frozen=True):
    """One system's resources and cost, in US dollars. `measured` tells whether Cloud Monitoring said so; else they are
    reckoned from the ledger's times and the instance's size, and hold no idle time."""

    instance_seconds: float
    cpu_seconds: float
    gib_seconds: float
    compute_cost: float
    query_cost: float
    measured: bool

    @property
    def cost(self) -> float:
        return self.compute_cost + self.query_cost


class Costs(msgspec.Struct, frozen=True):
    """Both systems from `since` to `until`: what they did, what it took, and what that costs at these prices.

    `service_use` knows only what was forwarded: what the portal sent the service directly is in its metrics alone.
    """

    since: datetime
    until: datetime
    job_use: tuple[JobUse, ...]
    service_use: ServiceUse
    job: Side
    service: Side
    prices: Prices
    notes: tuple[str, ...] = ()


def billed(client: "bigquery.Client", location: str, span: tuple[datetime, datetime]) -> Billed:
    """What BigQuery bills the client's project for the job's own jobs in this location.

    Raises `PermissionMissing` without bigquery.jobs.listAll, and `ServiceUnavailable`.
    """
    from google.cloud import bigquery

    statement = _BILLED.format(project=identifier(client.project), region=identifier(f"region-{location.lower()}"))
    moments = [
        bigquery.ScalarQueryParameter(name, "TIMESTAMP", moment)
        for name, moment in zip(("since", "until"), span, strict=True)
    ]
    refused = f"grant bigquery.jobs.listAll (roles/bigquery.resourceViewer) in {client.project} to this identity"
    with asking(f"the jobs of {client.project}", missing="correct the project", refused=refused):
        config = bigquery.QueryJobConfig(query_parameters=moments)
        (row,) = client.query(statement, job_config=config, location=location).result(timeout=_SECONDS)
    return Billed(row["jobs"], row["billed"])


def compare_costs(
    store: UsageQueries,
    span: tuple[datetime, datetime],
    prices: Prices,
    *,
    job_size: Size,
    service_size: Size,
    job_used: Used | None = None,
    service_used: Used | None = None,
    job_billed: Billed | None = None,
    notes: tuple[str, ...] = (),
) -> Costs:
    """Both systems side by side; `notes` say what could not be asked.

    What is not measured is reckoned from the ledger's times and the sizes: each run with a minute at least, and the
    service's requests as if each had an instance to itself.
    """
    job_use, service_use = tuple(store.job_use(*span)), store.service_use(*span)
    job = job_used or _reckoned(sum(each.billed_seconds for each in job_use), job_size)
    service = service_used or _reckoned(service_use.seconds, service_size)
    queries = prices.queries(job_billed.bytes_billed) if job_billed else 0.0
    return Costs(
        since=span[0],
        until=span[1],
        job_use=job_use,
        service_use=service_use,
        job=_side(job, prices.job(job.cpu_seconds, job.gib_seconds), queries, job_used is not None),
        service=_side(
            service,
            prices.service(service.cpu_seconds, service.gib_seconds, service_use.messages),
            0.0,  # it loads, and BigQuery's loads are free
            service_used is not None,
        ),
        prices=prices,
        notes=notes,
    )


def _reckoned(seconds: float, size: Size) -> Used:
    return Used(seconds, seconds * size.cpu, seconds * size.gib)


def _side(used: Used, compute: float, queries: float, measured: bool) -> Side:
    return Side(used.instance_seconds, used.cpu_seconds, used.gib_seconds, compute, queries, measured)
