"""The view that keeps the old shape, made in BigQuery and read as the table was."""

from types import SimpleNamespace

from google.cloud import bigquery

from migration.types import plan_types


def test_the_view_gives_the_old_columns_as_text(desk):
    old = ("Order_ID", "Paid", "Note")
    new = ("order_id", "paid", "note")
    desk.service_loads(new, [(1234, True, "x"), (None, None, None)], order_id="INT64", paid="BOOL")
    types = ("INT64", "BOOL", "STRING")
    before = [SimpleNamespace(header=name, name=name, type="STRING") for name in old]
    after = [
        SimpleNamespace(header=header, name=name, type=type_)
        for header, name, type_ in zip(old, new, types, strict=True)
    ]
    plan = plan_types(desk.config, before, after, view="sales_as_before")
    desk.client.query_and_wait(plan.view)
    table = bigquery.TableReference.from_string(f"test-project.{desk.config.bigquery_dataset_id}.sales_as_before")
    assert [(field.name, field.field_type) for field in desk.client.get_table(table).schema] == [
        (name, "STRING") for name in old
    ]
    rows = [tuple(row.values()) for row in desk.client.query_and_wait(f"SELECT * FROM `{table}` ORDER BY Order_ID")]
    assert rows == [(None, None, None), ("1234", "TRUE", "x")]
