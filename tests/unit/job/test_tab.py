"""Which cells of a spreadsheet a config means."""

from typing import Any

import msgspec
import pytest

from job.errors import NotAGrid, RangeNotFound, TabNotFound
from job.reading.tab import SpreadsheetAnswer, Tab, find_tab, tab_fields
from shared.config import Config
from shared.errors import SyncError
from shared.options import Options
from tests.unit.job.reading import URL, config

NAMED = [
    {"name": "Totals", "range": {"sheetId": 5, "startRowIndex": 2, "endRowIndex": 40, "startColumnIndex": 1}},
    {"name": "all_of_it", "range": {}},
    {"name": "gone", "range": {"sheetId": 99}},
    {"name": "deleted"},
]


def sheet(title: str, gid: int, kind: str = "GRID", rows: int = 1000, columns: int = 26) -> dict[str, Any]:
    grid = {"rowCount": rows, "columnCount": columns}
    return {"properties": {"sheetId": gid, "title": title, "sheetType": kind, "gridProperties": grid}}


def find(options: Options, named: list[dict[str, Any]] = NAMED, **asked: Any) -> Tab:
    sheets = [sheet("Sales", 0), sheet("My tab", 5, rows=50, columns=8), sheet("Chart", 7, "OBJECT", 0, 0)]
    found = msgspec.convert({"sheets": sheets, "namedRanges": named}, SpreadsheetAnswer)
    return find_tab(found, wanted(options, **asked), 'config "sales"')


def wanted(options: Options, **asked: Any) -> Config:
    return msgspec.structs.replace(config(), options=options, **asked)


def area(tab: Tab) -> tuple[str, int, int, int, int]:
    """Title, rows from 1 and columns from 0, all ends included."""
    return tab.title, tab.header_row, tab.rows, tab.first_column, tab.columns - 1


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        (None, ("Sales", 1, 1000, 0, 25)),
        ("B3:F", ("Sales", 3, 1000, 1, 5)),
        ("A:D", ("Sales", 1, 1000, 0, 3)),
        ("B2:F200", ("Sales", 2, 200, 1, 5)),
        ("$b$3:$f", ("Sales", 3, 1000, 1, 5)),
        ("5:9", ("Sales", 5, 9, 0, 25)),
        ("Y990:AD2000", ("Sales", 990, 1000, 24, 25)),
        ("Sales!B3:F", ("Sales", 3, 1000, 1, 5)),
        ("sales!b3:f", ("Sales", 3, 1000, 1, 5)),
        ("'My tab'!B3:F", ("My tab", 3, 50, 1, 5)),
        ("My tab!B3:Z", ("My tab", 3, 50, 1, 7)),
        ("Totals", ("My tab", 3, 40, 1, 7)),
        ("TOTALS", ("My tab", 3, 40, 1, 7)),
        ("all_of_it", ("Sales", 1, 1000, 0, 25)),
    ],
)
def test_a_range_is_an_area_of_the_tab_or_a_named_one(asked: str | None, read: tuple[Any, ...]) -> None:
    """In the wild: only part of a tab is wanted."""
    assert area(find(Options(range=asked))) == read


@pytest.mark.parametrize("asked", ["My tab!B3:F", "'my TAB'!B3:F", "B3:F"])
def test_a_range_may_repeat_the_tab_of_the_config(asked: str) -> None:
    found = find(Options(range=asked), google_sheet_tab_name="My tab")
    assert (found.title, found.first_column, found.renamed) == ("My tab", 1, False)


@pytest.mark.parametrize("asked", ["My tab!B3:F", "Totals"])
def test_a_range_that_says_its_tab_goes_before_the_tab_that_somebody_looked_at(asked: str) -> None:
    assert find(Options(range=asked), google_sheet_url=f"{URL}#gid=0").title == "My tab"


def test_a_range_of_a_renamed_tab_is_found_by_the_gid_whoever_named_it() -> None:
    by_range = find(Options(range="Former!B3:F"), google_sheet_url=f"{URL}#gid=5")
    by_both = find(Options(range="Former!B3:F"), google_sheet_url=f"{URL}#gid=5", google_sheet_tab_name="Former")
    by_config = find(Options(range="My tab!B3:F"), google_sheet_url=f"{URL}#gid=5", google_sheet_tab_name="Former")
    assert [(each.title, each.renamed) for each in (by_range, by_both, by_config)] == [("My tab", True)] * 3


