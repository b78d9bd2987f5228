"""The overview: every config with its state, and what became of all runs in the last day."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from console.charts import QUARTER, quarter_of
from console.paging import A_PAGE, Paged, Searched, pages_of
from console.shown_config import ShownConfig, live_seconds, show_config
from console.visit import Page, Visit
from shared.errors import InvalidInput
from shared.ledger.console_queries import QuarterHour
from shared.ledger.console_statements import CONFIG_STATES, ConfigState, Sort
from shared.parse import parse

# So many of a config's newest runs are drawn.
DRAWN = 24
_DAY = timedelta(hours=24)


class _Asked(Searched, frozen=True):
    """What stands behind the address' `?`."""

    state: ConfigState | None = None
    sort: Sort = "state"
    order: Literal["up", "down"] = "up"


class Hour(msgspec.Struct, frozen=True):
    """How many runs ended how in an hour, for those who cannot see the strip."""

    begin: datetime
    succeeded: int = 0
    unchanged: int = 0
    failed: int = 0
    cancelled: int = 0


class Overview(Paged, frozen=True):
    """The page, at an instant. `counts` are of the configs that the search finds, `found` those that the filter leaves,
    `day` is what became of all runs in the last 24 hours, by the quarters of an hour in which any ended.
    """

    at: datetime
    search: str
    state: ConfigState | None
    sort: Sort
    order: Literal["up", "down"]
    counts: dict[ConfigState, int]
    configs: list[ShownConfig]
    day: list[QuarterHour]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def live_seconds(self) -> int:
        """How soon to look again."""
        return live_seconds(state for state, count in self.counts.items() if count)

    @property
    def asked(self) -> dict[str, str]:
        """What the page's links keep: all but the page's number and what is the default anyway."""
        kept = {"search": self.search, "state": self.state or ""}
        if (self.sort, self.order) != ("state", "up"):
            kept |= {"sort": self.sort, "order": self.order}
        return {name: value for name, value in kept.items() if value}

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
        skipped=asked.skipped,
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
        pages=pages_of(found),
        counts=counts,
        found=found,
        configs=[show_config(standing, recent[standing.id], visit.now) for standing in standings],
        day=visit.store.ended_by_quarter(quarter_of(visit.now) - _DAY + QUARTER, visit.now),
    )


PAGE = Page(
    address="/",
    twin="/overview.json",
    template="overview.html",
    title="Overview",
    build=build,
    in_navigation=True,
)
