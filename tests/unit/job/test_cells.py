"""A1 notation."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.columns.cells import Area, address, area, column_letters, column_number, parse_area, spans, split_title


@pytest.mark.parametrize(
    ("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (18277, "ZZZ")]
)
def test_columns_have_the_letters_of_the_sheet(index: int, letters: str) -> None:
    assert column_letters(index) == letters


@given(st.integers(0, 20_000))
def test_letters_count_in_base_26_without_a_zero(index: int) -> None:
    number = 0
    for letter in column_letters(index):
        number = number * 26 + ord(letter) - ord("A") + 1
    assert number == index + 1
    assert column_number(column_letters(index).lower()) == index


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("Q4_Sales", "Q4_Sales!C17"),
        ("Übersicht", "Übersicht!C17"),
        ("Q4", "'Q4'!C17"),
        ("R1C1", "'R1C1'!C17"),
        ("2024", "'2024'!C17"),
        ("My tab", "'My tab'!C17"),
        ("Tom's", "'Tom''s'!C17"),
    ],
)
def test_an_address_is_written_as_people_write_it(title: str, cell: str) -> None:
    assert address(title, row=17, column=2) == cell


def test_an_area_names_both_corners() -> None:
    assert area("Tom's", 2, 500, 0, 27) == "'Tom''s'!A2:AB500"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("B3:F", Area(3, None, 1, 5)),
        ("A:D", Area(1, None, 0, 3)),
        ("B2:F200", Area(2, 200, 1, 5)),
        ("$b$3:$f", Area(3, None, 1, 5)),
        (" B3:F ", Area(3, None, 1, 5)),
        ("2:5", Area(2, 5, 0, None)),
        ("B3:9", Area(3, 9, 1, None)),
        ("F9:B3", Area(3, 9, 1, 5)),
        ("D:A", Area(1, None, 0, 3)),
        ("C17", Area(17, 17, 2, 2)),
        ("AA10:zz20", Area(10, 20, 26, 701)),
    ],
)
def test_an_area_is_read_as_people_write_it(text: str, meant: Area) -> None:
    assert parse_area(text) == meant


@pytest.mark.parametrize(
    "text", ["", ":", "A", "7", "A0", "A0:B", "A1:", ":B2", "A:D9", "3:F", "B:3", "A1:B2:C3", "A 1", "R1C1", "total"]
)
def test_any_other_text_is_no_area(text: str) -> None:
    assert parse_area(text) is None


@pytest.mark.parametrize(
    ("text", "title", "cells"),
    [
        ("B3:F", None, "B3:F"),
        ("Sales!B3:F", "Sales", "B3:F"),
        ("My tab!B3:F", "My tab", "B3:F"),
        ("'Tom''s'!B3", "Tom's", "B3"),
        ("Tom's!B3", "Tom's", "B3"),
        ("'Why!?'!A:B", "Why!?", "A:B"),
        ("Wow!!A:B", "Wow!", "A:B"),
        ("'total'", None, "'total'"),
    ],
)
def test_a_range_may_have_its_tabs_name_in_front(text: str, title: str | None, cells: str) -> None:
    assert split_title(text) == (title, cells)


@given(st.text(min_size=1), st.integers(1, 10_000), st.integers(1, 10_000), st.integers(0, 700), st.integers(0, 700))
def test_what_is_written_for_the_api_is_read_as_the_same(title: str, row: int, end: int, left: int, right: int) -> None:
    rows, columns = sorted((row, end)), sorted((left, right))
    found, cells = split_title(area(title, *rows, *columns))
    assert (found, parse_area(cells)) == (title, Area(rows[0], rows[1], columns[0], columns[1]))


@given(st.sets(st.integers(0, 200), min_size=1).map(sorted), st.integers(0, 5), st.integers(1, 8))
def test_spans_hold_every_number_and_are_parted_where_most_is_between_them(
    numbers: list[int], bridged: int, most: int
) -> None:
    found = spans(numbers, bridged, most)
    held = [number for first, last in found for number in range(first, last + 1)]
    assert set(numbers) <= set(held)
    assert len(held) == len(set(held))
    assert len(found) <= most
    gaps = sorted((later - one - 1 for one, later in pairwise(numbers)), reverse=True)
    assert len(held) == len(numbers) + sum(gap for gap in gaps if gap <= bridged) + sum(
        [gap for gap in gaps if gap > bridged][most - 1 :]
    )
