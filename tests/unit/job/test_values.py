"""Decoding a column."""

import json

from hypothesis import given
from hypothesis import strategies as st

from job.columns.values import ERRORS, decode, find_moments

CELLS = st.lists(
    st.sampled_from(["", ",", '"', ',""', '","', "null", "\\", '\\"', "[", *sorted(ERRORS)])
    | st.integers()
    | st.booleans()
    | st.text()
)


def as_sent(cells: list[object], spaces: bool = False) -> bytes:
    return json.dumps(cells, ensure_ascii=False, separators=(", ", ": ") if spaces else (",", ":")).encode()


@given(CELLS, st.booleans())
def test_every_cell_is_itself_and_only_blanks_and_errors_are_null(cells: list[object], spaces: bool) -> None:
    values = decode(as_sent(cells, spaces))
    assert values.cells == [None if cell == "" or cell in ERRORS else cell for cell in cells]
    assert [type(cell) for cell in values.cells if cell is not None] == [
        type(cell) for cell in cells if cell != "" and cell not in ERRORS
    ]
    assert values.errors == [position for position, cell in enumerate(cells) if cell in ERRORS]
    assert values.types == {type(cell) for cell in values.cells if cell is not None}


def test_text_that_only_begins_like_an_error_is_text() -> None:
    assert decode(b'["#N/A","#1","#N/A yet"]').cells == [None, "#1", "#N/A yet"]


def test_numbers_that_a_date_format_shows_are_found() -> None:
    values = decode(b'[45292,"",7,"#N/A"]')
    find_moments(values, b'[45292,"",7,"#N/A"]', b'["1/1/2024","",7,"#N/A"]')
    assert (values.moments, values.only_moments) == ([0], False)


def test_a_column_of_dates_with_holes_and_errors_holds_only_dates() -> None:
    values = decode(b'[45292,"","#N/A",45293]')
    find_moments(values, b'[45292,"","#N/A",45293]', b'["1/1/2024","","#N/A","1/2/2024"]')
    assert values.only_moments


def test_numbers_that_change_between_two_reads_are_no_dates() -> None:
    values = decode(b"[0.25,0.5]")
    find_moments(values, b"[0.25,0.5]", b"[0.75,0.125]")
    assert (values.moments, values.cells) == ([], [0.25, 0.5])
