"""`migrate.py types`: the step from the service's shape, all STRING, to real types: previewed first, then taken."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from google.api_core import exceptions

from commands.exits import SUCCEEDED
from commands.manual_run import run_configs
from commands.migration.actor import Change
from commands.migration.named import examine_named, require_ledger
from commands.screen import Screen
from job.planning.columns import planned_columns
from job.planning.plan import read_sheet
from migration.types import TypesPlan, plan_types, table_of
from shared.asking import BRIEF_RETRY, SECONDS, asking
from shared.config import Config, parse_config, table_problem
from shared.errors import InvalidInput, Overtaken, SyncError, WrongPhase
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.options import examine_options
from shared.owner import Owned
from shared.plan import PlannedColumn
from shared.wiring import Wiring

_COLUMNS = ("COLUMN", "IS", "BECOMES", "TYPE", "READERS OF THE TABLE NOTICE")


class Typed(msgspec.Struct, frozen=True):
    """A config of the job's, its row's options, what the step changes in its table, and why that has no shape of the
    service's, where it has none."""

    owned: Owned
    config: Config
    options: Any
    plan: TypesPlan
    why_none: str

    @property
    def is_before(self) -> bool:
        """Whether the step is still to be taken."""
        return examine_options(self.options)[0].parity

    @property
    def told(self) -> dict[str, Any]:
        return {"id": self.owned.id, "name": self.owned.name, "plan": self.plan}


def show_types(
    names: Sequence[str], apply: bool, view: str | None, change: Change, environ: Mapping[str, str], screen: Screen
) -> int:
    """Previews the step for the configs that are named; with `apply`, their next runs load real types.

    With `view`, one config is run at once, and then the view is made: until the table has its new columns, it could
    not be. The audit keeps who took it and why, while there are marks. Raises `WrongPhase` and what reading the sheet
    raises, with nothing changed.
    """
    wiring = Wiring(environ)
    applied = apply and not change.dry_run
    with wiring.store() as store:
        # Without marks, after `finish`, every config is the job's.
        is_marked = require_ledger(store).column
        wanted = examine_named(
            names,
            store,
            lambda row, owned: _examine(row, owned, is_marked, view, store, wiring),
            screen,
            changes=applied,
        )
        for each in wanted:
            _draw(each, screen)
        if applied:
            for each in wanted:
                if each.is_before and not _take(each, change, store):
                    raise Overtaken(f"{each.owned.label}: somebody changed its options at this moment", "try again")
                failpoint("migrate.after_types")
    if applied and view:
        _take_with_view(wanted[0], environ, wiring, screen)
    elif applied:
        screen.say("The next run of each loads real types: `python job_helper.py run NAME` runs it now.")
    elif change.dry_run:
        screen.say("dry run: nothing was changed")
    else:
        left = any(each.is_before for each in wanted)
        screen.say(f"nothing was changed{': --apply takes the step' if left else ''}")
    screen.json(
        [{"id": each.owned.id, "name": each.owned.name, "applied": applied, "plan": each.plan} for each in wanted]
    )
    return SUCCEEDED


def _take(typed: Typed, change: Change, store: Store) -> bool:
    return store.drop_parity(typed.owned.id, typed.options, change.actor, change.reason)


def _examine(
    row: dict[str, Any], owned: Owned, is_marked: bool, view: str | None, store: Store, wiring: Wiring
) -> Typed:
    if is_marked and owned.owner != "job_ready":
        raise WrongPhase(
            f"{owned.label} is the service's, which knows no types", f"`python migrate.py promote {owned.id}`"
        )
    if view is not None:
        _refuse_taken_name(parse_config(row), view, store, wiring)
    options = row.get("options")
    given = examine_options(options)[0]
    own = {name: value for name, value in msgspec.to_builtins(given).items() if name != "parity"}
    before, after = (parse_config(row | {"options": own | extra}) for extra in ({"parity": True}, {}))
    columns = _columns(after, wiring)
    shape, why_none = _shape(before, wiring)
    if why_none and view:
        raise InvalidInput(f"{owned.label} has no shape that a view could keep: {why_none}", "leave out --view")
    return Typed(owned, after, options, plan_types(after, shape, columns, view), why_none)


