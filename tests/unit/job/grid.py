"""A tab in memory, as the Sheets API gives it: for tests of everything that the job makes of cells."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from job.columns.cells import Area
from job.columns.moments import Format
from job.reading.sheet import Lines, Raw
from job.reading.tab import Tab


class Moment(NamedTuple):
    """A number that a date-time number format shows."""

    serial: float
    shown: str
    shows: Format


class Said(str):
    """A text that may say what an error says, and is none; any other text that says so is a cell in error."""


Cell = float | int | bool | str | Moment | None
Rows = Sequence[Sequence[Cell]]
WHOLE = Area()


class GridReader:
    """What `job.reading.sheet.SheetReader` does, over rows of cells; the first row of the `area` is the header.

    `versions` are what Drive says, the last one for ever, each edited a minute after the one before. `requests` counts
    the reads of cells and formats.
    """

    def __init__(
        self,
        rows: Rows,
        block_rows: int = 1000,
        title: str = "Sheet1",
        versions: Sequence[str] = ("1",),
        locale: str = "en_US",
        time_zone: str = "Etc/GMT",
        area: Area = WHOLE,
    ) -> None:
        self._rows = rows
        self._block_rows = block_rows
        self._versions = list(versions)
        last_row = len(rows) if area.last_row is None else area.last_row
        columns = max(map(len, rows), default=1) if area.last_column is None else area.last_column + 1
        places = {"header_row": area.first_row, "first_column": area.first_column}
        self._tab = Tab(0, title, last_row, columns, locale, time_zone, **places)
        self.requests = 0
        self.modified_at: datetime | None = None

    def version(self) -> str:
        version = self._versions.pop(0) if len(self._versions) > 1 else self._versions[0]
        self.modified_at = datetime(2026, 5, 4, tzinfo=UTC) + timedelta(minutes=int(version))
        return version

    def tab(self) -> Tab:
        return self._tab

    def blocks(self, tab: Tab) -> Iterator[tuple[int, list[Raw], list[Raw]]]:
        start = tab.header_row + 1
        for first in range(start, max(tab.rows, start) + 1, self._block_rows):
            last = min(first + self._block_rows - 1, tab.rows)
            self.requests += 1
            header = self._columns(start - 1, start - 1, _unformatted, tab.first_column) if first == start else []
            yield first, header, self._columns(first, last, _unformatted, tab.first_column)

    def shown(self, tab: Tab) -> Iterator[tuple[int, Lines]]:
        left = [""] * tab.first_column
        for first in range(tab.header_row, tab.rows + 1, self._block_rows):
            self.requests += 1
            rows = self._rows[first - 1 : min(first - 1 + self._block_rows, tab.rows)]
            lines = [left + line for line in shown_rows([row[tab.first_column : tab.columns] for row in rows])]
            yield first, lines if lines or first > tab.header_row else [[]]

    def columns(self, tab: Tab, first: int, last: int, columns: Sequence[int], moments_only: bool) -> dict[int, Raw]:
        self.requests += 1
        given = self._columns(first, last, _moments_shown if moments_only else _shown)
        return {column: given[column] if column < len(given) else Raw(b"[]") for column in columns}

    def formats(self, tab: Tab, cells: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Format]:
        self.requests += 1
        found = {(row, column): self._rows[row - 1][column] for row, column in cells}
        return {place: cell.shows for place, cell in found.items() if isinstance(cell, Moment)}

    def errors(self, tab: Tab, first: int, positions: Mapping[int, Sequence[int]]) -> dict[int, set[int]]:
        self.requests += 1
        cells = {
            column: [(first + each, self._rows[first + each - 1][column]) for each in positions[column]]
            for column in positions
        }
        return {column: {row for row, cell in each if not isinstance(cell, Said)} for column, each in cells.items()}

    def _columns(self, first: int, last: int, render, left: int = 0) -> list[Raw]:
        """Columns as the API gives them: blanks as "", trailing ones left out, trailing blank columns, too.

        What is left of the column `left` is not read.
        """
        columns = [Raw(b"[]")] * left
        for column in range(left, self._tab.columns):
            cells = [render(row[column]) if column < len(row) else "" for row in self._rows[first - 1 : last]]
            while cells and cells[-1] == "":
                cells.pop()
            columns.append(Raw(json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode()))
        while columns and bytes(columns[-1]) == b"[]":
            columns.pop()
        return columns


def shown_rows(rows: Rows) -> Lines:
    """Rows as `values.get` gives them: blanks as "", those at a row's end and blank rows at the end left out."""
    lines = [["" if cell is None else _shown(cell) for cell in row] for row in rows]
    for line in lines:
        while line and line[-1] == "":
            line.pop()
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _unformatted(cell: Cell) -> Cell:
    if isinstance(cell, Moment):
        return cell.serial
    return "" if cell is None else cell


def _moments_shown(cell: Cell) -> Cell:
    return cell.shown if isinstance(cell, Moment) else _unformatted(cell)


def _shown(cell: Cell) -> str:
    if isinstance(cell, bool):
        return str(cell).upper()
    return str(_moments_shown(cell))
