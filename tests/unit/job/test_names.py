"""Headers into column names."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.columns.names import LONGEST, column_names, name_of

RESERVED = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier", "_change_")
HEADERS = st.lists(st.text(max_size=12) | st.sampled_from(["name", "Name", "name_2", "", " ", "2024", "A" * 310]))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Order ID", "order_id"),
        ("Umsatz (€)", "umsatz"),
        ("2024", "_2024"),
        ("数量", "数量"),
        ("  Ship-To  ", "ship_to"),
        ("Größe", "größe"),
        ("नाम", "नाम"),
        ("Rating (1-5)", "rating_1_5"),
        ("_TABLE_x", "table_x"),
        ("__ROOT__", "root"),
        ("ﬁle №", "file_no"),
        ("😀", ""),
        ("", ""),
        ("a\nb\tc", "a_b_c"),
        ("_", ""),
    ],
)
def test_a_header_becomes_the_name_that_the_rule_gives(header: str, name: str) -> None:
    """In the wild: spaces, punctuation, emoji, non-Latin letters, leading digits."""
    assert name_of(header) == name


def test_equal_headers_get_numbers_from_the_second_on() -> None:
    """In the wild: duplicate headers crash or drop a sheet."""
    assert column_names(["Name", "name", "NAME"]) == ["name", "name_2", "name_3"]


def test_a_header_that_is_a_name_already_keeps_it_beside_a_duplicate() -> None:
    assert column_names(["name", "name", "name_2"]) == ["name", "name_3", "name_2"]


def test_a_blank_header_gets_its_letter_even_where_a_header_has_that_name() -> None:
    assert column_names(["a", "", "", "Column B"]) == ["a", "column_b_2", "column_c", "column_b"]


def test_long_headers_are_cut_and_stay_unique() -> None:
    """In the wild: the limit of 300 characters."""
    names = column_names(["x" * 400, "x" * 401])
    assert names == ["x" * LONGEST, "x" * (LONGEST - 2) + "_2"]


@given(HEADERS)
def test_names_are_unique_without_regard_to_case(headers: list[str]) -> None:
    names = column_names(headers)
    assert len({name.casefold() for name in names}) == len(headers)


@given(HEADERS)
def test_names_are_what_bigquery_allows(headers: list[str]) -> None:
    """In the wild: reserved prefixes."""
    for name in column_names(headers):
        assert 1 <= len(name) <= LONGEST
        assert name[0].isalpha() or name[0] == "_"
        assert all(each == "_" or unicodedata.category(each)[0] in "LMN" for each in name)
        assert not name.startswith(RESERVED)


@given(HEADERS)
def test_names_of_names_are_the_same_names(headers: list[str]) -> None:
    names = column_names(headers)
    assert column_names(names) == names
