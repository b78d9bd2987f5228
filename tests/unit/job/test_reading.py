"""One tab read as a whole: rows, warnings, emptiness, and one state of the sheet."""

from collections.abc import Sequence

import msgspec
import pytest

from job.columns.moments import Format
from job.errors import EmptySheet, SchemaViolated, TooManyErrors, UnstableSheet
from job.reading.read import READINGS, read_table
from job.reading.sheet import Raw
from job.reading.tab import Tab
from shared.config import Column, Config
from shared.options import Options
from tests.unit.job.grid import GridReader, Moment, Said
from tests.unit.job.reading import config, linked, loaded, read, types


@pytest.mark.parametrize("block_rows", [1, 2, 100])
def test_blank_rows_between_others_are_left_out_and_counted(block_rows: int) -> None:
    """In the wild: blank rows in the middle, and trailing empty rows."""
    rows = [["a", "b"], [1, None], [], ["", ""], [2, "x"], [], [None, None]]
    reading = read(rows, block_rows=block_rows)
    assert loaded(reading) == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
    assert reading.warnings == ("2 blank rows between others left out",)


def test_a_row_of_nothing_but_an_error_is_a_row() -> None:
    reading = read([["a", "b"], [1, 2], [None, "#N/A"], [3, 4]])
    assert reading.table.rows == 3


def test_error_cells_are_told_by_address() -> None:
    """In the wild: `#N/A`, `#REF!`, `#DIV/0!` break the load."""
    reading = read([["a", "b"], [1, "#N/A"], ["#REF!", 2]], title="Q4_Sales")
    assert reading.warnings == (f"2 cells are in error, loaded as NULL: {linked('Q4_Sales!B2')}; Q4_Sales!A3",)


@pytest.mark.parametrize("block_rows", [1, 100])
def test_a_text_that_says_what_an_error_says_stays_text(block_rows: int) -> None:
    said = Said("#N/A")
    rows = [["a", "b", "c", "d"], ["x", said, 1, said], ["#N/A", "#REF!", said, said], [said, None, "#N/A", said]]
    reading = read(rows, block_rows=block_rows)
    assert set(types(reading).values()) == {"STRING"}
    assert [tuple(row.values()) for row in loaded(reading)] == [
        ("x", "#N/A", "1", "#N/A"),
        (None, None, "#N/A", "#N/A"),
        ("#N/A", None, None, "#N/A"),
    ]
    assert reading.warnings[0].endswith("; Sheet1!B3; Sheet1!C4")


def test_only_a_block_in_which_something_says_that_it_is_an_error_is_asked_about() -> None:
    reader = GridReader([["a"], *(["x"] for _ in range(8)), ["#N/A"], [Said("#N/A")]], block_rows=2)
    read_table(reader, config(), "config")
    assert reader.requests == 5 + 1


class CutMeanwhile(GridReader):
    """A tab that has lost its last rows when its mixed column is read as it is shown."""

    def columns(self, tab: Tab, first: int, last: int, columns: Sequence[int], moments_only: bool) -> dict[int, Raw]:
        found = super().columns(tab, first, last, columns, moments_only)
        return found if moments_only or self.requests > 4 else {column: Raw(b'["1"]') for column in found}


def test_a_sheet_that_was_cut_before_its_errors_were_met_again_is_read_again() -> None:
    reader = CutMeanwhile([["a"], [1], ["x"], ["#N/A"]], versions=["1", "2", "2"])
    assert loaded(read_table(reader, config(), "config")) == [{"a": "1"}, {"a": "x"}, {"a": None}]


def test_of_many_error_cells_the_first_are_told_and_all_are_counted() -> None:
    reading = read([["a", "b"], *([number, "#N/A"] for number in range(50))], block_rows=7)
    assert reading.warnings[0].startswith(f"50 cells are in error, loaded as NULL: {linked('Sheet1!B2')}; Sheet1!B3; ")
    assert reading.warnings[0].endswith("; Sheet1!B21; and 30 more")


def allowing(errors: int | None) -> Config:
    return msgspec.structs.replace(config(), options=Options(max_error_cells=errors))


@pytest.mark.parametrize("most", [29, 0])
def test_more_error_cells_than_a_config_allows_fail_it_when_all_of_them_are_counted(most: int) -> None:
    """In the wild: `#N/A`, `#REF!`, `#DIV/0!` break the load; an optional threshold fails the run."""
    reader = GridReader([["a", "b"], *([number, "#N/A"] for number in range(30))], block_rows=7)
    with pytest.raises(TooManyErrors) as failure:
        read_table(reader, allowing(most), 'config "sales"')
    text = str(failure.value)
    assert text.startswith(
        f'config "sales": 30 cells are in error, and max_error_cells is {most}: {linked("Sheet1!B2")};'
    )
    assert text.count("https://") == text.count("Sheet1!") == 20
    assert f"; {linked('Sheet1!B21')}; and 10 more: correct their formulas, or raise max_error_cells" in text
    assert not failure.value.retryable


@pytest.mark.parametrize("most", [30, None])
def test_as_many_error_cells_as_a_config_allows_are_null(most: int | None) -> None:
    reader = GridReader([["a", "b"], *([number, "#N/A"] for number in range(30)), [31, Said("#N/A")]])
    assert read_table(reader, allowing(most), "config").table.rows == 31


