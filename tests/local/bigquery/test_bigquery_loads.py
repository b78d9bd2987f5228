"""Load jobs: columns by name, schemas, dispositions, and nothing lost by a load that fails."""

import datetime
import gzip
import io

import pyarrow as pa
import pyarrow.parquet
import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import PolicyTagList, SchemaField, TimePartitioning

PARQUET = {"source_format": "PARQUET"}
ID = SchemaField("id", "INT64")
NAME = SchemaField("name", "STRING")


def test_parquet_columns_are_matched_by_name_whatever_their_order_or_case(warehouse):
    warehouse.loaded({"NAME": ["a"], "Id": [1]}, schema=[ID, NAME])
    assert warehouse.rows() == [(1, "a")]


def test_parquet_without_a_schema_brings_its_own(warehouse):
    columns = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("at", pa.timestamp("us"))])
    warehouse.loaded(pa.table({"id": [1], "at": [datetime.datetime.fromisoformat("2020-01-01")]}, columns))
    fields = [(f.name, f.field_type, f.mode) for f in warehouse.client.get_table(warehouse.table()).schema]
    assert fields == [("id", "INTEGER", "REQUIRED"), ("at", "DATETIME", "NULLABLE")]


def test_a_column_that_the_schema_lacks_is_refused_unless_ignored(warehouse):
    rows = {"id": [1], "extra": [2]}
    with pytest.raises(BadRequest, match="'extra' is not in the table's schema"):
        warehouse.loaded(rows, schema=[ID])
    warehouse.loaded(rows, schema=[ID], ignore_unknown_values=True)
    assert warehouse.rows() == [(1,)]


def test_a_nullable_column_that_the_file_lacks_is_null(warehouse):
    warehouse.loaded({"id": [1]}, schema=[ID, NAME])
    assert warehouse.rows() == [(1, None)]


def test_a_required_column_that_the_file_lacks_is_refused(warehouse):
    with pytest.raises(BadRequest, match="Required column 'name' is missing"):
        warehouse.loaded({"id": [1]}, schema=[ID, SchemaField("name", "STRING", mode="REQUIRED")])


@pytest.mark.parametrize(
    ("format_", "content"),
    [("PARQUET", None), ("CSV", b"1,a\n,b\n"), ("NEWLINE_DELIMITED_JSON", b'{"id": 1, "name": "a"}\n{"name": "b"}\n')],
)
def test_required_refuses_null(warehouse, format_, content):
    rows = {"id": [1, None], "name": ["a", "b"]} if content is None else content
    schema = [SchemaField("id", "INT64", mode="REQUIRED"), NAME]
    with pytest.raises(BadRequest, match=r"Only optional fields can be set to NULL\. Field: id"):
        warehouse.loaded(rows, schema=schema, source_format=format_)
    with pytest.raises(NotFound):
        warehouse.client.get_table(warehouse.table())


def test_a_file_that_says_required_does_not_fit_a_nullable_schema(warehouse):
    columns = pa.schema([pa.field("id", pa.int64(), nullable=False)])
    with pytest.raises(BadRequest, match="specified as NULLABLE in provided schema which does not match REQUIRED"):
        warehouse.loaded(pa.table({"id": [1]}, columns), schema=[ID])


def test_truncate_replaces_rows_and_schema_and_drops_descriptions(warehouse):
    described = [
        SchemaField("id", "INT64", description="key", policy_tags=PolicyTagList(["projects/p/taxonomies/1"])),
        NAME,
    ]
    warehouse.loaded({"id": [1], "name": ["a"]}, schema=described)
    assert warehouse.client.get_table(warehouse.table()).schema[0].description == "key"
    warehouse.loaded({"id": ["x"]}, schema=[SchemaField("id", "STRING")], write_disposition="WRITE_TRUNCATE")
    (column,) = warehouse.client.get_table(warehouse.table()).schema
    assert (column.field_type, column.description, column.policy_tags) == ("STRING", None, None)
    assert warehouse.rows() == [("x",)]


def test_truncate_data_replaces_rows_and_keeps_descriptions_and_policy_tags(warehouse):
    tags = PolicyTagList(["projects/p/locations/eu/taxonomies/1/policyTags/2"])
    warehouse.loaded({"id": [1]}, schema=[SchemaField("id", "INT64", description="key", policy_tags=tags), NAME])
    warehouse.loaded({"id": [2]}, schema=[ID], write_disposition="WRITE_TRUNCATE_DATA")
    column = warehouse.client.get_table(warehouse.table()).schema[0]
    assert (column.description, list(column.policy_tags.names)) == ("key", list(tags.names))
    assert warehouse.rows() == [(2, None)]


def test_an_empty_file_makes_an_empty_table_with_its_schema(warehouse):
    warehouse.loaded({"id": [1]})
    warehouse.loaded(pa.table({"n": pa.array([], pa.float64())}), write_disposition="WRITE_TRUNCATE")
    table = warehouse.client.get_table(warehouse.table())
    assert ([(f.name, f.field_type) for f in table.schema], table.num_rows) == ([("n", "FLOAT")], 0)
    assert (warehouse.rows(), warehouse.sql("SELECT COUNT(n) FROM {t}")) == ([], [(0,)])


