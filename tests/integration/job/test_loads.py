# ruff: noqa: DTZ001 (sheets and BigQuery's DATETIME have no time zone)
"""A sheet lands in BigQuery as its owner expects to find it."""

import json
from datetime import date, datetime, time

import pytest

from local.environment import PROJECT
from tests.integration.job.conftest import DATASET, Desk, Ended, Error, Shown


def check_success(ended: Ended) -> None:
    assert (ended.code, ended.line[:26]) == (0, "Job completed successfully"), (ended.line, ended.log)


def test_every_kind_of_column_gets_its_type(desk: Desk) -> None:
    """In the wild: `$1,234.50` and dates arrive as text, durations wrap, check boxes have blanks."""
    header = ["SKU", "Units", "Price (€)", "Paid?", "Day", "At", "Moment", "Spent", "Mixed", "Empty"]
    first = ["00123", 3, Shown(9.5, "$#,##0.00"), True, Shown(45292, "date"), Shown(0.25, "time")]
    second = ["0456", None, Shown(10, "$#,##0.00"), None, None, Shown(0.75, "time")]
    desk.write(
        {
            "Stock": [
                header,
                [*first, Shown(45292.5, "moment"), Shown(1.5, "duration"), Shown(1234.5, "$#,##0.00")],
                [],
                [*second, Shown(45293.25, "moment"), Shown(0.5, "duration"), "n/a"],
            ]
        }
    )
    ended = desk.run()
    check_success(ended)
    assert ended.line == f"Job completed successfully: 2 rows into {PROJECT}.{DATASET}.{desk.id}"
    assert desk.columns() == {
        "sku": "STRING",
        "units": "INT64",
        "price": "FLOAT64",
        "paid": "BOOL",
        "day": "DATE",
        "at": "TIME",
        "moment": "DATETIME",
        "spent": "STRING",
        "mixed": "STRING",
        "empty": "STRING",
    }
    assert desk.rows("ORDER BY sku") == [
        ("00123", 3, 9.5, True, date(2024, 1, 1), time(6), datetime(2024, 1, 1, 12), "36:00:00", "$1,234.50", None),
        ("0456", None, 10.0, None, None, time(18), datetime(2024, 1, 2, 6), "12:00:00", "n/a", None),
    ]
    assert "1 blank row between others left out" in ended.log


def test_headers_are_kept_as_descriptions(desk: Desk) -> None:
    desk.write({"Sheet1": [["Umsatz (€)", "数量", "Umsatz"], [1, 2, 3]]})
    check_success(desk.run())
    table = desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")
    assert [(field.name, field.description) for field in table.schema] == [
        ("umsatz", "Umsatz (€)"),
        ("数量", "数量"),
        ("umsatz_2", "Umsatz"),
    ]


def test_a_tab_larger_than_a_block_is_one_table(desk: Desk) -> None:
    # 26 columns of grid: 20,000 rows are more than one block. The last row widens the number column.
    rows = [[number, f"text {number}", Shown(45292 + number % 99, "date")] for number in range(20_000)]
    rows += [[0.5, "end", Shown(45292.5, "moment")]]
    desk.write({"Sheet1": [["n", "t", "d"], *rows]})
    check_success(desk.run())
    assert desk.columns() == {"n": "FLOAT64", "t": "STRING", "d": "DATETIME"}
    statement = f"SELECT COUNT(*) c, SUM(n) s, COUNT(DISTINCT t) t, MAX(d) d FROM `{PROJECT}.{DATASET}.{desk.id}`"
    (row,) = desk.bigquery.query_and_wait(statement)
    assert tuple(row.values()) == (20_001, sum(range(20_000)) + 0.5, 20_001, datetime(2024, 4, 8))


def test_a_wide_tab_whose_requests_need_many_ranges_is_read(desk: Desk) -> None:
    kinds = [7, "x", "y", Shown(45292, "date"), "z", "x"]
    header = [f"column {number}" for number in range(300)]
    desk.write({"Long, with & punctuation 数量": [header, [kinds[n % 6] for n in range(300)]]})
    check_success(desk.run())
    assert list(desk.columns().values()) == ["INT64", "STRING", "STRING", "DATE", "STRING", "STRING"] * 50


TABS = {"First": [["a"], [1]], "Second": [["b"], [2]]}


@pytest.mark.parametrize(
    ("url", "tab", "column"), [("", "", "a"), ("", "Second", "b"), ("#gid=1", "", "b"), ("#gid=1", "First", "a")]
)
def test_the_tab_is_found_by_name_else_by_gid_else_it_is_the_first(desk: Desk, url: str, tab: str, column: str) -> None:
    """In the wild: the address's `gid` is ignored."""
    desk.write(TABS)
    address = f"https://docs.google.com/spreadsheets/d/{desk.id}/edit{url}"
    check_success(desk.run(GOOGLE_SHEET_URL=address, GOOGLE_SHEET_TAB_NAME=tab))
    assert list(desk.columns()) == [column]


def test_a_renamed_tab_is_found_by_its_gid_with_a_notice(desk: Desk) -> None:
    """In the wild: the tab was renamed."""
    desk.write(TABS)
    address = f"https://docs.google.com/spreadsheets/d/{desk.id}/edit#gid=1"
    ended = desk.run(GOOGLE_SHEET_URL=address, GOOGLE_SHEET_TAB_NAME="Former name")
    check_success(ended)
    assert list(desk.columns()) == ["b"]
    assert "the tab was renamed" in ended.log


