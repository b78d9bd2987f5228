"""Type parameters and default values of columns: kept, told, enforced by loads and by SQL."""

import datetime
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

SCHEMA = [
    SchemaField("id", "INT64", mode="REQUIRED"),
    SchemaField("price", "NUMERIC", precision=10, scale=2, default_value_expression="1.5"),
    SchemaField("big", "BIGNUMERIC", precision=38),
    SchemaField("name", "STRING", max_length=5, default_value_expression="'new'"),
    SchemaField("raw", "BYTES", max_length=2),
    SchemaField("day", "DATE", default_value_expression="DATE '2024-01-01'"),
    SchemaField("seen", "TIMESTAMP", default_value_expression="CURRENT_TIMESTAMP()"),
]
DAY = datetime.date(2024, 1, 1)


@pytest.fixture
def goods(warehouse):
    warehouse.client.create_table(bigquery.Table(warehouse.table(), schema=SCHEMA))
    return warehouse


def told(warehouse):
    rows = warehouse.sql(
        "SELECT column_name, data_type, column_default FROM {d}.INFORMATION_SCHEMA.COLUMNS ORDER BY ordinal_position"
    )
    return {name: (type_, default) for name, type_, default in rows}


EXPECTED = {
    "id": ("INT64", "NULL"),
    "price": ("NUMERIC(10, 2)", "1.5"),
    "big": ("BIGNUMERIC(38)", "NULL"),
    "name": ("STRING(5)", "'new'"),
    "raw": ("BYTES(2)", "NULL"),
    "day": ("DATE", "DATE '2024-01-01'"),
    "seen": ("TIMESTAMP", "CURRENT_TIMESTAMP()"),
}


def test_parameters_and_defaults_are_told_by_the_api_and_by_sql(goods):
    fields = {field.name: field for field in goods.client.get_table(goods.table()).schema}
    for asked in SCHEMA:
        found = fields[asked.name]
        assert (found.precision, found.scale, found.max_length, found.default_value_expression) == (
            asked.precision,
            asked.scale,
            asked.max_length,
            asked.default_value_expression,
        )
    assert told(goods) == EXPECTED


def test_a_load_that_makes_the_table_gives_it_parameters_and_defaults(warehouse):
    warehouse.loaded({"id": [1]}, schema=SCHEMA)
    assert told(warehouse) == EXPECTED
    # As the service does it: a load takes no defaults.
    assert warehouse.sql("SELECT price, name FROM {t}") == [(None, None)]


def test_an_insert_without_the_column_writes_its_default(goods):
    goods.sql("INSERT INTO {t} (id) VALUES (1)")
    goods.sql("INSERT INTO {t} (id, price, name, day) VALUES (2, DEFAULT, NULL, '2024-02-02')")
    goods.sql("INSERT INTO {t} (id) SELECT 3")
    assert goods.sql("SELECT id, price, big, name, day FROM {t} ORDER BY id") == [
        (1, Decimal("1.5"), None, "new", DAY),
        (2, Decimal("1.5"), None, None, datetime.date(2024, 2, 2)),
        (3, Decimal("1.5"), None, "new", DAY),
    ]
    assert goods.sql("SELECT COUNT(*) FROM {t} WHERE seen IS NULL") == [(0,)]


def test_a_merge_without_the_column_and_an_update_to_default_write_it(goods):
    goods.sql("INSERT INTO {t} (id, price, name) VALUES (1, 9, 'old')")
    goods.sql(
        "MERGE {t} T USING (SELECT 1 AS id UNION ALL SELECT 2) S ON T.id = S.id "
        "WHEN MATCHED THEN UPDATE SET name = 'both' WHEN NOT MATCHED THEN INSERT (id) VALUES (id)"
    )
    goods.sql("UPDATE {t} SET price = DEFAULT WHERE id = 1")
    assert goods.sql("SELECT id, price, name FROM {t} ORDER BY id") == [
        (1, Decimal("1.5"), "both"),
        (2, Decimal("1.5"), "new"),
    ]


