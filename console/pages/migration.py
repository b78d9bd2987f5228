"""The migration's page: whose every config's table is, how far its proof is, and who changed that."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from console.actions.owners import require_promotable
from console.forms import refusal
from console.paging import A_PAGE, Paged, Searched, pages_of
from console.visit import Page, Visit
from shared.comparison import Compared
from shared.errors import InvalidInput
from shared.messages import ManualRequest
from shared.owner import TAKEN_FROM_SERVICE, Owned, Owner, OwnerChange
from shared.parse import parse
from shared.promotion import is_matched

PHASES: tuple[Owner, ...] = ("shadow", "service", "job_ready")
_CHANGES = 20
_LIVE = 30


class _Asked(Searched, frozen=True):
    """What stands behind the address' `?`."""

    phase: Owner | None = None


class Moving(msgspec.Struct, frozen=True):
    """A config on its way. `matches` are those in a row, of a shadow alone; `compared` is the newest comparison since
    the owner changed last. `is_proved`: nothing speaks against its promotion.
    """

    owned: Owned
    matches: int | None = None
    compared: Compared | None = None
    is_proved: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether it can be given back to the older service."""
        return self.owned.owner in TAKEN_FROM_SERVICE


class MigrationPage(Paged, frozen=True):
    """The page, at an instant. `started`: configs are marked with their owners; else only the audit may be there.

    `counts` are of the configs that the search finds, `found` those that the filter leaves; `needed` so many matches
    in a row prove a shadow.
    """

    at: datetime
    started: bool
    search: str
    phase: Owner | None
    needed: int
    counts: dict[Owner, int]
    configs: list[Moving]
    changes: list[OwnerChange]

    @property
    def live_seconds(self) -> int | None:
        """How soon to look again; None where there is nothing that changes."""
        return _LIVE if self.started else None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def shown_counts(self) -> list[tuple[Owner, int]]:
        return [(phase, self.counts.get(phase, 0)) for phase in PHASES]

    @property
    def asked(self) -> dict[str, str]:
        """What the page's links keep: all but the page's number."""
        return {name: value for name, value in {"search": self.search, "phase": self.phase or ""}.items() if value}


def build(visit: Visit) -> MigrationPage:
    """Raises `InvalidInput` where the address asks for what there is not."""
    asked = parse(_Asked, visit.asked, "the address", InvalidInput, "the page of the migration is at /migration")
    store, search = visit.store, asked.search.strip()
    started = store.tracking().started
    counts: dict[Owner, int] = {}
    configs: list[Owned] = []
    if started:
        counts, configs = store.page_of_owned(search or None, asked.phase, A_PAGE, asked.skipped)
    found = counts.get(asked.phase, 0) if asked.phase else sum(counts.values())
    return MigrationPage(
        at=visit.now,
        started=started,
        search=search,
        phase=asked.phase,
        needed=visit.migrating.migration_matches,
        page=asked.page,
        pages=pages_of(found),
        counts=counts,
        found=found,
        configs=list(_moving(configs, visit)),
        changes=store.owner_changes(None, _CHANGES),
    )


def _moving(configs: list[Owned], visit: Visit) -> Iterable[Moving]:
    store, needed = visit.store, visit.migrating.migration_matches
    compared = store.newest_comparisons([owned.id for owned in configs]) if configs else {}
    for owned in configs:
        # What was compared before the owner changed says nothing of the table as it is now.
        newest = compared.get(owned.id) if owned.verdict else None
        matches = store.consecutive_matches(owned.id, owned.table) if owned.owner == "shadow" else None
        # Only where the comparisons speak for it, is the rest asked for: a page has many that wait for theirs.
        is_proved = matches is not None and is_matched(owned, matches, needed) and _is_proved(owned, matches, visit)
        yield Moving(owned, matches, newest, is_proved)


def _is_proved(owned: Owned, matches: int, visit: Visit) -> bool:
    def check() -> None:
        require_promotable(visit.store.find_config(ManualRequest(config_id=owned.id)), owned, matches, visit)

    return refusal(check) is None


PAGE = Page(
    address="/migration",
    twin="/migration.json",
    template="migration.html",
    title="Migration",
    build=build,
    in_navigation=True,
)
