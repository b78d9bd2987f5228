"""Every scalar type of BigQuery, from every kind of cell that can become it: what SQL finds in the loaded table."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import NotFound

from local.environment import PROJECT
from tests.integration.job.conftest import DATASET, Desk, Ended, Error, Shown
from tests.integration.job.test_loads import check_success

LAST_DAY = 2_958_465  # 9999-12-31
MOST = f"{'9' * 29}.{'9' * 9}"
# Per type its cells, each with what SQL has to say of the column `c`.
CASES: dict[str, list[tuple[Any, str]]] = {
    "STRING": [
        ("x", "c = 'x'"),
        (7, "c = '7'"),
        (0.1, "c = '0.1'"),
        (True, "c = 'TRUE'"),
        (Shown(1234.5, "$#,##0.00"), "c = '$1,234.50'"),
        (Shown(45292, "date"), "c = '2024-01-01'"),
        (" ", "c = ' '"),
        ("007", "c = '007'"),
        ("=A1", "c = '=A1'"),
        ("#hash", "c = '#hash'"),
        ('two\nlines, a "quote" and a \\', "c = 'two\\nlines, a \"quote\" and a \\\\'"),
        ("👩‍🚀 数量 é", "c = '👩‍🚀 数量 é'"),
        ("x" * 32_000, "LENGTH(c) = 32000"),
    ],
    "BYTES": [("aGk=", "c = b'hi'"), ("AP8=", "TO_HEX(c) = '00ff'")],
    "INT64": [
        (7, "c = 7"),
        (2.0, "c = 2"),
        ("9223372036854775807", "c = 9223372036854775807"),
        ("-9223372036854775808", "c = -9223372036854775807 - 1"),
        ("1,234,567", "c = 1234567"),
        (" 42 ", "c = 42"),
        ("1e3", "c = 1000"),
    ],
    "FLOAT64": [
        (1, "c = 1"),
        (-2.5, "c = -2.5"),
        (Shown(0.501, "0.0%"), "c = 0.501"),
        (Shown(2000000.01, "$#,##0.00"), "c = 2000000.01"),
        ("1,234.5", "c = 1234.5"),
        ("-.5", "c = -0.5"),
        ("1.7976931348623157e308", "c = 1.7976931348623157e308"),
        ("5e-324", "c > 0 AND c < 1e-323"),
    ],
    "BOOL": [(True, "c = TRUE"), (False, "c = FALSE"), ("true", "c = TRUE"), (" FALSE ", "c = FALSE")],
    "NUMERIC": [
        (0.1, "c = NUMERIC '0.1'"),
        (0.30000000000000004, "c = NUMERIC '0.3'"),
        ("1,234.56", "c = NUMERIC '1234.56'"),
        (7, "c = NUMERIC '7'"),
        (MOST, f"c = NUMERIC '{MOST}'"),
        (f"-{MOST}", f"c = NUMERIC '-{MOST}'"),
        ("0.0000000005", "c = NUMERIC '0.000000001'"),
    ],
    "BIGNUMERIC": [
        (0.1, "c = BIGNUMERIC '0.1'"),
        (1e19, "c = BIGNUMERIC '10000000000000000000'"),
        (f"{'9' * 20}.{'9' * 18}", f"c = BIGNUMERIC '{'9' * 20}.{'9' * 18}'"),
    ],
    "DATE": [
        (Shown(45292, "date"), "c = DATE '2024-01-01'"),
        (Shown(LAST_DAY, "date"), "c = DATE '9999-12-31'"),
        ("2024-02-29", "c = DATE '2024-02-29'"),
        ("0001-01-01", "c = DATE '0001-01-01'"),
        ("9999-12-31", "c = DATE '9999-12-31'"),
    ],
    "TIME": [
        (Shown(0.25, "time"), "c = TIME '06:00:00'"),
        ("23:59:59.999999", "c = TIME '23:59:59.999999'"),
        ("07:30", "c = TIME '07:30:00'"),
    ],
    "DATETIME": [
        (Shown(45292.5, "moment"), "c = DATETIME '2024-01-01 12:00:00'"),
        (Shown(45292, "date"), "c = DATETIME '2024-01-01 00:00:00'"),
        ("0001-01-01 00:00:00", "c = DATETIME '0001-01-01 00:00:00'"),
        ("9999-12-31T23:59:59.999999", "c = DATETIME '9999-12-31 23:59:59.999999'"),
    ],
    "TIMESTAMP": [
        ("2024-01-01T12:00:00+02:00", "c = TIMESTAMP '2024-01-01 10:00:00+00:00'"),
        ("2024-01-01 12:00:00Z", "c = TIMESTAMP '2024-01-01 12:00:00+00:00'"),
        ("0001-01-01T00:00:00Z", "c = TIMESTAMP '0001-01-01 00:00:00+00:00'"),
        ("9999-12-31T23:59:59.999999Z", "c = TIMESTAMP '9999-12-31 23:59:59.999999+00:00'"),
        (Shown(45292.5, "moment"), "c = TIMESTAMP '2024-01-01 12:00:00+00:00'"),
    ],
    "JSON": [
        ('{"a": [1,\n 2]}', "JSON_VALUE(c, '$.a[1]') = '2'"),
        ('"x"', "JSON_VALUE(c) = 'x'"),
        (2.5, "JSON_VALUE(c) = '2.5'"),
        (True, "JSON_VALUE(c) = 'true'"),
    ],
    "GEOGRAPHY": [("POINT(1 2)", "c IS NOT NULL")],
}
TYPES = list(CASES)
# A cell per type that cannot become it.
WRONG: dict[str, Any] = {
    "BYTES": "not base64!",
    "INT64": "9223372036854775808",
    "FLOAT64": "NaN",
    "BOOL": 1,
    "NUMERIC": "inf",
    "BIGNUMERIC": "1e38",
    "DATE": "1/2/2024",
    "TIME": "24:00:00",
    "DATETIME": "10000-01-01 00:00:00",
    "TIMESTAMP": "2024-01-01T00:00:00+25:00",
    "JSON": "{",
    "GEOGRAPHY": 7,
}


def schema(*types: str, mode: str = "NULLABLE") -> list[dict[str, str]]:
    return [{"name": type_.lower(), "type": type_, "mode": mode} for type_ in types]


def violations(ended: Ended) -> str:
    """How the job ended, without the cells' links."""
    return re.sub(r" \(https:[^)]*\)", "", ended.line)


