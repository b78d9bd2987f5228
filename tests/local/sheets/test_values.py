"""values.get and values.batchGet through Google's client."""

import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from googleapiclient.errors import HttpError
from hypothesis import given
from hypothesis import strategies as st

from local.sheets.pattern import parse_pattern
from local.sheets.spreadsheet import Column, Spreadsheet, Tab
from local.sheets.values import COLUMNS, FORMATTED_STRING, FORMULA, UNFORMATTED_VALUE, Rendering, value_range
from tests.local.sheets.serving import Server, running, write_workbook

Serve = Callable[..., Server]
UNFORMATTED = {"valueRenderOption": UNFORMATTED_VALUE}
BLOCK = [["a1", "b1", "c1"], ["a2", None, "c2"], [None, None, None], ["a4"], ["a5", "b5", None]]


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One spreadsheet "block" with a tab "Sheet1" of 5 × 3 cells, some of them empty, and awkward titles."""
    folder = tmp_path_factory.mktemp("block")
    titles = ("Q1", "It's", "R&D 50%", "数量")
    tabs = {"Sheet1": BLOCK} | {title: [[f"in {title}"]] for title in titles}
    write_workbook(folder / "block.xlsx", tabs)
    with running(folder, folder / "log") as server:
        yield server


@pytest.mark.parametrize(
    ("asked", "answered", "values"),
    [
        ("Sheet1", "Sheet1!A1:Z1000", [["a1", "b1", "c1"], ["a2", "", "c2"], [], ["a4"], ["a5", "b5"]]),
        ("sheet1!A1:B2", "Sheet1!A1:B2", [["a1", "b1"], ["a2"]]),
        ("'Sheet1'", "Sheet1!A1:Z1000", [["a1", "b1", "c1"], ["a2", "", "c2"], [], ["a4"], ["a5", "b5"]]),
        ("B1", "Sheet1!B1", [["b1"]]),
        ("A2:B", "Sheet1!A2:B1000", [["a2"], [], ["a4"], ["a5", "b5"]]),
        ("Sheet1!4:5", "Sheet1!A4:Z5", [["a4"], ["a5", "b5"]]),
        ("B:C", "Sheet1!B1:C1000", [["b1", "c1"], ["", "c2"], [], [], ["b5"]]),
        ("Sheet1!C5:B4", "Sheet1!B4:C5", [[], ["b5"]]),
        ("Sheet1!D1:Z1000", "Sheet1!D1:Z1000", []),
        ("Sheet1!A1:ZZ5000", "Sheet1!A1:Z1000", [["a1", "b1", "c1"], ["a2", "", "c2"], [], ["a4"], ["a5", "b5"]]),
        ("Q1", "Sheet1!Q1", []),
        ("'Q1'", "'Q1'!A1:Z1000", [["in Q1"]]),
        ("Q1!A1", "'Q1'!A1", [["in Q1"]]),
        ("'It''s'!A1", "'It''s'!A1", [["in It's"]]),
        ("'R&D 50%'!A1", "'R&D 50%'!A1", [["in R&D 50%"]]),
        ("数量!A:A", "'数量'!A1:A1000", [["in 数量"]]),
    ],
)
def test_a_range_means_what_it_means_to_sheets(
    block: Server, asked: str, answered: str, values: list[list[str]]
) -> None:
    answer = block.get("block", asked)
    assert answer["range"] == answered
    assert answer.get("values", []) == values
    assert ("values" in answer) == bool(values)


def test_columns_are_trimmed_like_rows(block: Server) -> None:
    answer = block.get("block", "A1:D6", majorDimension="COLUMNS")
    assert answer["majorDimension"] == "COLUMNS"
    assert answer["values"] == [["a1", "a2", "", "a4", "a5"], ["b1", "", "", "", "b5"], ["c1", "c2"]]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("Nope!A1:B2", "Unable to parse range: Nope!A1:B2"),
        ("Nope", "Unable to parse range: Nope"),
        ("'a/b'!A1", "Unable to parse range: 'a/b'!A1"),
        ("Sheet1!A", "Unable to parse range: Sheet1!A"),
        ("Sheet1!", "Unable to parse range: Sheet1!"),
        ("Sheet1!AA1:AB2", "Range (Sheet1!AA1:AB2) exceeds grid limits. Max rows: 1000, max columns: 26"),
        ("A1001", "Range (Sheet1!A1001) exceeds grid limits. Max rows: 1000, max columns: 26"),
        ("'It''s'!A1001:B", "Range ('It''s'!A1001:B) exceeds grid limits. Max rows: 1000, max columns: 26"),
    ],
)
def test_a_range_that_is_none_or_begins_outside_the_grid_is_a_400(block: Server, asked: str, message: str) -> None:
    with pytest.raises(HttpError) as refused:
        block.get("block", asked)
    assert refused.value.status_code == 400
    assert refused.value.reason == message


def test_a_batch_answers_every_range_in_order_or_none(block: Server) -> None:
    batch = block.spreadsheets.values().batchGet
    answer = batch(spreadsheetId="block", ranges=["C2", "'Q1'!A1", "C2"]).execute()
    assert answer["spreadsheetId"] == "block"
    assert [found["range"] for found in answer["valueRanges"]] == ["Sheet1!C2", "'Q1'!A1", "Sheet1!C2"]
    assert [found["values"] for found in answer["valueRanges"]] == [[["c2"]], [["in Q1"]], [["c2"]]]
    with pytest.raises(HttpError, match="Unable to parse range: Nope"):
        batch(spreadsheetId="block", ranges=["C2", "Nope"]).execute()


def test_a_large_tab_is_a_large_grid(serve: Serve, folder: Path) -> None:
    write_workbook(folder / "large.xlsx", {"Data": [[n] for n in range(1500)] + [[None] * 29 + ["last"]]})
    server = serve()
    assert server.values("large", "AD1501") == [["last"]]
    assert server.get("large", "Data")["range"] == "Data!A1:AD1501"


def test_a_named_range_is_found_in_any_case(samples: Server) -> None:
    answer = samples.get("inventory", "SKUS")
    assert answer["range"] == "Stock!A2:A49"
    assert answer["values"][0] == ["000137"]


def test_dates_are_serial_numbers_unless_shown_text_is_asked_for(samples: Server) -> None:
    cells = "Form Responses 1!A2:E2"
    serial = samples.values("signups", cells, **UNFORMATTED)[0]
    shown = samples.values("signups", cells, **UNFORMATTED, dateTimeRenderOption=FORMATTED_STRING)[0]
    assert serial == [pytest.approx(45719.56353, abs=1e-5), *serial[1:3], 0.6770833333333334, 3.473611111111111]
    assert shown == ["3/3/2025 13:31:29", *serial[1:3], "4:15 PM", "83:22:00"]


def test_text_and_check_boxes_among_dates_stay_what_they_are(serve: Serve, folder: Path) -> None:
    write_workbook(folder / "mixed.xlsx", {"T": [[(45360, "yyyy-mm-dd"), (True, "yyyy-mm-dd"), ("n/a", "h:mm")]]})
    shown = serve().values("mixed", "T", **UNFORMATTED, dateTimeRenderOption=FORMATTED_STRING)
    assert shown == [["2024-03-09", True, "n/a"]]


def test_formulas_are_shown_as_formulas_and_values_as_values(samples: Server) -> None:
    row = samples.values("budget", "'Budget 2024'!A17:F17", valueRenderOption=FORMULA)[0]
    assert row == ["Training", 45383, 0, 180, "=C17-D17", "=D17/C17"]


def test_errors_are_their_codes_in_either_rendering(samples: Server) -> None:
    assert samples.values("budget", "F17") == [["#DIV/0!"]]
    assert samples.values("budget", "F17", **UNFORMATTED) == [["#DIV/0!"]]


def test_ids_that_begin_with_zeros_stay_text(samples: Server) -> None:
    row = samples.values("inventory", "A2:H2", **UNFORMATTED)[0]
    assert row[0] == "000137"
    assert row[1] == 4006381007919
    assert row[7].startswith("00")


def test_text_comes_as_it_was_typed(serve: Serve, folder: Path) -> None:
    texts = ["line\nline", "  spaces  ", "🎉", "=no formula", "a_x0041_b", "<&>", "tab\there", "00"]
    path = folder / "texts.xlsx"
    write_workbook(path, {"T": [texts]}, strings_to_formulas=False)
    assert serve().values("texts", "T") == [texts]


def test_an_option_that_does_not_exist_is_a_400(block: Server) -> None:
    answer = httpx.get(f"{block.url}/v4/spreadsheets/block/values/A1", params={"valueRenderOption": "RAW"})
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


CELLS = st.one_of(st.none(), st.integers(-99, 99), st.booleans(), st.sampled_from(["", *string.ascii_letters]))


@given(st.lists(st.lists(CELLS, max_size=6), max_size=8), st.integers(0, 9), st.integers(0, 7))
def test_only_blanks_at_the_end_are_left_out(rows: list[list[Any]], first_row: int, first_column: int) -> None:
    """An empty text is a value (a formula's); the model pads, cuts and trims cell by cell."""
    spreadsheet = Spreadsheet([_tab(rows)], [], [parse_pattern("")])
    area = spreadsheet.area(f"{string.ascii_uppercase[first_column]}{first_row + 1}:Z1000")
    wanted = [row[first_column:] for row in rows[first_row:]]
    answer = value_range(spreadsheet, area, Rendering(values=UNFORMATTED_VALUE))
    assert answer.get("values", []) == _trimmed(wanted)
    turned = [[row[n] if n < len(row) else None for row in wanted] for n in range(6)]
    answer = value_range(spreadsheet, area, Rendering(COLUMNS, UNFORMATTED_VALUE))
    assert answer.get("values", []) == _trimmed(turned)


def _tab(rows: list[list[Any]]) -> Tab:
    width = max((len(row) for row in rows), default=0)
    columns = [Column() for _ in range(width)]
    for row in rows:
        for number, column in enumerate(columns):
            column.values.append(row[number] if number < len(row) else None)
            column.patterns.append(0)
    return Tab("T", gid=0, index=0, columns=columns)


def _trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    trimmed: list[list[Any]] = []
    for row in rows:
        full = max((n for n, value in enumerate(row, 1) if value is not None), default=0)
        trimmed.append(["" if value is None else value for value in row[:full]])
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    return trimmed
