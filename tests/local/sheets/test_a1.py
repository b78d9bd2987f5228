"""A1 notation, as a rule that holds for every range."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sheets.a1 import (
    Cells,
    column_letters,
    column_number,
    parse_cells,
    quote_title,
    split_tab,
    write_range,
)

TITLES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
ROWS = st.integers(0, 9_999_999)
COLUMNS = st.integers(0, 18_277)


@st.composite
def rectangles(draw: st.DrawFn) -> Cells:
    rows = sorted((draw(ROWS), draw(ROWS)))
    columns = sorted((draw(COLUMNS), draw(COLUMNS)))
    end_row = draw(st.sampled_from([rows[1] + 1, None]))
    return Cells(rows[0], end_row, columns[0], columns[1] + 1)


@given(TITLES, rectangles())
def test_a_range_that_is_written_reads_as_the_same_cells_of_the_same_tab(title: str, cells: Cells) -> None:
    found_title, found_cells = split_tab(write_range(title, cells))
    assert found_title == title
    assert parse_cells(found_cells or "") == cells


@given(TITLES)
def test_a_quoted_title_alone_is_that_tab(title: str) -> None:
    quoted = "'" + title.replace("'", "''") + "'"
    assert split_tab(quoted) == (title, None)


@given(COLUMNS)
def test_column_letters_count_like_a_spreadsheet(number: int) -> None:
    assert column_number(column_letters(number)) == number
    assert column_number(column_letters(number).lower()) == number


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("A1", Cells(0, 1, 0, 1)),
        ("$B$3", Cells(2, 3, 1, 2)),
        ("A1:B2", Cells(0, 2, 0, 2)),
        ("B2:A1", Cells(0, 2, 0, 2)),
        ("A:C", Cells(0, None, 0, 3)),
        ("C:A", Cells(0, None, 0, 3)),
        ("2:5", Cells(1, 5, 0, None)),
        ("A2:B", Cells(1, None, 0, 2)),
        ("B3:4", Cells(2, 4, 1, None)),
        ("tab01", Cells(0, 1, 13_547, 13_548)),
        ("aa10:zz20", Cells(9, 20, 26, 702)),
    ],
)
def test_every_form_of_a_range_is_read(text: str, cells: Cells) -> None:
    assert parse_cells(text) == cells


@pytest.mark.parametrize("text", ["", "A", "1", "A0", "A1:", ":B2", "Sheet1", "A1:B2:C3", "A 1", "A-1", "R1C1"])
def test_other_words_are_no_cells(text: str) -> None:
    assert parse_cells(text) is None


@pytest.mark.parametrize(
    ("title", "quoted"),
    [
        ("Sheet1", "Sheet1"),
        ("Q1_Sales", "Q1_Sales"),
        ("Q1", "'Q1'"),
        ("TAB01", "'TAB01'"),
        ("My tab", "'My tab'"),
        ("It's", "'It''s'"),
        ("2024", "'2024'"),
        ("数量", "'数量'"),
    ],
)
def test_a_title_is_quoted_where_it_could_be_something_else(title: str, quoted: str) -> None:
    assert quote_title(title) == quoted
