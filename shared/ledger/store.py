"""The ledger in PostgreSQL: every query of the product goes through here, whichever part it is of.

What is here itself: the due rule, admission, and cleaning.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

import msgspec

from shared.failpoints import failpoint
from shared.ledger import (
    action_statements,
    admission_statements,
    due_statements,
    end_statements,
    forward_statements,
    message_statements,
    plan_statements,
    record_statements,
    statements,
)
from shared.ledger.action_queries import ActionQueries
from shared.ledger.comparison_queries import ComparisonQueries
from shared.ledger.connection import Session, connect
from shared.ledger.console_queries import ConsoleQueries
from shared.ledger.end_queries import EndQueries
from shared.ledger.forward_queries import ForwardQueries
from shared.ledger.history_queries import HistoryQueries
from shared.ledger.message_queries import MessageQueries
from shared.ledger.notice_queries import NoticeQueries
from shared.ledger.owner_queries import OwnerQueries
from shared.ledger.plan_queries import PlanQueries
from shared.ledger.queries import array
from shared.ledger.run_queries import RunQueries
from shared.ledger.usage_queries import UsageQueries
from shared.run import Due, Place, Told, Verdict
from shared.settings import SHADOW_SUFFIX, Database

# So many messages fit one publish request, and so many names an answer.
CHUNK = 1000
# So many runs are admitted by one statement, in about a tenth of a second: others wait for its lock.
ADMITTED = 5000
# So many configs are looked at by one statement that records runs: in half a second, of the twenty that it has.
RECORDED = 20_000
# Before all configs.
FIRST = Place()

# Gives a store for the length of a block.
Stores = Callable[[], AbstractContextManager["Store"]]


@contextmanager
def open_store(database: Database) -> Iterator["Store"]:
    """A store on a connection of its own, for the length of the block. Raises `DatabaseUnavailable`."""
    with connect(database) as connection:
        yield Store(Session(connection, database.configs_table))


class Store(
    RunQueries,
    EndQueries,
    MessageQueries,
    ForwardQueries,
    NoticeQueries,
    ComparisonQueries,
    UsageQueries,
    OwnerQueries,
    ConsoleQueries,
    HistoryQueries,
    PlanQueries,
    ActionQueries,
):
    """The product's queries over one connection; not to be shared between threads."""

    # -- dispatch ----------------------------------------------------------------------------------------

    def judge(self, now: datetime, *, due: bool, most: int, names: Sequence[str] | None = None) -> list[Verdict]:
        """What the due rule says of the configs that are due, or that are not; most overdue first."""
        asked = {"now": now, "due": due, "most": most, "names": array(names)}
        if due:
            rows = self._run(due_statements.JUDGE_DUE, **asked)
        else:
            rows = self._run(due_statements.JUDGE_ALL, recorded_by=None, **asked)
        return [Verdict(*row) for row in rows]

    def count_verdicts(self, now: datetime, names: Sequence[str] | None = None) -> dict[str, int]:
        """How many configs have which verdict of the due rule."""
        return dict(self._run(due_statements.COUNT_VERDICTS, now=now, recorded_by=None, names=array(names)))

    def next_due(self, now: datetime) -> datetime | None:
        """When the next of the configs that are not due comes due; None where none will."""
        return self._run(due_statements.NEXT_DUE, now=now, names=None)[0][0]

    def tell(
        self, now: datetime, most: int, names: Sequence[str] | None = None, recorded_by: str | None = None
    ) -> Told:
        """What the due rule says of all configs but those that the batch `recorded_by` recorded a run for: counts by
        verdict, and `most` of those that are not due.

        It looks at every config: some seconds for a million.
        """
        rows = self._run(due_statements.TELL, now=now, recorded_by=recorded_by, most=most, names=array(names))
        return Told(rows[0][0] or {}, [Verdict(*row) for _, *row in rows if row[0] is not None])

    def record_due(
        self,
        now: datetime,
        batch: str,
        batch_cap: int | None,
        names: Sequence[str] | None = None,
        named: int = CHUNK,
        behind: Place = FIRST,
    ) -> Due:
        """Records a run for each due config among the next `RECORDED` that may be due, and tells of `named` of them."""
        with self._in_index_order():
            self._run(statements.LOCK_DISPATCH)
            ((looked_at, due_from, config_id, count, first),) = self._run(
                record_statements.RECORD_DUE,
                now=now,
                due_from=behind.due_from,
                config_id=behind.config_id,
                batch=batch,
                batch_cap=batch_cap,
                names=array(names),
                most=RECORDED,
                named=named,
            )
        rest = Place(due_from, config_id) if looked_at == RECORDED else None
        return Due(count, msgspec.convert(first, list[Verdict]), rest)

    def record_shadows(
        self, now: datetime, batch: str, batch_cap: int | None, suffix: str, names: Sequence[str] | None = None
    ) -> int:
        """Records a shadow run for each shadow config that is due, into the dataset that the suffix tells, and counts
        them: `RECORDED` at most, and the others next time.
        """
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)
            recorded = self._run(
                record_statements.RECORD_SHADOWS,
                now=now,
                batch=batch,
                batch_cap=batch_cap,
                shadow_suffix=suffix,
                names=array(names),
                most=RECORDED,
            )
        return len(recorded)

    def count_shadows(self, now: datetime, names: Sequence[str] | None = None) -> int:
        """How many shadow configs are due."""
        return self._run(record_statements.COUNT_SHADOWS, now=now, names=array(names))[0][0]

    def record_shadow(self, config_id: int, now: datetime, suffix: str = SHADOW_SUFFIX) -> str | None:
        """Records a shadow run of the config for now, and tells its id, or that of the one that waits already.

        None where the config is no active shadow config. Where it loads, its claim decides; until then admission goes
        by the suffix.
        """
        with self._transaction():
            self._run(statements.LOCK_DISPATCH)
            rows = self._run(record_statements.RECORD_SHADOW, config_id=config_id, now=now, shadow_suffix=suffix)
            waiting = rows or self._run(record_statements.WAITING_SHADOW, config_id=config_id)
        return str(waiting[0][0]) if waiting else None

    # -- admission ---------------------------------------------------------------------------------------

    def admit(self, now: datetime, cap: int, reads_per_minute: int) -> list[str]:
        """Queues the pending runs that fit now, about `ADMITTED` at most, and tells their ids."""
        run_ids: list[str] = []
        with self._transaction():
            self._run(statements.LOCK_ADMISSION)
            limits = {"cap": cap, "reads_per_minute": reads_per_minute, "most": ADMITTED}
            queued, room_left = [""], True
            while queued and room_left:
                ((queued, room_left),) = self._run(admission_statements.ADMIT, now=now, **limits)
                run_ids += queued
            if run_ids:
                failpoint("admit.before_commit")
        return run_ids

    def next_admission(self, now: datetime, cap: int) -> datetime | None:
        """When time alone may let admission go on; None where no run waits for that."""
        rows = self._run(admission_statements.NEXT_ADMISSION, now=now, cap=cap)
        return rows[0][0] if rows else None

    def unpublished(self, now: datetime, published_before: datetime) -> list[str]:
        """Queued runs whose message was not published, or not heard, since then; noted as published now."""
        rows = self._run(admission_statements.UNPUBLISHED, now=now, published_before=published_before)
        return [str(run_id) for (run_id,) in rows]

    # -- what ended long ago -----------------------------------------------------------------------------

    def clean(self, before: datetime) -> int:
        """Deletes what ended before, `CHUNK` at most of runs, messages, forwards, plans and actions each, and tells how
        many went."""
        runs = self._run(end_statements.CLEAN, before=before, most=CHUNK)[0][0]
        failpoint("clean.after_runs")
        others = (message_statements, forward_statements, plan_statements, action_statements)
        return runs + sum(len(self._run(each.CLEAN, before=before, most=CHUNK)) for each in others)
