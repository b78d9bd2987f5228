"""Which cells of a spreadsheet a config means: its tab, and the area of the tab that is read. Pure."""

from collections.abc import Sequence

import msgspec

from job.columns.cells import Area, column_letters, parse_area, split_title
from job.errors import NotAGrid, RangeNotFound, TabNotFound
from shared.config import Config

_NAMES_TOLD = 10


class Tab(msgspec.Struct, frozen=True):
    """A tab, what of it is read, and its spreadsheet's ways.

    Rows count from 1, columns from 0. `header_row` is the first row that is read, `rows` the last, `first_column` the
    first column, `columns` the one after the last: those of the grid, blank ones included, unless the config says
    otherwise. What lies left of the first column is blank to the reader, so that each column keeps its place.
    """

    gid: int
    title: str
    rows: int
    columns: int
    locale: str
    time_zone: str
    renamed: bool = False
    header_row: int = 1
    first_column: int = 0

    @property
    def height(self) -> int:
        """Rows that are read, the header among them."""
        return self.rows - self.header_row + 1

    @property
    def width(self) -> int:
        """Columns that are read."""
        return self.columns - self.first_column


class _Grid(msgspec.Struct, rename="camel"):
    row_count: int = 0
    column_count: int = 0


class _SheetProperties(msgspec.Struct, rename="camel"):
    sheet_id: int = 0
    title: str = ""
    sheet_type: str = "GRID"
    grid_properties: _Grid = msgspec.field(default_factory=_Grid)


class _Sheet(msgspec.Struct):
    properties: _SheetProperties


class _Properties(msgspec.Struct, rename="camel"):
    locale: str = "en_US"
    time_zone: str = "Etc/GMT"


class _GridRange(msgspec.Struct, rename="camel"):
    """Counts from 0, its ends excluded; an end that is missing is the grid's."""

    sheet_id: int = 0
    start_row_index: int = 0
    end_row_index: int | None = None
    start_column_index: int = 0
    end_column_index: int | None = None

    def area(self) -> Area:
        last_column = None if self.end_column_index is None else self.end_column_index - 1
        return Area(self.start_row_index + 1, self.end_row_index, self.start_column_index, last_column)


class _NamedRange(msgspec.Struct):
    """Without a range where its cells were deleted."""

    name: str
    range: _GridRange | None = None


class SpreadsheetAnswer(msgspec.Struct, rename="camel"):
    """What `spreadsheets.get` tells with the fields of `tab_fields`."""

    properties: _Properties = msgspec.field(default_factory=_Properties)
    sheets: list[_Sheet] = []
    named_ranges: list[_NamedRange] = []


def tab_fields(config: Config) -> str:
    """What has to be asked to find the config's tab: the named ranges only where one may be meant."""
    fields = "properties(locale,timeZone),sheets.properties(sheetId,title,sheetType,gridProperties)"
    asked = config.options.range
    return fields if asked is None or parse_area(split_title(asked)[1]) else f"{fields},namedRanges(name,range)"


def find_tab(found: SpreadsheetAnswer, config: Config, subject: str) -> Tab:
    """The config's tab: by name, else by the URL's gid, else the first with cells; and its area.

    A range that names its tab, or has a name itself, goes before the URL's gid, which is only what somebody looked
    at. A tab that is found by gid after its name was changed is `renamed`. Raises `TabNotFound`, `NotAGrid`, and
    `RangeNotFound`.
    """
    return _Search(found, config, subject).tab()


