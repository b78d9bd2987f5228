"""Every scalar type arrives as it was sent, through Parquet, CSV and newline-delimited JSON."""

import datetime
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import SchemaField

UTC = datetime.UTC
VALUES: list[tuple[str, pa.DataType, Any, str]] = [
    ("STRING", pa.string(), "Zürich, 5 °C\n", '"Zürich, 5 °C\n"'),
    ("BYTES", pa.binary(), b"\x00\xff", "AP8="),
    ("INT64", pa.int64(), -(2**63), "-9223372036854775808"),
    ("FLOAT64", pa.float64(), 1e-300, "1e-300"),
    ("BOOL", pa.bool_(), True, "true"),
    ("NUMERIC", pa.decimal128(38, 9), Decimal("-99999999999999999999999999999.999999999"), ""),
    ("BIGNUMERIC", pa.decimal256(76, 38), Decimal("-1234567890123456789012345678.00000000000000000000000001"), ""),
    ("DATE", pa.date32(), datetime.date(1, 1, 1), "0001-01-01"),
    ("TIME", pa.time64("us"), datetime.time(23, 59, 59, 999999), "23:59:59.999999"),
    (
        "DATETIME",
        pa.timestamp("us"),
        datetime.datetime.fromisoformat("9999-12-31T23:59:59.000001"),
        "9999-12-31T23:59:59.000001",
    ),
    (
        "TIMESTAMP",
        pa.timestamp("us", "UTC"),
        datetime.datetime(1969, 7, 20, 20, 17, 40, 5, tzinfo=UTC),
        "1969-07-20 21:17:40.000005+01:00",
    ),
    ("GEOGRAPHY", pa.string(), "POINT(8 47)", "POINT(8 47)"),
]
NAMES = [value[0] for value in VALUES]


@pytest.mark.parametrize(("type_", "arrow", "value", "text"), VALUES, ids=NAMES)
def test_parquet_keeps_every_scalar_type(warehouse, type_, arrow, value, text):
    schema = [SchemaField("v", type_)]
    warehouse.loaded({"v": pa.array([value, None], arrow)}, schema=schema)
    assert warehouse.rows() == [(value,), (None,)]
    assert warehouse.client.get_table(warehouse.table()).schema[0].field_type == {
        "INT64": "INTEGER",
        "FLOAT64": "FLOAT",
        "BOOL": "BOOLEAN",
    }.get(type_, type_)


@pytest.mark.parametrize(("type_", "arrow", "value", "text"), VALUES, ids=NAMES)
def test_csv_keeps_every_scalar_type(warehouse, type_, arrow, value, text):
    line = text or str(value)
    warehouse.loaded(
        f"{line},1\n".encode(),
        schema=[SchemaField("v", type_), SchemaField("n", "INT64")],
        source_format="CSV",
        allow_quoted_newlines=True,
    )
    assert warehouse.rows() == [(value, 1)]


@pytest.mark.parametrize(("type_", "arrow", "value", "text"), VALUES, ids=NAMES)
def test_ndjson_keeps_every_scalar_type(warehouse, type_, arrow, value, text):
    text = value if type_ == "STRING" else text or str(value)
    content = "\n".join([json.dumps({"v": text}), json.dumps({"v": None}), "{}"])
    warehouse.loaded(content.encode(), schema=[SchemaField("v", type_)], source_format="NEWLINE_DELIMITED_JSON")
    assert warehouse.rows() == [(value,), (None,), (None,)]


@pytest.mark.parametrize(("type_", "arrow", "value", "text"), VALUES[:-1], ids=NAMES[:-1])
def test_a_query_gives_every_scalar_type_back(warehouse, type_, arrow, value, text):
    if type_ == "BIGNUMERIC":
        value = Decimal("-12345678901234567890.123456789012345678")
    warehouse.loaded({"v": pa.array([value], arrow)}, schema=[SchemaField("v", type_)])
    assert warehouse.sql("SELECT v FROM {t}") == [(value,)]


def test_a_query_over_a_bignumeric_that_it_cannot_hold_fails_and_does_not_round(warehouse):
    for table, value in [("large", Decimal(10) ** 30), ("fine", Decimal(10) ** -30)]:
        rows = {"v": pa.array([value], pa.decimal256(76, 38))}
        warehouse.loaded(rows, table, schema=[SchemaField("v", "BIGNUMERIC")])
        with pytest.raises(BadRequest):
            warehouse.sql(f"SELECT v FROM {{d}}.{table}")


