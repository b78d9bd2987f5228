"""A plan on the screen: names, types and samples first, then what is odd, then what would change."""

from typing import TYPE_CHECKING

from commands.moments import shown
from commands.plan_sheet import SheetPlan
from commands.plan_table import ColumnChange, TablePlan
from commands.screen import Screen

if TYPE_CHECKING:
    from commands.plan import Plan

_COLUMNS = ("HEADER", "COLUMN", "TYPE", "MODE", "FILLED", "SAMPLES")
# Of a value: a column has to be recognised, not read.
_LONGEST = 30


def draw_plan(plan: "Plan", screen: Screen) -> None:
    """Writes the plan; its errors go to standard error, as every command's do."""
    _draw_sheet(plan.sheet, screen)
    if plan.change:
        _draw_change(plan.table, plan.change, plan.sheet.rows, screen)
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
        size = f": {sheet.rows:,} rows, {len(sheet.columns):,} columns" if sheet.rows is not None else ""
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
    if sheet.cells:
        screen.say(f"link      {sheet.cells[0].link}")


def _draw_change(table: str, change: TablePlan, rows: int | None, screen: Screen) -> None:
    screen.say(f"table     {table}: {_effect(change, rows)}")
    for line in map(_told, change.schema):
        screen.say(f"          {line}")
    if change.rows is not None and rows is not None and not change.schema:
        screen.say("          the columns stay as they are")


def _effect(change: TablePlan, rows: int | None) -> str:
    if rows is None:  # nothing would be loaded
        return f"stays as it is, {change.rows:,} rows" if change.rows is not None else "is not there"
    if change.rows is not None:
        return f"a run {change.effect}, rows {change.rows:,} → {rows:,}"
    return f"a run {change.effect} in {change.location}, rows {rows:,}"


def _told(change: ColumnChange) -> str:
    if change.before is None:
        return f"+ {change.name} {change.after}"
    if change.after is None:
        return f"- {change.name} {change.before}"
    return f"~ {change.name} {change.before} → {change.after}"


def _brief(text: str) -> str:
    """A text on one line, and not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
