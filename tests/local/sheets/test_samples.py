"""The sample spreadsheets, read through the server by Google's client."""

from pathlib import Path

import openpyxl
import pytest

from local.samples.make import SAMPLES, make_all
from tests.local.sheets.serving import SAMPLES as FOLDER
from tests.local.sheets.serving import Server


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_in_the_repository_is_what_make_writes(name: str, tmp_path: Path) -> None:
    make_all(tmp_path)
    written = openpyxl.load_workbook(tmp_path / f"{name}.xlsx")
    kept = openpyxl.load_workbook(FOLDER / f"{name}.xlsx")
    assert kept.sheetnames == written.sheetnames
    for title in [sheet.title for sheet in written.worksheets]:
        assert _cells(kept[title]) == _cells(written[title])


def _cells(sheet: openpyxl.worksheet.worksheet.Worksheet) -> list[tuple[str, object, str]]:
    return [(cell.coordinate, cell.value, cell.number_format) for row in sheet for cell in row]


def test_formatted_values_are_what_the_sheet_shows(samples: Server) -> None:
    assert samples.get("sales_by_quarter", "Q1_Sales!A1:G2") == {
        "range": "Q1_Sales!A1:G2",
        "majorDimension": "ROWS",
        "values": [
            ["Order ID", "Order Date", "Customer", "Units", "Unit price", "Total", "Paid?"],
            ["SO-2024-0001", "2024-01-04", "Größe 9", "30", "$146.14", "$4,384.20", "TRUE"],
        ],
    }


def test_unformatted_values_are_numbers_booleans_and_serial_dates(samples: Server) -> None:
    row = samples.values("sales_by_quarter", "Q1_Sales!A2:G2", valueRenderOption="UNFORMATTED_VALUE")[0]
    assert row == ["SO-2024-0001", 45295, "Größe 9", 30, 146.14, 4384.2, True]
    assert [type(value) for value in row] == [str, int, str, int, float, float, bool]
