"""A plan on the screen: names, types and samples first, then what is odd, then what would change."""

from typing import TYPE_CHECKING

from commands.moments import shown
from commands.plan_samples import SheetPlan
from commands.screen import Screen
from shared.counted import counted
from shared.plan import TablePlan

if TYPE_CHECKING:
    from commands.plan import Plan

_COLUMNS = ("HEADER", "COLUMN", "TYPE", "MODE", "FILLED", "SAMPLES")
# Of a value: a column has to be recognised, not read.
_LONGEST = 30


def draw_plan(plan: "Plan", screen: Screen) -> None:
    """Writes the plan; its errors go to standard error, as every command's do."""
    _draw_sheet(plan.sheet, screen)
    if plan.change:
        _draw_change(plan.table, plan.change, screen)
    for owner in plan.owners or ():
        screen.say(f"owner     config {owner} replaces {plan.table} too")
    if plan.owners is None:
        screen.say("owner     not looked for: no database is configured, or it does not answer")
    due = f"{shown(plan.next_due)} UTC: " if plan.next_due else ""
    screen.say(f"next due  {due}{plan.schedule}")
    screen.say(f"requests  {plan.sheet.requests} to Sheets and Drive")
    for error in plan.errors:
        screen.trouble(f"a run would fail: {error.error_class}: {error.error}")
    if not plan.errors:
        screen.say("a run would succeed; nothing was written")


def _draw_sheet(sheet: SheetPlan, screen: Screen) -> None:
    if sheet.tab:
        size = (
            f": {counted(sheet.rows, 'row')}, {counted(len(sheet.columns), 'column')}" if sheet.rows is not None else ""
        )
        screen.say(f'tab       "{sheet.tab.title}"{size}')
    if sheet.columns:
        screen.say()
        rows = [
            (_brief(each.header), each.name, each.type, each.mode, each.filled, " · ".join(map(_brief, each.samples)))
            for each in sheet.columns
        ]
        screen.table(_COLUMNS, rows)
        screen.say()
    for notice in sheet.notices:
        screen.say(f"notice    {notice}")
    for cell in sheet.cells:
        screen.say(f"cell      {cell.cell}: {_brief(cell.shown) if cell.shown is not None else 'not read'}")
        screen.say(f"          {cell.link}")


def _draw_change(table: str, change: TablePlan, screen: Screen) -> None:
    screen.say(f"table     {table}: a run {change.effect}{_where(change)}{_rows(change)}")
    for line in (*(each.told for each in change.schema), *change.left_out):
        screen.say(f"          {line}")
    if change.rows is not None and change.after is not None and not change.schema:
        screen.say("          the columns stay as they are")


def _where(change: TablePlan) -> str:
    return f" in {change.location}" if change.rows is None and change.after is not None else ""


def _rows(change: TablePlan) -> str:
    counts = [f"{count:,}" for count in (change.rows, change.after) if count is not None]
    return f", rows {' → '.join(counts)}" if counts else ""


def _brief(text: str) -> str:
    """A text on one line, and not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
