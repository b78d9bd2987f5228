"""`Spreadsheet`, as `spreadsheets.get` answers it."""

from collections.abc import Iterable, Sequence
from typing import Any

from local.sheets.a1 import Cells
from local.sheets.display import display
from local.sheets.fields import Mask, selects, submask
from local.sheets.pattern import NumberPattern
from local.sheets.spreadsheet import Area, CellError, NamedRange, Spreadsheet, Tab, Value

# What a workbook does not hold: as for a new spreadsheet of an account in that locale.
LOCALE = "en_US"
TIME_ZONE = "Etc/GMT"
ERROR_TYPES = {
    "#NULL!": "NULL_VALUE",
    "#DIV/0!": "DIVIDE_BY_ZERO",
    "#VALUE!": "VALUE",
    "#REF!": "REF",
    "#NAME?": "NAME",
    "#NUM!": "NUM",
    "#N/A": "N_A",
    "#ERROR!": "ERROR",
}
COLUMN_PIXELS, ROW_PIXELS = 100, 21


def spreadsheet_resource(
    spreadsheet: Spreadsheet,
    spreadsheet_id: str,
    title: str,
    *,
    areas: Sequence[Area],
    mask: Mask,
    grid_data: bool,
) -> dict[str, Any]:
    """The resource; with `grid_data`, the cells of `areas`, or each tab's whole grid if there are none.

    Areas also narrow the tabs to theirs. The mask is heeded where that spares work; the caller applies it.
    """
    tabs = [tab for tab in spreadsheet.tabs if not areas or any(area.tab is tab for area in areas)]
    answer = {
        "spreadsheetId": spreadsheet_id,
        "properties": {
            "title": title,
            "locale": LOCALE,
            "autoRecalc": "ON_CHANGE",
            "timeZone": TIME_ZONE,
        },
        "sheets": [_tab(spreadsheet, tab, areas, mask, grid_data) for tab in tabs],
        "spreadsheetUrl": f"https://docs.google.com/spreadsheets/d/{spreadsheet_id}/edit",
    }
    if spreadsheet.named_ranges:
        answer["namedRanges"] = [_named_range(named) for named in spreadsheet.named_ranges]
    return answer


def _tab(spreadsheet: Spreadsheet, tab: Tab, areas: Sequence[Area], mask: Mask, grid_data: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"properties": _properties(tab)}
    if tab.grid and grid_data and selects(mask, "sheets", "data"):
        own = [area for area in areas if area.tab is tab] or [spreadsheet.whole(tab)]
        data_mask = submask(submask(mask, "sheets"), "data") if mask else {}
        answer["data"] = [_grid_data(spreadsheet, area, data_mask) for area in own]
    if tab.merges:
        answer["merges"] = [grid_range(tab, cells) for cells in tab.merges]
    return answer


def _properties(tab: Tab) -> dict[str, Any]:
    """Zeros that Google sends are here; what is False or absent is left out, as Google does."""
    properties: dict[str, Any] = {
        "sheetId": tab.gid,
        "title": tab.title,
        "index": tab.index,
        "sheetType": "GRID" if tab.grid else "OBJECT",
    }
    if tab.grid:
        grid = {"rowCount": tab.row_count, "columnCount": tab.column_count}
        frozen = {"frozenRowCount": tab.frozen_rows, "frozenColumnCount": tab.frozen_columns}
        properties["gridProperties"] = grid | {name: count for name, count in frozen.items() if count}
    if tab.hidden:
        properties["hidden"] = True
    return properties


def grid_range(tab: Tab, cells: Cells) -> dict[str, int]:
    """A `GridRange`; a field that is open is left out, and so is the sheetId 0."""
    fields = {
        "sheetId": tab.gid or None,
        "startRowIndex": cells.first_row,
        "endRowIndex": cells.end_row,
        "startColumnIndex": cells.first_column,
        "endColumnIndex": cells.end_column,
    }
    return {name: number for name, number in fields.items() if number is not None}


