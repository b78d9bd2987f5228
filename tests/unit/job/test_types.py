# ruff: noqa: DTZ001 (sheets and BigQuery's DATETIME have no time zone)
"""The type and the values of one column, by all its rows."""

from datetime import date, datetime, time
from typing import Any

import pytest

from job.columns.moments import Format
from tests.unit.job.grid import Moment
from tests.unit.job.reading import column, loaded, read, types


def day(serial: float) -> Moment:
    return Moment(serial, "1/1/2024", Format.DATE)


def moment(serial: float) -> Moment:
    return Moment(serial, "1/1/2024 12:00:00", Format.DATETIME)


def clock(serial: float) -> Moment:
    return Moment(serial, "12:00", Format.TIME)


def duration(serial: float, shown: str = "12:00:00") -> Moment:
    return Moment(serial, shown, Format.ELAPSED)


@pytest.mark.parametrize(
    ("cells", "bigquery_type", "values"),
    [
        ([1, 2], "INT64", [1, 2]),
        ([None, "", 2], "INT64", [None, None, 2]),
        ([1, 2.5], "FLOAT64", [1.0, 2.5]),
        ([2**63], "FLOAT64", [float(2**63)]),
        ([True, None, False], "BOOL", [True, None, False]),
        (["00123", "0456"], "STRING", ["00123", "0456"]),
        (["1e9", "42"], "STRING", ["1e9", "42"]),
        ([None, None], "STRING", [None, None]),
        ([1, "n/a", True], "STRING", ["1", "n/a", "TRUE"]),
        ([True, 1], "STRING", ["TRUE", "1"]),
        ([1, "#N/A", 3], "INT64", [1, None, 3]),
        (["#REF!", "#DIV/0!"], "STRING", [None, None]),
        (["a", "#N/A"], "STRING", ["a", None]),
        ([day(45292), None], "DATE", [date(2024, 1, 1), None]),
        ([day(-1)], "DATE", [date(1899, 12, 29)]),
        ([moment(45292.5)], "DATETIME", [datetime(2024, 1, 1, 12)]),
        ([clock(0.75), clock(0)], "TIME", [time(18), time(0)]),
        ([day(45292), moment(45292.75)], "DATETIME", [datetime(2024, 1, 1), datetime(2024, 1, 1, 18)]),
        ([day(45292.75)], "DATETIME", [datetime(2024, 1, 1, 18)]),
        ([clock(45292.75)], "DATETIME", [datetime(2024, 1, 1, 18)]),
        ([duration(1.5), duration(0.25)], "STRING", ["36:00:00", "6:00:00"]),
        ([clock(0.25), clock(1.5)], "STRING", ["6:00:00", "36:00:00"]),
        ([clock(999.5)], "STRING", ["23988:00:00"]),
        ([clock(1000.5)], "DATETIME", [datetime(1902, 9, 26, 12)]),
        ([day(45292), 7], "STRING", ["1/1/2024", "7"]),
        ([day(45292), "open"], "STRING", ["1/1/2024", "open"]),
        ([day(45292), clock(0.5)], "STRING", ["1/1/2024", "12:00"]),
        ([day(3_000_000)], "STRING", ["1/1/2024"]),
    ],
)
@pytest.mark.parametrize("block_rows", [1, 1000])
def test_all_rows_decide_the_type(cells: list[Any], bigquery_type: str, values: list[Any], block_rows: int) -> None:
    """In the wild: the first row decides and later ones break the load; dates come as numbers; ids lose zeros;
    integers and decimals in one column become two; durations of more than 24 h."""
    assert column(cells, block_rows=block_rows) == (bigquery_type, values)


@pytest.mark.parametrize(
    ("serial", "value"),
    [
        (45292.524259259262, datetime(2024, 1, 1, 12, 34, 56)),
        (45292.99999999999, datetime(2024, 1, 2)),
        (45292.000000011574, datetime(2024, 1, 1, 0, 0, 0, 1000)),
    ],
)
def test_binary_noise_does_not_reach_the_clock(serial: float, value: datetime) -> None:
    assert column([moment(serial), moment(45292.5)])[1][0] == value


def test_a_time_that_rounds_to_midnight_is_not_wrapped() -> None:
    assert column([clock(0.9999999999), clock(0.5)]) == ("STRING", ["24:00:00", "12:00:00"])


def test_dates_of_two_formats_in_one_column_are_told_by_each_format() -> None:
    cells = [Moment(45292, "1/1/2024", Format.DATE), Moment(45293, "1/2/2024 0:00", Format.DATETIME)]
    assert column(cells) == ("DATETIME", [datetime(2024, 1, 1), datetime(2024, 1, 2)])


