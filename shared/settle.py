"""Settling: the only code that closes an attempt. An attempt is closed when a job under its BigQuery job id is done."""

import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from shared import load_job, log
from shared.errors import ExecutionFailed, LoadFailed, SyncError
from shared.executions import Executions
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.messages import RunCompleted
from shared.retry import retry_at
from shared.run import Closed, Failure, Run
from shared.settings import Settings
from shared.states import State

if TYPE_CHECKING:
    from google.cloud import bigquery

BigQuery = Callable[[str], "bigquery.Client"]
Settled = Literal["open", "succeeded", "retried", "failed", "cancelled", "settled_before"]
# What closing an attempt without a load makes of its run, and how that is told.
_SETTLED: Mapping[State, Settled] = {"pending": "retried", "failed": "failed", "cancelled": "cancelled"}


def settle(
    run: Run,
    store: Store,
    bigquery_of: BigQuery,
    executions: Executions,
    settings: Settings,
    completed: RunCompleted | None = None,
) -> Settled:
    """Looks at the attempt's one BigQuery job and closes the attempt if it can be closed; else looks again later.

    Where a person wished to cancel the run, its attempt is closed at once; a load that was faster is a success.
    `completed` is what an execution said of itself: a hint, believed in its details only where BigQuery's job
    names that execution. Raises `ServiceUnavailable` or `PermissionMissing` where looking is not possible now.
    """
    if not run.in_flight or run.job_project is None or run.job_location is None:
        return "settled_before"
    now = store.now()
    client, location = bigquery_of(run.job_project), run.job_location
    seen = load_job.look(client, run.id, run.attempt, location)
    failpoint("settle.after_look")
    if seen.found == "absent":
        run = _with_execution(run, store, executions, now)
        if _has_ended(run, executions, now, completed):
            failpoint("settle.before_burn")
            seen = load_job.burn(client, run.id, run.attempt, location)
            failpoint("settle.after_burn")
    if seen.found in ("absent", "going"):
        store.extend_lease(run, now + timedelta(seconds=settings.lease_seconds))
        return "open"
    if seen.found == "done":
        return _succeed(run, seen, store, executions, settings, completed)
    # What another execution of the attempt took is nothing that this one's reads are counted by.
    own = completed if _speaks_for(run, completed) else None
    settled = fail(run, _failure(run, seen, executions, completed), store, settings, own)
    if run.execution and (_is_past(run.deadline, now) or settled == "cancelled"):
        executions.cancel(run.execution)  # only frees capacity: the attempt is closed already
    return settled


def fail(
    run: Run, failure: Failure, store: Store, settings: Settings, completed: RunCompleted | None = None
) -> Settled:
    """Records a closed attempt that loaded nothing: the run tries again later, or has failed for good."""
    now = store.now()
    again = failure.retryable and run.failures + 1 < settings.max_attempts
    next_attempt = retry_at(now, run.failures, settings.retry_seconds) if again else None
    closed = store.fail(run, failure, now, next_attempt, completed, settings.pause_after_failures)
    if closed is None:
        return "settled_before"
    tell_closed(run, closed, failure, now, next_attempt)
    return _SETTLED[closed.state]


def tell_closed(
    run: Run, closed: Closed, failure: Failure, now: datetime, next_attempt: datetime | None = None
) -> None:
    """The log's line for a run that loaded nothing, and for its config if that is paused with it."""
    ids = {"run_id": run.id, "config_id": run.config_id, "attempt": run.attempt}
    if closed.state == "cancelled":
        log.info("cancelled", **ids)
        return
    why = {"error_class": failure.error_class, "error": failure.error}
    if closed.state == "failed":
        log.warning("failed", **ids, **why, seconds_since_due=run.seconds_since_due(now))
    else:
        again = {"not_before": next_attempt.isoformat()} if next_attempt and closed.state == "pending" else {}
        log.warning("put_back", **ids, **why, **again)
    if closed.paused:
        log.error("paused", config_id=run.config_id, run_id=run.id, error_class=failure.error_class)


def short_name(execution: str | None) -> str | None:
    """Cloud Run's short name of an execution, as the job's labels and messages have it."""
    return execution.rsplit("/", 1)[-1] if execution else None


def _succeed(
    run: Run,
    seen: load_job.Look,
    store: Store,
    executions: Executions,
    settings: Settings,
    completed: RunCompleted | None,
) -> Settled:
    details = completed if completed and completed.execution == seen.execution else None
    name = executions.full_name(seen.execution) if seen.execution else None
    now = store.now()
    if not store.succeed(
        run,
        now,
        execution=name,
        verdict=seen.verdict,
        rows=seen.rows,
        columns=seen.columns,
        content_hash=seen.content_hash,
        details=details,
        tell=settings.notify_success,
    ):
        return "settled_before"
    log.info(
        "succeeded",
        run_id=run.id,
        config_id=run.config_id,
        attempt=run.attempt,
        verdict=seen.verdict,
        rows=seen.rows,
        why=run.why,
        seconds_since_due=run.seconds_since_due(now),
    )
    return "succeeded"


def _with_execution(run: Run, store: Store, executions: Executions, now: datetime) -> Run:
    """The run with its execution's name, looked for where RunJob's answer was lost and has had its time to come."""
    if run.execution is not None or not (_is_past(run.lease_until, now) or _is_past(run.deadline, now)):
        return run
    name = executions.find(run.id, run.attempt)
    if name is None:
        return run
    note_execution(run, name, store)
    return msgspec.structs.replace(run, state="running", execution=name)


def note_execution(run: Run, execution: str, store: Store) -> None:
    """Notes an execution that was found, or spoke itself, where RunJob's answer was lost."""
    if store.note_execution(run.id, run.attempt, execution):
        log.info("found_running", run_id=run.id, config_id=run.config_id, attempt=run.attempt, execution=execution)


def _has_ended(run: Run, executions: Executions, now: datetime, completed: RunCompleted | None) -> bool:
    """Whether the attempt's execution will load nothing any more, has had its time, or is not wanted any more."""
    if _is_past(run.deadline, now) or run.cancel_requested_at is not None:
        return True
    if _speaks_for(run, completed) and completed is not None and completed.outcome == "failed":
        return True
    look = executions.look(run.execution) if run.execution else None
    # One that Cloud Run does not know may still be starting, for a lease.
    return look.ended if look else _is_past(run.lease_until, now)


def _is_past(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and now >= instant


def _speaks_for(run: Run, completed: RunCompleted | None) -> bool:
    """Whether a message is of the attempt's own execution."""
    return (
        completed is not None and completed.attempt == run.attempt and completed.execution == short_name(run.execution)
    )


def _failure(run: Run, seen: load_job.Look, executions: Executions, completed: RunCompleted | None) -> Failure:
    """Why the attempt failed: in the execution's own words if it spoke, else by what BigQuery or Cloud Run show."""
    if completed and completed.explains and _speaks_for(run, completed):
        return Failure.told_by(completed)
    if seen.found == "failed":
        return Failure.of(LoadFailed(f"BigQuery's load job failed ({seen.reason})", "the table is as it was"))
    look = None
    if run.execution:
        with contextlib.suppress(SyncError):  # the attempt is closed: knowing why less well must not keep it open
            look = executions.look(run.execution)
    said = look.message if look and look.ended else "Cloud Run shows no end of it"
    name = short_name(run.execution) or "no execution"
    return Failure.of(ExecutionFailed(f"{name} loaded nothing: {said}", "its log tells why"))
