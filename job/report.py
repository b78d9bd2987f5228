"""What an execution says when it ends: `RunCompleted` for its run or `PlanCompleted`, and the lines of the log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from job.errors import SchemaDrifted
from job.loading.load import Loaded
from job.reading.calls import Calls
from job.reading.read import Reading
from shared import log
from shared.clients import Clients
from shared.errors import SyncError
from shared.loaded import ColumnLoaded
from shared.messages import PlanCompleted, RunCompleted
from shared.plan import Plan
from shared.settings import JobSettings, PlanIdentity, RunIdentity

# Pub/Sub takes 10 MB, the ledger less: ten thousand columns of long names are left out, a load is not lost by it.
LARGEST_MESSAGE = 900_000
LONGEST_ERROR = 20_000
# Of what a plan says that is too large.
LONGEST_TOLD, MOST_TOLD = 1_000, 100
_SECONDS = 20


class Tally:
    """What one execution has done so far."""

    def __init__(self) -> None:
        self.calls: Calls | None = None
        self.reading: Reading | None = None
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Notes the wall time of a stage, in seconds, also when it fails."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - start, 3)

    @property
    def requests(self) -> int:
        """How many requests went to Sheets and Drive."""
        return self.calls.count if self.calls else 0

    @property
    def sheet_reads(self) -> int:
        """How many of them the Sheets quota counts."""
        return self.calls.reads if self.calls else 0


def bind(settings: JobSettings) -> None:
    """Puts the ids of the config, the run and the execution on every line of the log."""
    ids = {"config_id": settings.config.id, "execution": settings.execution}
    if settings.run:
        ids |= {"run_id": settings.run.run_id, "attempt": settings.run.run_attempt}
    log.bind(**{name: value for name, value in ids.items() if value is not None})


def tell_success(settings: JobSettings, clients: Clients, tally: Tally, loaded: Loaded) -> None:
    """Logs what was loaded, and tells the run's settling, if there is a run."""
    warnings = (*(tally.reading.warnings if tally.reading else ()), *loaded.warnings)
    log.info(
        loaded.verdict,
        rows=loaded.rows,
        job_id=loaded.job_id,
        requests=tally.requests,
        seconds=tally.seconds,
        warnings=warnings,
    )
    if settings.run:
        _tell(
            settings.run,
            settings.execution,
            clients,
            tally,
            outcome="succeeded",
            verdict=loaded.verdict,
            rows=loaded.rows,
            bytes=loaded.bytes,
            columns=tuple(ColumnLoaded(each.name, each.type, each.mode) for each in loaded.columns),
            schema_changes=loaded.changes,
            content_hash=loaded.content_hash,
            sheet_modified_at=tally.reading.modified_at if tally.reading else None,
            warnings=warnings,
        )


def tell_failure(settings: JobSettings, clients: Clients, tally: Tally, error: SyncError) -> None:
    """Logs what went wrong, and tells the run's settling, if there is a run.

    A warning in the log: the guide's failure metric counts the error's plain line, and each failure once.
    """
    log.warning("failed", error_class=error.name, retryable=error.retryable, seconds=tally.seconds)
    if settings.run:
        _tell(
            settings.run,
            settings.execution,
            clients,
            tally,
            outcome="failed",
            error_class=error.name,
            error=str(error)[:LONGEST_ERROR],
            remedy=error.remedy[:LONGEST_ERROR] or None,
            retryable=error.retryable,
            schema_changes=error.changes if isinstance(error, SchemaDrifted) else (),
            warnings=tally.reading.warnings if tally.reading else (),
        )


def tell_plan(wish: PlanIdentity, execution: str | None, clients: Clients, plan: Plan) -> bool:
    """Logs that a plan was made, and publishes it; False where it could not be: nobody hears of it then."""
    errors = [each.error_class for each in plan.errors]
    log.info("planned", plan_id=wish.plan_id, rows=plan.rows, requests=plan.requests, errors=errors)
    return _publish(
        wish.completion_topic, fitting_plan(PlanCompleted(wish.plan_id, execution or "unknown", plan)), clients
    )


def _completed(run: RunIdentity, execution: str | None, tally: Tally, **outcome: Any) -> RunCompleted:
    return RunCompleted(
        run_id=run.run_id,
        attempt=run.run_attempt,
        execution=execution or "unknown",
        requests=tally.requests,
        sheet_reads=tally.sheet_reads,
        seconds=tally.seconds,
        **outcome,
    )


def _tell(run: RunIdentity, execution: str | None, clients: Clients, tally: Tally, **outcome: Any) -> None:
    """Publishes what became of the run. The message is a hint, and without it the sweep finds the load."""
    _publish(run.completion_topic, fitting(_completed(run, execution, tally, **outcome)), clients)


def _publish(topic: str, data: bytes, clients: Clients) -> bool:
    """Whether Pub/Sub took it. Nothing, not even credentials that are no use, keeps the execution from ending as it
    did."""
    from google.api_core.retry import Retry

    try:
        messages: list[Any] = [{"data": data}]
        clients.publisher.publish(topic=topic, messages=messages, timeout=_SECONDS, retry=Retry(timeout=_SECONDS))
    except Exception as error:
        log.warning("did not publish the outcome", topic=topic, reason=type(error).__name__)
        return False
    return True


def fitting(completed: RunCompleted) -> bytes:
    """The message, without what makes it too large: first the columns, which the load job tells as well."""
    data = completed.encode()
    if len(data) > LARGEST_MESSAGE:
        data = msgspec.structs.replace(completed, columns=(), schema_changes=()).encode()
    return data


def fitting_plan(completed: PlanCompleted) -> bytes:
    """The message; where there is too much of them, without columns and changes, and with a word about that."""
    data = completed.encode()
    if len(data) > LARGEST_MESSAGE:
        plan, change = completed.plan, completed.plan.change
        told = f"{len(plan.columns):,} columns are too many to be told here: `job_helper.py plan` shows them"
        lesser = msgspec.structs.replace(
            plan,
            columns=(),
            change=msgspec.structs.replace(change, schema=(), left_out=()) if change else None,
            warnings=(*(each[:LONGEST_TOLD] for each in plan.warnings[:MOST_TOLD]), told),
            cells=plan.cells[:MOST_TOLD],
        )
        data = msgspec.structs.replace(completed, plan=lesser).encode()
    return data
