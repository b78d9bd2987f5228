"""Queries in GoogleSQL: results, parameters, destinations, DML, DDL and INFORMATION_SCHEMA."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest, Conflict, MethodNotImplemented, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter, SchemaField

UTC = datetime.UTC


@pytest.fixture
def sales(warehouse):
    """Table t with three rows."""
    warehouse.loaded(
        {
            "id": [1, 2, 3],
            "name": ["a", "b", None],
            "day": [datetime.date(2024, 1, day) for day in (1, 2, 3)],
            "amount": pa.array([Decimal("1.5"), Decimal(2), None], pa.decimal128(38, 9)),
        }
    )
    return warehouse


def one(warehouse, expression):
    return warehouse.sql(f"SELECT {expression}")[0][0]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1", 1),
        ("7 / 2", 3.5),
        ("DIV(7, 2)", 3),
        ("1.5", 1.5),
        ("NUMERIC '1.5' + 1", Decimal("2.5")),
        ("NUMERIC '99999999999999999999999999999.999999999'", Decimal("99999999999999999999999999999.999999999")),
        ("CAST('0.000000001' AS NUMERIC)", Decimal("1e-9")),
        ("BIGNUMERIC '0.000000000000000001'", Decimal("1e-18")),
        ("SAFE_CAST('x' AS INT64)", None),
        ("IFNULL(NULL, 'x')", "x"),
        ("DATE_SUB(DATE '2024-03-01', INTERVAL 1 DAY)", datetime.date(2024, 2, 29)),
        ("EXTRACT(YEAR FROM DATE '2024-03-01')", 2024),
        ("TIMESTAMP '2024-01-01 00:00:00+01:00'", datetime.datetime(2023, 12, 31, 23, tzinfo=UTC)),
        ("DATETIME '2024-01-01 12:30:00'", datetime.datetime.fromisoformat("2024-01-01T12:30")),
        ("TIME '12:30:00.5'", datetime.time(12, 30, 0, 500000)),
        ("SUM(x) FROM UNNEST([1, 2, 3]) AS x", 6),
        ("COUNTIF(x > 1) FROM UNNEST([1, 2, 3]) AS x", 2),
        ("ARRAY_AGG(x ORDER BY x DESC) FROM UNNEST([1, 2, 3]) AS x", [3, 2, 1]),
        ("STRUCT(1 AS a, 'x' AS b)", {"a": 1, "b": "x"}),
        ("FORMAT('%05d', 42)", "00042"),
        ("TO_JSON_STRING([1, 2])", "[1,2]"),
        ("SAFE_DIVIDE(1, 0)", None),
        ("b'abc'", b"abc"),
        ("NULL", None),
    ],
)
def test_expressions_give_bigquerys_values_and_types(warehouse, expression, value):
    found = one(warehouse, expression)
    assert found == value
    assert type(found) is type(value)


def test_nameless_columns_are_called_f0_and_so_on(warehouse):
    rows = warehouse.client.query_and_wait("SELECT 1, 2 AS two, 'x'")
    assert [field.name for field in rows.schema] == ["f0_", "two", "f1_"]


@pytest.mark.parametrize("name", ["`{p}.{d}.t`", "`{p}`.{d}.t", "`{p}`.`{d}`.`t`", "{p}.{d}.t", "{d}.t"])
def test_tables_are_found_by_every_way_of_writing_their_names(sales, name):
    written = name.format(p=sales.client.project, d=sales.dataset)
    assert sales.sql(f"SELECT COUNT(*) FROM {written}") == [(3,)]
    assert sales.sql(f"SELECT x.id FROM {written} AS x WHERE x.id = 2") == [(2,)]


def test_a_default_dataset_and_common_table_expressions(sales):
    default = bigquery.DatasetReference(sales.client.project, sales.dataset)
    query = "WITH big AS (SELECT * FROM t WHERE t.id > 1) SELECT COUNT(*) FROM big JOIN t USING (id)"
    assert sales.sql(query, default_dataset=default) == [(2,)]
    with pytest.raises(BadRequest, match="must be qualified with a dataset"):
        sales.sql("SELECT * FROM t")


def test_named_and_positional_parameters(sales):
    named = [ScalarQueryParameter("low", "INT64", 2), ArrayQueryParameter("names", "STRING", ["b", "c"])]
    assert sales.sql("SELECT id FROM {t} WHERE id >= @low AND name IN UNNEST(@names)", *named) == [(2,)]
    positional = [ScalarQueryParameter(None, "DATE", datetime.date(2024, 1, 2)), ScalarQueryParameter(None, "INT64", 1)]
    assert sales.sql("SELECT id FROM {t} WHERE day >= ? AND id > ? ORDER BY id", *positional) == [(2,), (3,)]
    nothing = ScalarQueryParameter("p", "STRING", None)
    assert sales.sql("SELECT @p", nothing) == [(None,)]
    with pytest.raises(BadRequest, match="Query parameter 'missing' not found"):
        sales.sql("SELECT @missing")


def test_long_results_arrive_in_pages(warehouse):
    rows = warehouse.client.query_and_wait("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS x", page_size=300)
    assert sorted(row[0] for row in rows) == list(range(1, 1001))


def test_a_dry_run_tells_the_schema_and_leaves_no_job(sales):
    configuration = bigquery.QueryJobConfig(dry_run=True)
    job = sales.client.query(f"SELECT id, name FROM {sales.dataset}.t", job_config=configuration)
    assert [(field.name, field.field_type) for field in job.schema] == [("id", "INTEGER"), ("name", "STRING")]
    assert job.total_bytes_processed > 0
    with pytest.raises(BadRequest, match="Unrecognized name: nothing"):
        sales.client.query(f"SELECT nothing FROM {sales.dataset}.t", job_config=configuration)


def test_a_destination_table_is_written_by_its_disposition(sales):
    destination = bigquery.TableReference.from_string(sales.table("copy"))
    sales.sql("SELECT id, name FROM {t}", destination=destination)
    with pytest.raises(Conflict):
        sales.sql("SELECT id, name FROM {t}", destination=destination)
    sales.sql("SELECT 9 AS id, 'z' AS name", destination=destination, write_disposition="WRITE_APPEND")
    assert sorted(sales.rows("copy"))[-1] == (9, "z")
    sales.sql("SELECT 'new' AS s", destination=destination, write_disposition="WRITE_TRUNCATE")
    assert sales.rows("copy") == [("new",)]


@pytest.mark.parametrize(
    ("statement", "error", "message"),
    [
        ("SELECT nothing FROM {t}", BadRequest, "Unrecognized name: nothing"),
        ("SELECT * FROM {d}.missing", NotFound, "Not found: Table .* was not found in location EU"),
        ("SELECT * FROM nowhere.t", NotFound, "Not found: Dataset local-project:nowhere"),
        ("SELECT FROM WHERE", BadRequest, "Syntax error"),
        ("SELEC 1", BadRequest, "Syntax error"),
        ("UPDATE {t} SET id = 1", BadRequest, "must have a WHERE clause"),
        ("SELECT CAST('x' AS INT64)", BadRequest, "Could not convert"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(sales, statement, error, message):
    with pytest.raises(error, match=message):
        sales.sql(statement)


def test_a_query_runs_where_its_tables_are(sales, server):
    with pytest.raises(NotFound, match="was not found in location US"):
        server.client("US").query_and_wait(f"SELECT * FROM {sales.dataset}.t")


def test_dml_changes_rows_and_counts_them(sales):
    client = sales.client

    def run(statement):
        job = client.query(statement.replace("{t}", sales.table()))
        job.result()
        return job.statement_type, job.num_dml_affected_rows

    assert run("INSERT INTO `{t}` (id, name) VALUES (4, 'd'), (5, 'e')") == ("INSERT", 2)
    assert run("UPDATE `{t}` SET name = UPPER(name) WHERE id >= 4") == ("UPDATE", 2)
    assert run("DELETE FROM `{t}` WHERE id IN (1, 2, 3)") == ("DELETE", 3)
    assert sorted(sales.rows()) == [(4, "D", None, None), (5, "E", None, None)]
    assert run("INSERT `{t}` (id) SELECT id + 10 FROM `{t}`") == ("INSERT", 2)
    assert run("TRUNCATE TABLE `{t}`") == ("TRUNCATE_TABLE", 4)
    assert sales.rows() == []


def test_merge_applies_every_kind_of_action(sales):
    sales.loaded({"id": [2, 9], "name": ["new", "n"], "day": [None, None], "amount": [None, None]}, "s", schema=None)
    job = sales.client.query(
        f"""MERGE {sales.dataset}.t AS T USING {sales.dataset}.s AS S ON T.id = S.id
        WHEN MATCHED THEN UPDATE SET name = S.name
        WHEN NOT MATCHED THEN INSERT (id, name) VALUES (S.id, S.name)
        WHEN NOT MATCHED BY SOURCE AND T.id = 1 THEN DELETE"""
    )
    job.result()
    assert job.num_dml_affected_rows == 3
    stats = job.dml_stats
    assert (stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count) == (1, 1, 1)
    assert sorted(row[:2] for row in sales.rows()) == [(2, "new"), (3, None), (9, "n")]


def test_merge_on_false_replaces_all_rows_at_once_and_keeps_descriptions(warehouse):
    schema = [SchemaField("id", "INT64", description="key")]
    warehouse.loaded({"id": [1]}, schema=schema)
    warehouse.loaded({"id": [7, 8]}, "s")
    warehouse.sql(
        "MERGE {t} T USING {d}.s S ON FALSE WHEN NOT MATCHED THEN INSERT ROW WHEN NOT MATCHED BY SOURCE THEN DELETE"
    )
    assert sorted(warehouse.rows()) == [(7,), (8,)]
    assert warehouse.client.get_table(warehouse.table()).schema[0].description == "key"


def test_merge_refuses_two_source_rows_for_one_target_row(sales):
    with pytest.raises(BadRequest, match="must match at most one source row"):
        sales.sql(
            "MERGE {t} T USING (SELECT 1 AS id UNION ALL SELECT 1) S ON T.id = S.id"
            " WHEN MATCHED THEN UPDATE SET name = 'x'"
        )
    assert sales.rows()[0][1] == "a"


def test_update_from_another_table_refuses_two_source_rows_too(sales):
    two = "(SELECT 1 AS id, 'x' AS n UNION ALL SELECT 1, 'y')"
    with pytest.raises(BadRequest, match="must match at most one source row"):
        sales.sql("UPDATE {t} T SET name = S.n FROM " + two + " S WHERE T.id = S.id")
    sales.sql("UPDATE {t} T SET name = S.n FROM (SELECT 1 AS id, 'x' AS n) S WHERE T.id = S.id")
    assert sales.rows()[0][1] == "x"


def test_dml_keeps_required_columns_filled(warehouse):
    warehouse.loaded({"id": [1]}, schema=[SchemaField("id", "INT64", mode="REQUIRED"), SchemaField("n", "INT64")])
    with pytest.raises(BadRequest, match="Only optional fields can be set to NULL"):
        warehouse.sql("INSERT INTO {t} (n) VALUES (1)")
    assert warehouse.rows() == [(1, None)]


def test_ddl_creates_describes_alters_and_drops(warehouse):
    warehouse.sql(
        """CREATE TABLE {t} (day DATE NOT NULL OPTIONS (description = 'when'), price NUMERIC(10, 2), tags ARRAY<STRING>)
        PARTITION BY DATE_TRUNC(day, MONTH) CLUSTER BY price
        OPTIONS (description = 'prices', labels = [('team', 'data')])"""
    )
    table = warehouse.client.get_table(warehouse.table())
    fields = [(f.name, f.field_type, f.mode, f.precision, f.description) for f in table.schema]
    assert fields == [
        ("day", "DATE", "REQUIRED", None, "when"),
        ("price", "NUMERIC", "NULLABLE", 10, None),
        ("tags", "STRING", "REPEATED", None, None),
    ]
    assert (table.time_partitioning.field, table.time_partitioning.type_) == ("day", "MONTH")
    assert (table.clustering_fields, table.labels, table.description) == (["price"], {"team": "data"}, "prices")
    with pytest.raises(Conflict):
        warehouse.sql("CREATE TABLE {t} (x INT64)")
    warehouse.sql("CREATE TABLE IF NOT EXISTS {t} (x INT64)")
    warehouse.sql("ALTER TABLE {t} ADD COLUMN note STRING")
    assert warehouse.client.get_table(warehouse.table()).schema[-1].name == "note"
    warehouse.sql("DROP TABLE {t}")
    warehouse.sql("DROP TABLE IF EXISTS {t}")
    with pytest.raises(NotFound):
        warehouse.sql("DROP TABLE {t}")


@pytest.mark.parametrize(
    ("clause", "field", "type_"),
    [
        ("day", "day", "DAY"),
        ("DATE(ts)", "ts", "DAY"),
        ("TIMESTAMP_TRUNC(ts, HOUR)", "ts", "HOUR"),
        ("DATETIME_TRUNC(dt, YEAR)", "dt", "YEAR"),
        ("_PARTITIONDATE", None, "DAY"),
    ],
)
def test_every_way_of_partitioning_by_time(warehouse, clause, field, type_):
    warehouse.sql("CREATE TABLE {t} (day DATE, ts TIMESTAMP, dt DATETIME) PARTITION BY " + clause)
    partitioning = warehouse.client.get_table(warehouse.table()).time_partitioning
    assert (partitioning.field, partitioning.type_) == (field, type_)


def test_datasets_are_created_and_dropped_by_sql(warehouse):
    name = f"{warehouse.dataset}_2"
    warehouse.sql(f"CREATE SCHEMA {name} OPTIONS (location = 'EU', description = 'ours')")
    assert warehouse.client.get_dataset(name).description == "ours"
    warehouse.sql(f"CREATE TABLE {name}.t AS SELECT 1 AS x")
    with pytest.raises(BadRequest, match="still in use"):
        warehouse.sql(f"DROP SCHEMA {name}")
    warehouse.sql(f"DROP SCHEMA {name} CASCADE")
    with pytest.raises(NotFound):
        warehouse.client.get_dataset(name)


def test_create_table_as_select_and_views(sales):
    sales.sql("CREATE OR REPLACE TABLE {d}.c AS SELECT id, amount * 2 AS double FROM {t}")
    assert sales.rows("c")[0] == (1, Decimal(3))
    sales.sql("CREATE VIEW {d}.v AS SELECT id FROM {d}.c WHERE id > 1")
    assert sales.sql("SELECT COUNT(*) FROM {d}.v") == [(2,)]
    view = sales.client.get_table(sales.table("v"))
    assert (view.table_type, [field.name for field in view.schema]) == ("VIEW", ["id"])
    sales.sql("INSERT INTO {d}.c (id) VALUES (10)")
    assert sales.sql("SELECT COUNT(*) FROM {d}.v") == [(3,)]
    with pytest.raises(BadRequest, match="VIEW"):
        sales.loaded({"id": [1]}, "v")


def test_a_table_and_a_view_do_not_replace_each_other(sales):
    sales.sql("CREATE OR REPLACE VIEW {d}.seen AS SELECT 1 AS n")
    with pytest.raises(BadRequest, match="seen is not allowed for this operation because it is currently a VIEW"):
        sales.sql("CREATE OR REPLACE TABLE {d}.seen AS SELECT 1 AS n")
    with pytest.raises(BadRequest, match="is not allowed for this operation because it is currently a TABLE"):
        sales.sql("CREATE OR REPLACE VIEW {t} AS SELECT 1 AS n")
    sales.sql("CREATE OR REPLACE VIEW {d}.seen AS SELECT 2 AS n")
    assert sales.sql("SELECT n FROM {d}.seen") == [(2,)]


def test_information_schema_tells_columns_tables_and_jobs(warehouse):
    tags = bigquery.PolicyTagList(["projects/p/locations/eu/taxonomies/1/policyTags/2"])
    schema = [
        SchemaField("id", "INT64", mode="REQUIRED", description="key", policy_tags=tags),
        SchemaField("price", "NUMERIC", precision=10, scale=2),
    ]
    warehouse.load({"id": [1]}, job_id=f"{warehouse.dataset}-load", schema=schema, labels={"run": "1"}).result()
    columns = "SELECT column_name, is_nullable, data_type FROM {d}.INFORMATION_SCHEMA.COLUMNS ORDER BY ordinal_position"
    assert warehouse.sql(columns) == [("id", "NO", "INT64"), ("price", "YES", "NUMERIC(10, 2)")]
    paths = "SELECT field_path, description, policy_tags FROM {d}.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS ORDER BY 1"
    assert warehouse.sql(paths) == [("id", "key", list(tags.names)), ("price", None, [])]
    assert warehouse.sql("SELECT table_name, table_type FROM {d}.INFORMATION_SCHEMA.TABLES") == [("t", "BASE TABLE")]
    jobs = (
        "SELECT job_type, state, destination_table.table_id, labels[OFFSET(0)].value"
        f" FROM `region-eu`.INFORMATION_SCHEMA.JOBS WHERE job_id = '{warehouse.dataset}-load'"
    )
    assert warehouse.sql(jobs) == [("LOAD", "DONE", "t", "1")]


def test_every_kind_of_job_tells_the_table_that_it_wrote(sales):
    sales.sql("UPDATE {t} SET id = 7 WHERE id = 3")
    sales.sql("CREATE TABLE {d}.made AS SELECT 1 AS x")
    sales.client.copy_table(sales.table(), sales.table("copied")).result()
    written = (
        "SELECT statement_type, job_type, destination_table.table_id, total_bytes_billed >= 0"
        " FROM `region-eu`.INFORMATION_SCHEMA.JOBS_BY_PROJECT"
        f" WHERE destination_table.dataset_id = '{sales.dataset}' ORDER BY creation_time"
    )
    assert sales.sql(written) == [
        (None, "LOAD", "t", True),
        ("UPDATE", "QUERY", "t", True),
        ("CREATE_TABLE_AS_SELECT", "QUERY", "made", True),
        (None, "COPY", "copied", True),
    ]


def test_a_query_without_a_location_runs_where_its_first_table_is(sales, server):
    job = server.client().query(f"SELECT COUNT(*) FROM {sales.dataset}.t")
    assert [row[0] for row in job.result()] == [3]
    assert job.location == "EU"
    assert server.client().query("SELECT 1").location == "US"


def test_nulls_come_first_in_ascending_order(sales):
    assert sales.sql("SELECT name FROM {t} ORDER BY name") == [(None,), ("a",), ("b",)]
    assert sales.sql("SELECT name FROM {t} ORDER BY name DESC") == [("b",), ("a",), (None,)]


@pytest.mark.parametrize(
    "statement", ["SELECT 1 / 0", "SELECT id / (id - 1) FROM {t}", "SELECT AVG(id) / 0.0 FROM {t}"]
)
def test_division_by_zero_is_an_error(sales, statement):
    with pytest.raises(BadRequest, match="division by zero"):
        sales.sql(statement)


def test_two_result_columns_of_one_name_are_refused(sales):
    with pytest.raises(BadRequest, match=r"Duplicate column names in the result are not supported.*: id"):
        sales.sql("SELECT a.id, b.id FROM {t} a JOIN {t} b USING (name)")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; SELECT 2",
        "SELECT * FROM {t} FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
        "SELECT FORMAT('%t', 1)",
        "CREATE TABLE {d}.i AS SELECT INTERVAL 1 DAY AS i",
    ],
)
def test_what_is_not_supported_is_said_to_be_not_supported(sales, statement):
    with pytest.raises(MethodNotImplemented, match="the local BigQuery server does not support it"):
        sales.sql(statement)


def test_intervals_are_given_back(warehouse):
    (interval,) = warehouse.sql("SELECT INTERVAL 1 MONTH + INTERVAL 2 DAY AS i")[0]
    assert (interval.months, interval.days) == (1, 2)
