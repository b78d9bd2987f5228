"""Types with parameters, and defaults: what the table gets of them, and what stays when the config asks for others."""

import json
from decimal import Decimal

import pytest
from google.api_core.exceptions import NotFound

from local.environment import PROJECT
from tests.integration.job.conftest import DATASET, Desk, Shown
from tests.integration.job.test_loads import check_success
from tests.integration.job.test_scalar_types import violations

PARAMETERS = [
    {"name": "price", "type": "NUMERIC(10,2)", "defaultValueExpression": "0"},
    {"name": "big", "type": "BIGNUMERIC", "precision": "20", "scale": "12"},
    {"name": "code", "type": "STRING", "maxLength": "5", "mode": "REQUIRED"},
    {"name": "raw", "type": "BYTES(2)"},
    {"name": "day", "type": "DATE", "default_value_expression": "CURRENT_DATE()"},
]


def test_parameters_and_defaults_are_the_tables(desk: Desk) -> None:
    desk.write({"Sheet1": [["price", "big", "code", "raw", "day"], [1.005, 0.1, 12345, "aGk=", None]]})
    for _ in ("made", "replaced"):
        check_success(desk.run(**desk.with_schema(*PARAMETERS)))
        assert desk.columns() == {
            "price": "NUMERIC(10, 2)",
            "big": "BIGNUMERIC(20, 12)",
            "code": "STRING(5)",
            "raw": "BYTES(2)",
            "day": "DATE",
        }
        assert desk.rows() == [(Decimal("1.01"), Decimal("0.1"), "12345", b"hi", None)]
    table = f"`{PROJECT}.{DATASET}.{desk.id}`"
    desk.bigquery.query_and_wait(f"INSERT INTO {table} (code) VALUES ('new')")
    rows = desk.bigquery.query_and_wait(f"SELECT price, day = CURRENT_DATE() FROM {table} WHERE code = 'new'")
    assert [row.values() for row in rows] == [(Decimal(0), True)]


def test_a_column_that_gets_parameters_replaces_the_schema(desk: Desk) -> None:
    desk.write({"Sheet1": [["price", "code"], [1, "x"]]})
    check_success(
        desk.run(**desk.with_schema({"name": "price", "type": "NUMERIC"}, {"name": "code", "type": "STRING"}))
    )
    ended = desk.run(
        **desk.with_schema({"name": "price", "type": "NUMERIC(5,1)"}, {"name": "code", "type": "STRING(1)"})
    )
    check_success(ended)
    assert desk.columns() == {"price": "NUMERIC(5, 1)", "code": "STRING(1)"}


def test_cells_that_do_not_fit_parameters_are_named_before_anything_is_loaded(desk: Desk) -> None:
    desk.write({"Sheet1": [["price", "code"], [1, "x"], [100, Shown(45292, "date")], [2, "long text"]]})
    schema_ = [{"name": "price", "type": "NUMERIC(4,2)"}, {"name": "code", "type": "STRING(8)"}]
    ended = desk.run(**desk.with_schema(*schema_))
    assert (
        "3 cells are not as custom_schema asks: Sheet1!A3: a number where NUMERIC(4, 2) is expected; "
        "Sheet1!B3: 10 characters where STRING(8) is expected; Sheet1!B4: 9 characters where STRING(8) is expected"
    ) in violations(ended)
    with pytest.raises(NotFound):
        desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")


def defaults(desk: Desk) -> list[tuple[str, str | None]]:
    table = desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")
    return [(field.name, field.default_value_expression) for field in table.schema]


def test_columns_that_stay_keep_their_default_and_it_is_told(desk: Desk) -> None:
    old, new = {"name": "a", "type": "INT64"}, {"name": "b", "type": "INT64", "defaultValueExpression": "2"}
    desk.write({"Sheet1": [["a"], [1]]})
    check_success(desk.run(**desk.with_schema({**old, "defaultValueExpression": "1"})))
    desk.write({"Sheet1": [["a", "b"], [1, 2]]})
    ended = desk.run(**desk.with_schema({**old, "defaultValueExpression": "7"}, new))
    check_success(ended)
    assert defaults(desk) == [("a", "1"), ("b", None)]
    warnings = json.loads(ended.log.splitlines()[-1])["warnings"]
    assert warnings == [
        "the table's default is not custom_schema's in the tab's columns A, B: "
        "ALTER TABLE … ALTER COLUMN … SET DEFAULT changes it"
    ]
    check_success(desk.run(**desk.with_schema({"name": "a", "type": "STRING"}, new)))
    assert defaults(desk) == [("a", None), ("b", "2")]


def test_a_table_whose_types_are_kept_names_cells_that_its_parameters_do_not_allow(desk: Desk) -> None:
    desk.write({"Sheet1": [["a", "b"], [1, "x"]]})
    check_success(
        desk.run(**desk.with_schema({"name": "a", "type": "NUMERIC(3,1)"}, {"name": "b", "type": "STRING(2)"}))
    )
    desk.write({"Sheet1": [["a", "b"], [100, "xyz"]]})
    ended = desk.run(OPTIONS=json.dumps({"schema_drift": "keep"}))
    assert "Sheet1!A2: a number where NUMERIC(3, 1) is expected; Sheet1!B2: 3 characters" in violations(ended)
    assert desk.rows() == [(Decimal(1), "x")]
