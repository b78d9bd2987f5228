"""What Cloud Run really used, by Cloud Monitoring: instance time, CPU and memory of a service or of a job.

https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list, and for the metrics
https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import msgspec

from shared.clients import UNANSWERED

ENDPOINT = "https://monitoring.googleapis.com"
_SECONDS = 20
# The metric, by the field that it fills: seconds, vCPU-seconds, GiB-seconds.
_METRICS = {
    "instance_seconds": "run.googleapis.com/container/billable_instance_time",
    "cpu_seconds": "run.googleapis.com/container/cpu/allocation_time",
    "gib_seconds": "run.googleapis.com/container/memory/allocation_time",
}
_RESOURCES = {"service": ("cloud_run_revision", "service_name"), "job": ("cloud_run_job", "job_name")}


class Used(msgspec.Struct, frozen=True):
    """What was used in a span: instance time that is billed, and CPU and memory while instances had them."""

    instance_seconds: float
    cpu_seconds: float
    gib_seconds: float


class Answer(Protocol):
    status_code: int

    def json(self) -> Any: ...


class Caller(Protocol):
    """`google.auth.transport.requests.AuthorizedSession` is one."""

    def get(self, url: str, *, params: Mapping[str, str], timeout: float) -> Answer: ...


class _Value(msgspec.Struct, rename="camel"):
    double_value: float = 0.0
    # Sums of whole numbers come as text, as all of Google's 64-bit integers do in JSON.
    int64_value: str = "0"


class _Point(msgspec.Struct):
    value: _Value


class _Series(msgspec.Struct):
    points: list[_Point] = []


class _Page(msgspec.Struct, rename="camel"):
    time_series: list[_Series] = []
    next_page_token: str = ""


def used(
    caller: Caller,
    project: str,
    kind: Literal["service", "job"],
    name: str,
    span: tuple[datetime, datetime],
    endpoint: str = ENDPOINT,
) -> tuple[Used | None, str | None]:
    """What the service or job of this name used in the span; where Monitoring cannot be asked, the sentence why."""
    values = {}
    for field, metric in _METRICS.items():
        try:
            values[field], refused = _sum(caller, project, _filter(metric, kind, name), span, endpoint)
        except UNANSWERED as error:
            return (
                None,
                f"Cloud Monitoring cannot be reached ({type(error).__name__}): only the ledger's times are told",
            )
        except msgspec.MsgspecError:
            return None, "Cloud Monitoring answers in a shape that is not understood: only the ledger's times are told"
        if refused is not None:
            return None, (
                f"Cloud Monitoring refuses ({refused}): grant roles/monitoring.viewer in {project} to this identity;"
                " only the ledger's times are told"
            )
    return Used(**values), None


def _filter(metric: str, kind: str, name: str) -> str:
    resource, label = _RESOURCES[kind]
    return f'metric.type = "{metric}" AND resource.type = "{resource}" AND resource.labels.{label} = "{name}"'


def _sum(
    caller: Caller, project: str, wanted: str, span: tuple[datetime, datetime], endpoint: str
) -> tuple[float, int | None]:
    """The metric's sum over all instances, page by page, or the status of an answer that is a refusal."""
    since, until = span
    asked = {
        "filter": wanted,
        "interval.startTime": _timestamp(since),
        "interval.endTime": _timestamp(until),
        "aggregation.alignmentPeriod": f"{max(60, int((until - since).total_seconds()))}s",
        "aggregation.perSeriesAligner": "ALIGN_SUM",
        "aggregation.crossSeriesReducer": "REDUCE_SUM",
    }
    total, token = 0.0, ""
    while True:
        page_of = {"pageToken": token} if token else {}
        answer = caller.get(f"{endpoint}/v3/projects/{project}/timeSeries", params=asked | page_of, timeout=_SECONDS)
        if answer.status_code != 200:
            return 0.0, answer.status_code
        page = msgspec.convert(answer.json(), _Page)
        points = [point.value for series in page.time_series for point in series.points]
        total += sum(point.double_value + int(point.int64_value) for point in points)
        token = page.next_page_token
        if not token:
            return total, None


def _timestamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
