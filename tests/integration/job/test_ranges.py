"""A part of a tab through the API: areas, named ranges, a header further down, and what lies outside stays out."""

import json
from typing import Any

import pytest

from tests.integration.job.conftest import Desk, Error, Shown
from tests.integration.job.test_failures import check_failure
from tests.integration.job.test_in_the_wild import open_workbook
from tests.integration.job.test_loads import check_success

# The table begins at B3: a title above it, notes beside it, totals below.
ROWS = [
    ["Orders of 2024", None, None, None, None, None],
    [],
    ["left", "id", None, Shown(45292, "date"), "amount", "right"],
    ["left", 1, "x", Shown(0.5, "0%"), Shown(9.5, "$#,##0.00"), "right"],
    ["left", None, None, None, None, "right"],
    ["left", 2, "y", Shown(0.25, "0%"), Error("#N/A"), "right"],
    ["left", "total", None, None, 9.5, "right"],
]
TABLE = [(1, "x", 0.5, 9.5), (2, "y", 0.25, None)]


def with_options(**options: Any) -> dict[str, str]:
    return {"OPTIONS": json.dumps(options)}


@pytest.mark.parametrize(
    "options",
    [{"range": "B3:E6"}, {"range": "'Q4 Sales'!$b$3:$e$6"}, {"range": "B1:E6", "header_row": 3}],
)
def test_an_area_is_loaded_with_the_sheets_own_letters_and_addresses(desk: Desk, options: dict[str, Any]) -> None:
    """In the wild: only part of a tab is wanted; the header is not in row 1."""
    desk.write({"Q4 Sales": ROWS})
    ended = desk.run(**with_options(**options))
    check_success(ended)
    assert desk.columns() == {"id": "INT64", "column_c": "STRING", "_2024_01_01": "FLOAT64", "amount": "FLOAT64"}
    assert desk.rows("ORDER BY id") == TABLE
    assert "'Q4 Sales'!E6" in ended.log
    assert "1 blank row between others left out" in ended.log


def test_an_area_is_loaded_as_the_sheet_shows_it(desk: Desk) -> None:
    desk.write({"Q4 Sales": ROWS})
    check_success(desk.run(SCHEMA_HANDLING="string", **with_options(range="B3:E6")))
    assert list(desk.columns()) == ["id", "column_c", "_2024_01_01", "amount"]
    assert desk.rows() == [
        ("1", "x", "50%", "$9.50"),
        (None, None, None, None),
        ("2", "y", "25%", "#N/A"),
    ]


def test_a_named_range_is_read_in_whichever_tab_it_lies(desk: Desk) -> None:
    """In the wild: only part of a tab is wanted."""
    with open_workbook(desk) as book:
        book.add_worksheet("Notes").write_string(0, 0, "nothing here")
        sheet = book.add_worksheet("Data")
        for down, row in enumerate([["left", "id", "amount"], ["left", 1, 9.5], ["left", 2, 7.5]]):
            sheet.write_row(down + 4, 0, row)
        book.define_name("orders", "=Data!$B$5:$C$7")
        book.define_name("other", "=Notes!$A$1:$A$2")
    check_success(desk.run(**with_options(range="Orders")))
    assert desk.rows("ORDER BY id") == [(1, 9.5), (2, 7.5)]
    elsewhere = desk.run(GOOGLE_SHEET_TAB_NAME="Notes", **with_options(range="orders"))
    check_failure(elsewhere, "RangeNotFound", '"orders" (options: range) lies in the tab "Data"')
    unknown = desk.run(**with_options(range="ordres"))
    check_failure(unknown, "RangeNotFound", "named ranges are ", '"orders"', '"other"')
    assert desk.rows("ORDER BY id") == [(1, 9.5), (2, 7.5)]


def test_a_range_past_the_grid_and_a_header_outside_of_it_are_refused(desk: Desk) -> None:
    desk.write({"Q4 Sales": ROWS})
    check_failure(desk.run(**with_options(range="B2000:E")), "RangeNotFound", "ends at Z1000")
    check_failure(desk.run(**with_options(range="B3:E6", header_row=2)), "RangeNotFound", "3 to 6")


def test_violations_in_an_area_open_at_their_own_cells(desk: Desk) -> None:
    desk.write({"Q4 Sales": ROWS})
    ended = desk.run(**desk.with_schema({"name": "id", "type": "INT64"}), **with_options(range="B3:E"))
    link = f"https://docs.google.com/spreadsheets/d/{desk.id}/edit#gid=0&range=B7"
    check_failure(ended, "SchemaViolated", "'Q4 Sales'!B7", link)