def test_append_is_the_default_and_keeps_the_old_rows(warehouse):
    warehouse.loaded({"id": [1]})
    job = warehouse.loaded({"id": [2, 3]})
    assert sorted(warehouse.rows()) == [(1,), (2,), (3,)]
    assert (job.output_rows, job.output_bytes) == (2, 16)
    assert warehouse.client.get_table(warehouse.table()).num_rows == 3


def test_append_refuses_another_type(warehouse):
    warehouse.loaded({"id": [1]})
    with pytest.raises(BadRequest, match="Field id has changed type from INTEGER to STRING"):
        warehouse.loaded({"id": ["x"]})


def test_append_refuses_a_new_column_unless_addition_is_allowed(warehouse):
    warehouse.loaded({"id": [1]})
    with pytest.raises(BadRequest, match="Cannot add fields"):
        warehouse.loaded({"id": [2], "name": ["b"]})
    warehouse.loaded({"id": [2], "name": ["b"]}, schema_update_options=["ALLOW_FIELD_ADDITION"])
    assert sorted(warehouse.rows()) == [(1, None), (2, "b")]
    assert warehouse.sql("SELECT name FROM {t} ORDER BY id") == [(None,), ("b",)]


def test_append_refuses_nullable_into_required_unless_relaxation_is_allowed(warehouse):
    warehouse.loaded({"id": [1]}, schema=[SchemaField("id", "INT64", mode="REQUIRED")])
    with pytest.raises(BadRequest, match="has changed mode from REQUIRED to NULLABLE"):
        warehouse.loaded({"id": [2]})
    warehouse.loaded({"id": [None]}, schema=[ID], schema_update_options=["ALLOW_FIELD_RELAXATION"])
    assert warehouse.client.get_table(warehouse.table()).schema[0].mode == "NULLABLE"


def test_schema_updates_do_not_go_with_a_truncating_load(warehouse):
    with pytest.raises(BadRequest, match="Schema update options should only be specified with WRITE_APPEND"):
        warehouse.load({"id": [1]}, write_disposition="WRITE_TRUNCATE", schema_update_options=["ALLOW_FIELD_ADDITION"])


def test_write_empty_refuses_a_table_with_rows(warehouse):
    warehouse.loaded({"id": [1]}, write_disposition="WRITE_EMPTY")
    job = warehouse.load({"id": [2]}, write_disposition="WRITE_EMPTY")
    with pytest.raises(Conflict):
        job.result()
    assert job.error_result["reason"] == "duplicate"
    assert warehouse.rows() == [(1,)]


def test_create_never_needs_the_table(warehouse):
    with pytest.raises(NotFound, match="Not found: Table"):
        warehouse.loaded({"id": [1]}, create_disposition="CREATE_NEVER")


def test_a_missing_dataset_is_answered_before_the_data_is_taken(warehouse):
    configuration = bigquery.LoadJobConfig(**PARQUET)
    with pytest.raises(NotFound, match="Not found: Dataset local-project:nowhere") as raised:
        warehouse.client.load_table_from_file(_empty(), "local-project.nowhere.t", job_config=configuration)
    assert raised.value.errors[0]["reason"] == "notFound"


def test_a_load_names_the_location_of_its_dataset(warehouse):
    with pytest.raises(NotFound, match="was not found in location US"):
        warehouse.client.load_table_from_file(_empty(), warehouse.table(), location="US")


def _empty() -> io.BytesIO:
    return io.BytesIO(b"")


@pytest.mark.parametrize("disposition", ["WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND"])
def test_a_failed_load_changes_nothing(warehouse, disposition):
    warehouse.loaded({"id": [1]}, schema=[SchemaField("id", "INT64", description="key")])
    before = warehouse.client.get_table(warehouse.table())
    with pytest.raises(BadRequest):
        warehouse.loaded(b"2\nx\n", schema=[ID], source_format="CSV", write_disposition=disposition)
    after = warehouse.client.get_table(warehouse.table())
    assert (after.etag, after.schema, warehouse.rows()) == (before.etag, before.schema, [(1,)])


def test_a_file_that_is_no_parquet_fails_with_an_error_result(warehouse):
    job = warehouse.load(b"id\n1\n", **PARQUET)
    with pytest.raises(BadRequest):
        job.result()
    assert job.state == "DONE"
    assert job.error_result["reason"] == "invalid"
    assert job.errors[0] == job.error_result


def test_csv_is_matched_by_position_and_keeps_row_one(warehouse):
    warehouse.loaded(b"1,name\n2,b\n", schema=[ID, NAME], source_format="CSV")
    assert warehouse.rows() == [(1, "name"), (2, "b")]