def grid(fill: bool) -> list[list[Any]]:
    """A row's number, and one column per type; what is shorter is blank at its end, or repeats its last cell."""
    depth = max(map(len, CASES.values()))
    columns = [[cell for cell, _ in cases] for cases in CASES.values()]
    padded = [column + [column[-1] if fill else None] * (depth - len(column)) for column in columns]
    return [["number", *TYPES], *([number, *row] for number, row in enumerate(zip(*padded, strict=True)))]


def found(desk: Desk, type_: str) -> list[int]:
    """The numbers of the rows of which SQL says what is expected."""
    conditions = [f"(number = {number} AND {condition})" for number, (_, condition) in enumerate(CASES[type_])]
    statement = (
        f"SELECT number FROM (SELECT number, `{type_.lower()}` AS c FROM `{PROJECT}.{DATASET}.{desk.id}`)"
        f" WHERE {' OR '.join(conditions)} ORDER BY number"
    )
    return [row["number"] for row in desk.bigquery.query_and_wait(statement)]


@pytest.mark.parametrize("mode", ["NULLABLE", "REQUIRED"])
def test_every_scalar_type_holds_what_its_cells_say(desk: Desk, mode: str) -> None:
    """In the wild: a custom schema with DATE, NUMERIC, REQUIRED…"""
    desk.write({"Types": grid(fill=mode == "REQUIRED")})
    check_success(desk.run(**desk.with_schema(*schema(*TYPES, mode=mode))))
    table = desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")
    assert [field.mode for field in table.schema] == ["NULLABLE", *[mode] * len(TYPES)]
    assert desk.columns() == {"number": "INT64", **{type_.lower(): type_ for type_ in TYPES}}
    assert {type_: found(desk, type_) for type_ in TYPES} == {
        type_: list(range(len(cases))) for type_, cases in CASES.items()
    }
    counts = ", ".join(f"COUNT({type_.lower()})" for type_ in TYPES)
    (filled,) = desk.bigquery.query_and_wait(f"SELECT {counts} FROM `{PROJECT}.{DATASET}.{desk.id}`")
    depth = max(map(len, CASES.values()))
    assert list(filled.values()) == [depth if mode == "REQUIRED" else len(cases) for cases in CASES.values()]


