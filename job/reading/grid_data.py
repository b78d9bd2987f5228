"""What `spreadsheets.get` tells of single cells beside their values: number formats, and which are in error. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from job.columns.cells import spans
from job.columns.moments import Format, format_of

Row = TypeVar("Row")

FORMAT_FIELDS = "sheets.data(startRow,startColumn,rowData.values.effectiveFormat.numberFormat)"
# Not the error's message, which can quote other cells.
ERROR_FIELDS = "sheets.data(startRow,startColumn,rowData.values.effectiveValue.errorValue.type)"
# Cells of a request for errors: 3 MB an answer, if all of them are.
MOST_CELLS = 50_000
# Runs of cells that a block's errors are asked for in, if there are no more columns; and cells between two runs that
# are rather read with them.
_MOST_RUNS = 30
_BRIDGED = 16


class _NumberFormat(msgspec.Struct):
    type: str = ""
    pattern: str = ""


class _CellFormat(msgspec.Struct, rename="camel"):
    number_format: _NumberFormat | None = None


class _CellData(msgspec.Struct, rename="camel"):
    effective_format: _CellFormat | None = None


class RowData(msgspec.Struct):
    """The number formats of a row's cells."""

    values: list[_CellData] = []


class GridData(msgspec.Struct, Generic[Row], rename="camel"):
    """The cells of one range, from its first row and column on, both counted from 0."""

    start_row: int = 0
    start_column: int = 0
    row_data: list[Row] = []


class _Sheet(msgspec.Struct, Generic[Row]):
    data: list[GridData[Row]] = []


class GridAnswer(msgspec.Struct, Generic[Row]):
    """The answer for some ranges."""

    sheets: list[_Sheet[Row]] = []

    def ranges(self) -> Iterator[GridData[Row]]:
        return (data for sheet in self.sheets for data in sheet.data)


class Run(msgspec.Struct, frozen=True):
    """Cells of one column that follow each other; both ends are positions in a block."""

    column: int
    first: int
    last: int


def formats_in(data: GridData[RowData]) -> dict[tuple[int, int], Format]:
    """What the number formats of the cells that have one show, by row (from 1) and column (from 0)."""
    return {
        (data.start_row + down + 1, data.start_column + right): format_of(
            cell.effective_format.number_format.type, cell.effective_format.number_format.pattern
        )
        for down, row in enumerate(data.row_data)
        for right, cell in enumerate(row.values)
        if cell.effective_format and cell.effective_format.number_format
    }


def errors_in(data: GridData[msgspec.Raw]) -> list[int]:
    """The rows (from 1) of a range of one column whose cell is in error."""
    # No text of the sheet is in what was asked for, so that the field's name is nothing else.
    return [data.start_row + down + 1 for down, row in enumerate(data.row_data) if b'"errorValue"' in bytes(row)]


def runs_of(positions: Mapping[int, Sequence[int]]) -> list[Run]:
    """Runs that hold these cells (by column, ascending): few for any number of cells, and none of them too long.

    Cells that lie scattered are asked for one by one while they are few, and with those between them if they are many.
    """
    most = max(1, _MOST_RUNS // len(positions))
    return [
        Run(column, first, min(first + MOST_CELLS - 1, end))
        for column, each in positions.items()
        for start, end in spans(each, _BRIDGED, most)
        for first in range(start, end + 1, MOST_CELLS)
    ]
