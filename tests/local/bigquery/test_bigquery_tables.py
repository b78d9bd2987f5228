"""Datasets and tables: what is kept of them, what may change, and etags."""

import datetime
import time

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField

ID = SchemaField("id", "INT64")


def test_a_dataset_keeps_its_location_and_labels(server):
    client = server.client()
    dataset = bigquery.Dataset(f"{client.project}.kept_{time.time_ns()}")
    dataset.location, dataset.labels, dataset.description = "europe-west3", {"team": "data"}, "ours"
    client.create_dataset(dataset)
    found = client.get_dataset(dataset.reference)
    assert (found.location, found.labels, found.description) == ("europe-west3", {"team": "data"}, "ours")
    assert found.created <= found.modified
    with pytest.raises(Conflict, match="Already Exists: Dataset"):
        client.create_dataset(dataset)


@pytest.mark.parametrize("location", ["Mars", "us-central1-a", "europe"])
def test_a_location_that_is_none_is_refused(server, location):
    dataset = bigquery.Dataset("local-project.nowhere")
    dataset.location = location
    with pytest.raises(BadRequest, match="Invalid value for location"):
        server.client().create_dataset(dataset)


def test_a_missing_dataset_is_not_found(warehouse):
    with pytest.raises(NotFound, match="Not found: Dataset local-project:nowhere"):
        warehouse.client.get_dataset("nowhere")
    with pytest.raises(NotFound):
        warehouse.client.create_table(bigquery.Table("local-project.nowhere.t", schema=[ID]))


def test_a_dataset_is_deleted_with_its_tables_only_when_asked(warehouse):
    warehouse.loaded({"id": [1]})
    with pytest.raises(BadRequest, match="still in use"):
        warehouse.client.delete_dataset(warehouse.dataset)
    warehouse.client.delete_dataset(warehouse.dataset, delete_contents=True)
    with pytest.raises(NotFound):
        warehouse.client.get_table(warehouse.table())


def test_a_datasets_description_is_patched_and_its_location_is_not(warehouse):
    dataset = warehouse.client.get_dataset(warehouse.dataset)
    dataset.description = "new"
    assert warehouse.client.update_dataset(dataset, ["description"]).description == "new"
    stale = dataset
    with pytest.raises(PreconditionFailed):
        warehouse.client.update_dataset(stale, ["description"])


def test_hidden_result_datasets_are_listed_only_when_asked(warehouse):
    warehouse.sql("SELECT 1")
    names = [dataset.dataset_id for dataset in warehouse.client.list_datasets()]
    assert warehouse.dataset in names
    assert not [name for name in names if name.startswith("_")]
    assert [d for d in warehouse.client.list_datasets(include_all=True) if d.dataset_id.startswith("_")]


def test_a_table_keeps_what_it_was_created_with(warehouse):
    table = bigquery.Table(
        warehouse.table(),
        schema=[
            SchemaField("day", "DATE", mode="REQUIRED", description="when"),
            SchemaField("price", "NUMERIC", precision=10, scale=2),
            SchemaField("tags", "STRING", mode="REPEATED", max_length=9),
            SchemaField("at", "STRUCT", fields=[SchemaField("x", "FLOAT64")]),
        ],
    )
    table.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field="day")
    table.clustering_fields = ["price"]
    table.labels, table.description = {"a": "b"}, "prices"
    table.expires = datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)
    warehouse.client.create_table(table)
    found = warehouse.client.get_table(warehouse.table())
    types = [(f.name, f.field_type, f.mode, f.precision, f.scale, f.max_length) for f in found.schema]
    assert types == [
        ("day", "DATE", "REQUIRED", None, None, None),
        ("price", "NUMERIC", "NULLABLE", 10, 2, None),
        ("tags", "STRING", "REPEATED", None, None, 9),
        ("at", "RECORD", "NULLABLE", None, None, None),
    ]
    assert found.schema[0].description == "when"
    assert (found.time_partitioning.type_, found.time_partitioning.field) == ("MONTH", "day")
    assert (found.clustering_fields, found.labels, found.description) == (["price"], {"a": "b"}, "prices")
    assert (found.expires, found.location, found.num_rows) == (table.expires, "EU", 0)
    with pytest.raises(Conflict, match="Already Exists: Table"):
        warehouse.client.create_table(table)


def test_an_expired_table_is_gone(warehouse):
    warehouse.loaded({"id": [1]})
    table = warehouse.client.get_table(warehouse.table())
    table.expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=0.5)
    warehouse.client.update_table(table, ["expires"])
    assert warehouse.rows() == [(1,)]
    time.sleep(0.6)
    with pytest.raises(NotFound):
        warehouse.client.get_table(warehouse.table())
    assert list(warehouse.client.list_tables(warehouse.dataset)) == []


