"""Types with parameters, and defaults: what fits, what is rounded, what is named as a violation, what the load says."""

import re
from decimal import Decimal
from typing import Any

import pytest

from job.columns.moments import Format
from job.errors import SchemaViolated
from job.reading.read import read_table
from shared.config import Column
from tests.unit.job.grid import GridReader, Moment
from tests.unit.job.reading import config, loaded, read

DAY = Moment(45292, "2024-01-01", Format.DATE)


def values(cells: list[Any], asked: Column, **grid: Any) -> list[Any]:
    reading = read([["it", "row"], *([cell, 1] for cell in cells)], asked, **grid)
    return [row["it"] for row in loaded(reading)]


def violations(rows: list[list[Any]], *asked: Column, **grid: Any) -> str:
    with pytest.raises(SchemaViolated) as failure:
        read(rows, *asked, **grid)
    text = re.sub(r" \(https:[^)]*\)", "", str(failure.value))  # whether or not a cell has a link
    return text.partition("asks: ")[2].partition(": correct the cells")[0]


@pytest.mark.parametrize(
    ("asked", "cells", "fitting"),
    [
        (Column("it", "NUMERIC", precision=5, scale=2), [1.005, "-1.005", 999.99], ["1.01", "-1.01", "999.99"]),
        (Column("it", "NUMERIC", precision=3), [2.5, -2.5, "0.4999", 999], ["3", "-3", "0", "999"]),
        (Column("it", "NUMERIC", precision=2, scale=2), [0.994, 0, "0e50"], ["0.99", "0", "0"]),
        (Column("it", "BIGNUMERIC", precision=38), ["9" * 38, 1e37], ["9" * 38, "1" + "0" * 37]),
        (Column("it", "BIGNUMERIC", precision=76, scale=38), [f"0.{'0' * 37}5"], [f"0.{'0' * 37}5"]),
    ],
)
def test_digits_behind_the_point_are_rounded_half_away_from_zero(
    asked: Column, cells: list[Any], fitting: list[str]
) -> None:
    assert values(cells, asked) == [Decimal(each) for each in fitting]


@pytest.mark.parametrize(
    ("asked", "cell", "reason"),
    [
        (Column("it", "NUMERIC", precision=5, scale=2), 1000, "a number where NUMERIC(5, 2) is expected"),
        (Column("it", "NUMERIC", precision=5, scale=2), "999.995", "text where NUMERIC(5, 2) is expected"),
        (Column("it", "NUMERIC", precision=2, scale=2), 0.995, "a number where NUMERIC(2, 2) is expected"),
        (Column("it", "BIGNUMERIC", precision=1), 10, "a number where BIGNUMERIC(1) is expected"),
        (Column("it", "BYTES", max_length=1), "aGk=", "text where BYTES(1) is expected"),
        (Column("it", "STRING", max_length=3), "four", "4 characters where STRING(3) is expected"),
        (Column("it", "STRING", max_length=3), 12345, "5 characters where STRING(3) is expected"),
        (Column("it", "STRING", max_length=3), True, "4 characters where STRING(3) is expected"),
        (Column("it", "STRING", max_length=9), DAY, "10 characters where STRING(9) is expected"),
    ],
)
@pytest.mark.parametrize("block_rows", [1, 100])
def test_a_cell_that_does_not_fit_the_parameters_is_a_violation(
    asked: Column, cell: Any, reason: str, block_rows: int
) -> None:
    rows = [["a", "it"], ["x", None], ["x", cell]]
    assert violations(rows, asked, block_rows=block_rows) == f"Sheet1!B3: {reason}"


def test_characters_are_counted_and_not_bytes() -> None:
    assert values(["äöü", "👩‍🚀"], Column("it", "STRING", max_length=3)) == ["äöü", "👩‍🚀"]
    assert values(["w6TDtsO8"], Column("it", "BYTES", max_length=6)) == ["äöü".encode()]


def test_texts_that_are_too_long_are_named_among_other_violations_in_the_sheets_order() -> None:
    rows = [["a", "b"], [1, 12345], ["x", "y"], [3, "long"], ["x", True]]
    asked = (Column("a", "INT64"), Column("b", "STRING", max_length=3))
    for block_rows in (1, 2, 100):
        assert violations(rows, *asked, block_rows=block_rows) == (
            "Sheet1!B2: 5 characters where STRING(3) is expected; Sheet1!A3: text where INT64 is expected; "
            "Sheet1!B4: 4 characters where STRING(3) is expected; Sheet1!A5: text where INT64 is expected; "
            "Sheet1!B5: 4 characters where STRING(3) is expected"
        )


def test_an_error_cell_has_no_length() -> None:
    assert values(["#DIV/0!", 7], Column("it", "STRING", max_length=1)) == [None, "7"]


def test_a_default_is_the_columns_and_a_blank_cell_stays_null() -> None:
    asked = Column("it", "INT64", default_value_expression="7")
    reading = read([["it", "row"], [None, 1], [2, 1]], asked)
    assert [row["it"] for row in loaded(reading)] == [None, 2]
    assert [column.default_value_expression for column in reading.table.columns] == ["7", None]


def test_the_table_is_described_with_the_parameters() -> None:
    asked = (Column("a", "NUMERIC", "REQUIRED", precision=5, scale=2), Column("b", "STRING", max_length=3))
    reading = read([["a", "b"], [1, "x"]], *asked)
    assert [column.told for column in reading.table.columns] == ["NUMERIC(5, 2) REQUIRED", "STRING(3) NULLABLE"]


def test_text_alone_is_measured_without_reading_it_again() -> None:
    def requests(column: list[Any]) -> int:
        reader = GridReader([["a"], *([cell] for cell in column)])
        read_table(reader, config(Column("a", "STRING", max_length=9)), 'config "sales"')
        return reader.requests

    assert requests(["x", "y"]) == 1
    assert requests(["x", 7]) > 1
