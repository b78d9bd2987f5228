"""`migrate.py compare`: whether the job's table is the service's, as BigQuery computes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.exits import FAILED, SUCCEEDED
from commands.migration.named import examine_named, require_started
from commands.migration.sample import show_sample
from commands.screen import Screen
from migration.comparison import Comparison, compare
from shared.config import parse_config
from shared.errors import DatabaseUnavailable, SyncError, WrongPhase
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.loaded import ColumnChange
from shared.messages import ManualRequest
from shared.owner import Owned
from shared.settings import read_migrating
from shared.wiring import Wiring

_COLUMNS = ("ID", "NAME", "VERDICT", "SERVICE ROWS", "JOB ROWS", "MATCHES")
# Tables of two sheets differ in all their columns: the first few tell that.
_SCHEMA_LINES = 10


class Looked(msgspec.Struct, frozen=True):
    """A config's comparison, or why there is none, and how many in a row are MATCH with it."""

    owned: Owned
    comparison: Comparison | None
    matches: int
    trouble: str = ""

    @property
    def is_match(self) -> bool:
        return self.comparison is not None and self.comparison.verdict == "MATCH"


def compare_configs(
    names: Sequence[str], key: str | None, with_rows: bool, environ: Mapping[str, str], screen: Screen
) -> int:
    """Compares and records each config that is named, or all in shadow; 1 unless all are a MATCH.

    Raises `WrongPhase` before anything is compared. What cannot be compared is told, and keeps no other from it.
    """
    wiring = Wiring(environ)
    with wiring.store() as store:
        require_started(store)
        wanted = (
            examine_named(names, store, _examine, screen, changes=False)
            if names
            else store.list_owned(store.shadow_ids())
        )
        looked = [_look(each, key, store, wiring) for each in wanted]
    needed = read_migrating(environ).migration_matches
    _draw(looked, needed, with_rows or screen.is_seen, screen)
    screen.json([_told(each, with_rows) for each in looked])
    return SUCCEEDED if all(each.is_match for each in looked) else FAILED


def _examine(_row: dict[str, Any], owned: Owned) -> Owned:
    if owned.owner == "service":
        raise WrongPhase(f"{owned.label} was not loaded beside the service", f"`python migrate.py shadow {owned.id}`")
    if owned.owner == "job_ready":
        raise WrongPhase(
            f"{owned.label} is the job's: its table has no other to be compared with",
            f"`python migrate.py rollback {owned.id}` and `shadow {owned.id}` begin again",
        )
    return owned


def _look(owned: Owned, key: str | None, store: Store, wiring: Wiring) -> Looked:
    settings = wiring.settings
    comparison, trouble = None, ""
    try:
        config = parse_config(store.find_config(ManualRequest(id=owned.id)))
        client = wiring.bigquery(settings.job_project)
        comparison = compare(config, settings.shadow_suffix, store, client, store.now(), key)
        failpoint("migrate.after_compare")
        store.record_comparison(comparison)
    except DatabaseUnavailable:
        raise
    except SyncError as error:
        trouble = f"{error.name}: {error}"
    return Looked(owned, comparison, store.consecutive_matches(owned.id, owned.table), trouble)


def _draw(looked: Sequence[Looked], needed: int, with_rows: bool, screen: Screen) -> None:
    if not looked:
        screen.say("No config is in shadow: `python migrate.py shadow NAME` begins.")
        return
    screen.table(_COLUMNS, [_row(each, needed) for each in looked])
    for each in looked:
        name = f"{each.owned.id} {each.owned.name}"
        if each.trouble:
            screen.trouble(f"{name}: {each.trouble}")
        if each.comparison:
            _say_differences(name, each.comparison, screen)
            if with_rows and each.comparison.sample:
                show_sample(each.comparison.sample, screen)
    ready = [each.owned for each in looked if each.is_match and each.matches >= needed]
    if ready:
        screen.say(f"ready: `python migrate.py promote {' '.join(str(owned.id) for owned in ready)}`")


def _row(looked: Looked, needed: int) -> tuple[Any, ...]:
    compared = looked.comparison
    return (
        str(looked.owned.id),
        looked.owned.name,
        compared.verdict if compared else "not compared",
        compared.service_rows if compared else None,
        compared.job_rows if compared else None,
        f"{looked.matches} of {needed}",
    )


def _say_differences(name: str, compared: Comparison, screen: Screen) -> None:
    if compared.verdict != "MATCH":
        screen.say(f"{name}: {compared.why}")
    differences = compared.differences
    if differences is not None:
        for change in differences.schema[:_SCHEMA_LINES]:
            screen.say(f"{name}: column {change.name}: {_of_sides(change)}")
        if (more := len(differences.schema) - _SCHEMA_LINES) > 0:
            screen.say(f"{name}: and {more:,} more")
        for column in differences.columns:
            nulls = f"{column.service_nulls:,} NULLs by the service, {column.job_nulls:,} by the job"
            told = "values differ" if column.values_differ else "NULLs differ"
            screen.say(f"{name}: column {column.name}: {told} ({nulls})")
        if differences.rows_differ:
            screen.say(f"{name}: the columns hold the same values, but not in the same rows")
        if differences.order_differs:
            screen.say(f"{name}: the columns stand in another order, which no query sees")
    for note in compared.notes:
        screen.say(f"{name}: {note}")


def _of_sides(change: ColumnChange) -> str:
    if change.after is None:
        return f"only in the service's table ({change.before})"
    if change.before is None:
        return f"only in the job's ({change.after})"
    return f"{change.before} in the service's table, {change.after} in the job's"


def _told(looked: Looked, with_rows: bool) -> dict[str, Any]:
    """For machines; values of cells where they were asked for."""
    compared: dict[str, Any] | None = msgspec.to_builtins(looked.comparison)
    if compared is not None and not with_rows:
        del compared["sample"]
    owned = looked.owned
    return {
        "id": owned.id,
        "name": owned.name,
        "matches": looked.matches,
        "comparison": compared,
        "trouble": looked.trouble,
    }
