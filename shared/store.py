"""The ledger in PostgreSQL: every query of the product goes through here, whichever part it is of.

What is here itself: the due rule, admission, and cleaning.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from shared import end_statements, message_statements, statements
from shared.connection import Session, connect
from shared.end_queries import EndQueries
from shared.message_queries import MessageQueries
from shared.notice_queries import NoticeQueries
from shared.queries import array
from shared.run import Verdict
from shared.run_queries import RunQueries
from shared.settings import Database

# So many messages fit one publish request.
CHUNK = 1000
# So many runs are recorded by one statement: in about two seconds, of the twenty that it has.
RECORDED = 20_000


@contextmanager
def open_store(database: Database) -> Iterator["Store"]:
    """A store on a connection of its own, for the length of the block. Raises `DatabaseUnavailable`."""
    with connect(database) as connection:
        yield Store(Session(connection, database.configs_table))


class Store(RunQueries, EndQueries, MessageQueries, NoticeQueries):
    """The product's queries over one connection; not to be shared between threads."""

    # -- dispatch ----------------------------------------------------------------------------------------

    def judge(self, now: datetime, *, due: bool, most: int, names: Sequence[str] | None = None) -> list[Verdict]:
        """What the due rule says of the configs that are due, or that are not; most overdue first."""
        rows = self._run(statements.JUDGE, now=now, due=due, most=most, names=array(names))
        return [Verdict(*row) for row in rows]

    def count_verdicts(self, now: datetime, names: Sequence[str] | None = None) -> dict[str, int]:
        """How many configs have which verdict of the due rule."""
        return dict(self._run(statements.COUNT_VERDICTS, now=now, names=array(names)))

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
                statements.RECORD_DUE, now=now, batch=batch, batch_cap=batch_cap, names=array(names), most=RECORDED
            )
        return [Verdict(*row) for row in rows]

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

    # -- what ended long ago -----------------------------------------------------------------------------

    def clean(self, before: datetime) -> int:
        """Deletes what ended before, `CHUNK` runs and `CHUNK` messages at most, and tells how many went."""
        runs = self._run(end_statements.CLEAN, before=before, most=CHUNK)[0][0]
        return runs + len(self._run(message_statements.CLEAN, before=before, most=CHUNK))