def _named_range(named: NamedRange) -> dict[str, Any]:
    return {
        "namedRangeId": named.name.lower(),
        "name": named.name,
        "range": grid_range(named.tab, named.cells),
    }


def _grid_data(spreadsheet: Spreadsheet, area: Area, mask: Mask) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if area.first_row:
        answer["startRow"] = area.first_row
    if area.first_column:
        answer["startColumn"] = area.first_column
    if selects(mask, "rowData"):
        rows = _rows(spreadsheet, area, submask(submask(mask, "rowData"), "values"))
        if rows:
            answer["rowData"] = rows
    if selects(mask, "rowMetadata"):
        rows_shown = range(area.first_row, area.end_row)
        answer["rowMetadata"] = _dimensions(rows_shown, ROW_PIXELS, area.tab.hidden_rows)
    if selects(mask, "columnMetadata"):
        columns_shown = range(area.first_column, area.end_column)
        answer["columnMetadata"] = _dimensions(columns_shown, COLUMN_PIXELS, area.tab.hidden_columns)
    return answer


def _dimensions(numbers: Iterable[int], pixels: int, hidden: frozenset[int]) -> list[dict[str, Any]]:
    return [{"pixelSize": pixels} | ({"hiddenByUser": True} if n in hidden else {}) for n in numbers]


def _rows(spreadsheet: Spreadsheet, area: Area, mask: Mask) -> list[dict[str, Any]]:
    """`RowData` up to the last row, each up to its last cell, that holds a value or a number format."""
    cells = _CellData(spreadsheet, area.tab, mask)
    columns = area.tab.columns[area.first_column : area.end_column]
    height = max((len(column.values) for column in columns), default=0)
    rows: list[dict[str, Any]] = []
    for row in range(area.first_row, min(area.end_row, height)):
        shown: list[dict[str, Any]] = []
        width = 0
        for place, column in enumerate(columns, 1):
            if row < len(column.values):
                value, pattern = column.values[row], column.patterns[row]
                shown.append(cells.data(row, area.first_column + place - 1, value, pattern))
                if value is not None or pattern or row in column.formulas:
                    width = place
            else:
                shown.append({})
        rows.append({"values": shown[:width]} if width else {})
    while rows and not rows[-1]:
        rows.pop()
    return rows


class _CellData:
    """Makes `CellData` of a tab's cells, only what the mask wants of it."""

    def __init__(self, spreadsheet: Spreadsheet, tab: Tab, mask: Mask) -> None:
        self.tab = tab
        self.patterns = spreadsheet.patterns
        self.formats = [_cell_format(pattern) for pattern in spreadsheet.patterns]
        self.entered = selects(mask, "userEnteredValue")
        self.effective = selects(mask, "effectiveValue")
        self.formatted = selects(mask, "formattedValue")
        self.hyperlink = selects(mask, "hyperlink")
        self.wanted_formats = [n for n in ("userEnteredFormat", "effectiveFormat") if selects(mask, n)]

    def data(self, row: int, column: int, value: Value, pattern: int) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        formula = self.tab.columns[column].formulas.get(row)
        if self.entered and formula is not None:
            answer["userEnteredValue"] = {"formulaValue": formula}
        if value is not None:
            if self.entered and formula is None:
                answer["userEnteredValue"] = extended_value(value)
            if self.effective:
                answer["effectiveValue"] = extended_value(value)
            if self.formatted:
                answer["formattedValue"] = display(value, self.patterns[pattern])
        if self.formats[pattern]:
            for name in self.wanted_formats:
                answer[name] = self.formats[pattern]
        if self.hyperlink and (row, column) in self.tab.hyperlinks:
            answer["hyperlink"] = self.tab.hyperlinks[row, column]
        return answer


def _cell_format(pattern: NumberPattern) -> dict[str, Any]:
    if pattern.is_general:
        return {}
    return {"numberFormat": {"type": pattern.type, "pattern": pattern.text}}


def extended_value(value: Value) -> dict[str, Any]:
    """An `ExtendedValue`: bool, number, text or error."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, CellError):
        return {"errorValue": {"type": ERROR_TYPES[value.code]}}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"numberValue": value}
