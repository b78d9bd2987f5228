"""What a tab should become, written slowly and plainly from the rules, apart from the product's code."""

from datetime import date, datetime, time, timedelta
from typing import Any

from job.columns.moments import Format
from tests.unit.job.grid import Cell, Moment, Rows, Said

ERROR_TEXTS = {"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#ERROR!", "#SPILL!", "#CALC!"}
MIDNIGHT = datetime(1899, 12, 30)  # noqa: DTZ001
DAY = timedelta(days=1)


def is_blank(cell: Cell) -> bool:
    return cell is None or cell == ""


def is_error(cell: Cell) -> bool:
    return isinstance(cell, str) and cell in ERROR_TEXTS and not isinstance(cell, Said)


def kept_rows(rows: Rows) -> list[list[Cell]]:
    """The rows below the header that hold anything, as wide as the widest of all."""
    width = max(map(len, rows))
    wide = [[*row, *[None] * (width - len(row))] for row in rows[1:]]
    return [row for row in wide if not all(map(is_blank, row))]


def column_type(cells: list[Cell]) -> str:
    """The BigQuery type of a column with these cells, blank ones and errors apart."""
    kinds = {cell_kind(cell) for cell in cells if not is_blank(cell) and not is_error(cell)}
    if len(kinds) == 1:
        kind = kinds.pop()
        return "STRING" if kind in ("ELAPSED", "LOST") else kind
    if kinds == {"INT64", "FLOAT64"}:
        return "FLOAT64"
    if kinds == {"DATE", "DATETIME"}:
        return "DATETIME"
    return "STRING"


def column_values(cells: list[Cell]) -> list[Any]:
    """What the table has to hold for these cells."""
    kinds = {cell_kind(cell) for cell in cells if not is_blank(cell) and not is_error(cell)}
    as_durations = bool(kinds) and kinds <= {"TIME", "ELAPSED"} and "ELAPSED" in kinds
    return [
        None if is_blank(cell) or is_error(cell) else value(cell, column_type(cells), as_durations) for cell in cells
    ]


def cell_kind(cell: Cell) -> str:
    if isinstance(cell, Moment):
        return moment_kind(cell)
    return {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", Said: "STRING"}[type(cell)]


def moment_kind(cell: Moment) -> str:
    moment = timedelta(milliseconds=round(cell.serial * 86_400_000))
    if cell.shows is Format.ELAPSED:
        return "ELAPSED"
    if cell.shows is Format.TIME and timedelta() <= moment < DAY:
        return "TIME"
    if cell.shows is Format.TIME and abs(moment) < 1000 * DAY:
        return "ELAPSED"
    try:
        MIDNIGHT + moment
    except OverflowError:
        return "LOST"
    return "DATE" if cell.shows is Format.DATE and not moment % DAY else "DATETIME"


def value(cell: Cell, bigquery_type: str, as_durations: bool) -> Any:
    if bigquery_type == "STRING":
        return duration(cell) if as_durations and isinstance(cell, Moment) else shown(cell)
    if not isinstance(cell, Moment):
        return float(cell) if bigquery_type == "FLOAT64" and cell is not None else cell
    moment = MIDNIGHT + timedelta(milliseconds=round(cell.serial * 86_400_000))
    by_type: dict[str, date | time] = {"DATE": moment.date(), "TIME": moment.time(), "DATETIME": moment}
    return by_type[bigquery_type]


def shown(cell: Cell) -> str:
    if isinstance(cell, Moment):
        return cell.shown
    return str(cell).upper() if isinstance(cell, bool) else str(cell)


def duration(cell: Moment) -> str:
    milliseconds = round(cell.serial * 86_400_000)
    sign, rest = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    hours, minutes, seconds = rest // 3_600_000, rest // 60_000 % 60, rest // 1000 % 60
    fraction = f"{rest % 1000 / 1000:.3f}"[1:].rstrip("0").rstrip(".")
    return f"{sign}{hours}:{minutes:02}:{seconds:02}{fraction}"