def test_a_stale_etag_changes_nothing(warehouse):
    warehouse.loaded({"id": [1]})
    stale = warehouse.client.get_table(warehouse.table())
    warehouse.loaded({"id": [2]})
    stale.description = "lost update"
    with pytest.raises(PreconditionFailed):
        warehouse.client.update_table(stale, ["description"])
    assert warehouse.client.get_table(warehouse.table()).description is None


def test_descriptions_are_patched_without_touching_rows(warehouse):
    warehouse.loaded({"id": [1]}, schema=[ID])
    table = warehouse.client.get_table(warehouse.table())
    before = table.modified
    table.schema = [SchemaField("id", "INT64", description="key"), SchemaField("name", "STRING")]
    warehouse.client.update_table(table, ["schema"])
    after = warehouse.client.get_table(warehouse.table())
    assert [(field.name, field.description) for field in after.schema] == [("id", "key"), ("name", None)]
    assert (warehouse.rows(), after.num_rows) == ([(1, None)], 1)
    assert warehouse.sql("SELECT name FROM {t}") == [(None,)]
    assert after.modified >= before


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ([SchemaField("other", "INT64")], "Field id is missing in new schema"),
        ([SchemaField("id", "STRING")], "Field id has changed type from INTEGER to STRING"),
        ([ID, SchemaField("n", "INT64", mode="REQUIRED")], "Cannot add required fields"),
    ],
)
def test_a_patch_may_neither_drop_nor_retype_columns(warehouse, schema, message):
    warehouse.loaded({"id": [1]}, schema=[ID])
    table = warehouse.client.get_table(warehouse.table())
    table.schema = schema
    with pytest.raises(BadRequest, match=message):
        warehouse.client.update_table(table, ["schema"])


def test_sizes_are_those_of_the_logical_bytes(warehouse):
    warehouse.loaded({"n": [1, None], "s": ["äb", None]})
    table = warehouse.client.get_table(warehouse.table())
    assert (table.num_rows, table.num_bytes) == (2, 8 + 2 + 3)


def test_rows_are_listed_by_page_range_and_field(warehouse):
    warehouse.loaded({"id": list(range(10)), "name": [str(n) for n in range(10)]})
    warehouse.loaded({"id": [10], "name": ["10"]})
    client, table = warehouse.client, warehouse.client.get_table(warehouse.table())
    assert [row[0] for row in client.list_rows(table, page_size=3)] == list(range(11))
    assert [row[0] for row in client.list_rows(table, start_index=8, max_results=2)] == [8, 9]
    selected = client.list_rows(table, selected_fields=[SchemaField("name", "STRING")], max_results=1)
    assert [row.values() for row in selected] == [("0",)]


def test_tables_are_listed_and_deleted(warehouse):
    warehouse.loaded({"id": [1]}, "b")
    warehouse.loaded({"id": [1]}, "a")
    assert [table.table_id for table in warehouse.client.list_tables(warehouse.dataset)] == ["a", "b"]
    warehouse.client.delete_table(warehouse.table("a"))
    with pytest.raises(NotFound):
        warehouse.client.delete_table(warehouse.table("a"))
    assert [table.table_id for table in warehouse.client.list_tables(warehouse.dataset)] == ["b"]


@pytest.mark.parametrize("name", ["a.b", "a/b", "x" * 1025])
def test_table_ids_that_bigquery_rejects_are_rejected(warehouse, name):
    resource = {
        "tableReference": {"projectId": warehouse.client.project, "datasetId": warehouse.dataset, "tableId": name},
        "schema": {"fields": [{"name": "id", "type": "INTEGER"}]},
    }
    with pytest.raises(BadRequest, match="Invalid table ID"):
        warehouse.client.create_table(bigquery.Table.from_api_repr(resource))


@pytest.mark.parametrize(
    "field",
    [
        {"name": "a", "type": "VARCHAR"},
        {"name": "a", "type": "INTEGER", "mode": "OPTIONAL"},
        {"name": "a", "type": "RECORD"},
        {"name": "a", "type": "STRING", "precision": "3"},
        {"name": "a", "type": "NUMERIC", "precision": "40"},
    ],
)
def test_columns_that_make_no_sense_are_refused(warehouse, field):
    resource = {
        "tableReference": {"projectId": warehouse.client.project, "datasetId": warehouse.dataset, "tableId": "t"},
        "schema": {"fields": [field]},
    }
    with pytest.raises(BadRequest):
        warehouse.client._connection.api_request(
            method="POST",
            path=f"/projects/{warehouse.client.project}/datasets/{warehouse.dataset}/tables",
            data=resource,
        )


def test_everybody_may_do_everything_with_a_table_that_is_there(warehouse):
    wanted = ["bigquery.tables.update", "bigquery.tables.updateData"]
    table = warehouse.client.create_table(bigquery.Table(f"{warehouse.client.project}.{warehouse.dataset}.t"))
    assert warehouse.client.test_iam_permissions(table, wanted) == {"permissions": wanted}
    with pytest.raises(NotFound, match="Not found: Table"):
        warehouse.client.test_iam_permissions(f"{warehouse.client.project}.{warehouse.dataset}.nothing", wanted)
