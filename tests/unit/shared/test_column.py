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
        [{"name": "id", "type": "INT64", "mode": "REQUIRED"}, AMOUNT | {"policyTags": {}, "colour": "red"}],
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
        ([{"name": "id", "type": "RECORD", "fields": [AMOUNT]}], " column 1: type is text of 6 characters, not one of"),
        ([{"name": "id", "type": "NUMERIC(10,2)"}], " column 1: type has parameters in brackets"),
        ([{"name": "id", "type": "STRING", "mode": "REPEATED"}], "mode is text of 8 characters, not one of NULLABLE"),
        ([AMOUNT, {"name": "id", "type": "INT64"}, AMOUNT], " columns 1 and 3 have the same name"),
    ],
)
def test_what_is_wrong_is_told_by_the_columns_number(value: Any, problem: str) -> None:
    _columns, problems = examine_columns(value)
    assert len(problems) == 1
    assert problem in problems[0]
    assert "amount" not in problems[0]


def test_every_wrong_column_is_told() -> None:
    _columns, problems = examine_columns([{"name": ""}, "x", AMOUNT, {"type": "INT64"}])
    assert [problem.split(":")[0].strip() for problem in problems] == ["column 1", "column 1", "column 2", "column 4"]


def test_headers_that_differ_by_case_alone_are_two_columns_for_the_job_to_judge() -> None:
    columns, problems = examine_columns([{"name": "ID", "type": "INT64"}, {"name": "id", "type": "INT64"}])
    assert ([column.name for column in columns], problems) == (["ID", "id"], [])


def test_an_exact_header_keeps_its_spaces_and_signs() -> None:
    columns, _problems = examine_columns([{"name": " Umsatz (€) ", "type": "NUMERIC"}])
    assert columns[0].name == " Umsatz (€) "


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["name", "type", "mode", "fields", "x"]), inner),
    max_leaves=10,
)


@given(json_values)
def test_no_json_does_anything_but_give_columns_or_problems(value: Any) -> None:
    columns, problems = examine_columns(value)
    assert problems or examine_columns(msgspec.json.encode(columns).decode()) == (columns, [])
