"""The ledger's queries of what people are to be told."""

from collections.abc import Sequence
from datetime import datetime

from shared.ledger import notice_statements
from shared.ledger.queries import Queries, to_run
from shared.notices import Notice


class NoticeQueries(Queries):
    """Notices: taken by one process at a time, and closed when everybody heard them."""

    def take_notice(self, now: datetime, again: datetime) -> Notice | None:
        """The notice that waits longest, for one attempt to tell it; nobody else has it before `again`."""
        rows = self._run(notice_statements.TAKE, now=now, again=again)
        if not rows:
            return None
        kind, attempts, heard, run, row = rows[0]
        return Notice(kind, attempts, tuple(heard), to_run(run), row)

    def note_notice(
        self, notice: Notice, heard: Sequence[str], not_before: datetime, closed_at: datetime | None
    ) -> None:
        """Which channels have heard it; where it is not closed, it is told again at `not_before`."""
        self._run(
            notice_statements.NOTE,
            run_id=notice.run.id,
            kind=notice.kind,
            heard=list(heard),
            not_before=not_before,
            closed_at=closed_at,
        )

    def close_notices(self, now: datetime) -> None:
        """Where there is no channel, nobody is told; one that comes later hears of what ends from then on."""
        self._run(notice_statements.CLOSE_ALL, now=now)
