"""spreadsheets.get through Google's client: tabs, names, grid data, field masks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from googleapiclient.errors import HttpError

from local.sheets.fields import InvalidMask, apply_mask, parse_mask
from tests.local.sheets.serving import Server

Serve = Callable[..., Server]


def test_tabs_are_listed_with_their_gids_sizes_and_kinds(samples: Server) -> None:
    answer = samples.spreadsheets.get(spreadsheetId="budget").execute()
    assert answer["spreadsheetId"] == "budget"
    assert answer["properties"]["title"] == "budget"
    assert answer["properties"]["locale"] == "en_US"
    assert "timeZone" in answer["properties"]
    assert [sheet["properties"] for sheet in answer["sheets"]] == [
        {
            "sheetId": 0,
            "title": "Budget 2024",
            "index": 0,
            "sheetType": "GRID",
            "gridProperties": {"rowCount": 1000, "columnCount": 26, "frozenRowCount": 1},
        },
        {"sheetId": 1, "title": "Plan against actual", "index": 1, "sheetType": "OBJECT"},
    ]
    assert not any("data" in sheet for sheet in answer["sheets"])


def test_a_chart_tab_has_no_cells_to_read(samples: Server) -> None:
    with pytest.raises(HttpError, match="Unable to parse range: 'Plan against actual'!A1"):
        samples.get("budget", "'Plan against actual'!A1")


def test_a_hidden_tab_and_a_hidden_column_are_there_and_marked(samples: Server) -> None:
    fields = "sheets(properties(title,hidden),data/columnMetadata/hiddenByUser)"
    answer = samples.spreadsheets.get(spreadsheetId="inventory", fields=fields).execute()
    stock, suppliers = answer["sheets"]
    assert suppliers["properties"] == {"title": "Suppliers", "hidden": True}
    assert stock["properties"] == {"title": "Stock"}
    hidden = [n for n, column in enumerate(stock["data"][0]["columnMetadata"]) if column]
    assert hidden == [7]
    assert samples.values("inventory", "Suppliers!B2") == [["Northern Fasteners"]]


def test_named_ranges_are_listed_with_open_fields_left_out(samples: Server) -> None:
    answer = samples.spreadsheets.get(spreadsheetId="budget", fields="namedRanges(name,range)").execute()
    area = {"startRowIndex": 1, "endRowIndex": 49, "startColumnIndex": 2, "endColumnIndex": 3}
    assert answer == {"namedRanges": [{"name": "planned", "range": area}]}


def test_ranges_narrow_the_tabs_and_the_grid_data(samples: Server) -> None:
    get = samples.spreadsheets.get
    answer = get(
        spreadsheetId="sales_by_quarter", ranges=["Q2_Sales!B2:B3", "Q2_Sales!E2"], includeGridData=True
    ).execute()
    [sheet] = answer["sheets"]
    dates, price = sheet["data"]
    assert (dates["startRow"], dates["startColumn"], len(dates["rowData"])) == (1, 1, 2)
    assert (price["startRow"], price["startColumn"]) == (1, 4)
    [cell] = price["rowData"][0]["values"]
    number_format = {"numberFormat": {"type": "CURRENCY", "pattern": "$#,##0.00"}}
    assert cell == {
        "userEnteredValue": {"numberValue": 18.18},
        "effectiveValue": {"numberValue": 18.18},
        "formattedValue": "$18.18",
        "userEnteredFormat": number_format,
        "effectiveFormat": number_format,
    }


def test_grid_data_tells_formulas_errors_texts_and_booleans(samples: Server) -> None:
    fields = "sheets/data/rowData/values(userEnteredValue,effectiveValue)"
    get = samples.spreadsheets.get
    budget = get(spreadsheetId="budget", ranges=["F17"], fields=fields).execute()
    assert _cells(budget) == [
        [
            {
                "userEnteredValue": {"formulaValue": "=D17/C17"},
                "effectiveValue": {"errorValue": {"type": "DIVIDE_BY_ZERO"}},
            }
        ]
    ]
    sales = get(spreadsheetId="sales_by_quarter", ranges=["A2", "G2"], fields=fields).execute()
    text, boolean = (data["rowData"][0]["values"][0] for data in sales["sheets"][0]["data"])
    assert text["effectiveValue"] == {"stringValue": "SO-2024-0001"}
    assert boolean["effectiveValue"] == {"boolValue": True}


def test_a_mask_for_errors_tells_them_from_texts_that_say_the_same(serve: Serve, folder: Path) -> None:
    with xlsxwriter.Workbook(folder / "said.xlsx") as book:
        tab = book.add_worksheet("T")
        tab.write_string("B2", "#N/A")
        tab.write_formula("B3", "=NA()", None, "#N/A")
        tab.write_number("B4", 7)
    server = serve()
    unformatted = server.values("said", "T!B2:B4", valueRenderOption="UNFORMATTED_VALUE")
    assert unformatted == [["#N/A"], ["#N/A"], [7]]
    fields = "sheets.data(startRow,startColumn,rowData.values.effectiveValue.errorValue.type)"
    answer = server.spreadsheets.get(spreadsheetId="said", ranges=["T!B2:B4", "T!B9"], fields=fields).execute()
    [data, beyond] = answer["sheets"][0]["data"]
    assert (data["startRow"], data["startColumn"]) == (1, 1)
    assert [row["values"] for row in data["rowData"]] == [
        [{"effectiveValue": {}}],
        [{"effectiveValue": {"errorValue": {"type": "N_A"}}}],
        [{"effectiveValue": {}}],
    ]
    assert beyond == {"startRow": 8, "startColumn": 1}


@pytest.mark.parametrize(
    ("spreadsheet", "cells", "kind"),
    [
        ("signups", "A2", "DATE_TIME"),
        ("signups", "D2", "TIME"),
        ("signups", "E2", "TIME"),
        ("budget", "B2", "DATE"),
        ("budget", "C2", "CURRENCY"),
        ("budget", "F2", "PERCENT"),
        ("inventory", "A2", "TEXT"),
        ("inventory", "B2", "NUMBER"),
    ],
)
def test_number_formats_have_the_type_that_sheets_gives_them(
    samples: Server, spreadsheet: str, cells: str, kind: str
) -> None:
    fields = "sheets(data(rowData(values(effectiveFormat/numberFormat/type))))"
    answer = samples.spreadsheets.get(spreadsheetId=spreadsheet, ranges=[cells], fields=fields).execute()
    assert _cells(answer) == [[{"effectiveFormat": {"numberFormat": {"type": kind}}}]]


def test_grid_data_ends_with_the_last_cell_that_holds_something(samples: Server) -> None:
    """Rows 26 to 30 of the roster hold number formats and no values; row 14 is empty."""
    fields = "sheets.data.rowData.values.formattedValue"
    answer = samples.spreadsheets.get(spreadsheetId="roster", fields=fields).execute()
    rows = answer["sheets"][0]["data"][0]["rowData"]
    assert len(rows) == 30
    assert rows[13] == {}
    assert rows[1]["values"][0] == {"formattedValue": "South"}
    assert rows[2]["values"][0] == {}
    assert not any(cell for cell in rows[29]["values"])


def test_merges_and_hyperlinks_are_there(serve: Serve, folder: Path) -> None:
    with xlsxwriter.Workbook(folder / "links.xlsx") as book:
        first, second = book.add_worksheet("First"), book.add_worksheet("Second")
        first.write_url("A1", "https://example.com/x", string="see")
        second.merge_range("B2:C4", "merged")
    answer = serve().spreadsheets.get(spreadsheetId="links", includeGridData=True).execute()
    first_tab, second_tab = answer["sheets"]
    assert first_tab["data"][0]["rowData"][0]["values"][0]["hyperlink"] == "https://example.com/x"
    assert second_tab["merges"] == [
        {"sheetId": 1, "startRowIndex": 1, "endRowIndex": 4, "startColumnIndex": 1, "endColumnIndex": 3}
    ]
    merged = second_tab["data"][0]["rowData"][1]["values"]
    assert merged == [{}, {**merged[1], "formattedValue": "merged"}]


def test_a_mask_outweighs_include_grid_data(samples: Server) -> None:
    get = samples.spreadsheets.get
    without = get(spreadsheetId="roster", includeGridData=True, fields="sheets.properties.title").execute()
    assert without == {"sheets": [{"properties": {"title": "Roster"}}]}
    with_data = get(spreadsheetId="roster", includeGridData=False, fields="sheets.data.rowMetadata").execute()
    assert len(with_data["sheets"][0]["data"][0]["rowMetadata"]) == 1000


def test_a_field_that_does_not_exist_is_a_400_that_names_it(samples: Server) -> None:
    with pytest.raises(HttpError) as refused:
        samples.spreadsheets.get(spreadsheetId="roster", fields="sheets(properties(titel))").execute()
    assert refused.value.status_code == 400
    [violation] = refused.value.error_details[0]["fieldViolations"]
    assert violation["field"] == "sheets.properties.titel"


@pytest.mark.parametrize(
    ("mask", "left"),
    [
        ("*", {"properties": {"title": "t", "locale": "l"}, "sheets": [{"properties": {"title": "a", "index": 1}}]}),
        ("properties", {"properties": {"title": "t", "locale": "l"}}),
        ("properties.title", {"properties": {"title": "t"}}),
        ("properties/title", {"properties": {"title": "t"}}),
        ("properties(locale,title)", {"properties": {"title": "t", "locale": "l"}}),
        ("properties.title,properties.locale", {"properties": {"title": "t", "locale": "l"}}),
        ("properties.title,properties", {"properties": {"title": "t", "locale": "l"}}),
        ("sheets(properties(index))", {"sheets": [{"properties": {"index": 1}}]}),
        ("sheets/properties/title", {"sheets": [{"properties": {"title": "a"}}]}),
        ("sheets.properties(title), properties.title",
         {"properties": {"title": "t"}, "sheets": [{"properties": {"title": "a"}}]}),
        ("sheets/*", {"sheets": [{"properties": {"title": "a", "index": 1}}]}),
        ("sheets/merges", {"sheets": [{}]}),
    ],
)  # fmt: skip
def test_a_mask_leaves_what_it_names(mask: str, left: dict[str, Any]) -> None:
    value = {
        "properties": {"title": "t", "locale": "l"},
        "sheets": [{"properties": {"title": "a", "index": 1}}],
    }
    assert apply_mask(value, parse_mask(mask, "sheets.v4", "Spreadsheet")) == left


@pytest.mark.parametrize("mask", ["sheets(", "sheets)", "sheets(properties", "a b", ",", "sheets..data", "title"])
def test_a_mask_that_is_none_is_refused(mask: str) -> None:
    with pytest.raises(InvalidMask):
        parse_mask(mask, "sheets.v4", "Spreadsheet")


def _cells(answer: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [row["values"] for row in answer["sheets"][0]["data"][0]["rowData"]]
