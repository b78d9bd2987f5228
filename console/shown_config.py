"""A config as pages tell of it: its state, how fresh its table is, and what became of its newest runs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from console.states import open_note, run_word
from shared.ledger.console_queries import ConfigStanding, EndedRun
from shared.ledger.console_statements import ConfigState

# How soon a page looks again: while runs wait or go on, and else, in seconds.
_LIVE, _CALM = 5, 60
_GOING_ON: tuple[ConfigState, ...] = ("running", "waiting", "quota", "due")
# What the job keeps fresh by the clock, unless it is late.
Freshness = Literal["fresh", "late", "never_loaded", "by_hand"]


class ShownConfig(msgspec.Struct, frozen=True):
    """One config. `note` says what a person may have to know of its state; `since` is when its open run began or was
    recorded. `seconds`, `warnings` and `outcome` are the newest run's that ended, `rows`, too, or the newest load's
    where it told none.
    """

    id: int
    name: str
    table: str
    state: ConfigState
    note: str
    frequency_hours: int | None
    freshness: Freshness | None
    late_seconds: float | None
    since: datetime | None
    run_id: str | None
    ended_run_id: str | None
    outcome: str | None
    ended_at: datetime | None
    next_at: datetime | None
    rows: int | None
    seconds: float | None
    warnings: int
    recent: list[EndedRun]

    @property
    def stands_well(self) -> bool:
        """Whether nothing of it asks for anybody's attention."""
        is_settled = self.state in ("succeeded", "unchanged") and self.freshness in ("fresh", "by_hand")
        return is_settled and not self.warnings


def live_seconds(states: Iterable[ConfigState]) -> int:
    """How soon a page looks again that shows configs in these states."""
    return _LIVE if any(state in _GOING_ON for state in states) else _CALM


def show_config(standing: ConfigStanding, recent: list[EndedRun], now: datetime) -> ShownConfig:
    """The config as it stands, with the newest of its runs, the newest last."""
    return ShownConfig(
        id=standing.id,
        name=standing.name,
        table=standing.destination,
        state=standing.state,
        note=_note(standing, now),
        frequency_hours=standing.hours,
        freshness=_freshness(standing),
        late_seconds=standing.late_seconds,
        since=standing.open_claimed_at or standing.open_at,
        run_id=standing.open_id or standing.ended_id,
        ended_run_id=standing.ended_id,
        outcome=run_word(standing.ended_state, standing.ended_verdict) if standing.ended_state else None,
        ended_at=standing.ended_at,
        next_at=standing.next_at,
        rows=standing.rows,
        seconds=standing.seconds,
        warnings=standing.warnings,
        recent=recent,
    )


def _freshness(standing: ConfigStanding) -> Freshness | None:
    """None of those that nobody here keeps fresh: paused ones, and the older service's."""
    if standing.verdict in ("paused", "not_ours"):
        return None
    if standing.hours == 0:
        return "by_hand"
    if standing.stale_at is None:
        return "never_loaded" if standing.last_run is None else None
    return "late" if standing.late_seconds is not None else "fresh"


def _note(standing: ConfigStanding, now: datetime) -> str:
    match standing.state:
        case "blocked":
            return standing.due.reason
        case "paused":
            # Why, in the words of who paused it: what they wrote must not mix with ours.
            return standing.paused_reason or ""
        case "failed":
            return standing.error_class or ""
        case "quota":
            return "the Sheets quota's next minute lets it go on"
        case "waiting" if standing.open_failures and standing.open_not_before and standing.open_not_before > now:
            return f"tries again at {standing.open_not_before:%H:%M:%S} UTC"
        case "waiting" | "running":
            return open_note(standing.open_state)
    return ""
