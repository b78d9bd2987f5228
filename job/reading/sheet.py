"""A spreadsheet's tab through the Sheets and Drive APIs: where it is, its cells, its number formats, its version."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from job.columns.cells import area, spans
from job.columns.moments import Format
from job.errors import ReadRefused, ReadTimedOut, SheetNotFound
from job.reading.calls import Calls
from job.reading.grid_data import (
    ERROR_FIELDS,
    FORMAT_FIELDS,
    MOST_CELLS,
    GridAnswer,
    GridData,
    Row,
    RowData,
    errors_in,
    formats_in,
    runs_of,
)
from job.reading.refusals import not_a_google_sheet
from job.reading.tab import SpreadsheetAnswer, Tab, find_tab, tab_fields
from shared.config import Config

# Cells of a block, each read once or twice: 42 requests for the largest sheet there is, so that a minute's quota of 60
# has room for retries, and 4 MB an answer (Google recommends 2 MB).
BLOCK_CELLS = 500_000
# Cells of the first block, which tells how long cells are.
FIRST_BLOCK_CELLS = 60_000
# Bytes of an answer, unpacked, from which on the next block is made smaller: memory has to hold it a few times over.
BLOCK_BYTES = 16_000_000
# Bytes of an answer that is asked for again in parts: cells above may have been a thousand times as short.
_MOST_BYTES = 4 * BLOCK_BYTES
# A block that Google cannot answer in time is halved, but not below this many rows.
SMALLEST_BLOCK = 100
# Characters of a request's ranges: with the rest, its address stays below the 2,048 that everyone takes.
_RANGES_LENGTH = 1_600
# Columns between two wanted ones that are read with them, rather than as two ranges.
_BRIDGED = 1
_GOOGLE_SHEET = "application/vnd.google-apps.spreadsheet"

Raw = msgspec.Raw
# Rows of cells as the sheet shows them, each as long as the API has it.
Lines = list[list[str]]
Answer = TypeVar("Answer")


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
    modified_time: datetime | None = None


class SheetReader:
    """Reads one config's tab. `sheets` and `drive` are the discovered services of google-api-python-client.

    `modified_at` is Drive's modifiedTime of the file, as of its newest `version`.
    """

    def __init__(self, calls: Calls, sheets: Any, drive: Any, config: Config) -> None:
        self._calls = calls
        # Once: the client writes the documentation of every method each time it is asked for them.
        self._spreadsheets = sheets.spreadsheets()
        self._values = self._spreadsheets.values()
        self._files = drive.files()
        self._config = config
        self._id = config.spreadsheet.id
        self.modified_at: datetime | None = None

    def version(self) -> str:
        """Drive's version of the file, which every edit moves."""
        request = self._files.get(fileId=self._id, fields="version,mimeType,modifiedTime", supportsAllDrives=True)
        try:
            file = self._calls.send(request, _File, paced=False)
        except SheetNotFound:
            # Drive says the same of what is not there and of what is not shared: Sheets tells them apart.
            self.tab()
            raise
        if file.mime_type != _GOOGLE_SHEET:
            raise not_a_google_sheet(self._calls.subject)
        self.modified_at = file.modified_time
        return file.version

    def tab(self) -> Tab:
        """The config's tab and what of it is read. Raises `TabNotFound`, `NotAGrid` or `RangeNotFound`."""
        request = self._spreadsheets.get(spreadsheetId=self._id, fields=tab_fields(self._config), prettyPrint=False)
        found = self._calls.send(request, SpreadsheetAnswer)
        return find_tab(found, self._config, self._calls.subject.config)

    def blocks(self, tab: Tab) -> Iterator[tuple[int, list[Raw], list[Raw]]]:
        """The tab's unformatted values from top to bottom: first row, the header's columns, the columns.

        A column is a JSON array, shorter where only blank cells follow; columns without any may be missing.
        The first block always comes, even of a tab that is nothing but a header.
        """
        start = tab.header_row + 1

        def read(first: int, last: int) -> list[list[Raw]]:
            ranges = [_rows_of(tab, tab.header_row, tab.header_row)] if first == start else []
            if first <= last:
                ranges.append(_rows_of(tab, first, last))
            answer = self._ranges(ranges, "UNFORMATTED_VALUE", "SERIAL_NUMBER")
            return [answer[0] if first == start else [], answer[-1] if first <= last else []]

        left = [Raw(b"[]")] * tab.first_column
        for first, (header, columns) in self._in_blocks(tab, start, read):
            yield first, left + header, left + columns

    def shown(self, tab: Tab) -> Generator[tuple[int, Lines]]:
        """The tab from its header to the bottom as the sheet shows it: first row, and the rows as the API has them.

        A row ends with its last cell, a block with its last row that has any; the first block has the header.
        """

        def read(first: int, last: int) -> Lines:
            ranges = [_rows_of(tab, first, last)]
            (lines,) = self._batch(ranges, _ShownRanges, majorDimension="ROWS", valueRenderOption="FORMATTED_VALUE")
            return lines

        left = [""] * tab.first_column
        for first, lines in self._in_blocks(tab, tab.header_row, read):
            placed = [left + line for line in lines] if left else lines
            yield first, placed if placed or first > tab.header_row else [[]]

    def columns(self, tab: Tab, first: int, last: int, columns: Sequence[int], moments_only: bool) -> dict[int, Raw]:
        """Some columns of some rows as the sheet shows them; with `moments_only`, only its dates and times.

        One request: what its address cannot hold as ranges of their own is read with the columns between.
        """
        longest = _length(area(tab.title, first, last, columns[-1], columns[-1]))
        parts = spans(columns, _BRIDGED, max(1, _RANGES_LENGTH // longest))
        ranges = [area(tab.title, first, last, start, end) for start, end in parts]
        render = "UNFORMATTED_VALUE" if moments_only else "FORMATTED_VALUE"
        answers = self._ranges(ranges, render, "FORMATTED_STRING")
        given = {
            column: raw
            for (start, _), answer in zip(parts, answers, strict=True)
            for column, raw in enumerate(answer, start)
        }
        return {column: given.get(column, Raw(b"[]")) for column in columns}

    def formats(self, tab: Tab, cells: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Format]:
        """What the number formats of these cells (row from 1, column from 0) show; each of them is a moment's."""
        found: dict[tuple[int, int], Format] = {}
        for ranges in _batches([area(tab.title, row, row, column, column) for row, column in cells]):
            for data in self._grid_data(ranges, FORMAT_FIELDS, GridAnswer[RowData]):
                found |= formats_in(data)
        return found

    def errors(self, tab: Tab, first: int, positions: Mapping[int, Sequence[int]]) -> dict[int, set[int]]:
        """Which of a block's cells that say they are in error are: by column, their rows (from 1); others are text.

        `positions` are, by column, theirs below the block's `first` row, ascending. However many they are, the
        requests are few and their answers small.
        """
        runs = runs_of(positions)
        ranges = [area(tab.title, first + each.first, first + each.last, each.column, each.column) for each in runs]
        found: dict[int, set[int]] = {column: set() for column in positions}
        for batch in _batches(ranges, [each.last - each.first + 1 for each in runs]):
            for data in self._grid_data(batch, ERROR_FIELDS, GridAnswer[Raw]):
                found[data.start_column].update(errors_in(data))
        return found

    def _grid_data(self, ranges: list[str], fields: str, model: type[GridAnswer[Row]]) -> Iterator[GridData[Row]]:
        request = self._spreadsheets.get(spreadsheetId=self._id, ranges=ranges, fields=fields, prettyPrint=False)
        return self._calls.send(request, model).ranges()

    def _in_blocks(self, tab: Tab, start: int, read: Callable[[int, int], Answer]) -> Iterator[tuple[int, Answer]]:
        """What `read` gives for the tab's rows from `start` on, a block at a time, each with its first row.

        The first block always comes. What Google cannot answer in time is asked for in halves, and
        what fills too much memory in parts.
        """
        most = max(1, BLOCK_CELLS // max(1, tab.width))
        first, rows = start, max(1, min(FIRST_BLOCK_CELLS // max(1, tab.width), tab.rows - start + 1))
        while first == start or first <= tab.rows:
            last = min(first + rows - 1, tab.rows)
            asked = max(1, last - first + 1)
            try:
                answer = read(first, last)
            except ReadTimedOut:
                if asked <= SMALLEST_BLOCK:
                    raise
                most = rows = asked // 2
                continue
            size = max(1, self._calls.answer_bytes)
            rows = max(1, min(most, asked * BLOCK_BYTES // size))
            if size > _MOST_BYTES and rows < asked:
                del answer  # before the next one comes
                continue
            yield first, answer
            first += asked

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


def _rows_of(tab: Tab, first: int, last: int) -> str:
    return area(tab.title, first, last, tab.first_column, tab.columns - 1)


def _batches(ranges: Sequence[str], cells: Iterable[int] = repeat(1)) -> Iterator[list[str]]:
    """The ranges in requests whose addresses stay short enough for every proxy, and answers small.

    `cells` is how many each range has, where they may be many.
    """
    batch: list[str] = []
    length = size = 0
    for each, count in zip(ranges, cells, strict=False):
        more = _length(each)
        if batch and (length + more > _RANGES_LENGTH or size + count > MOST_CELLS):
            yield batch
            batch, length, size = [], 0, 0
        batch.append(each)
        length += more
        size += count
    yield batch


def _length(cells: str) -> int:
    """How many characters of an address a range takes."""
    return len(quote(cells, safe="")) + len("&ranges=")