def test_json_is_loaded_from_ndjson_and_read_by_sql(warehouse):
    line = json.dumps({"v": {"b": [1, 2.5, None], "a": "x"}})
    warehouse.loaded(line.encode(), schema=[SchemaField("v", "JSON")], source_format="NEWLINE_DELIMITED_JSON")
    assert warehouse.rows() == [({"b": [1, 2.5, None], "a": "x"},)]
    assert warehouse.sql("SELECT JSON_VALUE(v, '$.a') FROM {t}") == [("x",)]


def test_json_cannot_be_loaded_from_parquet(warehouse):
    with pytest.raises(BadRequest, match="Unsupported field type: JSON"):
        warehouse.loaded({"v": ["{}"]}, schema=[SchemaField("v", "JSON")])


def test_floats_keep_infinity_and_not_a_number(warehouse):
    warehouse.loaded({"v": [float("inf"), float("-inf"), float("nan")]})
    inf, minus, nan = (row[0] for row in warehouse.rows())
    assert (inf, minus) == (float("inf"), float("-inf"))
    assert nan != nan  # noqa: PLR0124


def test_repeated_records_travel_through_ndjson_and_sql(warehouse):
    schema = [
        SchemaField("tags", "STRING", mode="REPEATED"),
        SchemaField("at", "RECORD", fields=[SchemaField("x", "INT64"), SchemaField("y", "NUMERIC")]),
    ]
    lines = b'{"tags": ["a", "b"], "at": {"x": 1, "y": 2.5}}\n{"at": null}\n'
    warehouse.loaded(lines, schema=schema, source_format="NEWLINE_DELIMITED_JSON")
    expected = [(["a", "b"], {"x": 1, "y": Decimal("2.5")}), ([], None)]
    assert warehouse.rows() == expected
    assert warehouse.sql("SELECT tags, `at` FROM {t} ORDER BY ARRAY_LENGTH(tags) DESC") == expected


@pytest.mark.parametrize(
    ("type_", "arrow", "value"),
    [
        ("FLOAT64", pa.int64(), 1),
        ("INT64", pa.float64(), 1.0),
        ("INT64", pa.string(), "1"),
        ("STRING", pa.int64(), 1),
        ("DATE", pa.timestamp("us"), datetime.datetime.fromisoformat("2020-01-01")),
        ("DATETIME", pa.timestamp("us", "UTC"), datetime.datetime(2020, 1, 1, tzinfo=UTC)),
        ("BOOL", pa.int64(), 1),
    ],
)
def test_parquet_of_another_type_is_refused_and_not_bent(warehouse, type_, arrow, value):
    with pytest.raises(BadRequest, match=r"Parquet column 'v' has type .* which does not match the target cpp_type"):
        warehouse.loaded({"v": pa.array([value], arrow)}, schema=[SchemaField("v", type_)])


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("INT64", "5.5"),
        ("INT64", "9223372036854775808"),
        ("INT64", "abc"),
        ("NUMERIC", "100000000000000000000000000000"),
        ("BOOL", "maybe"),
        ("DATE", "2020-02-30"),
        ("DATE", "31/12/2020"),
        ("TIME", "24:00:00"),
        ("DATETIME", "2020-01-01 00:00:00+01"),
        ("TIMESTAMP", "yesterday"),
        ("BYTES", "not base64"),
    ],
)
def test_text_that_is_no_value_of_its_type_fails_the_load(warehouse, type_, text):
    schema = [SchemaField("v", type_)]
    with pytest.raises(BadRequest):
        warehouse.loaded(f"{text}\n".encode(), schema=schema, source_format="CSV")
    line = json.dumps({"v": text}).encode()
    with pytest.raises(BadRequest):
        warehouse.loaded(line, schema=schema, source_format="NEWLINE_DELIMITED_JSON")


def test_numbers_may_not_exceed_the_precision(warehouse):
    schema = [SchemaField("v", "NUMERIC", precision=5, scale=2)]
    value = pa.array([Decimal("999.99"), Decimal("-1.5")], pa.decimal128(38, 9))
    warehouse.loaded({"v": value}, schema=schema)
    assert warehouse.rows() == [(Decimal("999.99"),), (Decimal("-1.5"),)]
    with pytest.raises(BadRequest):
        warehouse.loaded({"v": pa.array([Decimal(1000)], pa.decimal128(38, 9))}, schema=schema)


def test_text_longer_than_its_maximum_is_refused(warehouse):
    schema = [SchemaField("v", "STRING", max_length=3)]
    warehouse.loaded({"v": ["äöü"]}, schema=schema)
    with pytest.raises(BadRequest, match="longer"):
        warehouse.loaded({"v": ["four"]}, schema=schema)


def test_dates_outside_the_years_1_to_9999_are_refused(warehouse):
    with pytest.raises(BadRequest, match="years 1 to 9999"):
        warehouse.loaded({"v": pa.array([3_000_000], pa.int32()).cast(pa.date32())})
