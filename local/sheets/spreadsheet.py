"""A spreadsheet in memory, by columns, as the API's answers need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from local.sheets.a1 import Cells, parse_cells, split_tab, write_range
from local.sheets.errors import beyond_grid, unparsable_range
from local.sheets.pattern import NumberPattern

# An imported sheet is at least as large as a new one.
SMALLEST_ROWS = 1000
SMALLEST_COLUMNS = 26


@dataclass(frozen=True)
class CellError:
    """A formula's failure, for example `#DIV/0!`."""

    code: str


Value = str | int | float | bool | CellError | None


@dataclass
class Column:
    """One column from row 1 on: values (None is an empty cell), and each cell's index into the patterns.

    `formulas` are those of its cells that have one, by row from 0, beginning with `=`.
    """

    values: list[Value] = field(default_factory=list)
    patterns: list[int] = field(default_factory=list)
    formulas: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tab:
    """One tab; `grid` is False for a chart sheet, which has no cells."""

    title: str
    gid: int
    index: int
    hidden: bool = False
    grid: bool = True
    columns: Sequence[Column] = ()
    hyperlinks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    merges: Sequence[Cells] = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    frozen_rows: int = 0
    frozen_columns: int = 0

    @property
    def row_count(self) -> int:
        return max(SMALLEST_ROWS, max((len(column.values) for column in self.columns), default=0))

    @property
    def column_count(self) -> int:
        return max(SMALLEST_COLUMNS, len(self.columns))


@dataclass(frozen=True)
class NamedRange:
    name: str
    tab: Tab
    cells: Cells


@dataclass(frozen=True)
class Area:
    """Cells of a tab, closed at both ends and inside its grid."""

    tab: Tab
    first_row: int
    end_row: int
    first_column: int
    end_column: int

    @property
    def range_text(self) -> str:
        cells = Cells(self.first_row, self.end_row, self.first_column, self.end_column)
        return write_range(self.tab.title, cells)


@dataclass(frozen=True)
class Spreadsheet:
    """What a workbook's file held; `patterns` are its number formats, which columns refer to by index."""

    tabs: Sequence[Tab]
    named_ranges: Sequence[NamedRange]
    patterns: Sequence[NumberPattern]

    def area(self, text: str) -> Area:
        """The cells that a range means; refuses one that cannot be parsed or that begins outside the grid.

        A range that begins inside the grid and ends outside is cut at the grid's edge. An unquoted word is a
        cell of the first visible tab, else a named range, else a tab.
        """
        tab, cells = self._resolve(text)
        if cells.first_row >= tab.row_count or cells.first_column >= tab.column_count:
            raise beyond_grid(write_range(tab.title, cells), tab.row_count, tab.column_count)
        end_row = min(cells.end_row or tab.row_count, tab.row_count)
        end_column = min(cells.end_column or tab.column_count, tab.column_count)
        return Area(tab, cells.first_row, end_row, cells.first_column, end_column)

    def whole(self, tab: Tab) -> Area:
        return Area(tab, 0, tab.row_count, 0, tab.column_count)

    def _resolve(self, text: str) -> tuple[Tab, Cells]:
        title, rest = split_tab(text)
        cells = Cells() if rest is None else parse_cells(rest)
        if title is not None:
            tab = self._tab(title)
        elif cells is not None:
            tab = next((tab for tab in self.tabs if tab.grid and not tab.hidden), None)
        else:
            named = next((n for n in self.named_ranges if n.name.casefold() == text.casefold()), None)
            if named is not None:
                return named.tab, named.cells
            tab, cells = self._tab(text), Cells()
        if tab is None or cells is None:
            raise unparsable_range(text)
        return tab, cells

    def _tab(self, title: str) -> Tab | None:
        """Two tabs' titles cannot differ in case alone, and either case finds them."""
        grids = [tab for tab in self.tabs if tab.grid]
        exact = next((tab for tab in grids if tab.title == title), None)
        return exact or next((tab for tab in grids if tab.title.casefold() == title.casefold()), None)
