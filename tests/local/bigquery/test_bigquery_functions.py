"""FARM_FINGERPRINT and TO_JSON_STRING, which DuckDB does not have, as BigQuery's reference gives them."""

from decimal import Decimal

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented
from google.cloud.bigquery import ScalarQueryParameter
from hypothesis import given
from hypothesis import strategies as st

from local.bigquery.farmhash import fingerprint

# Fingerprint64 of the bytes (7 * i + length) mod 256, by Google's own C++ (PyPI's pyfarmhash 0.5.1 wraps it): each
# length on both sides of where the function does something else.
VECTORS = {
    0: 11160318154034397263,
    1: 5161771770385946686,
    2: 17348493801328108482,
    3: 4662423180930907492,
    4: 13909349088106176104,
    7: 17233423938440663304,
    8: 12627020141284786728,
    9: 15889908196168497750,
    15: 3575310498258597009,
    16: 9887023220782602712,
    17: 16960068419638019727,
    24: 6496452274876097831,
    31: 12025085129596068594,
    32: 3992320350721670009,
    33: 12457070707786611405,
    48: 6533401170048065422,
    63: 15038265055984948585,
    64: 11083064061832698092,
    65: 444801980686921533,
    100: 10952504393083410351,
    127: 5926385096735868780,
    128: 15838856113771212233,
    129: 5067021833811671751,
    200: 202520530910294351,
    256: 12105616336390207267,
    1000: 14110994584816394816,
}


@pytest.mark.parametrize("length", VECTORS)
def test_a_fingerprint_is_googles(length):
    data = bytes((7 * i + length) % 256 for i in range(length))
    assert fingerprint(data) % 2**64 == VECTORS[length]


def test_the_examples_of_the_reference_give_its_fingerprints(warehouse):
    """https://cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions#farm_fingerprint"""
    rows = warehouse.sql(
        "WITH example AS (SELECT 1 AS x, 'foo' AS y, true AS z UNION ALL SELECT 2 AS x, 'apple' AS y, false AS z"
        " UNION ALL SELECT 3 AS x, '' AS y, true AS z)"
        " SELECT x, FARM_FINGERPRINT(CONCAT(CAST(x AS STRING), y, CAST(z AS STRING))) FROM example ORDER BY x"
    )
    assert rows == [(1, -1541654101129638711), (2, 2794438866806483259), (3, -4880158226897771312)]


@given(data=st.binary(max_size=300))
def test_a_fingerprint_is_a_signed_integer_of_64_bits(data):
    assert -(2**63) <= fingerprint(data) < 2**63


def test_fingerprints_are_of_text_and_bytes_and_of_nothing_else(warehouse):
    accented = fingerprint("é".encode())
    found = warehouse.sql(
        "SELECT FARM_FINGERPRINT('é'), FARM_FINGERPRINT(b'\\xc3\\xa9'), FARM_FINGERPRINT(CAST(NULL AS STRING))"
    )
    assert found == [(accented, accented, None)]
    with pytest.raises(BadRequest, match="No matching signature for function FARM_FINGERPRINT"):
        warehouse.sql("SELECT FARM_FINGERPRINT(1)")


