"""One tab read as a whole: rows, warnings, emptiness, and one state of the sheet."""

import pytest

from job.columns.moments import Format
from job.errors import EmptySheet, SchemaViolated, UnstableSheet
from job.reading.read import READINGS, read_table
from job.reading.sheet import Raw, Tab
from shared.config import Column
from tests.unit.job.grid import GridReader, Moment
from tests.unit.job.reading import config, loaded, read


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
    assert reading.warnings == ("2 cells are in error, loaded as NULL: Q4_Sales!B2; Q4_Sales!A3",)


def test_of_many_error_cells_the_first_are_told_and_all_are_counted() -> None:
    reading = read([["a", "b"], *([number, "#N/A"] for number in range(50))], block_rows=7)
    assert reading.warnings[0].startswith("50 cells are in error, loaded as NULL: Sheet1!B2; Sheet1!B3; ")
    assert reading.warnings[0].endswith("; Sheet1!B21; and 30 more")


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