def test_csv_honours_its_options(warehouse):
    warehouse.loaded(
        b"id|name\n1|'a|b'\n2|-\n",
        schema=[ID, NAME],
        source_format="CSV",
        skip_leading_rows=1,
        field_delimiter="|",
        quote_character="'",
        null_marker="-",
    )
    assert warehouse.rows() == [(1, "a|b"), (2, None)]


@pytest.mark.parametrize("content", [b"1\n", b"1,a,b\n", b'1,"a\nb"\n', b'1,"a\n'])
def test_csv_of_another_shape_is_refused(warehouse, content):
    with pytest.raises(BadRequest, match="CSV processing encountered too many errors"):
        warehouse.loaded(content, schema=[ID, NAME], source_format="CSV")


def test_csv_without_any_schema_is_refused(warehouse):
    with pytest.raises(BadRequest, match="No schema specified on job or table"):
        warehouse.loaded(b"1\n", source_format="CSV")


def test_compressed_ndjson_is_told_by_its_first_bytes(warehouse):
    warehouse.loaded(gzip.compress(b'{"id": 1}\n{"id": 2}\n'), schema=[ID], source_format="NEWLINE_DELIMITED_JSON")
    assert warehouse.rows() == [(1,), (2,)]


def test_ndjson_refuses_an_unknown_field(warehouse):
    with pytest.raises(BadRequest, match="No such field: extra"):
        warehouse.loaded(b'{"id": 1, "extra": 2}', schema=[ID], source_format="NEWLINE_DELIMITED_JSON")


@pytest.mark.parametrize("name", ["Umsatz (€)", "a.b", "a!b", 'a"b', "a`b", "a[0]", "a/b", "_PARTITION_x", "x" * 301])
def test_names_that_bigquery_rejects_are_rejected(warehouse, name):
    with pytest.raises(BadRequest, match="Invalid field name"):
        warehouse.loaded({name: [1]}, schema=[SchemaField(name, "INT64")])


@pytest.mark.parametrize("name", ["Umsatz %", "数量", "größe", "a b", "x" * 300, "1st", "a&b=c+d:'<>#|-"])
def test_flexible_names_are_taken_and_can_be_queried(warehouse, name):
    warehouse.loaded({name: [1]}, schema=[SchemaField(name, "INT64")])
    assert warehouse.sql(f"SELECT `{name}` FROM {{t}}") == [(1,)]


def test_names_that_differ_in_case_only_are_rejected(warehouse):
    with pytest.raises(BadRequest, match="Duplicate column names"):
        warehouse.load({"a": [1]}, schema=[SchemaField("a", "INT64"), SchemaField("A", "INT64")])


def test_multipart_and_resumable_uploads_load_the_same(warehouse):
    big = {"id": list(range(300_000)), "text": [f"row {i}" for i in range(300_000)]}
    from_arrow = pa.table(big)
    warehouse.loaded(from_arrow, "resumable")
    content = pa.BufferOutputStream()
    pa.parquet.write_table(from_arrow, content)
    source = pa.BufferReader(content.getvalue())
    job = warehouse.client.load_table_from_file(
        source, warehouse.table("multipart"), size=source.size(), job_config=bigquery.LoadJobConfig(**PARQUET)
    )
    assert job.result().output_rows == 300_000
    counts = "SELECT COUNT(*), SUM(id), MAX(text) FROM {d}."
    assert warehouse.sql(counts + "multipart") == warehouse.sql(counts + "resumable")


def test_loads_into_a_partition_replace_that_partition_only(warehouse):
    day = TimePartitioning(field="day")
    monday, tuesday = datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)
    warehouse.loaded({"day": [monday, tuesday], "n": [1, 2]}, time_partitioning=day)
    truncate = {"write_disposition": "WRITE_TRUNCATE"}
    warehouse.loaded({"day": [tuesday], "n": [3]}, "t$20240102", **truncate)
    assert sorted(warehouse.rows()) == [(monday, 1), (tuesday, 3)]
    with pytest.raises(BadRequest, match="belong to different partitions"):
        warehouse.loaded({"day": [monday], "n": [4]}, "t$20240102", **truncate)


def test_ingestion_time_partitions_are_replaced_and_queried_by_their_pseudo_column(warehouse):
    for partition, value in [("20240101", 1), ("20240102", 2), ("20240102", 3)]:
        warehouse.loaded({"n": [value]}, f"t${partition}", write_disposition="WRITE_TRUNCATE")
    assert warehouse.client.get_table(warehouse.table()).time_partitioning.type_ == "DAY"
    query = "SELECT n, CAST(_PARTITIONDATE AS STRING) FROM {t} ORDER BY n"
    assert warehouse.sql(query) == [(1, "2024-01-01"), (3, "2024-01-02")]


def test_a_load_may_not_change_the_partitioning(warehouse):
    warehouse.loaded({"day": [datetime.date(2024, 1, 1)]})
    with pytest.raises(BadRequest, match="Incompatible table partitioning specification"):
        warehouse.loaded({"day": [datetime.date(2024, 1, 1)]}, time_partitioning=TimePartitioning(field="day"))