@pytest.mark.parametrize("assigned", ["price = 123456789", "big = 1e38", "name = 'longer'", "raw = b'abc'"])
def test_sql_cannot_write_what_the_parameters_do_not_allow(goods, assigned):
    goods.sql("INSERT INTO {t} (id) VALUES (1)")
    with pytest.raises(BadRequest):
        goods.sql(f"UPDATE {{t}} SET {assigned} WHERE id = 1")
    assert goods.sql("SELECT price, big, name, raw FROM {t}") == [(Decimal("1.5"), None, "new", None)]


def test_sql_rounds_to_the_scale(goods):
    goods.sql("INSERT INTO {t} (id, price) VALUES (1, NUMERIC '1.005'), (2, NUMERIC '-1.005')")
    assert goods.sql("SELECT price FROM {t} ORDER BY id") == [(Decimal("1.01"),), (Decimal("-1.01"),)]


def test_text_is_rounded_by_a_load_and_a_parquet_decimal_is_not(warehouse):
    schema = [SchemaField("v", "NUMERIC", precision=5, scale=2)]
    warehouse.loaded(b'{"v": "1.005"}', schema=schema, source_format="NEWLINE_DELIMITED_JSON")
    assert warehouse.rows() == [(Decimal("1.01"),)]
    with pytest.raises(BadRequest, match="Value will lose precision"):
        warehouse.loaded({"v": pa.array([Decimal("1.005")], pa.decimal128(38, 9))}, schema=schema)
    fine = {"v": pa.array([Decimal("1e-10")], pa.decimal128(38, 10))}
    with pytest.raises(BadRequest, match="Value will lose precision"):
        warehouse.loaded(fine, schema=[SchemaField("v", "NUMERIC")])


@pytest.mark.parametrize(
    ("type_", "column", "text"),
    [
        ("BYTES", {"max_length": 2}, "YWJj"),
        ("NUMERIC", {"precision": 3}, "1000"),
        ("NUMERIC", {"precision": 3}, "999.5"),
        ("BIGNUMERIC", {"precision": 5, "scale": 4}, "10"),
    ],
)
def test_a_load_of_what_does_not_fit_the_parameters_fails(warehouse, type_, column, text):
    line = json.dumps({"v": text}).encode()
    with pytest.raises(BadRequest):
        warehouse.loaded(line, schema=[SchemaField("v", type_, **column)], source_format="NEWLINE_DELIMITED_JSON")


@pytest.mark.parametrize(
    ("type_", "default"),
    [
        ("INT64", "1 + 1"),
        ("INT64", "'one'"),
        ("INT64", "1.5"),
        ("INT64", "("),
        ("DATE", "CAST('2024-01-01' AS DATE)"),
        ("DATE", "CURRENT_TIMESTAMP()"),
        ("STRING", "UPPER('a')"),
        ("STRING", "other"),
        ("STRING(3)", "'four'"),
    ],
)
def test_a_default_is_a_literal_or_one_of_a_few_functions_that_the_type_can_hold(warehouse, type_, default):
    with pytest.raises(BadRequest):
        warehouse.sql(f"CREATE TABLE {{t}} (a {type_} DEFAULT {default})")
    field = SchemaField("a", type_.partition("(")[0], max_length=3 if "(" in type_ else None)
    field = SchemaField.from_api_repr({**field.to_api_repr(), "defaultValueExpression": default})
    with pytest.raises(BadRequest, match=r"[Dd]efault|Syntax"):
        warehouse.client.create_table(bigquery.Table(warehouse.table(), schema=[field]))


def test_a_required_columns_default_is_not_null(warehouse):
    field = SchemaField("a", "INT64", mode="REQUIRED", default_value_expression="NULL")
    with pytest.raises(BadRequest, match="not NULL"):
        warehouse.client.create_table(bigquery.Table(warehouse.table(), schema=[field]))