def test_errors_count_only_if_the_sheet_stood_still() -> None:
    reader = GridReader([["a"], ["#N/A"]], versions=["1", "2", "2"])
    with pytest.raises(TooManyErrors):
        read_table(reader, allowing(0), "config")
    assert reader.requests == 4


def test_with_string_an_error_is_a_text_like_any_other() -> None:
    asked = msgspec.structs.replace(allowing(0), schema_handling="string")
    assert loaded(read_table(GridReader([["a"], ["#N/A"]]), asked, "config")) == [{"a": "#N/A"}]


@pytest.mark.parametrize("rows", [[[]], [["a", "b"]], [["a"], [None], [""]], [[None], [None]]])
def test_a_cleared_tab_fails_instead_of_emptying_the_table(rows: list[list[str | None]]) -> None:
    """In the wild: a tab was cleared, and the table is emptied."""
    with pytest.raises(EmptySheet, match='config "sales": the tab has no rows below its header'):
        read(rows)


def test_a_sheet_that_is_edited_meanwhile_is_read_again() -> None:
    """In the wild: someone edits while we page through."""
    reader = GridReader([["a"], [1]], versions=["1", "2", "3", "3"])
    assert loaded(read_table(reader, config(), "config")) == [{"a": 1}]
    assert reader.version() == "3"


def test_a_sheet_that_never_stands_still_fails_and_can_be_tried_again() -> None:
    reader = GridReader([["a"], [1]], versions=[str(number) for number in range(100)])
    with pytest.raises(UnstableSheet, match="edited during each of 5 readings") as failure:
        read_table(reader, config(), "config")
    assert failure.value.retryable
    assert int(reader.version()) == READINGS + 1


class ClearedMeanwhile(GridReader):
    """A tab that is empty when it is first read, and has rows from then on."""

    def blocks(self, tab: Tab):
        if self.requests == 0:
            self.requests += 1
            yield 2, [Raw(b'["a"]')], []
        else:
            yield from super().blocks(tab)


def test_emptiness_counts_only_if_the_sheet_stood_still() -> None:
    reader = ClearedMeanwhile([["a"], [1]], versions=["1", "2", "2"])
    assert loaded(read_table(reader, config(), "config")) == [{"a": 1}]


def test_violations_count_only_if_the_sheet_stood_still() -> None:
    reader = GridReader([["a"], ["x"]], versions=["1", "2", "2"])
    with pytest.raises(SchemaViolated):
        read_table(reader, config(Column("a", "INT64")), "config")
    assert reader.requests == 2


def test_a_tab_without_numbers_costs_one_request() -> None:
    reader = GridReader([["a", "b"], ["x", True]])
    read_table(reader, config(), "config")
    assert reader.requests == 1


def test_a_tab_with_numbers_costs_two_and_one_with_dates_three() -> None:
    numbers = GridReader([["a"], [1]])
    read_table(numbers, config(), "config")
    dates = GridReader([["a", "b"], [1, Moment(45292, "1/1/2024", Format.DATE)]])
    read_table(dates, config(), "config")
    assert (numbers.requests, dates.requests) == (2, 3)


def test_mixed_columns_of_several_blocks_are_read_again_in_one_request() -> None:
    """In the wild: one comment among a column's numbers, and the quota is 60 requests a minute."""
    rows = [["a", "b", "c", "mixed"], *(["x", "y", True, number if number % 3 else "none"] for number in range(23))]
    reader = GridReader(rows, block_rows=2)
    mixed = [row["mixed"] for row in loaded(read_table(reader, config(), "config"))]
    assert mixed == [str(number) if number % 3 else "none" for number in range(23)]
    blocks, groups = 12, 1 + 3  # the first block alone tells how long the texts are
    assert reader.requests == 2 * blocks + groups


def test_mixed_columns_of_long_texts_are_read_block_by_block() -> None:
    """In the wild: a column of long comments, some of them a number, in a container of half a gigabyte."""
    long = "y" * 9_000_000
    rows = [["a", "b", "mixed"], *(["x", True, number if number % 2 else long] for number in range(8))]
    reader = GridReader(rows, block_rows=2)
    mixed = [row["mixed"] for row in loaded(read_table(reader, config(), "config"))]
    assert mixed == [str(number) if number % 2 else long for number in range(8)]
    assert reader.requests == 3 * 4


def test_formats_of_a_column_are_not_read_again_in_every_block() -> None:
    rows = [["a"], *([Moment(45292 + number, "1/1/2024", Format.DATE)] for number in range(10))]
    reader = GridReader(rows, block_rows=1)
    read_table(reader, config(), "config")
    assert reader.requests == 10 + 10 + 1


def test_a_mixed_column_is_read_as_shown_in_every_block() -> None:
    """In the wild: a mixed column becomes two columns, or loses what is no number."""
    rows = [["a", "b"], *([number, number] for number in range(5)), ["x", 5]]
    assert loaded(read(rows, block_rows=2)) == [
        *({"a": str(number), "b": number} for number in range(5)),
        {"a": "x", "b": 5},
    ]