@pytest.mark.parametrize(
    ("options", "header_row", "first_column"),
    [
        (Options(header_row=4), 4, 0),
        (Options(range="B3:F", header_row=4), 4, 1),
        (Options(range="B3:F", header_row=3), 3, 1),
        (Options(range="C:F", header_row=1000), 1000, 2),
    ],
)
def test_the_header_is_in_the_row_that_the_config_says(options: Options, header_row: int, first_column: int) -> None:
    """In the wild: the header is not in row 1."""
    found = find(options)
    assert (found.header_row, found.first_column) == (header_row, first_column)


@pytest.mark.parametrize(
    ("options", "asked", "kind", "told"),
    [
        (
            Options(range="nowhere"),
            {},
            RangeNotFound,
            '"nowhere" (options: range) is neither an area, such as B3:F, nor a named range: '
            'correct it; the spreadsheet\'s named ranges are "Totals", "all_of_it", "gone", "deleted"',
        ),
        (Options(range="gone"), {}, RangeNotFound, '"gone" (options: range) is neither an area'),
        (Options(range="deleted"), {}, RangeNotFound, '"deleted" (options: range) is neither an area'),
        (Options(range="A:D9"), {}, RangeNotFound, "is neither an area"),
        (Options(range="Sales!nowhere"), {}, RangeNotFound, "is neither an area"),
        (Options(range="A1001:B"), {}, RangeNotFound, 'lies outside of the tab "Sales", which ends at Z1000: correct'),
        (Options(range="AA1:AB"), {}, RangeNotFound, 'lies outside of the tab "Sales", which ends at Z1000: correct'),
        (
            Options(range="Totals"),
            {"google_sheet_tab_name": "Sales"},
            RangeNotFound,
            '"Totals" (options: range) lies in the tab "My tab", but google_sheet_tab_name is "Sales": correct the',
        ),
        (
            Options(range="My tab!B3:F"),
            {"google_sheet_tab_name": "Sales"},
            RangeNotFound,
            'lies in the tab "My tab", but google_sheet_tab_name is "Sales"',
        ),
        (
            Options(range="Else!B3:F"),
            {},
            TabNotFound,
            'no tab named "Else": correct the config; its tabs are "Sales", "My tab", "Chart"',
        ),
        (Options(range="Chart!B3:F"), {}, NotAGrid, "name a tab with cells"),
        (Options(header_row=1001), {}, RangeNotFound, "row 1001 (options: header_row) is not among those that are"),
        (Options(range="B3:F9", header_row=2), {}, RangeNotFound, "among those that are read, 3 to 9: give the row"),
        (Options(range="B3:F9", header_row=10), {}, RangeNotFound, "among those that are read, 3 to 9: give the row"),
    ],
)
def test_a_range_that_means_no_cells_fails_for_good_and_says_what_to_do(
    options: Options, asked: dict[str, Any], kind: type[SyncError], told: str
) -> None:
    with pytest.raises(kind) as failure:
        find(options, **asked)
    assert type(failure.value) is kind
    assert not failure.value.retryable
    assert str(failure.value).startswith('config "sales": ')
    assert told in str(failure.value)


def test_of_many_named_ranges_ten_are_told() -> None:
    with pytest.raises(RangeNotFound, match=r'are "n0", "n1", .*"n9", …$'):
        find(Options(range="nowhere"), [{"name": f"n{number}", "range": {}} for number in range(11)])
    with pytest.raises(RangeNotFound, match=r"the spreadsheet names no ranges$"):
        find(Options(range="nowhere"), [])


@pytest.mark.parametrize("asked", [None, "B3:F", "'My tab'!B3:F"])
def test_named_ranges_are_asked_for_only_where_one_may_be_meant(asked: str | None) -> None:
    assert "namedRanges" not in tab_fields(wanted(Options(range=asked)))
    assert "namedRanges" in tab_fields(wanted(Options(range="Totals")))


@pytest.mark.parametrize("kind", ["OBJECT", "DATA_SOURCE", "SHEET_TYPE_UNSPECIFIED"])
def test_a_tab_without_cells_of_its_own_is_told_as_one(kind: str) -> None:
    """In the wild: a connected-sheet or chart tab."""
    found = msgspec.convert({"sheets": [sheet("Warehouse", 0, kind)]}, SpreadsheetAnswer)
    with pytest.raises(NotAGrid, match=r"a chart or a connected sheet .* name a tab with cells"):
        find_tab(found, wanted(Options(), google_sheet_tab_name="Warehouse"), 'config "sales"')
