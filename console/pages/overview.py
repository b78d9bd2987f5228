"""The overview: every config with its state, and what became of all runs in the last day."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from console.charts import quarter_of
from console.visit import Page, Visit
from shared.errors import InvalidInput
from shared.ledger.console_queries import ConfigStanding, EndedRun, QuarterHour
from shared.ledger.console_statements import CONFIG_STATES, ConfigState, Sort
from shared.parse import Checked, Problem, parse

A_PAGE = 50
# So many of a config's newest runs are drawn.
DRAWN = 24
_DAY = timedelta(hours=24)
# How soon the page looks again: while runs wait or go on, and else, in seconds.
_LIVE, _CALM = 5, 60
_GOING_ON: tuple[ConfigState, ...] = ("running", "waiting", "quota", "due")
# What the job keeps fresh by the clock, unless it is late.
Freshness = Literal["fresh", "late", "never_loaded", "by_hand"]


class _Asked(Checked, frozen=True):
    """What stands behind the address' `?`."""

    search: Annotated[str, Meta(max_length=200)] = ""
    state: ConfigState | None = None
    sort: Sort = "state"
    order: Literal["up", "down"] = "up"
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if "\0" in values.get("search", ""):
            yield "search", "has a NUL character in it, which no name has"


class Row(msgspec.Struct, frozen=True):
    """One config. `note` says what a person may have to know of its state; `since` is when its open run began or was
    recorded. `rows` are the newest that are known, `seconds`, `warnings` and `outcome` the newest run's that ended.
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
    outcome: str | None
    ended_at: datetime | None
    next_at: datetime | None
    rows: int | None
    seconds: float | None
    warnings: int
    recent: list[EndedRun]


class Hour(msgspec.Struct, frozen=True):
    """How many runs ended how in an hour, for those who cannot see the strip."""

    begin: datetime
    succeeded: int = 0
    unchanged: int = 0
    failed: int = 0
    cancelled: int = 0


class Overview(msgspec.Struct, frozen=True):
    """The page, at an instant. `counts` are of the configs that the search finds, `found` those that the filter leaves,
    `day` is what became of all runs in the last 24 hours, by the quarters of an hour in which any ended.
    """

    at: datetime
    search: str
    state: ConfigState | None
    sort: Sort
    order: Literal["up", "down"]
    page: int
    pages: int
    counts: dict[ConfigState, int]
    found: int
    configs: list[Row]
    day: list[QuarterHour]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def live_seconds(self) -> int:
        """How soon to look again."""
        return _LIVE if any(self.counts.get(state) for state in _GOING_ON) else _CALM

    @property
    def asked(self) -> dict[str, str]:
        """What the page's links keep: all but the page's number and what is the default anyway."""
        kept = {"search": self.search, "state": self.state or ""}
        if (self.sort, self.order) != ("state", "up"):
            kept |= {"sort": self.sort, "order": self.order}
        return {name: value for name, value in kept.items() if value}

    @property
    def first(self) -> int:
        """The number of the page's first config among those found."""
        return (self.page - 1) * A_PAGE + 1 if self.configs else 0

    @property
    def last(self) -> int:
        return self.first + len(self.configs) - 1 if self.configs else 0

    @property
    def hours(self) -> list[Hour]:
        """The day by hours, the newest first, without those in which none ended."""
        counts: dict[datetime, Counter[str]] = {}
        for quarter in self.day:
            counts.setdefault(quarter.begin.replace(minute=0), Counter())[quarter.outcome] += quarter.count
        return [Hour(begin, **counts[begin]) for begin in sorted(counts, reverse=True)]

    @property
    def shown_counts(self) -> list[tuple[ConfigState, int]]:
        """The states that configs are in, and the one that is filtered by, in their order."""
        return [(s, self.counts.get(s, 0)) for s in CONFIG_STATES if self.counts.get(s) or s == self.state]


def build(visit: Visit) -> Overview:
    """Raises `InvalidInput` where the address asks for what there is not."""
    asked = parse(_Asked, visit.asked, "the address", InvalidInput, "the overview is at /")
    search = asked.search.strip()
    counts, standings = visit.store.standings(
        visit.now,
        cap=visit.settings.max_running,
        reads_per_minute=visit.settings.sheets_reads_per_minute,
        search=search or None,
        state=asked.state,
        sort=asked.sort,
        descending=asked.order == "down",
        most=A_PAGE,
        skipped=(asked.page - 1) * A_PAGE,
    )
    recent = visit.store.recent_runs([standing.id for standing in standings], DRAWN)
    found = counts.get(asked.state, 0) if asked.state else sum(counts.values())
    return Overview(
        at=visit.now,
        search=search,
        state=asked.state,
        sort=asked.sort,
        order=asked.order,
        page=asked.page,
        pages=max(1, math.ceil(found / A_PAGE)),
        counts=counts,
        found=found,
        configs=[_row(standing, recent[standing.id], visit.now) for standing in standings],
        day=visit.store.ended_by_quarter(quarter_of(visit.now) - _DAY + timedelta(minutes=15)),
    )


def _row(standing: ConfigStanding, recent: list[EndedRun], now: datetime) -> Row:
    return Row(
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
        outcome="unchanged" if standing.ended_verdict in ("unchanged", "kept") else standing.ended_state,
        ended_at=standing.ended_at,
        next_at=standing.next_at,
        rows=next((run.rows for run in reversed(recent) if run.rows is not None), standing.rows),
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
        case "blocked" | "paused":
            return standing.due.reason
        case "failed":
            return standing.error_class or ""
        case "quota":
            return "the Sheets quota's next minute lets it go on"
        case "waiting" if standing.open_failures and standing.open_not_before and standing.open_not_before > now:
            return f"tries again at {standing.open_not_before:%H:%M:%S} UTC"
        case "waiting":
            return "its turn comes" if standing.open_state == "pending" else "Cloud Run is asked for an execution"
    return ""


PAGE = Page(
    address="/",
    twin="/overview.json",
    template="overview.html",
    title="Overview",
    build=build,
    in_navigation=True,
)
