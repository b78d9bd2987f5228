"""The migration's page: whose every config's table is, how far its proof is, and who changed that."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from console.paging import A_PAGE, Paged, Searched, pages_of
from console.visit import Page, Visit
from shared.comparison import Compared
from shared.errors import InvalidInput
from shared.ledger.store import Store
from shared.owner import Owned, Owner, OwnerChange
from shared.parse import parse

PHASES: tuple[Owner, ...] = ("shadow", "service", "job_ready")
_CHANGES = 20
_LIVE = 30


class _Asked(Searched, frozen=True):
    """What stands behind the address' `?`."""

    phase: Owner | None = None


class Moving(msgspec.Struct, frozen=True):
    """A config on its way. `matches` are those in a row, of a shadow alone; `compared` is the newest comparison since
    the owner changed last.
    """

    owned: Owned
    matches: int | None = None
    compared: Compared | None = None


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
        configs=list(_moving(configs, store)),
        changes=store.owner_changes(None, _CHANGES),
    )


def _moving(configs: list[Owned], store: Store) -> Iterable[Moving]:
    compared = store.newest_comparisons([owned.id for owned in configs]) if configs else {}
    for owned in configs:
        # What was compared before the owner changed says nothing of the table as it is now.
        newest = compared.get(owned.id) if owned.verdict else None
        matches = store.consecutive_matches(owned.id, owned.table) if owned.owner == "shadow" else None
        yield Moving(owned, matches, newest)


PAGE = Page(
    address="/migration",
    twin="/migration.json",
    template="migration.html",
    title="Migration",
    build=build,
    in_navigation=True,
)