def test_a_new_reading_replaces_the_table_and_its_schema(desk: Desk) -> None:
    desk.write({"Sheet1": [["a", "b"], [1, "x"], [2, "y"]]})
    check_success(desk.run())
    desk.write({"Sheet1": [["a", "c"], ["z", 1.5]]})
    check_success(desk.run())
    assert (desk.columns(), desk.rows()) == ({"a": "STRING", "c": "FLOAT64"}, [("z", 1.5)])


def test_a_missing_dataset_is_created_where_the_settings_say(desk: Desk) -> None:
    dataset = f"made_for_{desk.id}"
    desk.write({"Sheet1": [["a"], [1]]})
    check_success(desk.run(BIGQUERY_DATASET_ID=dataset, BIGQUERY_LOCATION="EU"))
    assert desk.bigquery.get_dataset(f"{PROJECT}.{dataset}").location == "EU"
    check_success(desk.run(BIGQUERY_DATASET_ID=dataset, BIGQUERY_LOCATION="US"))


def test_error_cells_are_null_and_told_by_address(desk: Desk) -> None:
    desk.write({"Q4": [["a", "b"], [1, Error("#DIV/0!")], [Error("#N/A"), 2]]})
    ended = desk.run()
    check_success(ended)
    assert desk.rows("ORDER BY a") == [(None, 2), (1, None)]
    line = json.loads(ended.log.splitlines()[-1])
    link = f"https://docs.google.com/spreadsheets/d/{desk.id}/edit#gid=0&range=B2"
    assert line["warnings"] == [f"2 cells are in error, loaded as NULL: 'Q4'!B2 ({link}); 'Q4'!A3"]


def test_more_error_cells_than_are_allowed_leave_the_table_as_it_was(desk: Desk) -> None:
    """In the wild: `#N/A`, `#REF!`, `#DIV/0!` break the load; an optional threshold fails the run."""
    allowed = {"OPTIONS": '{"max_error_cells": 1}'}
    desk.write({"Q4": [["a", "b"], [1, Error("#DIV/0!")], ["#N/A", 2]]})
    check_success(desk.run(**allowed))
    before = desk.rows("ORDER BY b NULLS LAST")
    desk.write({"Q4": [["a", "b"], [1, Error("#DIV/0!")], [Error("#N/A"), 2]]})
    ended = desk.run(**allowed)
    assert ended.code == 1
    assert "TooManyErrors" in ended.line
    for cell in ("B2", "A3"):
        assert f"'Q4'!{cell} (https://docs.google.com/spreadsheets/d/{desk.id}/edit#gid=0&range={cell})" in ended.line
    assert desk.rows("ORDER BY b NULLS LAST") == before == [("#N/A", 2), ("1", None)]


def test_a_text_that_says_what_an_error_says_is_loaded(desk: Desk) -> None:
    rows = [["#N/A", "#N/A", 1], [Error("#N/A"), "x", "#N/A"], ["#N/A yet", Error("#REF!"), Error("#NUM!")]]
    desk.write({"Sheet1": [["a", "b", "c"], *rows]})
    ended = desk.run()
    check_success(ended)
    assert set(desk.columns().values()) == {"STRING"}
    assert desk.rows("ORDER BY c NULLS LAST, a NULLS FIRST") == [
        (None, "x", "#N/A"),
        ("#N/A", "#N/A", "1"),
        ("#N/A yet", None, None),
    ]
    assert "3 cells are in error, loaded as NULL: Sheet1!A3 (https://" in ended.log
    assert "); Sheet1!B4; Sheet1!C4" in ended.log


def test_with_string_every_cell_is_what_the_sheet_shows(desk: Desk) -> None:
    header = ["Order ID", "Umsatz (€)", "2024", None, "Paid?"]
    desk.write(
        {
            "Sheet1": [
                header,
                ["00123", Shown(1234.5, "$#,##0.00"), Shown(45292, "date"), None, True],
                [],
                [7, None, Error("#N/A"), None, ""],
                [None, Shown(0.501, "0.0%")],
            ]
        }
    )
    check_success(desk.run(SCHEMA_HANDLING="string"))
    assert desk.columns() == dict.fromkeys(["Order_ID", "Umsatz____", "_2024", "Paid_"], "STRING")
    assert desk.rows() == [
        ("00123", "$1,234.50", "2024-01-01", "TRUE"),
        (None, None, None, None),
        ("7", "", "#N/A", None),
        ("", "50.1%", None, None),
    ]


def test_with_string_a_tab_larger_than_a_block_keeps_its_blank_rows(desk: Desk) -> None:
    # 26 columns of grid: 16,000 rows fill more than one block, and its end is blank.
    desk.write({"Sheet1": [["n", "t"], *([number, "x"] for number in range(9_000)), *[[]] * 9_000, [9_000, "end"]]})
    check_success(desk.run(SCHEMA_HANDLING="string"))
    statement = f"SELECT COUNT(*), COUNT(n), MAX(t), MIN(t) FROM `{PROJECT}.{DATASET}.{desk.id}`"
    (row,) = desk.bigquery.query_and_wait(statement)
    assert tuple(row.values()) == (18_001, 9_001, "x", "end")
