"""A spreadsheet's tab through the Sheets and Drive APIs: where it is, its cells, its number formats, its version."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from job.columns.cells import area
from job.columns.moments import Format, format_of
from job.errors import NotAGrid, ReadRefused, ReadTimedOut, SheetNotFound, TabNotFound
from job.reading.calls import Calls
from job.reading.refusals import not_a_google_sheet
from shared.config import Config

# Cells of a block, each read once or twice: 42 requests for the largest sheet there is, so that a minute's quota of 60
# has room for retries, and 4 MB an answer (Google recommends 2 MB).
BLOCK_CELLS = 500_000
# Cells of the first block, which tells how long cells are.
FIRST_BLOCK_CELLS = 60_000
# Bytes of an answer, unpacked, from which on the next block is made smaller: memory has to hold it a few times over.
BLOCK_BYTES = 16_000_000
# A block that Google cannot answer in time is halved, but not below this many rows.
SMALLEST_BLOCK = 100
# Characters of a request's ranges: with the rest, its address stays below the 2,048 that everyone takes.
_RANGES_LENGTH = 1_600
# Columns between two wanted ones that are read with them, rather than as two ranges.
_BRIDGED = 1
_GOOGLE_SHEET = "application/vnd.google-apps.spreadsheet"
_NAMES_TOLD = 10

Raw = msgspec.Raw
# Rows of cells as the sheet shows them, each as long as the API has it.
Lines = list[list[str]]
Answer = TypeVar("Answer")


class Tab(msgspec.Struct, frozen=True):
    """A tab and its spreadsheet's ways; `rows` and `columns` are those of the grid, blank ones included."""

    gid: int
    title: str
    rows: int
    columns: int
    locale: str
    time_zone: str
    renamed: bool = False


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


class _Spreadsheet(msgspec.Struct):
    properties: _Properties = msgspec.field(default_factory=_Properties)
    sheets: list[_Sheet] = []


class _NumberFormat(msgspec.Struct):
    type: str = ""
    pattern: str = ""


class _CellFormat(msgspec.Struct, rename="camel"):
    number_format: _NumberFormat | None = None


class _CellData(msgspec.Struct, rename="camel"):
    effective_format: _CellFormat | None = None


class _RowData(msgspec.Struct):
    values: list[_CellData] = []


class _GridData(msgspec.Struct, rename="camel"):
    start_row: int = 0
    start_column: int = 0
    row_data: list[_RowData] = []


class _FormatSheet(msgspec.Struct):
    data: list[_GridData] = []


class _Formats(msgspec.Struct):
    sheets: list[_FormatSheet] = []


class _ValueRange(msgspec.Struct):
    values: list[Raw] = []


class _ValueRanges(msgspec.Struct, rename="camel"):
    value_ranges: list[_ValueRange] = []


class _ShownRange(msgspec.Struct):
    values: Lines = []


class _ShownRanges(msgspec.Struct, rename="camel"):
    value_ranges: list[_ShownRange] = []


class _File(msgspec.Struct, rename="camel"):
    version: str
    mime_type: str


