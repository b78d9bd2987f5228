"""What the sheet shows in the cells that a plan names, for the person who has to mend them."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from job.columns.cells import quoted
from job.planning.cells import named_cell
from job.planning.plan import SheetRead
from shared.errors import SyncError
from shared.spreadsheet import Spreadsheet

# Characters of a request's ranges, so that its address stays below the 2,048 that everyone takes.
_RANGES_LENGTH = 1_600


class ShownCell(msgspec.Struct, frozen=True):
    """A cell's address (`Q4_Sales!C17`), what it shows (None: that could not be read), and where it opens."""

    cell: str
    shown: str | None
    link: str | None


class _ValueRange(msgspec.Struct):
    values: list[list[Any]] = []


class _ValueRanges(msgspec.Struct, rename="camel"):
    value_ranges: list[_ValueRange] = []


def shown_cells(sheet: SheetRead, spreadsheet: Spreadsheet) -> Iterator[ShownCell]:
    """The cells that the plan of the sheet names; their values cost a request, if there are any."""
    if sheet.tab is None:
        return
    for cell, value in zip(sheet.named, _shown(sheet, sheet.tab.title, spreadsheet), strict=True):
        named = named_cell(cell, spreadsheet, sheet.tab)
        yield ShownCell(named.cell, value, named.link)


def _shown(sheet: SheetRead, title: str, spreadsheet: Spreadsheet) -> Sequence[str | None]:
    try:
        return [
            shown
            for ranges in _batches([f"{quoted(title)}!{cell}" for cell in sheet.named])
            for shown in _read(ranges, spreadsheet, sheet)
        ]
    except SyncError:  # the addresses are what matters
        return [None] * len(sheet.named)


def _batches(ranges: Sequence[str]) -> Iterator[Sequence[str]]:
    longest = max((len(quote(each, safe="")) + len("&ranges=") for each in ranges), default=1)
    size = max(1, _RANGES_LENGTH // longest)
    return (ranges[start : start + size] for start in range(0, len(ranges), size))


def _read(ranges: Sequence[str], spreadsheet: Spreadsheet, sheet: SheetRead) -> Iterator[str]:
    request = (
        sheet.sheets.spreadsheets()
        .values()
        .batchGet(
            spreadsheetId=spreadsheet.id,
            ranges=list(ranges),
            valueRenderOption="FORMATTED_VALUE",
            fields="valueRanges.values",
            prettyPrint=False,
        )
    )
    for each in sheet.calls.send(request, _ValueRanges).value_ranges:
        yield str(each.values[0][0]) if each.values and each.values[0] else ""
