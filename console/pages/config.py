"""A config's page: what it says, how it stands, what became of its runs, and the columns of its table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from console import options
from console.paging import A_PAGE, AskedTime
from console.shown_config import ShownConfig, live_seconds, show_config
from console.visit import Page, Visit
from shared import links
from shared.config import Config, parse_config
from shared.errors import InvalidConfig, InvalidInput, UnknownConfig
from shared.ledger.history_queries import LoadedChanges, LoadedColumns, PastPlan, PastRun
from shared.messages import ManualRequest
from shared.owner import Owner
from shared.parse import parse
from shared.run_facts import Told, find_facts
from shared.spreadsheet import spreadsheet_of

# So many of the newest runs are drawn, of the changes of columns told, and of the plans listed.
DRAWN = 40
_CHANGES, _PLANS = 5, 5


class Said(msgspec.Struct, frozen=True):
    """What the config's row says. `options` are sentences, none where the row cannot be run, as `problem` tells then.

    `spreadsheet` and `table` are the addresses at which people open them; None for what is no such thing. `owner` is
    None where configs are not marked.
    """

    spreadsheet: str | None
    tab: str | None
    table: str | None
    options: list[str]
    problem: str | None = None
    owner: Owner | None = None
    paused_at: datetime | None = None


class ConfigPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page, at an instant. `open` are the runs that go on and wait, `runs` some of those that ended, the newest or
    older ones. `newer_after` and `older_before` are what the pages beside it ask for; None: there is none.

    `error` is what the newest run that ended failed with, and `remedy` what to do about it; `loaded` are the columns of
    the newest load; `changes` are the newest loads that changed any.
    """

    at: datetime
    config: ShownConfig
    said: Said
    open: list[PastRun]
    runs: list[PastRun]
    are_newest: bool
    newer_after: datetime | None
    older_before: datetime | None
    error_class: str | None
    error: Told | None
    remedy: Told | None
    loaded: LoadedColumns | None
    changes: list[LoadedChanges]
    plans: list[PastPlan]

    @property
    def live_seconds(self) -> int:
        """How soon to look again."""
        return live_seconds([self.config.state])

    @property
    def most_rows(self) -> int | None:
        """Of the runs that are drawn."""
        return max((run.rows for run in self.config.recent if run.rows is not None), default=None)

    @property
    def longest(self) -> float | None:
        """Of the runs that are drawn, in seconds."""
        return max((run.seconds for run in self.config.recent if run.seconds is not None), default=None)


def build(visit: Visit) -> ConfigPage:
    """Raises `UnknownConfig`, and `InvalidInput` where the address asks for what there is not."""
    config_id = visit.path["config_id"]
    asked = parse(AskedTime, visit.asked, "the address", InvalidInput, f"the config's page is at /configs/{config_id}")
    store = visit.store
    row = store.find_config(ManualRequest(config_id=config_id))
    standing = store.standing(
        config_id,
        row.get("name"),
        visit.now,
        cap=visit.settings.max_running,
        reads_per_minute=visit.settings.sheets_reads_per_minute,
    )
    if standing is None:  # renamed or removed between the two questions
        raise UnknownConfig(f"config {config_id} was changed at this moment", "open the page again")
    failed = standing.ended_id if standing.ended_state == "failed" else None
    facts = find_facts(failed, store) if failed else None
    ended = store.ended_runs_of(config_id, A_PAGE, asked.before, asked.after)
    is_bare = asked.before is None and asked.after is None
    return ConfigPage(
        at=visit.now,
        config=show_config(standing, store.recent_runs([config_id], DRAWN)[config_id], visit.now),
        said=_said(row, standing.destination),
        open=store.open_runs_of(config_id),
        runs=ended.runs,
        are_newest=is_bare or (bool(ended.runs) and ended.newer_after is None),
        newer_after=ended.newer_after,
        older_before=ended.older_before,
        error_class=facts.run.error_class if facts else None,
        error=facts.error if facts else None,
        remedy=facts.remedy if facts else None,
        loaded=store.newest_columns(config_id),
        changes=store.newest_changes(config_id, _CHANGES),
        plans=store.newest_plans_of(config_id, _PLANS),
    )


def _said(row: Mapping[str, Any], destination: str) -> Said:
    config, problem = _parsed(row)
    spreadsheet = spreadsheet_of(row)
    mark = row.get("migration_status")
    owner: Owner = mark if mark in ("shadow", "job_ready") else "service"
    return Said(
        spreadsheet=spreadsheet.own_link if spreadsheet else None,
        tab=config.google_sheet_tab_name if config else row.get("google_sheet_tab_name"),
        table=links.table(destination),
        options=options.in_words(config) if config else [],
        problem=problem,
        owner=owner if "migration_status" in row else None,
        paused_at=None if row.get("is_active") else msgspec.convert(row.get("paused_at"), datetime | None),
    )


def _parsed(row: Mapping[str, Any]) -> tuple[Config | None, str | None]:
    try:
        return parse_config(row), None
    except InvalidConfig as error:
        return None, str(error)


PAGE = Page(
    address="/configs/<int(min=1, max=9223372036854775807):config_id>",
    twin="/configs/<int(min=1, max=9223372036854775807):config_id>.json",
    template="config.html",
    title="Config",
    build=build,
)
