"""What real workbooks have that a grid of cells has not: merged cells, hidden rows, invisible blanks in names."""

from typing import Any

import xlsxwriter
from google.cloud.bigquery import SchemaField

from local.environment import PROJECT
from tests.integration.job.conftest import DATASET, Desk, Shown
from tests.integration.job.test_loads import check_success


def open_workbook(desk: Desk) -> Any:
    """The desk's spreadsheet, to be written in ways of its own."""
    return xlsxwriter.Workbook(desk.system.samples / f"{desk.id}.xlsx")


def test_a_merged_cell_is_its_first_one_and_the_rest_are_null(desk: Desk) -> None:
    """In the wild: merged cells."""
    with open_workbook(desk) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["region", "city", "n"])
        sheet.merge_range(1, 0, 2, 0, "North")
        sheet.write_column(1, 1, ["a", "b", "c"])
        sheet.write_column(1, 2, [1, 2, 3])
    check_success(desk.run())
    assert desk.rows("ORDER BY n") == [("North", "a", 1), (None, "b", 2), (None, "c", 3)]


def test_hidden_rows_and_columns_and_filtered_ones_are_loaded(desk: Desk) -> None:
    """In the wild: hidden rows or columns, filters."""
    with open_workbook(desk) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([["a", "b", "c"], [1, "x", 5], [2, "y", 6], [3, "x", 7]]):
            sheet.write_row(row, 0, cells)
        sheet.set_column(2, 2, None, None, {"hidden": True})
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.autofilter(0, 0, 3, 2)
        sheet.filter_column(1, "x == y")
        sheet.set_row(3, None, None, {"hidden": True})
    check_success(desk.run())
    assert desk.rows("ORDER BY a") == [(1, "x", 5), (2, "y", 6), (3, "x", 7)]


def test_money_and_percentages_are_numbers(desk: Desk) -> None:
    """In the wild: `$2,000,000.01` and `50.1%` arrive as text."""
    desk.write({"Sheet1": [["money", "share"], [Shown(2_000_000.01, "$#,##0.00"), Shown(0.501, "0.0%")]]})
    check_success(desk.run())
    assert (desk.columns(), desk.rows()) == ({"money": "FLOAT64", "share": "FLOAT64"}, [(2_000_000.01, 0.501)])


def test_a_tab_whose_name_ends_with_a_blank_is_found_by_what_people_see(desk: Desk) -> None:
    """In the wild: a tab's name has a blank at its end, which a config's name has not."""
    desk.write({"Other": [["a"], [1]], "Q4 ": [["b"], [2]]})
    ended = desk.run(GOOGLE_SHEET_TAB_NAME="Q4")
    check_success(ended)
    assert desk.rows() == [(2,)]
    assert "renamed" not in ended.log


def described(desk: Desk) -> dict[str, str]:
    table = desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")
    return {field.name: field.description for field in table.schema}


def test_what_people_wrote_about_columns_stays_while_the_columns_do(desk: Desk) -> None:
    """In the wild: `WRITE_TRUNCATE` drops column descriptions, policy tags and constraints."""
    desk.write({"Sheet1": [["a", "b", "c"], [1, 1.5, True]]})
    check_success(desk.run())
    assert described(desk) == {"a": "a", "b": "b", "c": "c"}
    table = desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")
    asked = {**table.schema[1].to_api_repr(), "description": "in euros, net"}
    table.schema = [table.schema[0], SchemaField.from_api_repr(asked), table.schema[2]]
    desk.bigquery.update_table(table, ["schema"])
    desk.write({"Sheet1": [["a", "b", "c"], [2, 2.5, False], [3, None, None]]})
    check_success(desk.run())
    assert described(desk)["b"] == "in euros, net"
    assert desk.rows("ORDER BY a") == [(2, 2.5, False), (3, None, None)]
    desk.write({"Sheet1": [["a", "b", "c"], [2, "x", False]]})
    check_success(desk.run())
    assert (described(desk)["b"], desk.columns()["b"]) == ("b", "STRING")


def test_a_failed_refresh_leaves_the_table_whole(desk: Desk) -> None:
    """In the wild: a failed refresh leaves the table empty or half."""
    desk.write({"Sheet1": [["a"], [1], [2]]})
    check_success(desk.run())
    desk.write({"Sheet1": [["a"], [3], ["x"]]})
    ended = desk.run(**desk.with_schema({"name": "a", "type": "INT64"}))
    assert ended.code == 1
    assert f"https://docs.google.com/spreadsheets/d/{desk.id}/edit#gid=0&range=A3" in ended.line
    assert desk.rows("ORDER BY a") == [(1,), (2,)]