def _shape(before: Config, wiring: Wiring) -> tuple[tuple[PlannedColumn, ...], str]:
    """The columns as the service has them; none, and why, where it fails at the sheet: then it has made no table."""
    try:
        return _columns(before, wiring), ""
    except SyncError as error:
        if error.retryable:
            raise
        return (), error.what


def _refuse_taken_name(config: Config, view: str, store: Store, wiring: Wiring) -> None:
    """Raises `InvalidInput` where the name is none, or is taken by what no earlier call made. A config's table takes it
    before the first load as well: the view would stand where that is to be."""
    if problem := table_problem(view):
        raise InvalidInput(f"--view {problem}", "give the view a name of its own, without its dataset")
    name = f"{config.google_cloud_project_id}.{config.bigquery_dataset_id}.{view}"
    for own in store.configs_of_table(config, view):
        raise InvalidInput(f"--view {view}: {name} is the table of config {own}", "give the view another name")
    client = wiring.bigquery(wiring.settings.job_project)
    dataset = name.rpartition(".")[0]
    refused = f"grant roles/bigquery.dataEditor on {dataset} to this identity"
    with asking(f"the view {name}", missing="", refused=refused), contextlib.suppress(exceptions.NotFound):
        found = client.get_table(name, timeout=SECONDS, retry=BRIEF_RETRY)
        if found.table_type != "VIEW" or not (found.view_query or "").endswith(f"FROM {table_of(config)}"):
            raise InvalidInput(
                f'--view {view}: {name} is there, and is no view over the table of config {config.id} "{config.name}"',
                "give the view another name",
            )


def _columns(config: Config, wiring: Wiring) -> tuple[PlannedColumn, ...]:
    """What a run would load, read from the sheet now."""
    sheet = read_sheet(config, wiring.clients, wiring.settings.sheets_reads_per_minute)
    if sheet.error is not None:
        raise sheet.error
    return tuple(planned_columns(sheet.table)) if sheet.table else ()


def _draw(typed: Typed, screen: Screen) -> None:
    owned = typed.owned
    screen.say(
        f"{owned.id} {owned.name}: {typed.plan.table}{'' if typed.is_before else ' (the step is taken already)'}"
    )
    rows = [
        (
            each.before_name or "",
            each.before_type or "",
            each.after_name or "",
            each.after_type or "",
            "; ".join(each.noticed),
        )
        for each in typed.plan.columns
    ]
    screen.table(_COLUMNS, rows)
    if typed.why_none:
        screen.say(f"The service fails at this sheet, and so has no such columns: {typed.why_none}")
    for line in typed.plan.noticed:
        screen.say(line)
    if typed.plan.view:
        screen.say(f"A view that keeps the old shape:\n{typed.plan.view}")


def _take_with_view(typed: Typed, environ: Mapping[str, str], wiring: Wiring, screen: Screen) -> None:
    """Runs the config, and makes the view over what it loaded. Raises `InvalidInput` where it cannot be made."""
    told = Screen()  # the run's own words beside the result
    if run_configs([str(typed.owned.id)], False, True, None, environ, told) != SUCCEEDED:
        raise InvalidInput(
            f"{typed.owned.label}: its run did not succeed, so the view is not made yet",
            f"`python migrate.py types {typed.owned.id} --apply --view …` again, when it can",
        )
    failpoint("migrate.after_run")
    client = wiring.bigquery(wiring.settings.job_project)
    table = typed.plan.table
    refused = f"grant roles/bigquery.dataEditor on the dataset of {table} to this identity"
    with asking(f"the view over {table}", missing="run the config once more", refused=refused):
        try:
            client.query(
                typed.plan.view or "", location=wiring.location_of(typed.config), timeout=SECONDS, retry=BRIEF_RETRY
            ).result(timeout=SECONDS)
        except exceptions.BadRequest as error:
            raise InvalidInput(
                f"{typed.owned.label}: BigQuery does not make the view", "give it a name that no table has"
            ) from error
    screen.say("the view is made")
