"""The fence: the one BigQuery job id that an attempt has, who holds it, and burning it.

Job ids are unique per project and location, so whatever takes an attempt's id first, the load or a burn, is
the attempt's only word: a second insert meets 409.
"""

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
from google.api_core import exceptions

from shared.clients import UNANSWERED
from shared.column import current_type
from shared.errors import PermissionMissing, ServiceUnavailable
from shared.loaded import ColumnLoaded

if TYPE_CHECKING:
    from google.cloud import bigquery

# How an attempt ended that is no failure; `unchanged` and `kept`: by a query that writes nothing.
Done = Literal["loaded", "unchanged", "kept"]
Verdict = Literal[Done, "burned"]
_DONE: tuple[Done, ...] = get_args(Done)
# The library's own patience is ten minutes; a function has one.
_SECONDS = 20


class Look(msgspec.Struct, frozen=True):
    """What stands under an attempt's id.

    `absent`: nothing. `going`: the attempt's job, not done. `done`: it is done, as its `verdict` says. `failed`: it
    ended with an error, or is somebody else's job. `burned`: a burn. `rows` are the sheet's, `columns` those that a
    load wrote (other kinds of jobs do not tell).
    """

    found: Literal["absent", "going", "done", "failed", "burned"]
    verdict: Done = "loaded"
    execution: str | None = None
    content_hash: str | None = None
    rows: int | None = None
    columns: tuple[ColumnLoaded, ...] = ()
    reason: str | None = None


def job_id(run_id: str, attempt: int) -> str:
    """The attempt's job id; with the attempt's number, since a failed job keeps its name for ever."""
    return f"sheet_to_bigquery_{run_id}_{attempt}"


def labels(run_id: str, attempt: int, execution: str, verdict: Verdict) -> dict[str, str]:
    """The labels that tell whose job it is; `execution` is Cloud Run's short name, at most 63 characters."""
    return {"run": run_id, "attempt": str(attempt), "execution": execution[:63], "verdict": verdict}


def content_labels(content_hash: str, rows: int) -> dict[str, str]:
    """The labels that tell what an attempt's job is about: the content, by its hash, and how many rows it has."""
    return {"content": content_hash, "rows": str(rows)}


def is_of(job: Any, run_id: str, attempt: int) -> bool:
    """Whether a job under an attempt's id is this run's and attempt's."""
    found = job.labels or {}
    return found.get("run") == run_id and found.get("attempt") == str(attempt)


def look(client: "bigquery.Client", run_id: str, attempt: int, location: str) -> Look:
    """What stands under the attempt's id now. Raises `ServiceUnavailable` or `PermissionMissing`."""
    from google.cloud.bigquery import DEFAULT_RETRY

    try:
        job = client.get_job(
            job_id(run_id, attempt), location=location, timeout=_SECONDS, retry=DEFAULT_RETRY.with_timeout(_SECONDS)
        )
    except exceptions.NotFound:
        return Look("absent")
    except UNANSWERED as error:
        raise _translated(error) from error
    return _seen(job, run_id, attempt)


def burn(client: "bigquery.Client", run_id: str, attempt: int, location: str) -> Look:
    """Takes the attempt's id with a query that writes nothing, so that no load can; tells what stands there then.

    A load that was faster wins: its look comes back instead. Raises `ServiceUnavailable` or `PermissionMissing`.
    """
    from google.cloud import bigquery

    config = bigquery.QueryJobConfig(labels=labels(run_id, attempt, "none", "burned"))
    try:
        client.query(
            "SELECT 1",
            job_config=config,
            job_id=job_id(run_id, attempt),
            location=location,
            timeout=_SECONDS,
            retry=bigquery.DEFAULT_RETRY.with_timeout(_SECONDS),
            job_retry=None,
        )
    except exceptions.Conflict:
        pass  # a load, an earlier burn, or this one, whose answer was lost: the look tells
    except UNANSWERED as error:
        raise _translated(error) from error
    seen = look(client, run_id, attempt, location)
    if seen.found == "absent":  # jobs.get can lag behind a 409 for a moment
        raise ServiceUnavailable("BigQuery does not show a job that it has", "the run is looked at again")
    return seen


def _seen(job: Any, run_id: str, attempt: int) -> Look:
    if not is_of(job, run_id, attempt):
        return Look("failed", reason="a job of somebody else's has this attempt's id")
    if job.labels.get("verdict") == "burned":
        return Look("burned")
    execution = job.labels.get("execution")
    if job.state != "DONE":
        return Look("going", execution=execution)
    if job.error_result:
        # Only the reason: BigQuery's messages may quote values.
        return Look("failed", execution=execution, reason=job.error_result.get("reason", "unknown"))
    return done(job)


def done(job: Any) -> Look:
    """What an attempt's job that is done, and no burn, tells of its outcome."""
    labels = job.labels or {}
    return Look(
        "done",
        verdict=next((verdict for verdict in _DONE if verdict == labels.get("verdict")), "loaded"),
        execution=labels.get("execution"),
        content_hash=labels.get("content"),
        rows=_rows(job),
        columns=_columns(job),
    )


def _columns(job: Any) -> tuple[ColumnLoaded, ...]:
    """Those that a load wrote; a query's schema is that of its answer."""
    fields = job.schema if job.job_type == "load" else None
    return tuple(
        ColumnLoaded(field.name, current_type(field.field_type), field.mode or "NULLABLE") for field in fields or ()
    )


def _rows(job: Any) -> int | None:
    """BigQuery's own count of what a load wrote; a query's label, since it counts what it changed."""
    if job.job_type == "load":
        return job.output_rows
    told = (job.labels or {}).get("rows", "")
    return int(told) if told.isdecimal() else None


def _translated(error: Exception) -> Exception:
    if isinstance(error, exceptions.Forbidden):
        return PermissionMissing(
            "BigQuery refuses to show or insert jobs",
            "grant bigquery.jobs.create and bigquery.jobs.get in the job project",
        )
    return ServiceUnavailable(f"BigQuery did not answer ({type(error).__name__})", "the run is looked at again")
