"""A1 notation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.columns.cells import address, area, column_letters


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