def test_a_bignumeric_keeps_all_its_digits_and_a_geography_its_text(desk: Desk) -> None:
    """By the API, since the local server's SQL has no such digits."""
    most = f"{'9' * 38}.{'9' * 38}"
    desk.write({"Types": [["big", "geo"], [most, "POINT(1 2)"], [f"-{most}", "LINESTRING(0 0, 1 1)"]]})
    columns = [{"name": "big", "type": "BIGNUMERIC"}, {"name": "geo", "type": "GEOGRAPHY"}]
    check_success(desk.run(**desk.with_schema(*columns)))
    rows = desk.bigquery.list_rows(f"{PROJECT}.{DATASET}.{desk.id}")
    assert [row.values() for row in rows] == [
        (Decimal(most), "POINT(1 2)"),
        (Decimal(f"-{most}"), "LINESTRING(0 0, 1 1)"),
    ]


def test_blank_cells_and_errors_are_null_in_every_type_and_empty_text_is_blank(desk: Desk) -> None:
    kinds = len(TYPES)
    desk.write({"Types": [["number", *TYPES], [1], [2, *[""] * kinds], [3, *[Error("#N/A")] * kinds]]})
    check_success(desk.run(**desk.with_schema(*schema(*TYPES))))
    assert desk.rows("ORDER BY number") == [(number, *[None] * kinds) for number in (1, 2, 3)]
    assert desk.columns() == {"number": "INT64", **{type_.lower(): type_ for type_ in TYPES}}


def check_nothing_loaded(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")


def test_a_blank_in_a_required_column_of_any_type_is_named_before_anything_is_loaded(desk: Desk) -> None:
    """In the wild: NaN or a blank in a REQUIRED column silently shifts values."""
    rows = [["number", *TYPES], [1, *(cases[0][0] for cases in CASES.values())], [2]]
    desk.write({"Types": rows})
    ended = desk.run(**desk.with_schema(*schema(*TYPES, mode="REQUIRED")))
    assert (
        f"{len(TYPES)} cells are not as custom_schema asks: Types!B3: nothing where a value is REQUIRED"
        in violations(ended)
    )
    assert "Types!N3: nothing" in violations(ended)
    check_nothing_loaded(desk)


def test_a_cell_that_cannot_be_its_columns_type_is_named_before_anything_is_loaded(desk: Desk) -> None:
    """In the wild: each violation named by cell, with the count, before anything is loaded."""
    desk.write({"Q4_Sales": [list(WRONG), list(WRONG.values())]})
    ended = desk.run(**desk.with_schema(*schema(*WRONG)))
    assert ended.line.startswith("Job execution failed: SchemaViolated")
    assert f"{len(WRONG)} cells are not as custom_schema asks" in ended.line
    for letter, (type_, cell) in zip("ABCDEFGHIJKL", WRONG.items(), strict=True):
        shape = "text" if isinstance(cell, str) else "a number"
        assert f"Q4_Sales!{letter}2: {shape} where {type_} is expected" in violations(ended)
    assert "base64!" not in ended.line + ended.log
    check_nothing_loaded(desk)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"type": "INTERVAL"}, "type is INTERVAL, which no Parquet file holds"),
        ({"type": "RANGE<DATE>"}, "type is RANGE, which no cell holds"),
        ({"type": "RECORD", "fields": [{"name": "a", "type": "INT64"}]}, "type is RECORD, which no cell holds"),
        ({"type": "INT64", "mode": "REPEATED"}, "mode is REPEATED, and a cell holds one value"),
    ],
)
def test_a_type_that_no_cell_holds_is_refused_with_the_reason(desk: Desk, asked: dict[str, Any], reason: str) -> None:
    ended = desk.run(SCHEMA_HANDLING="custom", CUSTOM_SCHEMA=json.dumps([{"name": "a", **asked}]))
    assert ended.code == 1
    assert f"column 1: {reason}" in ended.line
