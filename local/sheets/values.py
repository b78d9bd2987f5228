"""`ValueRange`: the cells of a range as `spreadsheets.values` answers them."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.sheets.display import display
from local.sheets.spreadsheet import Area, CellError, Column, Spreadsheet, Value

ROWS, COLUMNS = "ROWS", "COLUMNS"
FORMATTED_VALUE, UNFORMATTED_VALUE, FORMULA = "FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"
SERIAL_NUMBER, FORMATTED_STRING = "SERIAL_NUMBER", "FORMATTED_STRING"

# An empty cell between others, whichever way values are rendered.
EMPTY = ""


@dataclass(frozen=True)
class Rendering:
    """The options of `values.get`, each one of the constants above."""

    dimension: str = ROWS
    values: str = FORMATTED_VALUE
    dates: str = SERIAL_NUMBER


def value_range(spreadsheet: Spreadsheet, area: Area, rendering: Rendering) -> dict[str, Any]:
    """The area's values; empty cells at a row's (or column's) end and empty rows at the end are left out."""
    columns = [
        _rendered(spreadsheet, area, number, rendering)
        for number in range(area.first_column, min(area.end_column, len(area.tab.columns)))
    ]
    height = max((len(column) for column in columns), default=0)
    if rendering.dimension == COLUMNS:
        lines = [[EMPTY if value is None else value for value in column] for column in columns]
    else:
        for column in columns:
            column.extend([None] * (height - len(column)))
        lines = [_row(cells) for cells in zip(*columns, strict=True)]
    while lines and not lines[-1]:
        lines.pop()
    answer: dict[str, Any] = {"range": area.range_text, "majorDimension": rendering.dimension}
    return answer | {"values": lines} if lines else answer


def _row(cells: tuple[Any, ...]) -> list[Any]:
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return [EMPTY if cell is None else cell for cell in cells[:end]]


def _rendered(spreadsheet: Spreadsheet, area: Area, number: int, rendering: Rendering) -> list[Any]:
    """One column of the area, None where a cell is empty, cut behind the last cell that is not."""
    column = area.tab.columns[number]
    end = min(area.end_row, len(column.values))
    while end > area.first_row and column.values[end - 1] is None:
        end -= 1
    render = _renderer(spreadsheet, rendering)
    shown = _map_column(column, area.first_row, end, render)
    if rendering.values == FORMULA:
        for row, formula in column.formulas.items():
            if area.first_row <= row < area.end_row:
                # A formula without a saved value can stand behind the last value.
                shown.extend([None] * (row - area.first_row - len(shown) + 1))
                shown[row - area.first_row] = formula
    return shown


def _map_column(column: Column, first: int, end: int, render: Callable[[Value, int], Any]) -> list[Any]:
    values, patterns = column.values[first:end], column.patterns[first:end]
    pairs = zip(values, patterns, strict=True)
    return [None if value is None else render(value, pattern) for value, pattern in pairs]


def _renderer(spreadsheet: Spreadsheet, rendering: Rendering) -> Callable[[Value, int], Any]:
    """How a value that is not empty is answered; the second argument is its pattern's index."""
    patterns = spreadsheet.patterns

    # Most columns repeat themselves; 1 and TRUE are the same key, but for their types.
    @functools.lru_cache(maxsize=None, typed=True)
    def shown(value: Value, pattern: int) -> str:
        return display(value, patterns[pattern])

    if rendering.values == FORMATTED_VALUE:
        return shown
    as_text = {
        index for index, pattern in enumerate(patterns) if pattern.is_date_time and rendering.dates == FORMATTED_STRING
    }

    def unformatted(value: Value, pattern: int) -> Any:
        if isinstance(value, CellError):
            return value.code
        if pattern in as_text and isinstance(value, (int, float)) and not isinstance(value, bool):
            return shown(value, pattern)
        return value

    return unformatted
