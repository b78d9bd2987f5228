"""custom_schema in the shapes that portals, files and bq produce, and what is refused of it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.column import Column, current_type, examine_columns

AMOUNT = {"name": "amount", "type": "NUMERIC"}


@pytest.mark.parametrize(
    "value",
    [
        [{"name": "id", "type": "INT64", "mode": "REQUIRED"}, AMOUNT],
        '[{"name": "id", "type": "INT64", "mode": "REQUIRED"}, {"name": "amount", "type": "NUMERIC"}]',
        [{"name": "id", "type": "integer", "mode": "required"}, {"name": "amount", "type": " decimal ", "mode": ""}],
        [{"name": "id", "type": "BIGINT", "mode": "REQUIRED"}, AMOUNT | {"mode": None, "description": None}],
        {"fields": [{"name": "id", "type": "INTEGER", "mode": "REQUIRED"}, AMOUNT]},
        [{"name": "id", "type": "INT64", "mode": "REQUIRED"}, AMOUNT | {"policyTags": {}, "fields": []}],
    ],
)
def test_a_list_in_any_of_its_shapes_gives_the_same_columns(value: Any) -> None:
    assert examine_columns(value) == ((Column("id", "INT64", "REQUIRED"), Column("amount", "NUMERIC")), [])


@pytest.mark.parametrize("value", [None, "", [], "[]", "null", {"fields": []}, {"fields": None}])
def test_nothing_in_any_of_its_shapes_gives_no_columns(value: Any) -> None:
    assert examine_columns(value) == ((), [])


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("INTEGER", "INT64"),
        ("float", "FLOAT64"),
        ("Boolean", "BOOL"),
        ("BIGDECIMAL", "BIGNUMERIC"),
        ("tinyint", "INT64"),
        ("GEOGRAPHY", "GEOGRAPHY"),
    ],
)
def test_a_types_older_name_means_todays(alias: str, name: str) -> None:
    assert current_type(alias) == name


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("[{", " is not JSON"),
        ("id:INT64,amount:NUMERIC", " is not JSON"),
        ('"[]"', " is text of 2 characters, not a list of objects"),
        ({"id": "INT64"}, " is an object with 1 keys, not a list of objects"),
        (7, " is a number, not a list of objects"),
        (True, " is true or false, not a list of objects"),
        ([["id", "INT64"]], " column 1: it is a list of 2, not an object"),
        (["id"], " column 1: it is text of 2 characters, not an object"),
        ([AMOUNT, None], " column 2: it is null, not an object"),
        ([{"type": "INT64"}], " column 1: name is missing"),
        ([{"name": "id"}], " column 1: type is missing"),
        ([{"name": " ", "type": "INT64"}], " column 1: name is blank"),
        ([{"name": 2024, "type": "INT64"}], " column 1: name is a number, not text"),
        ([{"name": "id", "type": 64}], " column 1: type is a number, not one of"),
        ([{"name": "id", "type": "VARCHAR"}], " column 1: type is text of 7 characters, not one of BIGNUMERIC,"),
        ([{"name": "id", "type": "RECORD", "fields": [AMOUNT]}], " column 1: type is RECORD, which no cell holds"),
        ([{"name": "id", "type": "STRUCT<a INT64>"}], " column 1: type is STRUCT, which no cell holds"),
        ([{"name": "id", "type": "ARRAY<STRING(9)>"}], " column 1: type is ARRAY, and a cell holds one value"),
        ([{"name": "id", "type": "INTERVAL"}], " column 1: type is INTERVAL, which no Parquet file holds"),
        (
            [{"name": "id", "type": "range", "rangeElementType": {"type": "DATE"}}],
            " column 1: type is RANGE, which no cell holds",
        ),
        ([{"name": "id", "type": "STRING", "mode": "REPEATED"}], " column 1: mode is REPEATED, and a cell holds"),
        ([AMOUNT | {"mod": "REQUIRED"}], " column 1: mod is none of name, type, mode, description, precision,"),
        ([AMOUNT | {"policyTags": {"names": ["x"]}}], " column 1: policyTags is not taken here: set it on the table"),
        ([AMOUNT | {"collation": "und:ci"}], " column 1: collation is not taken here"),
        ([AMOUNT | {"roundingMode": "ROUND_HALF_EVEN"}], " column 1: roundingMode is not taken"),
        ([AMOUNT | {"fields": [AMOUNT]}], " column 1: fields are for RECORD"),
        ([AMOUNT, {"name": "id", "type": "INT64"}, AMOUNT], " columns 1 and 3 have the same name"),
    ],
)
def test_what_is_wrong_is_told_by_the_columns_number(value: Any, problem: str) -> None:
    _columns, problems = examine_columns(value)
    assert len(problems) == 1
    assert problem in problems[0]
    assert "amount" not in problems[0]


@pytest.mark.parametrize(
    ("asked", "column"),
    [
        ({"type": "NUMERIC(10,2)"}, Column("a", "NUMERIC", precision=10, scale=2)),
        ({"type": " decimal ( 10 ) "}, Column("a", "NUMERIC", precision=10)),
        ({"type": "DECIMAL", "precision": "10", "scale": "2"}, Column("a", "NUMERIC", precision=10, scale=2)),
        ({"type": "NUMERIC(10)", "precision": 10, "scale": 2}, Column("a", "NUMERIC", precision=10, scale=2)),
        ({"type": "BIGDECIMAL(76, 38)"}, Column("a", "BIGNUMERIC", precision=76, scale=38)),
        ({"type": "NUMERIC(9,9)"}, Column("a", "NUMERIC", precision=9, scale=9)),
        ({"type": "STRING(50)", "maxLength": "50"}, Column("a", "STRING", max_length=50)),
        ({"type": "BYTES", "max_length": 16}, Column("a", "BYTES", max_length=16)),
        (
            {"type": "DATE", "defaultValueExpression": "CURRENT_DATE()"},
            Column("a", "DATE", default_value_expression="CURRENT_DATE()"),
        ),
        ({"type": "DATE", "default_value_expression": ""}, Column("a", "DATE")),
        ({"type": "NUMERIC", "roundingMode": "ROUND_HALF_AWAY_FROM_ZERO"}, Column("a", "NUMERIC")),
        ({"type": "TIMESTAMP", "timestampPrecision": "6"}, Column("a", "TIMESTAMP")),
    ],
)
def test_parameters_and_a_default_are_keys_or_stand_in_the_type(asked: dict[str, Any], column: Column) -> None:
    columns = examine_columns([{"name": "a", **asked}])
    assert columns == ((column,), [])
    assert examine_columns(msgspec.json.encode(columns[0]).decode()) == columns


@pytest.mark.parametrize(
    ("column", "written"),
    [
        (Column("a", "NUMERIC", precision=10, scale=2), "NUMERIC(10, 2)"),
        (Column("a", "BIGNUMERIC", precision=10), "BIGNUMERIC(10)"),
        (Column("a", "NUMERIC", precision=10, scale=0), "NUMERIC(10)"),
        (Column("a", "STRING", max_length=50), "STRING(50)"),
        (Column("a", "DATE"), "DATE"),
    ],
)
def test_a_type_is_written_with_its_parameters(column: Column, written: str) -> None:
    assert column.sql_type == written


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"type": "NUMERIC(40)"}, "precision is not from 1 to 29, as NUMERIC takes it"),
        ({"type": "NUMERIC(0)"}, "precision is not from 1 to 29"),
        ({"type": "NUMERIC(2,3)"}, "precision is not from 3 to 32, as NUMERIC with 3 digits behind the point takes it"),
        ({"type": "NUMERIC(10,10)"}, "scale is not from 0 to 9"),
        ({"type": "NUMERIC", "scale": -1, "precision": 3}, "scale is not from 0 to 9"),
        ({"type": "BIGNUMERIC(39)"}, "precision is not from 1 to 38"),
        ({"type": "BIGNUMERIC(50,39)"}, "scale is not from 0 to 38"),
        ({"type": "NUMERIC", "scale": 2}, "scale has no precision beside it"),
        ({"type": "NUMERIC(10,2)", "scale": "3"}, "scale differs from the number in the type's brackets"),
        ({"type": "NUMERIC", "precision": "ten"}, "precision is text of 3 characters, not a whole number"),
        ({"type": "INT64", "precision": 10}, "precision is for NUMERIC and BIGNUMERIC, not for INT64"),
        ({"type": "INT64(10)"}, "type has numbers in brackets that it does not take"),
        ({"type": "STRING(5,5)"}, "type has numbers in brackets that it does not take"),
        ({"type": "STRING(MAX)"}, "type is text of 11 characters, not one of"),
        ({"type": "VARCHAR(50)"}, "type is text of 7 characters, not one of"),
        ({"type": "STRING(0)"}, "max_length is not 1 or more"),
        ({"type": "DATE", "maxLength": "10"}, "max_length is for STRING and BYTES, not for DATE"),
        ({"type": "INT64", "default_value_expression": 7}, "default_value_expression is a number, not text"),
    ],
)
def test_parameters_that_bigquery_would_refuse_are_told(asked: dict[str, Any], problem: str) -> None:
    _columns, problems = examine_columns([{"name": "a", **asked}])
    assert [each.startswith(f" column 1: {problem}") for each in problems] == [True], problems


def test_all_that_is_wrong_with_a_column_is_told() -> None:
    asked = {"type": "NUMERIC(50,10)", "mode": "REPEATED", "maxLength": 5, "mod": "x", "collation": "und:ci"}
    _columns, problems = examine_columns([asked])
    assert len(problems) == 7
    told = ("collation", "mode", "name", "mod", "precision", "scale", "max_length")
    assert all(any(f"column 1: {field} " in problem for problem in problems) for field in told)


def test_every_wrong_column_is_told() -> None:
    _columns, problems = examine_columns([{"name": ""}, "x", AMOUNT, {"type": "INT64"}])
    assert [problem.split(":")[0].strip() for problem in problems] == ["column 1", "column 1", "column 2", "column 4"]


def test_headers_that_differ_by_case_alone_are_two_columns_for_the_job_to_judge() -> None:
    columns, problems = examine_columns([{"name": "ID", "type": "INT64"}, {"name": "id", "type": "INT64"}])
    assert ([column.name for column in columns], problems) == (["ID", "id"], [])


def test_an_exact_header_keeps_its_spaces_and_signs() -> None:
    columns, _problems = examine_columns([{"name": " Umsatz (€) ", "type": "NUMERIC"}])
    assert columns[0].name == " Umsatz (€) "


KEYS = ["name", "type", "mode", "fields", "x", "precision", "scale", "max_length", "maxLength", "policyTags"]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["NUMERIC", "STRING(5)", "decimal(9, 2)"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=10,
)


@given(json_values)
def test_no_json_does_anything_but_give_columns_or_problems(value: Any) -> None:
    columns, problems = examine_columns(value)
    assert problems or examine_columns(msgspec.json.encode(columns).decode()) == (columns, [])
