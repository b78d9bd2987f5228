"""The cells that the job's words name, with what the sheet shows in them, for the person who has to mend them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from job.columns.cells import address, quoted
from job.reading.calls import Calls
from job.reading.tab import Tab
from shared.errors import SyncError
from shared.spreadsheet import Spreadsheet

# Characters of a request's ranges, so that its address stays below the 2,048 that everyone takes.
_RANGES_LENGTH = 1_600


class NamedCell(msgspec.Struct, frozen=True):
    """A cell's address (`Q4_Sales!C17`), what it shows (None: that could not be read), and where it opens."""

    cell: str
    shown: str | None
    link: str


class _ValueRange(msgspec.Struct):
    values: list[list[Any]] = []


class _ValueRanges(msgspec.Struct, rename="camel"):
    value_ranges: list[_ValueRange] = []


def named_cells(told: Iterable[str], spreadsheet: Spreadsheet, tab: Tab, calls: Calls, sheets: Any) -> list[NamedCell]:
    """Each cell of the tab that the texts name, once, in their order; their values cost a request, if there are any."""
    cells = list(dict.fromkeys(cell for text in told for cell in _cells_in(text, tab.title)))
    shown = _shown(cells, spreadsheet, tab, calls, sheets)
    prefix = _prefix(tab.title)
    return [
        NamedCell(f"{prefix}{cell}", value, spreadsheet.link(tab.gid, cell))
        for cell, value in zip(cells, shown, strict=True)
    ]


def _cells_in(text: str, title: str) -> list[str]:
    return re.findall(rf"(?<!\w){re.escape(_prefix(title))}([A-Z]{{1,3}}[1-9][0-9]*)", text)


def _prefix(title: str) -> str:
    """What stands before the letters in the address of the tab's cells: `Q4_Sales!`, `'My tab'!`."""
    return address(title, 1, 0).removesuffix("A1")


def _shown(cells: Sequence[str], spreadsheet: Spreadsheet, tab: Tab, calls: Calls, sheets: Any) -> Sequence[str | None]:
    try:
        return [
            shown
            for ranges in _batches([f"{quoted(tab.title)}!{cell}" for cell in cells])
            for shown in _read(ranges, spreadsheet, calls, sheets)
        ]
    except SyncError:  # the addresses are what matters
        return [None] * len(cells)


def _batches(ranges: Sequence[str]) -> Iterator[Sequence[str]]:
    longest = max((len(quote(each, safe="")) + len("&ranges=") for each in ranges), default=1)
    size = max(1, _RANGES_LENGTH // longest)
    return (ranges[start : start + size] for start in range(0, len(ranges), size))


def _read(ranges: Sequence[str], spreadsheet: Spreadsheet, calls: Calls, sheets: Any) -> Iterator[str]:
    values = sheets.spreadsheets().values()
    request = values.batchGet(
        spreadsheetId=spreadsheet.id,
        ranges=list(ranges),
        valueRenderOption="FORMATTED_VALUE",
        fields="valueRanges.values",
        prettyPrint=False,
    )
    for each in calls.send(request, _ValueRanges).value_ranges:
        yield str(each.values[0][0]) if each.values and each.values[0] else ""
