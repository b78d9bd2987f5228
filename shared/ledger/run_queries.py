"""The ledger's queries of runs: finding them, claiming them for an attempt, and looking after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from shared.config import Config
from shared.ledger import end_statements, run_statements, statements
from shared.ledger.queries import Queries, to_run
from shared.run import LoadedBefore, OpenAndEnded, Run, Standing


class RunQueries(Queries):
    """Runs, and the attempts that they have."""

    def find_run(self, run_id: str) -> Standing | None:
        """A run with its config's row as it is now; None for an id that is nobody's."""
        rows = self._run(run_statements.FIND_RUN, run_id=run_id)
        if not rows:
            return None
        run, config, active, owned, rival, loaded = rows[0]
        previous = LoadedBefore(*loaded) if loaded else None
        return Standing(to_run(run), config, bool(active), bool(owned), rival, previous)

    def claim(
        self,
        standing: Standing,
        config: Config,
        project: str,
        location: str,
        now: datetime,
        lease: timedelta,
        limit: timedelta,
    ) -> Run | None:
        """Takes a queued run for one attempt, in which it is in flight; None where it is not to be had.

        Where somebody else has the table for now (a run of another config, after an edit, or the older service), it
        waits for that.
        """
        run = standing.run
        with self._transaction():
            self._run(statements.LOCK_ADMISSION)
            rows = self._run(
                run_statements.CLAIM,
                run_id=run.id,
                destination=config.destination,
                # As it was read with the config: a NULL since then asks for a run of what is there since then.
                had_last_run=standing.has_last_run,
                job_project=project,
                job_location=location,
                now=now,
                lease_until=now + lease,
                deadline=now + limit,
            )
            if not rows:
                waits = {"run_id": run.id, "destination": config.destination, "not_before": now + lease}
                self._run(run_statements.WAIT_FOR_TABLE, now=now, **waits)
                return None
        return msgspec.structs.replace(
            run, state="launching", attempt=rows[0][0], job_project=project, job_location=location
        )

    def note_execution(self, run_id: str, attempt: int, execution: str) -> bool:
        """The attempt's execution is known. False where the attempt is settled, or its execution known, already."""
        return bool(self._run(run_statements.NOTE_EXECUTION, run_id=run_id, attempt=attempt, execution=execution))

    def extend_lease(self, run: Run, lease_until: datetime) -> None:
        """Looks again then; at once where a person wished for the run's end since it was read."""
        self._run(
            end_statements.EXTEND_LEASE,
            run_id=run.id,
            attempt=run.attempt,
            lease_until=lease_until,
            wish_known=run.cancel_requested_at is not None,
        )

    def put_back(self, run_id: str, lease_until: datetime) -> None:
        """A run that cannot be looked at now goes behind the others, also when it is past its deadline."""
        self._run(run_statements.PUT_BACK, run_id=run_id, lease_until=lease_until)

    def lease_over(self, now: datetime) -> list[str]:
        """Active runs that nobody has heard of for a lease, or that are past their deadline; `CHUNK` at most."""
        return [str(run_id) for (run_id,) in self._run(run_statements.LEASE_OVER, now=now)]

    def list_batch(self, batch: str) -> list[Run]:
        """The runs that one call of dispatch recorded."""
        return [to_run(row) for (row,) in self._run(run_statements.LIST_BATCH, batch=batch)]

    def list_runs(self, most: int) -> list[Run]:
        """The newest runs first."""
        return [to_run(row) for (row,) in self._run(run_statements.LIST_RUNS, most=most)]

    def list_runs_of(self, config_id: int, most: int) -> list[Run]:
        """A config's newest runs first."""
        rows = self._run(run_statements.LIST_RUNS_OF_CONFIG, config_id=config_id, most=most)
        return [to_run(row) for (row,) in rows]

    def former_load(self, run: Run) -> Run | None:
        """The newest load of the run's table by its config before the run; None where there was none lately."""
        rows = self._run(
            run_statements.FORMER_LOAD,
            run_id=run.id,
            config_id=run.config_id,
            destination=run.destination,
            ended_at=run.ended_at,
        )
        return to_run(rows[0][0]) if rows else None

    def open_and_ended(self, config_ids: Sequence[int] | None, since: datetime, most: int) -> OpenAndEnded:
        """What goes on, and what ended since then, of all configs or of those; of each kind `most` runs at most."""
        ids = list(config_ids) if config_ids is not None else None
        listed = [
            self._run(statement, ids=ids, most=most, **more)
            for statement, more in (
                (run_statements.LIST_ACTIVE, {}),
                (run_statements.LIST_WAITING, {}),
                (run_statements.LIST_ENDED, {"since": since}),
            )
        ]
        active, waiting, ended = ([to_run(row) for (row,) in rows] for rows in listed)
        return OpenAndEnded(dict(self._run(run_statements.COUNT_OPEN, ids=ids)), active, waiting, ended)

    def find_runs(self, beginning: str) -> list[Run]:
        """The runs whose ids begin with these hexadecimal digits, three at most."""
        least, most = (UUID(beginning.ljust(32, filler)) for filler in "0f")
        return [to_run(row) for (row,) in self._run(run_statements.FIND_RUNS_BETWEEN, least=least, most=most)]

    def count_states(self) -> dict[str, int]:
        """How many runs are in which state."""
        return dict(self._run(run_statements.COUNT_STATES))

    def measure(self, now: datetime) -> dict[str, float]:
        """What the deployment's metrics are made of: runs that wait, the oldest open run's age, connections."""
        [[waiting, oldest, connections]] = self._run(run_statements.MEASURE, now=now)
        return {"waiting": waiting, "oldest_due_seconds": max(round(oldest, 1), 0.0), "connections": connections}
