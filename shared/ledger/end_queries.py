"""The ledger's queries by which attempts are closed and runs end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from shared.ledger import end_statements
from shared.ledger.queries import Queries, to_json
from shared.loaded import ColumnLoaded
from shared.messages import RunCompleted
from shared.run import Closed, Failure, Run
from shared.states import State

# What of an execution's message is kept as JSON.
_LISTS = ("columns", "schema_changes", "warnings")


class EndQueries(Queries):
    """Ends: each in one statement, with what has to happen in the same moment."""

    def give_back(self, run: Run, now: datetime, not_before: datetime, failure: Failure) -> Closed | None:
        """Cloud Run had no room: the run waits until then, and nothing failed. None where it is in flight no more."""
        return _closed(
            self._run(
                end_statements.GIVE_BACK,
                run_id=run.id,
                attempt=run.attempt,
                now=now,
                not_before=not_before,
                error_class=failure.error_class,
                error=failure.error,
                remedy=failure.remedy,
            )
        )

    def end_unclaimed(
        self, run: Run, state: Literal["failed", "cancelled"], failure: Failure, now: datetime, pause_after: int
    ) -> Closed | None:
        """Ends a queued run whose config cannot be run. None where it is not queued any more."""
        return _closed(
            self._run(
                end_statements.END_UNCLAIMED,
                run_id=run.id,
                state=state,
                now=now,
                permanent=state == "failed" and not failure.retryable,
                pause_after=pause_after,
                error_class=failure.error_class,
                error=failure.error,
                remedy=failure.remedy,
            )
        )

    def cancel(self, run_id: str, now: datetime) -> State | None:
        """A person's wish: what waits is `cancelled` at once; an attempt in flight is for settling to close.

        None where the run had ended, or is nobody's.
        """
        rows = self._run(end_statements.CANCEL, run_id=run_id, now=now)
        return rows[0][0] if rows else None

    def succeed(
        self,
        run: Run,
        now: datetime,
        *,
        execution: str | None,
        verdict: str,
        rows: int | None,
        columns: Sequence[ColumnLoaded],
        content_hash: str | None,
        details: RunCompleted | None,
        tell: bool = False,
    ) -> bool:
        """A closed load ends its run as succeeded, and `last_run` moves. False where it had ended already.

        People are told where the run before it failed, or where `tell` is true.

        `verdict`, `rows`, `columns` and `content_hash` are BigQuery's word; what it does not tell, `details` may.
        """
        values = _details(details)
        if columns:
            values["columns"] = to_json(columns)
        if rows is not None:
            values["rows"] = rows
        return bool(
            self._run(
                end_statements.SUCCEED,
                run_id=run.id,
                attempt=run.attempt,
                now=now,
                execution=execution,
                verdict=verdict,
                content_hash=content_hash,
                tell_success=tell,
                **values,
            )
        )

    def add_details(self, details: RunCompleted, execution: str) -> None:
        """What the execution's message tells, for a run that was settled before the message came."""
        self._run(
            end_statements.ADD_DETAILS,
            run_id=details.run_id,
            attempt=details.attempt,
            execution=execution,
            **_details(details),
        )

    def correct_failure(
        self, run: Run, failure: Failure, now: datetime, details: RunCompleted, pause_after: int
    ) -> Closed | None:
        """What the execution says itself, for an attempt that was closed as `ExecutionFailed` before that came."""
        return _closed(
            self._run(
                end_statements.CORRECT_FAILURE,
                run_id=run.id,
                attempt=run.attempt,
                execution=run.execution,
                now=now,
                error_class=failure.error_class,
                error=failure.error,
                remedy=failure.remedy,
                retryable=failure.retryable,
                pause_after=pause_after,
                **_cost(details),
            )
        )

    def fail(
        self,
        run: Run,
        failure: Failure,
        now: datetime,
        retry_at: datetime | None,
        details: RunCompleted | None,
        pause_after: int = 0,
    ) -> Closed | None:
        """A closed attempt that loaded nothing is tried again at `retry_at`, or failed for good.

        The run is cancelled instead where a person wished so. `pause_after` permanent failures in a row pause the
        config (0: never). None where the attempt was closed before.
        """
        return _closed(
            self._run(
                end_statements.FAIL,
                run_id=run.id,
                attempt=run.attempt,
                state="pending" if retry_at else "failed",
                now=now,
                not_before=retry_at,
                permanent=retry_at is None and not failure.retryable,
                pause_after=pause_after,
                error_class=failure.error_class,
                error=failure.error,
                remedy=failure.remedy,
                **_cost(details),
            )
        )


def _closed(rows: list[Any]) -> Closed | None:
    return Closed(*rows[0]) if rows else None


def _cost(details: RunCompleted | None) -> dict[str, Any]:
    """What the execution took, as statement parameters; all NULL where it has not told."""
    return {
        "requests": details.requests if details else None,
        "sheet_reads": details.sheet_reads if details else None,
        "seconds": to_json(details.seconds) if details else None,
    }


def _details(details: RunCompleted | None) -> dict[str, Any]:
    """What the execution tells of a load, as statement parameters; all NULL where it has not told."""
    told = {name: to_json(getattr(details, name)) for name in _LISTS} if details else dict.fromkeys(_LISTS)
    plain = {name: getattr(details, name) if details else None for name in ("rows", "bytes", "sheet_modified_at")}
    return _cost(details) | told | plain
