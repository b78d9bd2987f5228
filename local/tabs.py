"""The tabs of the spreadsheets that a folder holds, found and counted through the Sheets API."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.sheets.library import Library

DATASET = "demo"
# What a cell with an error shows; such cells are loaded as NULL.
# https://developers.google.com/sheets/api/reference/rest/v4/spreadsheets/other#errortype
ERRORS = frozenset({"#ERROR!", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})


@dataclass(frozen=True)
class Tab:
    """One visible tab of a spreadsheet; `name` is its config's and its table's."""

    spreadsheet: str
    title: str
    gid: int
    name: str

    @property
    def url(self) -> str:
        """The address as a person copies it from a browser."""
        return f"https://docs.google.com/spreadsheets/d/{self.spreadsheet}/edit#gid={self.gid}"


@dataclass(frozen=True)
class Extent:
    """What a table made of a tab has to hold: its rows, and the values in each of its columns."""

    rows: int
    values: Sequence[int]


def find_tabs(sheets: Any, folder: Path) -> tuple[list[Tab], list[str]]:
    """All visible tabs, spreadsheets by name, and the ids of the spreadsheets that could not be read.

    `sheets` is the API's `spreadsheets` collection.
    """
    from googleapiclient.errors import HttpError

    tabs: list[Tab] = []
    refused = []
    for spreadsheet in (document.id for document in Library(folder).documents()):
        try:
            answer = sheets.get(spreadsheetId=spreadsheet, fields="sheets.properties").execute()
        except HttpError:
            refused.append(spreadsheet)
            continue
        visible = [tab for tab in (sheet["properties"] for sheet in answer["sheets"]) if _has_cells(tab)]
        for tab in visible:
            # The spreadsheet's name is enough where there is no other tab.
            text = spreadsheet if len(visible) == 1 else f"{spreadsheet}_{tab['title']}"
            tabs.append(Tab(spreadsheet, tab["title"], tab["sheetId"], _table_name(text, tabs)))
    return tabs, refused


def measure(sheets: Any, tab: Tab) -> Extent:
    """What the tab holds, by an own reading: row 1 is the header, blank rows are none."""
    quoted = tab.title.replace("'", "''")
    request = sheets.values().get(
        spreadsheetId=tab.spreadsheet, range=f"'{quoted}'", valueRenderOption="UNFORMATTED_VALUE"
    )
    header, *rows = request.execute().get("values") or [[]]
    rows = [row for row in rows if any(not _blank(cell) for cell in row)]
    columns = range(max((len(row) for row in (header, *rows)), default=0))
    counts = [sum(_loaded(row[column]) for row in rows if column < len(row)) for column in columns]
    named = [column < len(header) and _names_a_column(header[column]) for column in columns]
    used = [any(column < len(row) and not _blank(row[column]) for row in rows) for column in columns]
    # A column without a header and without a value is none.
    return Extent(len(rows), [count for count, *keep in zip(counts, named, used, strict=True) if any(keep)])


def _has_cells(tab: Mapping[str, Any]) -> bool:
    """Whether a tab is one that people see cells in: not hidden, no chart."""
    return not tab.get("hidden") and tab.get("sheetType", "GRID") == "GRID"


def _table_name(text: str, taken: Sequence[Tab]) -> str:
    """A name that BigQuery takes, and that no other tab has: `Plan A` and `Plan-A` would both be `plan_a`."""
    name = re.sub(r"\W+", "_", text).strip("_").lower() or "sheet"
    names = {tab.name for tab in taken}
    candidates = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in names)


def _blank(cell: Any) -> bool:
    """A cell with spaces in it is text, as it is to a sheet's own COUNTA."""
    return cell == ""


def _names_a_column(header: Any) -> bool:
    """Punctuation alone is no name."""
    return any(character.isalnum() for character in str(header))


def _loaded(cell: Any) -> bool:
    return not _blank(cell) and cell not in ERRORS
