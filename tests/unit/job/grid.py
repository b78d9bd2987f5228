"""A tab in memory, as the Sheets API gives it: for tests of everything that the job makes of cells."""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from job.columns.moments import Format
from job.reading.sheet import Lines, Raw, Tab


class Moment(NamedTuple):
    """A number that a date-time number format shows."""

    serial: float
    shown: str
    shows: Format


Cell = float | int | bool | str | Moment | None
Rows = Sequence[Sequence[Cell]]


class GridReader:
    """What `job.reading.sheet.SheetReader` does, over rows of cells; the first row is the header.

    `versions` are what Drive says, the last one for ever. `requests` counts the reads of cells and formats.
    """

    def __init__(
        self,
        rows: Rows,
        block_rows: int = 1000,
        title: str = "Sheet1",
        versions: Sequence[str] = ("1",),
        locale: str = "en_US",
        time_zone: str = "Etc/GMT",
    ) -> None:
        self._rows = rows
        self._block_rows = block_rows
        self._versions = list(versions)
        self._tab = Tab(0, title, len(rows), max(map(len, rows), default=1), locale, time_zone)
        self.requests = 0

    def version(self) -> str:
        return self._versions.pop(0) if len(self._versions) > 1 else self._versions[0]

    def tab(self) -> Tab:
        return self._tab

    def blocks(self, tab: Tab) -> Iterator[tuple[int, list[Raw], list[Raw]]]:
        for first in range(2, max(tab.rows, 2) + 1, self._block_rows):
            last = min(first + self._block_rows - 1, tab.rows)
            self.requests += 1
            header = self._columns(1, 1, _unformatted) if first == 2 else []
            yield first, header, self._columns(first, last, _unformatted)

    def shown(self, tab: Tab) -> Iterator[tuple[int, Lines]]:
        for first in range(1, tab.rows + 1, self._block_rows):
            self.requests += 1
            lines = shown_rows(self._rows[first - 1 : first - 1 + self._block_rows])
            yield first, lines if lines or first > 1 else [[]]

    def columns(self, tab: Tab, first: int, last: int, columns: Sequence[int], moments_only: bool) -> dict[int, Raw]:
        self.requests += 1
        given = self._columns(first, last, _moments_shown if moments_only else _shown)
        return {column: given[column] if column < len(given) else Raw(b"[]") for column in columns}

    def formats(self, tab: Tab, cells: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Format]:
        self.requests += 1
        found = {(row, column): self._rows[row - 1][column] for row, column in cells}
        return {place: cell.shows for place, cell in found.items() if isinstance(cell, Moment)}

    def _columns(self, first: int, last: int, render) -> list[Raw]:
        """Columns as the API gives them: blanks as "", trailing ones left out, trailing blank columns, too."""
        columns = []
        for column in range(self._tab.columns):
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
