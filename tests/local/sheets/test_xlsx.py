"""Reading .xlsx files: what other programs write, and against openpyxl as a second reader."""

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.utils.datetime import to_excel

from local.samples.make import SAMPLES
from local.sheets.spreadsheet import CellError, Spreadsheet, Tab, Value
from local.sheets.xlsx import read_spreadsheet
from tests.local.sheets.serving import SAMPLES as FOLDER
from tests.local.sheets.serving import Server, write_workbook


def read(path: Path) -> Spreadsheet:
    return read_spreadsheet(path.read_bytes(), path.name)


def value(tab: Tab, row: int, column: int) -> Value:
    values = tab.columns[column].values if column < len(tab.columns) else []
    return values[row] if row < len(values) else None


@pytest.mark.parametrize("name", SAMPLES)
def test_every_cell_is_what_another_reader_finds(name: str) -> None:
    spreadsheet = read(FOLDER / f"{name}.xlsx")
    saved = openpyxl.load_workbook(FOLDER / f"{name}.xlsx", data_only=True)
    entered = openpyxl.load_workbook(FOLDER / f"{name}.xlsx")
    assert [tab.title for tab in spreadsheet.tabs] == saved.sheetnames
    for tab in spreadsheet.tabs:
        if tab.grid:
            for row in saved[tab.title].iter_rows():
                for cell in row:
                    found = value(tab, cell.row - 1, cell.column - 1)
                    assert found == _expected(cell), cell.coordinate
            formulas = {
                (cell.row - 1, cell.column - 1): cell.value
                for row in entered[tab.title].iter_rows()
                for cell in row
                if cell.data_type == "f"
            }
            assert {
                (row, number): formula
                for number, column in enumerate(tab.columns)
                for row, formula in column.formulas.items()
            } == formulas


def _expected(cell: Cell) -> object:
    if cell.data_type == "e":
        return CellError(str(cell.value))
    if isinstance(cell.value, (datetime.datetime, datetime.time, datetime.timedelta)):
        return pytest.approx(to_excel(cell.value), abs=1e-6)
    return cell.value


def test_dates_of_the_1904_system_are_moved_and_times_are_not(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 3, 9, 12, 0)  # noqa: DTZ001
    path = tmp_path / "mac.xlsx"
    rows = [[(day, "yyyy-mm-dd"), (0.5, "h:mm"), (3.0, "[h]:mm"), 7, (True, "yyyy-mm-dd")]]
    write_workbook(path, {"T": rows}, default_date_format="yyyy-mm-dd", date_1904=True)
    tab = read(path).tabs[0]
    assert [value(tab, 0, column) for column in range(5)] == [45360.5, 0.5, 3, 7, True]


def test_a_shared_formula_moves_with_its_cells(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f t="shared" ref="B1:B2" si="0">A1*$A$1</f><v>4</v></c></row>'
        '<row r="2"><c r="A2"><v>3</v></c><c r="B2"><f t="shared" si="0"/><v>6</v></c></row>'
    )
    tab = read(_raw(tmp_path, rows)).tabs[0]
    assert tab.columns[1].formulas == {0: "=A1*$A$1", 1: "=A2*$A$1"}
    assert tab.columns[1].values == [4, 6]


def test_cells_without_addresses_inline_texts_and_iso_dates_are_read(tmp_path: Path) -> None:
    rows = (
        '<row><c t="inlineStr"><is><r><t>rich </t></r><r><t>text</t></r><rPh><t>guide</t></rPh></is></c>'
        '<c><v>1.50</v></c></row><row r="4"><c r="B4" t="d"><v>2024-03-09T12:00:00</v></c></row>'
        '<row r="3"><c r="C3" t="e"><v>#SPILL!</v></c><c r="D3" t="b"><v>1</v></c><c r="E3" t="n"><v></v></c></row>'
    )
    tab = read(_raw(tmp_path, rows)).tabs[0]
    assert value(tab, 0, 0) == "rich text"
    assert value(tab, 0, 1) == 1.5
    assert value(tab, 3, 1) == 45360.5
    assert value(tab, 2, 2) == CellError("#ERROR!")
    assert value(tab, 2, 3) is True
    assert value(tab, 2, 4) is None


def test_numbers_are_whole_where_the_file_says_so_in_any_notation(tmp_path: Path) -> None:
    numbers = ("3", "3.0", "3E2", "-0", "9007199254740993", "1E+300", "0.1")
    cells = "".join(f"<c><v>{number}</v></c>" for number in numbers)
    tab = read(_raw(tmp_path, f"<row>{cells}</row>")).tabs[0]
    found = [value(tab, 0, column) for column in range(len(numbers))]
    assert found == [3, 3, 300, 0, 9007199254740992.0, 1e300, 0.1]
    assert [type(number) for number in found] == [int, int, int, int, float, float, float]


def test_formulas_without_a_saved_value_are_blank_and_said_once(serve: Callable[..., Server], folder: Path) -> None:
    """openpyxl writes formulas without their values."""
    book = openpyxl.Workbook()
    for row in range(1, 8):
        book.active.cell(row, 1, row)
        book.active.cell(row, 2, f"=A{row}*2")
    book.save(folder / "uncalculated.xlsx")
    server = serve()
    assert server.values("uncalculated", "A1:B2") == [["1"], ["2"]]
    assert server.values("uncalculated", "A1:B2", valueRenderOption="FORMULA") == [[1, "=A1*2"], [2, "=A2*2"]]
    [warning] = [line for line in server.log.splitlines() if "formulas without a saved value" in line]
    assert "uncalculated.xlsx: 7 formulas" in warning
    assert "(Sheet!B1, Sheet!B2, Sheet!B3, Sheet!B4, Sheet!B5, …)" in warning


def test_a_formula_s_empty_text_is_a_value_and_a_typed_one_is_none(tmp_path: Path) -> None:
    rows = '<row><c t="str"><f>IF(1,"")</f><v></v></c><c t="str"><v></v></c></row>'
    tab = read(_raw(tmp_path, rows)).tabs[0]
    assert [column.values for column in tab.columns] == [[""]]


def test_names_of_formulas_and_of_several_areas_are_no_named_ranges(tmp_path: Path) -> None:
    path = tmp_path / "names.xlsx"
    book = openpyxl.Workbook()
    for name, refers_to in {
        "good": "Sheet!$A$1:$B$2",
        "column": "Sheet!$C:$C",
        "sum": "SUM(Sheet!$A$1:$A$9)",
        "two": "Sheet!$A$1,Sheet!$B$2",
        "gone": "#REF!",
    }.items():
        book.defined_names[name] = openpyxl.workbook.defined_name.DefinedName(name, attr_text=refers_to)
    book.save(path)
    assert [named.name for named in read(path).named_ranges] == ["good", "column"]


def _raw(folder: Path, rows: str) -> Path:
    """A workbook with these rows of XML in its only tab."""
    path = write_workbook(folder / "raw.xlsx", {"T": []})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    parts["xl/worksheets/sheet1.xml"] = sheet.replace("<sheetData/>", f"<sheetData>{rows}</sheetData>").encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path
