"""The ledger's queries for the console: how configs stand, of all or of one, and what became of their newest runs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from shared.ledger import console_statements
from shared.ledger.console_statements import ConfigState, Sort
from shared.ledger.queries import Queries
from shared.run import Verdict, Why

# What a run that ended came to; `kept` counts as unchanged: neither loaded anything.
Outcome = Literal["succeeded", "unchanged", "failed", "cancelled"]


class ConfigStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A config as it stands at one moment.

    `verdict` to `rival` are the due rule's. `next_at` is when it comes due, `stale_at` since when, or from when on, its
    table is older than its frequency asks for, and `late_seconds` how long that is already. `hours` is the frequency; 0
    is manual only. `open_*` are of the run that waits or goes on, `ended_*`, `seconds` (from the claim to the end),
    `error_class` and `warnings` of the newest that ended, `rows`, too, or those of the newest load where it told none.
    None: there is no such thing.
    """

    id: int
    name: str
    destination: str
    state: ConfigState
    verdict: str
    why: Why
    slot: datetime | None = None
    until: datetime | None = None
    paused_reason: str | None = None
    rival: str | None = None
    hours: int | None = None
    last_run: datetime | None = None
    next_at: datetime | None = None
    stale_at: datetime | None = None
    late_seconds: float | None = None
    open_id: str | None = None
    open_state: str | None = None
    open_at: datetime | None = None
    open_claimed_at: datetime | None = None
    open_not_before: datetime | None = None
    open_failures: int | None = None
    ended_id: str | None = None
    ended_state: str | None = None
    ended_verdict: str | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    rows: int | None = None
    error_class: str | None = None
    warnings: int = 0

    @property
    def due(self) -> Verdict:
        """What the due rule says, with its reason."""
        return Verdict(
            self.id,
            self.name,
            self.destination,
            self.verdict,
            self.why,
            self.slot,
            self.until,
            self.rival,
            self.paused_reason,
        )


class EndedRun(msgspec.Struct, frozen=True):
    """What is drawn of a run that ended; `seconds` from its claim, None where it had none."""

    id: str
    outcome: Outcome
    ended_at: datetime
    rows: int | None = None
    seconds: float | None = None


class QuarterHour(msgspec.Struct, frozen=True):
    """How many runs ended how in the quarter of an hour that begins then."""

    begin: datetime
    outcome: Outcome
    count: int


class ConsoleQueries(Queries):
    """What people look at, of all configs."""

    def standings(
        self,
        now: datetime,
        *,
        cap: int,
        reads_per_minute: int,
        search: str | None,
        state: ConfigState | None,
        sort: Sort,
        descending: bool,
        most: int,
        skipped: int,
    ) -> tuple[dict[ConfigState, int], list[ConfigStanding]]:
        """How many of the configs that `search` finds (in name and table, or as an id) are of each state, and a page
        of those of `state`, sorted.

        `cap` and `reads_per_minute` are admission's, and tell what a run waits for.
        """
        rows = self._stated(
            console_statements.OVERVIEW[sort, descending],
            now=now,
            names=None,
            cap=cap,
            reads_per_minute=reads_per_minute,
            search=search,
            state=state,
            most=most,
            skipped=skipped,
        )
        return rows[0][0], [_to(ConfigStanding, row) for _, row in rows if row is not None]

    def standing(
        self, config_id: int, name: str | None, now: datetime, *, cap: int, reads_per_minute: int
    ) -> ConfigStanding | None:
        """The config of this id and name; None where there is none of both."""
        rows = self._stated(
            console_statements.STANDING,
            now=now,
            id=config_id,
            names=[name] if name is not None else None,
            cap=cap,
            reads_per_minute=reads_per_minute,
            search=None,
        )
        return _to(ConfigStanding, rows[0][0]) if rows else None

    def _stated(self, statement: str, **asked: Any) -> list[Any]:
        """Runs that were open stay in the indexes of those that are for hours, and are many times as many."""
        with self._in_index_order():
            return self._run(statement, recorded_by=None, **asked)

    def recent_runs(self, config_ids: Sequence[int], most: int) -> dict[int, list[EndedRun]]:
        """The newest runs that ended of each config, `most` at most, the newest last."""
        found: dict[int, list[EndedRun]] = {config_id: [] for config_id in config_ids}
        for config_id, row in self._run(console_statements.RECENT_RUNS, ids=list(config_ids), most=most):
            found[config_id].append(_to(EndedRun, row))
        return {config_id: runs[::-1] for config_id, runs in found.items()}

    def ended_by_quarter(self, since: datetime, now: datetime) -> list[QuarterHour]:
        """What became of all configs' runs by the quarters of an hour, the first of which begins at `since`, in which
        any ended.
        """
        rows = self._run(console_statements.ENDED_BY_QUARTER, since=since, now=now)
        return [QuarterHour(begun.astimezone(UTC), outcome, count) for begun, outcome, count in rows]


def _to(struct: type[Any], row: dict[str, Any]) -> Any:
    """What `to_jsonb` gives, without what is NULL."""
    return msgspec.convert({key: value for key, value in row.items() if value is not None}, struct, strict=False)