def test_two_formats_that_look_the_same_are_told_apart_by_the_first_and_the_last_cell() -> None:
    cells = [Moment(45292, "1.1.2024", Format.DATE), Moment(45293, "2.1.2024", Format.DATETIME)]
    assert column(cells)[0] == "DATETIME"


def test_ragged_rows_are_padded_and_data_right_of_the_headers_is_kept() -> None:
    """In the wild: trailing empty cells are omitted; more data than headers."""
    reading = read([["a"], [1, None, "x"], [2], [3, None]])
    assert loaded(reading) == [
        {"a": 1, "column_c": "x"},
        {"a": 2, "column_c": None},
        {"a": 3, "column_c": None},
    ]


def test_headers_without_data_stay_columns() -> None:
    """In the wild: more headers than data."""
    assert types(read([["a", "b"], [1]])) == {"a": "INT64", "b": "STRING"}


def test_a_blank_first_row_of_data_loses_no_column() -> None:
    """In the wild: a blank first data row loses columns."""
    reading = read([["a", "b", "c"], [None, None, None], [1, None, "x"], [None, None, None, True]])
    assert types(reading) == {"a": "INT64", "b": "STRING", "c": "STRING", "column_d": "BOOL"}


def test_a_blank_header_ends_nothing() -> None:
    """In the wild: blank headers, and everything to the right is lost."""
    rows = [["a", None, " ", "", "e"], [1, None, None, "kept", 2], [3, "", None, None, 4]]
    assert types(read(rows)) == {"a": "INT64", "column_d": "STRING", "e": "INT64"}


def test_no_text_is_taken_for_a_number_a_date_or_a_truth() -> None:
    """In the wild: ids lose leading zeros, or become `inf` or `1e9`."""
    for text in ("007", "1e9", "inf", "nan", "2024-01-01", "TRUE", "$5", "1,5", " 5 "):
        assert column([text, text]) == ("STRING", [text, text])


def test_whole_numbers_beyond_53_bits_are_those_of_the_api() -> None:
    """In the wild: integers beyond 2^53. Sheets itself keeps 53 bits; what its API then says is kept."""
    assert column([2**53 + 2, -(2**63)]) == ("INT64", [2**53 + 2, -(2**63)])


def test_headers_that_are_no_text_are_named_as_the_sheet_shows_them() -> None:
    """In the wild: numbers, dates, booleans as headers."""
    reading = read([[2024, Moment(45292, "1/1/2024", Format.DATE), True], [1, 2, 3]])
    assert list(types(reading)) == ["_2024", "_1_1_2024", "true"]
    assert [each.description for each in reading.table.columns] == ["2024", "1/1/2024", "TRUE"]


def test_an_error_as_a_header_is_its_text() -> None:
    assert [each.description for each in read([["#REF!", "b"], [1, 2]]).table.columns] == ["#REF!", "b"]


def test_the_original_header_becomes_the_description() -> None:
    """In the wild: headers lose their spaces, signs and case."""
    reading = read([["Umsatz (€)", "Ship-To"], [1.5, "x"]])
    assert [(each.name, each.description) for each in reading.table.columns] == [
        ("umsatz", "Umsatz (€)"),
        ("ship_to", "Ship-To"),
    ]


@pytest.mark.parametrize("shown", ["1/2/2024", "02.01.2024", "2 janv. 2024", "Tue", "45293"])
def test_a_date_is_its_serial_number_under_its_number_format_and_not_what_is_shown(shown: str) -> None:
    """In the wild: dates arrive as serial numbers (45234), or as 1970-01-01, or shift by locale."""
    assert column([Moment(45293, shown, Format.DATE), None]) == ("DATE", [date(2024, 1, 2), None])
    assert column([45293, None]) == ("INT64", [45293, None])


def test_a_duration_of_days_is_not_wrapped() -> None:
    """In the wild: durations of more than 24 h."""
    cells = [duration(1.5), duration(100), duration(-0.25), duration(0.000011574)]
    assert column(cells) == ("STRING", ["36:00:00", "2400:00:00", "-6:00:00", "0:00:01"])


@pytest.mark.parametrize("block_rows", [1, 1000])
def test_whole_numbers_and_fractions_are_one_column(block_rows: int) -> None:
    """In the wild: integers and decimals in one column become two columns."""
    assert column([1, 2.5, 3], block_rows=block_rows) == ("FLOAT64", [1.0, 2.5, 3.0])
    large = [2**53 + 2, 0.5, 10**20]
    assert column(large, block_rows=block_rows) == ("FLOAT64", [float(2**53 + 2), 0.5, 1e20])
    assert column([1, 2.5, "n/a"], block_rows=block_rows) == ("STRING", ["1", "2.5", "n/a"])


def test_check_boxes_beside_blanks_are_truths_and_nulls() -> None:
    """In the wild: TRUE/FALSE check boxes beside blanks."""
    assert column([True, None, "", False]) == ("BOOL", [True, None, None, False])
