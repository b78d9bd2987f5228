"""Which spreadsheets a system serves, and what is expected of their tables."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from local.clients import LocalClients
from local.sample_files import NotASpreadsheet, copy_own, copy_samples
from local.system import System
from local.tabs import Extent, Tab, find_tabs, measure


def workbook(path: Path, *tabs: str) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for tab in tabs:
            book.add_worksheet(tab)
    return path


class Answer:
    """The Sheets API's `spreadsheets` collection with one answer to `values.get`."""

    def __init__(self, values: list[list[Any]]) -> None:
        self._values = values

    def values(self) -> "Answer":
        return self

    def get(self, **_: Any) -> "Answer":
        return self

    def execute(self) -> dict[str, Any]:
        return {"values": self._values} if self._values else {}


def extent(*rows: list[Any]) -> Extent:
    return measure(Answer(list(rows)), Tab("sheet", "Tab", 0, "sheet"))


def test_a_sample_that_was_edited_stays_as_it_is(tmp_path: Path) -> None:
    copy_samples(tmp_path)
    edited = tmp_path / "inventory.xlsx"
    edited.write_bytes(b"edited")
    copy_samples(tmp_path)
    assert edited.read_bytes() == b"edited"


def test_a_file_of_ones_own_gets_a_name_that_can_be_an_id(tmp_path: Path) -> None:
    own = workbook(tmp_path / "Umsätze 2026 (final).xlsx", "Sheet1")
    copy_own(own, tmp_path / "samples")
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["Ums_tze_2026_final.xlsx"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing.xlsx", None, "there is no file"),
        ("sheet.csv", b"a,b\n1,2\n", "is not an .xlsx file"),
        ("old.xls", b"\xd0\xcf\x11\xe0 an older Excel's", "is not an .xlsx file"),
        ("empty.xlsx", b"", "is not an .xlsx file"),
    ],
)
def test_what_is_no_spreadsheet_is_refused(tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(NotASpreadsheet, match=told):
        copy_own(tmp_path / name, tmp_path / "samples")


def test_another_kind_of_package_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "letter.docx"
    with zipfile.ZipFile(document, "w") as package:
        package.writestr("word/document.xml", "<document/>")
    with pytest.raises(NotASpreadsheet, match="holds no workbook"):
        copy_own(document, tmp_path / "samples")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotASpreadsheet, match="cannot be read"):
        copy_own(tmp_path, tmp_path / "samples")


def test_tabs_get_tables_of_their_own(system: System, clients: LocalClients, tmp_path: Path) -> None:
    workbook(tmp_path / "plans.xlsx", "Plan A", "Plan-A", "Größe")
    served = workbook(system.samples / "plans.xlsx", "Plan A", "Plan-A", "Größe")
    try:
        tabs, _ = find_tabs(clients.sheets, tmp_path)
    finally:
        served.unlink()
    assert [tab.name for tab in tabs] == ["plans_plan_a", "plans_plan_a_2", "plans_größe"]


def test_a_workbook_that_cannot_be_read_is_named(system: System, clients: LocalClients, tmp_path: Path) -> None:
    for folder in (tmp_path, system.samples):
        (folder / "torn apart.xlsx").write_bytes(b"PK half of a package")
    try:
        tabs, refused = find_tabs(clients.sheets, tmp_path)
    finally:
        (system.samples / "torn apart.xlsx").unlink()
    assert tabs == []
    assert [name.rpartition("-")[0] for name in refused] == ["torn_apart"]


def test_hidden_tabs_are_left_alone(system: System, clients: LocalClients) -> None:
    tabs = [(tab.spreadsheet, tab.title) for tab in find_tabs(clients.sheets, system.samples)[0]]
    assert ("sales_by_quarter", "Q1_Sales") in tabs
    assert len(tabs) == len(set(tabs))


def test_values_are_counted_by_column() -> None:
    assert extent(["id", "note"], [1, "a"], [2], [3, "c"]) == Extent(3, [3, 2])


def test_blank_rows_and_columns_without_a_value_are_none() -> None:
    assert extent(["id", "", ""], [1, "", 5], ["", "", ""], [2]) == Extent(2, [2, 1])


def test_spaces_are_text() -> None:
    assert extent(["note"], [" "]) == Extent(1, [1])


def test_a_header_without_a_letter_names_no_column() -> None:
    assert extent(["id", "—", "?"], [1, "", 2]) == Extent(1, [1, 1])


def test_errors_are_no_values() -> None:
    assert extent(["ratio"], ["#DIV/0!"], [0], [False]) == Extent(3, [2])


def test_an_empty_tab_holds_nothing() -> None:
    assert extent() == Extent(0, [])
