"""The ledger in PostgreSQL: every query of the product goes through here; the statements are in `statements`."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from shared import config_statements, end_statements, message_statements, notice_statements, statements
from shared.config import Config
from shared.connection import Session, connect
from shared.errors import AmbiguousName, InvalidConfig, Overtaken, TableConflict, UnknownConfig
from shared.messages import LONGEST_KEPT, ColumnLoaded, Kept, ManualRequest, RunCompleted
from shared.notices import Notice
from shared.options import encode_options
from shared.run import Closed, Failure, Heard, LoadedBefore, Poison, Run, Standing, Verdict
from shared.settings import Database
from shared.states import State

# So many messages fit one publish request.
CHUNK = 1000
# So many runs are recorded by one statement: in about two seconds, of the twenty that it has.
RECORDED = 20_000
# What of an execution's message is kept as JSON.
_LISTS = ("columns", "schema_changes", "warnings")

Recorded = Literal["accepted", "merged", "poison", "duplicate"]


@contextmanager
def open_store(database: Database) -> Iterator["Store"]:
    """A store on a connection of its own, for the length of the block. Raises `DatabaseUnavailable`."""
    with connect(database) as connection:
        yield Store(Session(connection, database.configs_table))


class Store:
    """The product's queries over one connection; not to be shared between threads."""

    def __init__(self, session: Session) -> None:
        self._run = session.run
        self._transaction = session.transaction

    def now(self) -> datetime:
        """The one clock: the database's."""
        return self._run(statements.NOW)[0][0]

    # -- dispatch ----------------------------------------------------------------------------------------

    def judge(self, now: datetime, *, due: bool, most: int, names: Sequence[str] | None = None) -> list[Verdict]:
        """What the due rule says of the configs that are due, or that are not; most overdue first."""
        rows = self._run(statements.JUDGE, now=now, due=due, most=most, names=_array(names))
        return [Verdict(*row) for row in rows]

    def count_verdicts(self, now: datetime, names: Sequence[str] | None = None) -> dict[str, int]:
        """How many configs have which verdict of the due rule."""
        return dict(self._run(statements.COUNT_VERDICTS, now=now, names=_array(names)))

    def next_due(self, now: datetime) -> datetime | None:
        """When the next of the configs that are not due comes due; None where none will."""
        return self._run(statements.NEXT_DUE, now=now, names=None)[0][0]

    def record_due(
        self, now: datetime, batch: str, batch_cap: int | None, names: Sequence[str] | None = None
    ) -> list[Verdict]:
        """Records a run for each of the most overdue configs, `RECORDED` at most, and tells which."""
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)
            rows = self._run(
                statements.RECORD_DUE, now=now, batch=batch, batch_cap=batch_cap, names=_array(names), most=RECORDED
            )
        return [Verdict(*row) for row in rows]

    # -- requests by hand --------------------------------------------------------------------------------

    def record_request(self, message_id: str, request: ManualRequest, body: bytes, now: datetime) -> Recorded:
        """Records one run for a message by hand, once per message id.

        `merged`: a run by hand waits already and will see what the person edited. `duplicate`: the message
        was seen before. Raises `UnknownConfig` or `AmbiguousName`, with nothing recorded.
        """
        with self._transaction():
            # First, so that a redelivery at the same moment waits for this transaction, and then finds it.
            if not self._record_message(message_id, now, "accepted", None, body):
                return "duplicate"
            config_id = self.find_config(request)["id"]
            allow = {"config_id": config_id, "allow_shrink": request.allow_shrink}
            recorded = self._run(statements.RECORD_MANUAL, now=now, **allow)
            waiting = recorded or self._run(statements.FOLLOW_UP, **allow)
            if not waiting:
                # What waited was admitted between the two statements, or the config was deleted.
                raise Overtaken(f"config {config_id} changed while a run of it was recorded", "it is tried again")
            self._run(statements.NOTE_MESSAGE_RUN, message_id=message_id, run_id=waiting[0][0])
            return "accepted" if recorded else "merged"

    def find_message(self, message_id: str) -> Heard | None:
        """What became of a request by hand; None while nobody has taken it."""
        rows = self._run(statements.FIND_MESSAGE, message_id=message_id)
        if not rows:
            return None
        verdict, reason, run_id = rows[0]
        return Heard(verdict, reason, str(run_id) if run_id else None)

    def record_poison(self, message_id: str, reason: str, body: bytes, now: datetime) -> None:
        """Keeps a message that can never be understood, with the reason, for a person to look at."""
        self._record_message(message_id, now, "poison", reason, body)

    def list_poison(self, most: int) -> list[Kept]:
        """The messages that nobody could understand and nobody decided on, newest first."""
        return [Kept(*row) for row in self._run(message_statements.LIST_POISON, most=most)]

    def find_kept(self, message_id: str) -> Kept | None:
        rows = self._run(message_statements.FIND, message_id=message_id)
        return Kept(*rows[0]) if rows else None

    def decide(self, message_id: str, verdict: Literal["retried", "dropped"]) -> bool:
        """A person's decision on poison. False where it is none, or was decided on before."""
        return bool(self._run(message_statements.DECIDE, message_id=message_id, verdict=verdict))

    def _record_message(self, message_id: str, now: datetime, verdict: str, reason: str | None, body: bytes) -> bool:
        reason = reason[:LONGEST_KEPT] if reason else None
        # PostgreSQL's text has no NUL.
        text = body[:LONGEST_KEPT].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        return bool(
            self._run(
                statements.RECORD_MESSAGE,
                message_id=message_id,
                now=now,
                verdict=verdict,
                reason=reason,
                body=text,
            )
        )

    # -- configs -----------------------------------------------------------------------------------------

    def find_config(self, request: ManualRequest) -> dict[str, Any]:
        """The row that a request names by id or by name. Raises `UnknownConfig` or `AmbiguousName`."""
        if request.wanted_id is not None:
            rows = self._run(statements.FIND_CONFIG, id=request.wanted_id)
            if not rows:
                raise UnknownConfig(f"there is no config {request.wanted_id}", "`job_helper.py configs` lists them")
            return rows[0][0]
        rows = self._run(statements.FIND_CONFIGS_NAMED, name=request.name)
        if not rows:
            raise UnknownConfig(f'there is no config named "{request.name}"', "`job_helper.py configs` lists them")
        if len(rows) > 1:
            ids = ", ".join(str(row["id"]) for (row,) in rows)
            raise AmbiguousName(f'more than one config is named "{request.name}": {ids}', "use the id of one")
        return rows[0][0]

    def known_names(self, names: Sequence[str]) -> set[str]:
        """Those of the names that a config has."""
        return {name for (name,) in self._run(statements.KNOWN_NAMES, names=_array(names))}

    def list_configs(self) -> list[dict[str, Any]]:
        """All configs' rows, by id."""
        return [row for (row,) in self._run(statements.LIST_CONFIGS)]

    def active_of_table(self, config: Config) -> list[str]:
        """The active configs, as `7 "sales"`, that replace the table which `config` does."""
        columns = ("google_cloud_project_id", "bigquery_dataset_id", "bigquery_table_id")
        place = {name: getattr(config, name) for name in columns}
        return [told for (told,) in self._run(statements.FIND_ACTIVE_OF_TABLE, **place)]

    def add_config(self, config: Config, run_frequency_hours: int | None) -> int:
        """Adds an active config, owned by the job, and tells its id.

        Raises, with nothing added, `TableConflict` where an active config replaces the same table, and
        `InvalidConfig` where any has the name, because a request by name could then mean either.
        """
        schema = _json(config.custom_schema) if config.custom_schema else None
        values = {name: getattr(config, name) for name in config.__struct_fields__ if name != "id"}
        values |= {"custom_schema": schema, "options": encode_options(config.options) or None}
        values["run_frequency_hours"] = run_frequency_hours
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)  # so that of two at the same moment one finds the other
            if others := self.active_of_table(config):
                raise TableConflict(
                    f"{config.destination} is replaced by config {others[0]} already",
                    "choose another table, or pause that config",
                )
            if namesakes := self._run(statements.FIND_CONFIGS_NAMED, name=config.name):
                raise InvalidConfig(
                    f'config {namesakes[0][0]["id"]} is named "{config.name}" already',
                    "give this one another name (--name, or `name` in a config file)",
                )
            ((config_id, can_be_anothers),) = self._run(statements.ADD_CONFIG, **values)
            if can_be_anothers:
                self._run(statements.OWN_CONFIG, id=config_id)
        return config_id

    def pause_config(self, config_id: int, reason: str | None, now: datetime) -> None:
        """Nothing new of the config begins; an open attempt ends as it does."""
        self._run(config_statements.PAUSE, id=config_id, reason=reason, now=now)

    def resume_config(self, config_id: int) -> None:
        """The config is active again. Raises `TableConflict`, with nothing changed, where another has its table."""
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)  # so that of two at the same moment one finds the other
            if rivals := self._run(config_statements.FIND_RIVALS, id=config_id):
                raise TableConflict(
                    f"the table of config {config_id} is replaced by config {rivals[0][0]}",
                    "pause that one first, or give one of them another table",
                )
            self._run(config_statements.RESUME, id=config_id)

    # -- admission ---------------------------------------------------------------------------------------

    def admit(self, now: datetime, cap: int, reads_per_minute: int) -> list[str]:
        """Queues the pending runs that fit now, `CHUNK` at most, and tells their ids."""
        with self._transaction():
            self._run(statements.LOCK_ADMISSION)
            self._run(statements.FOLLOW_CONFIGS)
            rows = self._run(statements.ADMIT, now=now, cap=cap, reads_per_minute=reads_per_minute)
        return [str(run_id) for (run_id,) in rows]

    def next_admission(self, now: datetime, cap: int) -> datetime | None:
        """When time alone may let admission go on; None where no run waits for that."""
        rows = self._run(statements.NEXT_ADMISSION, now=now, cap=cap)
        return rows[0][0] if rows else None

    def note_published(self, run_ids: Sequence[str], now: datetime) -> None:
        self._run(statements.NOTE_PUBLISHED, run_ids=list(run_ids), now=now)

    def unpublished(self, now: datetime, published_before: datetime) -> list[str]:
        """Queued runs whose message was not published, or not heard, since then; noted as published now."""
        rows = self._run(statements.UNPUBLISHED, now=now, published_before=published_before)
        return [str(run_id) for (run_id,) in rows]

    # -- a run's attempt ---------------------------------------------------------------------------------

    def find_run(self, run_id: str) -> Standing | None:
        """A run with its config's row as it is now; None for an id that is nobody's."""
        rows = self._run(statements.FIND_RUN, run_id=run_id)
        if not rows:
            return None
        run, config, active, owned, rival, loaded = rows[0]
        previous = LoadedBefore(*loaded) if loaded else None
        return Standing(_run(run), config, bool(active), bool(owned), rival, previous)

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

        Where a run of another config has the table, which this one's was edited to, it waits for that.
        """
        run = standing.run
        with self._transaction():
            self._run(statements.LOCK_ADMISSION)
            rows = self._run(
                statements.CLAIM,
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
                self._run(
                    statements.WAIT_FOR_TABLE, run_id=run.id, destination=config.destination, not_before=now + lease
                )
                return None
        return msgspec.structs.replace(
            run, state="launching", attempt=rows[0][0], job_project=project, job_location=location
        )

    def note_execution(self, run_id: str, attempt: int, execution: str) -> bool:
        """The attempt's execution is known. False where the attempt is settled, or its execution known, already."""
        return bool(self._run(statements.NOTE_EXECUTION, run_id=run_id, attempt=attempt, execution=execution))

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
            )
        )

    def cancel(self, run_id: str, now: datetime) -> State | None:
        """A person's wish: what waits is `cancelled` at once; an attempt in flight is for settling to close.

        None where the run had ended, or is nobody's.
        """
        rows = self._run(end_statements.CANCEL, run_id=run_id, now=now)
        return rows[0][0] if rows else None

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
        self._run(statements.PUT_BACK, run_id=run_id, lease_until=lease_until)

    def lease_over(self, now: datetime) -> list[str]:
        """Active runs that nobody has heard of for a lease, or that are past their deadline; `CHUNK` at most."""
        return [str(run_id) for (run_id,) in self._run(statements.LEASE_OVER, now=now)]

    # -- the outcome -------------------------------------------------------------------------------------

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
            values["columns"] = _json(columns)
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
                **_cost(details),
            )
        )

    def clean(self, before: datetime) -> int:
        """Deletes what ended before, `CHUNK` runs and `CHUNK` messages at most, and tells how many went."""
        runs = self._run(end_statements.CLEAN, before=before, most=CHUNK)[0][0]
        return runs + len(self._run(message_statements.CLEAN, before=before, most=CHUNK))

    # -- what people are told ----------------------------------------------------------------------------

    def take_notice(self, now: datetime, again: datetime) -> Notice | None:
        """The notice that waits longest, for one attempt to tell it; nobody else has it before `again`."""
        rows = self._run(notice_statements.TAKE, now=now, again=again)
        if not rows:
            return None
        kind, attempts, heard, run, row = rows[0]
        return Notice(kind, attempts, tuple(heard), _run(run), row)

    def note_notice(
        self, notice: Notice, heard: Sequence[str], not_before: datetime, closed_at: datetime | None
    ) -> None:
        """Which channels have heard it; where it is not closed, it is told again at `not_before`."""
        self._run(
            notice_statements.NOTE,
            run_id=notice.run.id,
            heard=list(heard),
            not_before=not_before,
            closed_at=closed_at,
        )

    def close_notices(self, now: datetime) -> None:
        """Where there is no channel, nobody is told; one that comes later hears of what ends from then on."""
        self._run(notice_statements.CLOSE_ALL, now=now)

    # -- what people look at -----------------------------------------------------------------------------

    def list_batch(self, batch: str) -> list[Run]:
        """The runs that one call of dispatch recorded."""
        return [_run(row) for (row,) in self._run(statements.LIST_BATCH, batch=batch)]

    def list_runs(self, most: int) -> list[Run]:
        """The newest runs first."""
        return [_run(row) for (row,) in self._run(statements.LIST_RUNS, most=most)]

    def find_runs(self, beginning: str) -> list[Run]:
        """The runs whose ids begin with these hexadecimal digits, three at most."""
        least, most = (uuid.UUID(beginning.ljust(32, filler)) for filler in "0f")
        return [_run(row) for (row,) in self._run(statements.FIND_RUNS_BETWEEN, least=least, most=most)]

    def count_states(self) -> dict[str, int]:
        """How many runs are in which state."""
        return dict(self._run(statements.COUNT_STATES))

    def poison(self) -> Poison | None:
        """The messages that were not understood; None where all were."""
        rows = self._run(statements.NEWEST_POISON)
        return Poison(*rows[0]) if rows else None


def _array(names: Sequence[str] | None) -> list[str] | None:
    return list(names) if names is not None else None


def _closed(rows: list[Any]) -> Closed | None:
    return Closed(*rows[0]) if rows else None


def _cost(details: RunCompleted | None) -> dict[str, Any]:
    """What the execution took, as statement parameters; all NULL where it has not told."""
    return {
        "requests": details.requests if details else None,
        "sheet_reads": details.sheet_reads if details else None,
        "seconds": _json(details.seconds) if details else None,
    }


def _details(details: RunCompleted | None) -> dict[str, Any]:
    """What the execution tells of a load, as statement parameters; all NULL where it has not told."""
    told = {name: _json(getattr(details, name)) for name in _LISTS} if details else dict.fromkeys(_LISTS)
    counts = {name: getattr(details, name) if details else None for name in ("rows", "bytes")}
    return _cost(details) | told | counts


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _run(row: dict[str, Any]) -> Run:
    return msgspec.convert({key: value for key, value in row.items() if value is not None}, Run, strict=False)