def test_fingerprints_are_summed_grouped_joined_and_filtered_by(warehouse):
    warehouse.loaded({"a": ["x", "y", None, "x"], "b": [1, 2, 3, 4]})
    x, y = fingerprint(b"x"), fingerprint(b"y")
    assert warehouse.sql("SELECT SUM(CAST(FARM_FINGERPRINT(t.a) AS NUMERIC)) FROM {t} AS t WHERE t.b > 1") == [
        (Decimal(x + y),)
    ]
    assert sorted(
        warehouse.sql("SELECT FARM_FINGERPRINT(a) AS f, COUNT(*) FROM {t} WHERE a IS NOT NULL GROUP BY f")
    ) == (sorted([(x, 2), (y, 1)]))
    found = "SELECT b FROM {t} WHERE FARM_FINGERPRINT(a) = FARM_FINGERPRINT(@wanted) ORDER BY b"
    assert warehouse.sql(found, ScalarQueryParameter("wanted", "STRING", "x")) == [(1,), (4,)]
    joined = (
        "WITH f AS (SELECT FARM_FINGERPRINT(a) AS h, b FROM {t})"
        " SELECT l.b, r.b AS other FROM f l"
        " JOIN (SELECT FARM_FINGERPRINT(a) AS h, b FROM {t}) r ON l.h = r.h AND l.b < r.b"
    )
    assert warehouse.sql(joined) == [(1, 4)]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("CAST(NULL AS STRING)", "null"),
        ("''", '""'),
        ("'null'", '"null"'),
        (r"""'a"b\\c\n\t\x01é</>'""", '"a\\"b\\\\c\\n\\t\\u0001é</>"'),
        ("true", "true"),
        ("9007199254740992", "9007199254740992"),
        ("9007199254740993", '"9007199254740993"'),
        ("-9007199254740993", '"-9007199254740993"'),
        ("1.5", "1.5"),
        ("CAST('nan' AS FLOAT64)", '"NaN"'),
        ("CAST('-inf' AS FLOAT64)", '"-Infinity"'),
        ("CAST(2 AS FLOAT64)", "2"),
        ("NUMERIC '1.50'", "1.5"),
        ("NUMERIC '100'", "100"),
        ("NUMERIC '9007199254740993'", '"9007199254740993"'),
        ("NUMERIC '123456789012345678901234567.123456789'", '"123456789012345678901234567.123456789"'),
        ("DATE '2024-03-01'", '"2024-03-01"'),
        ("TIME '12:30:00.5'", '"12:30:00.5"'),
        ("DATETIME '2024-03-01 12:30:00.5'", '"2024-03-01T12:30:00.5"'),
        ("TIMESTAMP '2024-03-01 12:30:00+01:00'", '"2024-03-01T11:30:00Z"'),
        ("b'Google'", '"R29vZ2xl"'),
        ("['x', 'y']", '["x","y"]'),
        ("STRUCT(1 AS id, [STRUCT('a' AS `b \"c`)] AS list)", '{"id":1,"list":[{"b \\"c":"a"}]}'),
    ],
)
def test_every_type_has_its_text_in_json(warehouse, expression, text):
    assert warehouse.sql(f"SELECT TO_JSON_STRING(x) FROM (SELECT {expression} AS x)") == [(text,)]


def test_a_whole_row_is_an_object_of_its_columns(warehouse):
    warehouse.loaded({"a": ["x", None], "b": [1, 2]})
    rows = warehouse.sql("SELECT TO_JSON_STRING(r) FROM (SELECT b AS c0, a AS c1 FROM {t}) AS r ORDER BY 1")
    assert rows == [('{"c0":1,"c1":"x"}',), ('{"c0":2,"c1":null}',)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT TO_JSON_STRING('x', true)",
        "SELECT FARM_FINGERPRINT(MAX(a)) FROM {t}",
        "UPDATE {t} SET a = TO_JSON_STRING(a) WHERE true",
        "SELECT TO_JSON_STRING(INTERVAL 1 DAY)",
    ],
)
def test_what_is_not_computed_is_said_to_be_not_supported(warehouse, statement):
    warehouse.loaded({"a": ["x"]})
    with pytest.raises(MethodNotImplemented, match="the local BigQuery server does not support it"):
        warehouse.sql(statement)


def test_a_view_with_a_fingerprint_is_not_supported(warehouse):
    warehouse.loaded({"a": ["x"]})
    warehouse.sql("CREATE VIEW {d}.v AS SELECT FARM_FINGERPRINT(a) AS f FROM {t}")
    with pytest.raises(MethodNotImplemented, match="FARM_FINGERPRINT in a view"):
        warehouse.sql("SELECT * FROM {d}.v")