class SheetReader:
    """Reads one config's tab. `sheets` and `drive` are the discovered services of google-api-python-client."""

    def __init__(self, calls: Calls, sheets: Any, drive: Any, config: Config) -> None:
        self._calls = calls
        # Once: the client writes the documentation of every method each time it is asked for them.
        self._spreadsheets = sheets.spreadsheets()
        self._values = self._spreadsheets.values()
        self._files = drive.files()
        self._config = config
        self._id = config.spreadsheet.id

    def version(self) -> str:
        """Drive's version of the file, which every edit moves."""
        request = self._files.get(fileId=self._id, fields="version,mimeType", supportsAllDrives=True)
        try:
            file = self._calls.send(request, _File, paced=False)
        except SheetNotFound:
            # Drive says the same of what is not there and of what is not shared: Sheets tells them apart.
            self.tab()
            raise
        if file.mime_type != _GOOGLE_SHEET:
            raise not_a_google_sheet(self._calls.subject)
        return file.version

    def tab(self) -> Tab:
        """The config's tab: by name, else by the URL's gid, else the first with cells.

        Raises `TabNotFound` or `NotAGrid`; a tab that is found by gid after its name was changed is `renamed`.
        """
        fields = "properties(locale,timeZone),sheets.properties(sheetId,title,sheetType,gridProperties)"
        request = self._spreadsheets.get(spreadsheetId=self._id, fields=fields, prettyPrint=False)
        found = self._calls.send(request, _Spreadsheet)
        properties = self._choose([sheet.properties for sheet in found.sheets])
        if properties.sheet_type != "GRID":
            raise NotAGrid(
                f"{self._calls.subject.config}: the tab is a chart or a connected sheet and has no cells of its own",
                "name a tab with cells (for a connected sheet: an extract of it)",
            )
        return Tab(
            gid=properties.sheet_id,
            title=properties.title,
            rows=properties.grid_properties.row_count,
            columns=properties.grid_properties.column_count,
            locale=found.properties.locale,
            time_zone=found.properties.time_zone,
            renamed=self._config.google_sheet_tab_name not in (None, properties.title, properties.title.strip()),
        )

    def blocks(self, tab: Tab) -> Iterator[tuple[int, list[Raw], list[Raw]]]:
        """The tab's unformatted values from top to bottom: first row, the header's columns (of row 1), the columns.

        A column is a JSON array, shorter where only blank cells follow; columns without any may be missing.
        The first block always comes, even of a tab that is nothing but a header.
        """

        def read(first: int, last: int) -> list[list[Raw]]:
            ranges = [area(tab.title, 1, 1, 0, tab.columns - 1)] if first == 2 else []
            if first <= last:
                ranges.append(area(tab.title, first, last, 0, tab.columns - 1))
            answer = self._ranges(ranges, "UNFORMATTED_VALUE", "SERIAL_NUMBER")
            return [answer[0] if first == 2 else [], answer[-1] if first <= last else []]

        for first, (header, columns) in self._in_blocks(tab, 2, read):
            yield first, header, columns

    def shown(self, tab: Tab) -> Iterator[tuple[int, Lines]]:
        """The tab from row 1 to bottom as the sheet shows it: first row, and the rows as the API has them.

        A row ends with its last cell, a block with its last row that has any; the first block has row 1.
        """

        def read(first: int, last: int) -> Lines:
            ranges = [area(tab.title, first, last, 0, tab.columns - 1)]
            (lines,) = self._batch(ranges, _ShownRanges, majorDimension="ROWS", valueRenderOption="FORMATTED_VALUE")
            return lines

        for first, lines in self._in_blocks(tab, 1, read):
            yield first, lines if lines or first > 1 else [[]]

    def columns(self, tab: Tab, first: int, last: int, columns: Sequence[int], moments_only: bool) -> dict[int, Raw]:
        """Some columns of some rows as the sheet shows them; with `moments_only`, only its dates and times.

        One request: what its address cannot hold as ranges of their own is read with the columns between.
        """
        longest = _length(area(tab.title, first, last, columns[-1], columns[-1]))
        spans = _spans(columns, max(1, _RANGES_LENGTH // longest))
        ranges = [area(tab.title, first, last, start, end) for start, end in spans]
        render = "UNFORMATTED_VALUE" if moments_only else "FORMATTED_VALUE"
        answers = self._ranges(ranges, render, "FORMATTED_STRING")
        given = {
            column: raw
            for (start, _), answer in zip(spans, answers, strict=True)
            for column, raw in enumerate(answer, start)
        }
        return {column: given.get(column, Raw(b"[]")) for column in columns}

    def formats(self, tab: Tab, cells: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Format]:
        """What the number formats of these cells (row from 1, column from 0) show; each of them is a moment's."""
        found: dict[tuple[int, int], Format] = {}
        for batch in _batches([area(tab.title, row, row, column, column) for row, column in cells]):
            request = self._spreadsheets.get(
                spreadsheetId=self._id,
                ranges=batch,
                fields="sheets.data(startRow,startColumn,rowData.values.effectiveFormat.numberFormat)",
                prettyPrint=False,
            )
            answer = self._calls.send(request, _Formats)
            found |= {place: shows for sheet in answer.sheets for data in sheet.data for place, shows in _told(data)}
        return found

    def _in_blocks(self, tab: Tab, start: int, read: Callable[[int, int], Answer]) -> Iterator[tuple[int, Answer]]:
        """What `read` gives for the tab's rows from `start` on, a block at a time, each with its first row.

        The first block always comes. What Google cannot answer in time is asked for in halves.
        """
        most = max(1, BLOCK_CELLS // max(1, tab.columns))
        first, rows = start, max(1, min(FIRST_BLOCK_CELLS // max(1, tab.columns), tab.rows - start + 1))
        while first == start or first <= tab.rows:
            try:
                answer = read(first, min(first + rows - 1, tab.rows))
            except ReadTimedOut:
                if rows <= SMALLEST_BLOCK:
                    raise
                most = rows = rows // 2
                continue
            following = first + rows
            rows = max(1, min(most, rows * BLOCK_BYTES // max(1, self._calls.answer_bytes)))
            yield first, answer
            first = following

    def _ranges(self, ranges: list[str], render: str, dates: str) -> list[list[Raw]]:
        return self._batch(
            ranges, _ValueRanges, majorDimension="COLUMNS", valueRenderOption=render, dateTimeRenderOption=dates
        )

    def _batch(
        self, ranges: list[str], model: type[_ValueRanges] | type[_ShownRanges], **rendering: str
    ) -> list[list[Any]]:
        request = self._values.batchGet(
            spreadsheetId=self._id, ranges=ranges, fields="valueRanges.values", prettyPrint=False, **rendering
        )
        answer = self._calls.send(request, model).value_ranges
        if len(answer) != len(ranges):
            raise ReadRefused(
                f"{self._calls.subject.config}: Google answered {len(answer)} of {len(ranges)} ranges",
                "report it, with this message",
            )
        return [each.values for each in answer]

    def _choose(self, tabs: list[_SheetProperties]) -> _SheetProperties:
        name, gid = self._config.google_sheet_tab_name, self._config.spreadsheet.gid
        by_name = [tab for tab in tabs if name is not None and tab.title == name]
        # People do not see blanks at a title's ends, and a config's own are cut off.
        by_name += [tab for tab in tabs if name is not None and tab.title.strip() == name.strip()]
        by_gid = [tab for tab in tabs if gid is not None and tab.sheet_id == gid]
        if by_name or by_gid:
            return (by_name or by_gid)[0]
        first = next((tab for tab in tabs if tab.sheet_type == "GRID"), None)
        if name is None and gid is None and first is not None:
            return first
        wanted = " and ".join([f'named "{name}"'] * (name is not None) + [f"with gid {gid}"] * (gid is not None))
        told = ", ".join(f'"{tab.title}"' for tab in tabs[:_NAMES_TOLD])
        raise TabNotFound(
            f"{self._calls.subject.config}: the spreadsheet has no tab {wanted or 'with cells'}",
            f"correct the config; its tabs are {told}{', …' * (len(tabs) > _NAMES_TOLD)}",
        )


def _spans(columns: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Ranges of columns, as (first, last), that hold these: not more than `most`, parted where most is between them."""
    parted = [at for at in range(1, len(columns)) if columns[at] - columns[at - 1] > _BRIDGED + 1]
    widest = heapq.nlargest(most - 1, parted, key=lambda at: columns[at] - columns[at - 1])
    starts = [0, *sorted(widest)]
    ends = [*starts[1:], len(columns)]
    return [(columns[start], columns[end - 1]) for start, end in zip(starts, ends, strict=True)]


def _batches(ranges: Sequence[str]) -> Iterator[list[str]]:
    """The ranges in requests whose addresses stay short enough for every proxy."""
    batch: list[str] = []
    length = 0
    for each in ranges:
        more = _length(each)
        if batch and length + more > _RANGES_LENGTH:
            yield batch
            batch, length = [], 0
        batch.append(each)
        length += more
    yield batch


def _length(cells: str) -> int:
    """How many characters of an address a range takes."""
    return len(quote(cells, safe="")) + len("&ranges=")


def _told(data: _GridData) -> Iterator[tuple[tuple[int, int], Format]]:
    for down, row in enumerate(data.row_data):
        for right, cell in enumerate(row.values):
            number_format = cell.effective_format.number_format if cell.effective_format else None
            if number_format is not None:
                place = (data.start_row + down + 1, data.start_column + right)
                yield place, format_of(number_format.type, number_format.pattern)
