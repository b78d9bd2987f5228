"""`schema_handling` string: the table that the owner's older service makes of a tab, cell for cell."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from job.columns.moments import Format
from job.columns.standard_names import standard_names
from job.errors import EmptySheet, HeaderRefused
from tests.unit.job.grid import Moment, Rows, Said, shown_rows
from tests.unit.job.reading import loaded, read_as_text, types
from tests.unit.job.test_any_grid import grids


def older_service(rows: Rows) -> list[tuple[str | None, ...]]:
    """The rows that it loads: `values.get` of the whole tab, the first row off, short rows filled up with NULLs."""
    header, *lines = shown_rows(rows)
    width = max(map(len, [header, *lines]))
    return [(*line, *[None] * (width - len(line))) for line in lines]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grids(), st.integers(1, 13))
def test_any_tab_is_loaded_as_the_older_service_loads_it(rows: Rows, block_rows: int) -> None:
    named = [[f"h {number}" for number in range(max(map(len, rows)))], *rows[1:]]
    expected = older_service(named)
    try:
        reading = read_as_text(named, block_rows=block_rows)
    except EmptySheet:
        assert expected == []
        return
    assert [tuple(row.values()) for row in loaded(reading)] == expected
    assert set(types(reading).values()) == {"STRING"}
    assert reading.warnings == ()


@pytest.mark.parametrize("block_rows", [1, 2, 100])
def test_blank_cells_are_empty_text_before_others_and_null_at_a_rows_end(block_rows: int) -> None:
    """In the wild: blank rows in the middle; the owner's older service loads all-NULL rows."""
    rows = [["a", "b", "c"], ["x", None, "y"], ["x"], [], ["", "", None], [None, "z"], [None, None], []]
    assert [tuple(row.values()) for row in loaded(read_as_text(rows, block_rows=block_rows))] == [
        ("x", "", "y"),
        ("x", None, None),
        (None, None, None),
        (None, None, None),
        ("", "z", None),
    ]


def test_numbers_dates_errors_and_texts_that_say_the_same_are_what_the_sheet_shows() -> None:
    rows = [
        ["a", "b", "c", "d"],
        [7, True, Moment(45292, "1/1/2024", Format.DATE), "#N/A"],
        ["x", None, None, Said("#N/A")],
    ]
    assert [row["d"] for row in loaded(read_as_text(rows))] == ["#N/A", "#N/A"]
    assert loaded(read_as_text(rows[:2])) == [{"a": "7", "b": "TRUE", "c": "1/1/2024", "d": "#N/A"}]


def test_a_tab_without_rows_fails_as_it_does_with_every_schema_handling() -> None:
    for rows in ([[]], [["a"]], [["a"], [None], [""]]):
        with pytest.raises(EmptySheet, match="the tab has no rows below its header"):
            read_as_text(rows)


def test_data_without_a_header_is_named_by_its_letter_however_the_tab_is_cut() -> None:
    rows = [["a", "", "column_d"], ["x", None, "y"], ["x", None, None, 5], ["z", "w"]]
    for block_rows in (1, 100):
        reading = read_as_text(rows, block_rows=block_rows)
        assert list(types(reading)) == ["a", "column_b", "column_d", "column_d_2"]
        assert [row["column_b"] for row in loaded(reading)] == [None, None, "w"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Order ID", "Order_ID"),
        ("Umsatz (€)", "Umsatz____"),
        ("2024", "_2024"),
        (" Ship-To ", "_Ship_To_"),
        ("数量", "__"),
        ("Größe", "Gr__e"),
        ("already_OK_2", "already_OK_2"),
        ("a\nb", "a_b"),
        ("₂x", "_x"),
    ],
)
def test_headers_become_the_names_of_bigquerys_default_character_map(header: str, name: str) -> None:
    assert standard_names([header], "Sheet1", 1, "config") == [name]


@given(st.lists(st.text(max_size=8), max_size=5))
def test_standard_names_are_legal_and_unique_or_refused(headers: list[str]) -> None:
    try:
        names = standard_names(headers, "Sheet1", 1, "config")
    except HeaderRefused:
        return
    assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) for name in names)
    assert len({name.lower() for name in names}) == len(headers)


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        (["Name", "x", "name"], "'Q4'!A1 and 'Q4'!C1 give the same name"),
        (["a b", "a-b"], "'Q4'!A1 and 'Q4'!B1 give the same name"),
        (["Totals", "x" * 301], "'Q4'!B1 gives more than 300 characters"),
        (["_table_x"], "'Q4'!A1 begins as only BigQuery's own names do"),
    ],
)
def test_headers_that_give_no_name_of_their_own_are_refused_by_address(headers: list[str], problem: str) -> None:
    with pytest.raises(HeaderRefused, match=re.escape(problem)) as refused:
        read_as_text([headers, ["1", "2", "3"][: len(headers)]], title="Q4")
    assert not refused.value.retryable
    assert headers[0] not in str(refused.value)
