"""One tab read as a whole: rows, warnings, emptiness, and one state of the sheet."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from job.columns.moments import Format
from job.errors import EmptySheet, HeaderRefused, ReadRefused, SchemaViolated, TooManyErrors, UnstableSheet
from job.reading.read import READINGS, read_table
from job.reading.sheet import FIRST_BLOCK_CELLS, Lines, Raw
from job.reading.tab import Tab
from shared.config import Column, Config
from shared.errors import SyncError
from shared.options import Options
from tests.unit.job.grid import GridReader, Moment, Rows, Said
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
    reading = read_table(reader, config(), "config")
    assert loaded(reading) == [{"a": 1}]
    assert reader.version() == "3"
    assert reading.modified_at == datetime(2026, 5, 4, 0, 3, tzinfo=UTC)


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


class Renamed(GridReader):
    """A tab whose name is another one when its cells are asked for, in the first reading."""

    readings = 0

    def blocks(self, tab: Tab) -> Iterator[tuple[int, list[Raw], list[Raw]]]:
        self.readings += 1
        if self.readings == 1:
            raise ReadRefused("Google refuses to read the tab (400)", "report it")
        return super().blocks(tab)


def test_a_tab_that_is_renamed_or_cut_meanwhile_is_read_again() -> None:
    reader = Renamed([["a"], ["x"]], versions=["1", "2"])
    assert read_table(reader, config(), "config").table.rows == 1


def test_a_refusal_is_told_where_the_sheet_stood_still() -> None:
    with pytest.raises(ReadRefused):
        read_table(Renamed([["a"], ["x"]]), config(), "config")


class Slow(GridReader):
    """A large tab; `answered` tells in which order its second block and its version came."""

    def __init__(self, rows: Rows, **grid: Any) -> None:
        super().__init__(rows, **grid)
        self.answered: list[str] = []

    def tab(self) -> Tab:
        return msgspec.structs.replace(super().tab(), rows=FIRST_BLOCK_CELLS * 2)

    def version(self) -> str:
        self.answered.append("version")
        return super().version()

    def blocks(self, tab: Tab) -> Iterator[tuple[int, list[Raw], list[Raw]]]:
        yield next(super().blocks(tab))
        time.sleep(0.2)
        self.answered.append("block")
        yield 1002, [], []

    def shown(self, tab: Tab) -> Iterator[tuple[int, Lines]]:
        yield next(super().shown(tab))
        time.sleep(0.2)
        self.answered.append("block")
        yield 1002, []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"schema_handling": "custom", "custom_schema": (Column("gone", "INT64"),)}, SchemaViolated),
        ({"schema_handling": "string"}, HeaderRefused),
    ],
)
def test_a_reading_that_stops_at_its_header_leaves_no_request_under_way(
    changes: dict[str, Any], error: type[SyncError]
) -> None:
    reader = Slow([["a", "A"], ["x", "y"]])
    with pytest.raises(error):
        read_table(reader, msgspec.structs.replace(config(), **changes), "config")
    assert reader.answered == ["version", "block", "version"]


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
