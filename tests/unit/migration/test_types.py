"""What readers of a table notice when its columns get real types, and the view that keeps the old shape."""

from types import SimpleNamespace

import pytest

from migration.types import plan_types
from shared.config import parse_config


def config(**values):
    row = {
        "name": "sales",
        "google_sheet_url": "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=0",
        "google_cloud_project_id": "test-project",
        "bigquery_dataset_id": "reports",
        "bigquery_table_id": "sales",
    }
    return parse_config(row | values)


def column(header, name, type_="STRING"):
    return SimpleNamespace(header=header, name=name, type=type_)


BEFORE = [column("Order ID", "Order_ID"), column("Paid", "Paid"), column("Day", "Day"), column("Note", "Note")]
AFTER = [
    column("Order ID", "order_id", "INT64"),
    column("Paid", "paid", "BOOL"),
    column("Day", "day", "DATE"),
    column("Note", "note"),
]


def test_each_column_tells_its_name_and_type_before_and_after():
    plan = plan_types(config(), BEFORE, AFTER)
    assert [(c.before_name, c.before_type, c.after_name, c.after_type) for c in plan.columns][:2] == [
        ("Order_ID", "STRING", "order_id", "INT64"),
        ("Paid", "STRING", "paid", "BOOL"),
    ]
    assert plan.table == "test-project.reports.sales"
    assert plan.view is None


def test_readers_are_told_of_names_displays_booleans_and_blanks():
    order, paid, day, note = (" ".join(each.noticed) for each in plan_types(config(), BEFORE, AFTER).columns)
    assert "from Order_ID to order_id" in order
    assert "numbers lose their display" in order
    assert "'TRUE' and 'FALSE' become true and false" in paid
    assert "dates lose their display" in day
    assert "blank cells are NULL" in note


def test_a_config_of_strings_keeps_its_cells_and_rows():
    plan = plan_types(config(schema_handling="string"), BEFORE, BEFORE)
    assert [each.noticed for each in plan.columns] == [()] * 4
    assert plan.noticed == ()


def test_columns_that_come_and_go_are_told():
    gone, *_, new = plan_types(config(), BEFORE, [*AFTER[1:], column("More", "more")]).columns
    assert (gone.after_name, gone.noticed, gone.as_before) == (None, ("the column goes",), "CAST(NULL AS STRING)")
    assert (new.before_name, new.as_before) == (None, None)


def test_the_view_has_the_old_names_in_the_old_order_as_text():
    plan = plan_types(config(), BEFORE, AFTER, view="sales_as_before")
    assert plan.view == (
        "CREATE OR REPLACE VIEW `test-project`.`reports`.`sales_as_before` AS\n"
        "SELECT\n"
        "  CAST(`order_id` AS STRING) AS `Order_ID`,\n"
        "  UPPER(CAST(`paid` AS STRING)) AS `Paid`,\n"
        "  CAST(`day` AS STRING) AS `Day`,\n"
        "  `note` AS `Note`\n"
        "FROM `test-project`.`reports`.`sales`"
    )
    assert [each.exact for each in plan.columns] == [False, False, False, True]


@pytest.mark.parametrize(
    ("type_", "expression"),
    [("NUMERIC(10, 2)", "CAST(`x` AS STRING)"), ("BYTES", "TO_BASE64(`x`)"), ("JSON", "TO_JSON_STRING(`x`)")],
)
def test_every_type_has_a_text(type_, expression):
    (change,) = plan_types(config(), [column("x", "x")], [column("x", "x", type_)]).columns
    assert change.as_before == expression