class _Search:
    def __init__(self, found: SpreadsheetAnswer, config: Config, subject: str) -> None:
        self._found = found
        self._config = config
        self._subject = subject
        self._tabs = [sheet.properties for sheet in found.sheets]
        self._range = config.options.range
        self._name = config.google_sheet_tab_name

    def tab(self) -> Tab:
        properties, area = self._wanted()
        if properties.sheet_type != "GRID":
            raise NotAGrid(
                f"{self._subject}: the tab is a chart or a connected sheet and has no cells of its own",
                "name a tab with cells (for a connected sheet: an extract of it)",
            )
        grid = properties.grid_properties
        rows = min(area.last_row or grid.row_count, grid.row_count)
        last_column = grid.column_count - 1 if area.last_column is None else area.last_column
        header_row = self._config.options.header_row or area.first_row
        if self._range is not None:
            self._check_range(area, properties)
        if self._config.options.header_row is not None:
            self._check_header(header_row, area.first_row, rows)
        return Tab(
            gid=properties.sheet_id,
            title=properties.title,
            rows=rows,
            columns=min(last_column + 1, grid.column_count),
            locale=self._found.properties.locale,
            time_zone=self._found.properties.time_zone,
            renamed=self._name is not None and not _same(self._name, properties.title),
            header_row=header_row,
            first_column=area.first_column,
        )

    def _wanted(self) -> tuple[_SheetProperties, Area]:
        if self._range is None:
            return self._chosen(), Area()
        title, cells = split_title(self._range)
        area = parse_area(cells)
        if area is None:
            return self._named(self._range)
        if title is None:
            return self._chosen(), area
        if self._name is None:
            self._name = title
        chosen = self._chosen()
        if not _same(title, self._name) and not _same(title, chosen.title):
            raise self._elsewhere(title)
        return chosen, area

    def _named(self, name: str) -> tuple[_SheetProperties, Area]:
        named = next((each for each in self._found.named_ranges if _same(each.name, name)), None)
        cells = named.range if named else None
        tab = next((each for each in self._tabs if cells and each.sheet_id == cells.sheet_id), None)
        if cells is None or tab is None:
            told = _told([each.name for each in self._found.named_ranges])
            raise RangeNotFound(
                f'{self._subject}: "{name}" (options: range) is neither an area, such as B3:F, nor a named range',
                f"correct it; the spreadsheet's named ranges are {told}" if told else "the spreadsheet names no ranges",
            )
        if self._name is not None and self._chosen() is not tab:
            raise self._elsewhere(tab.title)
        return tab, cells.area()

    def _chosen(self) -> _SheetProperties:
        name, gid = self._name, self._config.spreadsheet.gid
        by_name = [tab for tab in self._tabs if name is not None and tab.title == name]
        # People do not see blanks at a title's ends, and a config's own are cut off.
        by_name += [tab for tab in self._tabs if name is not None and tab.title.strip() == name.strip()]
        by_name += [tab for tab in self._tabs if name is not None and _same(tab.title, name)]
        by_gid = [tab for tab in self._tabs if gid is not None and tab.sheet_id == gid]
        if by_name or by_gid:
            return (by_name or by_gid)[0]
        first = next((tab for tab in self._tabs if tab.sheet_type == "GRID"), None)
        if name is None and gid is None and first is not None:
            return first
        wanted = " and ".join([f'named "{name}"'] * (name is not None) + [f"with gid {gid}"] * (gid is not None))
        raise TabNotFound(
            f"{self._subject}: the spreadsheet has no tab {wanted or 'with cells'}",
            f"correct the config; its tabs are {_told([tab.title for tab in self._tabs])}",
        )

    def _elsewhere(self, title: str) -> RangeNotFound:
        return RangeNotFound(
            f'{self._subject}: "{self._range}" (options: range) lies in the tab "{title}",'
            f' but google_sheet_tab_name is "{self._name}"',
            "correct the one or the other, or leave google_sheet_tab_name away",
        )

    def _check_range(self, area: Area, properties: _SheetProperties) -> None:
        grid = properties.grid_properties
        if area.first_row > grid.row_count or area.first_column >= grid.column_count:
            raise RangeNotFound(
                f'{self._subject}: "{self._range}" (options: range) lies outside of the tab "{properties.title}",'
                f" which ends at {column_letters(grid.column_count - 1)}{grid.row_count}",
                "correct it, or bring back the rows or columns that were deleted",
            )

    def _check_header(self, header_row: int, first_row: int, last_row: int) -> None:
        if not first_row <= header_row <= last_row:
            raise RangeNotFound(
                f"{self._subject}: row {header_row} (options: header_row) is not among those that are read,"
                f" {first_row} to {last_row}",
                "give the row as Sheets numbers it, inside of the range",
            )


def _same(one: str, other: str) -> bool:
    """Two tabs of one spreadsheet cannot differ in case alone, nor can two named ranges."""
    return one.strip().casefold() == other.strip().casefold()


def _told(names: Sequence[str]) -> str:
    listed = ", ".join(f'"{name}"' for name in names[:_NAMES_TOLD])
    return f"{listed}{', …' * (len(names) > _NAMES_TOLD)}"
