# ruff: noqa: DTZ001 (sheets and BigQuery's DATETIME have no time zone)
"""Cells as the types that a custom schema asks for, and cells that cannot be."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from job.columns.moments import Format
from job.errors import SchemaViolated
from shared.config import Column
from tests.unit.job.grid import Moment
from tests.unit.job.reading import URL, linked, loaded, read, types

DAY = Moment(45292, "1/1/2024", Format.DATE)
NOON = Moment(45292.5, "1/1/2024 12:00", Format.DATETIME)
SIX = Moment(0.25, "6:00", Format.TIME)


def as_type(cells: list[Any], asked: str, **grid: Any) -> list[Any]:
    reading = read([["it", "row"], *([cell, 1] for cell in cells)], Column("it", asked), **grid)
    assert types(reading)["it"] == asked
    return [row["it"] for row in loaded(reading)]


@pytest.mark.parametrize(
    ("asked", "cells", "values"),
    [
        ("INT64", [1, 2.0, "42", None, "#N/A"], [1, 2, 42, None, None]),
        ("FLOAT64", [1, 2.5, "1,234.5", " -3 "], [1.0, 2.5, 1234.5, -3.0]),
        (
            "NUMERIC",
            [0.1, 0.30000000000000004, "12.5", 7],
            [Decimal("0.1"), Decimal("0.3"), Decimal("12.5"), Decimal(7)],
        ),
        ("BIGNUMERIC", [0.1, 1e30], [Decimal("0.1"), Decimal(10) ** 30]),
        ("BOOL", [True, "false", "TRUE", None], [True, False, True, None]),
        ("STRING", [1, DAY, True, "x", None], ["1", "1/1/2024", "TRUE", "x", None]),
        ("DATE", [DAY, "2024-02-29", None], [date(2024, 1, 1), date(2024, 2, 29), None]),
        ("TIME", [SIX, "23:59:59.5"], [time(6), time(23, 59, 59, 500_000)]),
        (
            "DATETIME",
            [DAY, NOON, "2024-02-29 06:00"],
            [datetime(2024, 1, 1), datetime(2024, 1, 1, 12), datetime(2024, 2, 29, 6)],
        ),
        ("BYTES", ["aGk=", None], [b"hi", None]),
        ("JSON", ['{"a":\n 1}', 2, True], ['{"a":1}', "2", "true"]),
        (
            "GEOGRAPHY",
            ["POINT(1 2)", " polygon ((0 0, 1 0, 1 1, 0 0))", "MULTIPOINT EMPTY", '{"type": "Point"}', "01" * 21],
            ["POINT(1 2)", " polygon ((0 0, 1 0, 1 1, 0 0))", "MULTIPOINT EMPTY", '{"type": "Point"}', "01" * 21],
        ),
    ],
)
@pytest.mark.parametrize("block_rows", [1, 100])
def test_cells_become_the_type_that_is_asked_for(
    asked: str, cells: list[Any], values: list[Any], block_rows: int
) -> None:
    assert as_type(cells, asked, block_rows=block_rows) == values


def test_a_timestamp_is_what_the_sheets_clock_shows_in_its_time_zone() -> None:
    values = as_type([NOON, "2024-06-01T12:00:00", "2024-06-01T12:00:00+00:00"], "TIMESTAMP", time_zone="Europe/Berlin")
    assert values == [
        datetime(2024, 1, 1, 11, tzinfo=UTC),
        datetime(2024, 6, 1, 10, tzinfo=UTC),
        datetime(2024, 6, 1, 12, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("locale", "text", "number"),
    [
        ("de_DE", "1.234,50", 1234.5),
        ("en_US", "1,234.50", 1234.5),
        ("fr_FR", "1\u202f234,5", 1234.5),
        ("de_CH", "1’234.50", 1234.5),
        ("en_ZA", "1 234,50", 1234.5),
        ("pt_BR", "-0,5", -0.5),
    ],
)
def test_numbers_typed_as_text_are_read_by_the_spreadsheets_locale(locale: str, text: str, number: float) -> None:
    """In the wild: text numbers in a decimal-comma locale."""
    assert as_type([text], "FLOAT64", locale=locale) == [number]


@pytest.mark.parametrize(
    ("asked", "cell", "reason"),
    [
        ("INT64", "twelve", "text where INT64 is expected"),
        ("INT64", "1.234,50", "text where INT64 is expected"),
        ("INT64", 2.5, "a number where INT64 is expected"),
        ("INT64", 1e300, "a number where INT64 is expected"),
        ("INT64", "1e999999999", "text where INT64 is expected"),
        ("INT64", "1e99999999999999999999", "text where INT64 is expected"),
        ("INT64", "9223372036854775808", "text where INT64 is expected"),
        ("INT64", True, "TRUE or FALSE where INT64 is expected"),
        ("INT64", DAY, "a date or time where INT64 is expected"),
        ("FLOAT64", "1e999", "text where FLOAT64 is expected"),
        ("FLOAT64", "12,34.5", "text where FLOAT64 is expected"),
        ("FLOAT64", "١٢", "text where FLOAT64 is expected"),
        ("NUMERIC", 1e29, "a number where NUMERIC is expected"),
        ("NUMERIC", f"{'9' * 29}.{'9' * 10}", "text where NUMERIC is expected"),
        ("BIGNUMERIC", 1e38, "a number where BIGNUMERIC is expected"),
        ("BOOL", 1, "a number where BOOL is expected"),
        ("DATE", 45292, "a number where DATE is expected"),
        ("DATE", NOON, "a date or time where DATE is expected"),
        ("DATE", "1/2/2024", "text where DATE is expected"),
        ("DATE", "20240102", "text where DATE is expected"),
        ("TIME", "0730", "text where TIME is expected"),
        ("TIME", "07:30+02:00", "text where TIME is expected"),
        ("TIMESTAMP", "2024-01-02 07", "text where TIMESTAMP is expected"),
        ("TIME", DAY, "a date or time where TIME is expected"),
        ("DATETIME", "2024-01-01T00:00:00Z", "text where DATETIME is expected"),
        ("TIMESTAMP", "soon", "text where TIMESTAMP is expected"),
        ("BYTES", "not base64!", "text where BYTES is expected"),
        ("JSON", "{", "text where JSON is expected"),
        ("JSON", "1e400", "text where JSON is expected"),
        ("JSON", "[" * 40_000, "text where JSON is expected"),
        ("GEOGRAPHY", 1, "a number where GEOGRAPHY is expected"),
        ("GEOGRAPHY", "Berlin", "text where GEOGRAPHY is expected"),
        ("GEOGRAPHY", "52.5, 13.4", "text where GEOGRAPHY is expected"),
        ("GEOGRAPHY", "POINT((1 2)", "text where GEOGRAPHY is expected"),
    ],
)
def test_a_violation_is_named_by_address_without_its_value(asked: str, cell: Any, reason: str) -> None:
    """In the wild: a custom schema, and one cell among thousands breaks the load."""
    rows = [["a", "it"], ["x", None], ["x", cell]]
    with pytest.raises(SchemaViolated) as failure:
        read(rows, Column("it", asked), title="Q4_Sales")
    what, _, remedy = str(failure.value).partition(": correct the cells")
    assert what == f'config "sales": 1 cell is not as custom_schema asks: {linked("Q4_Sales!B3")}: {reason}'
    assert str(cell) not in remedy


@pytest.mark.parametrize("block_rows", [1, 100])
def test_a_required_column_names_its_holes_but_not_those_of_blank_rows(block_rows: int) -> None:
    """In the wild: a blank in a REQUIRED column silently shifts values."""
    rows = [["a", "b"], [1, "x"], [None, "x"], [None, None], [2, "x"], ["#N/A", "x"]]
    with pytest.raises(SchemaViolated) as failure:
        read(rows, Column("a", "INT64", "REQUIRED"), block_rows=block_rows)
    assert "2 cells are not" in str(failure.value)
    nothing = "nothing where a value is REQUIRED"
    assert f"{linked('Sheet1!A3')}: {nothing}; {linked('Sheet1!A6')}: {nothing}" in str(failure.value)


def test_a_required_column_that_is_full_is_loaded_as_required() -> None:
    reading = read([["a"], [1]], Column("a", "INT64", "REQUIRED"))
    assert [(each.name, each.mode) for each in reading.table.columns] == [("a", "REQUIRED")]


def test_a_required_text_column_may_hold_numbers_and_even_such_that_are_shown_as_nothing() -> None:
    hidden = Moment(7, "", Format.TIME)
    reading = read([["a"], [1], ["x"], [hidden]], Column("a", "STRING", "REQUIRED"))
    assert [row["a"] for row in loaded(reading)] == ["1", "x", ""]


def test_the_first_twenty_violations_are_named_and_all_are_counted() -> None:
    rows = [["a", "b"], *(["x", "y"] for _ in range(30))]
    with pytest.raises(SchemaViolated) as failure:
        read(rows, Column("a", "INT64"), Column("b", "BOOL"), block_rows=4)
    text = str(failure.value)
    assert "60 cells are not" in text
    assert text.count("where") == text.count("https://") == 20
    last = f"{linked('Sheet1!A11')}: text where INT64 is expected; {linked('Sheet1!B11')}: text where BOOL is expected"
    assert f"{last}; and 40 more" in text


def test_a_schema_matches_by_name_or_by_exact_header_in_any_order() -> None:
    """In the wild: headers with spaces and signs; a schema matches by the name made of them, or by the exact header."""
    rows = [["Order ID", "Ship-To", "Total"], [1, "x", 2]]
    reading = read(rows, Column("total", "FLOAT64"), Column("Ship-To", "STRING"), Column("Order_ID", "NUMERIC"))
    assert types(reading) == {"Order_ID": "NUMERIC", "ship_to": "STRING", "total": "FLOAT64"}


def test_columns_that_the_schema_does_not_mention_are_inferred() -> None:
    assert types(read([["a", "b"], ["1", 2]], Column("a", "INT64"))) == {"a": "INT64", "b": "INT64"}


def test_columns_that_the_tab_does_not_have_are_told_by_their_place_in_the_schema() -> None:
    with pytest.raises(SchemaViolated, match="belongs to its columns number 2, 3"):
        read([["a"], [1]], Column("a", "INT64"), Column("secret", "INT64"), Column("b", "STRING"))


def test_two_columns_that_mean_one_header_are_told_by_their_places() -> None:
    with pytest.raises(SchemaViolated, match=r'^config "sales": .*its columns number 1 and 2 both mean .* column B: '):
        read([["a", "Order ID"], [1, 2]], Column("Order ID", "INT64"), Column("order_id", "STRING"))


def test_violations_are_named_row_by_row_each_with_a_link_to_its_cell() -> None:
    with pytest.raises(SchemaViolated) as failure:
        read([["a", "b"], [1, 2], [3, "x"], ["y", 4]], Column("b", "INT64"), Column("a", "INT64"), block_rows=1)
    opened = re.findall(r"\((https://\S+)\)", str(failure.value))
    assert opened == [f"{URL}#gid=0&range={cell}" for cell in ("B3", "A4")]


def test_the_configs_description_goes_before_the_header() -> None:
    reading = read([["a", "b"], [1, 2]], Column("a", "INT64", description="what it is"))
    assert [each.description for each in reading.table.columns] == ["what it is", "b"]
