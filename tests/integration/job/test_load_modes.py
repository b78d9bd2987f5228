"""Append, merge and snapshot: what was in the table stays, and each run writes it once."""

import json
import uuid
from datetime import date
from typing import Any

import pytest

from local.environment import PROJECT
from shared import load_job
from tests.integration.job.conftest import DATASET, Desk, Outcomes, Shown

HEADER = ["Order ID", "Customer", "Units"]
MERGE = {"load_mode": "merge", "merge_keys": ["Order ID"]}


def options(**given: Any) -> dict[str, str]:
    return {"OPTIONS": json.dumps(given)}


@pytest.fixture
def run_id() -> str:
    return str(uuid.uuid4())


def loads(desk: Desk, rows: list[list[Any]], header: list[Any] = HEADER, **settings: str) -> str:
    """Loads these rows as a run of its own; the job's last line."""
    desk.write({"Sheet1": [header, *rows]})
    return desk.run_for(str(uuid.uuid4()), **settings).line


def test_append_adds_the_rows_and_makes_the_table_at_first(desk: Desk) -> None:
    append = options(load_mode="append")
    assert "1 rows into" in loads(desk, [["A", "Ada", 1]], **append)
    assert "2 rows into" in loads(desk, [["B", "Bo", 2], ["A", "Ada", 1]], **append)
    assert sorted(desk.rows()) == [("A", "Ada", 1), ("A", "Ada", 1), ("B", "Bo", 2)]


def test_what_is_appended_becomes_what_the_table_has_there(desk: Desk) -> None:
    """In the wild: types drift between loads."""
    append = options(load_mode="append")
    loads(desk, [["A", "Ada", 1.5], ["7", "Bo", None]], **append)
    loads(desk, [["0815", "Cy", 2]], **append)  # all whole numbers
    loads(desk, [["D", None, None]], **append)  # nothing at all
    assert desk.columns() == {"order_id": "STRING", "customer": "STRING", "units": "FLOAT64"}
    assert sorted(row[0] for row in desk.rows()) == ["0815", "7", "A", "D"]


def test_a_cell_that_the_tables_column_cannot_hold_is_named_and_nothing_is_appended(desk: Desk) -> None:
    append = options(load_mode="append")
    loads(desk, [["A", "Ada", 1]], **append)
    line = loads(desk, [["B", "Bo", 2], ["C", "Cy", "many"]], **append)
    assert line.startswith("Job execution failed: SchemaViolated: ")
    assert "1 cell is not as the table asks: Sheet1!C3" in line
    assert "many" not in line
    assert desk.rows() == [("A", "Ada", 1)]


def test_a_new_column_is_added_and_one_that_is_gone_is_null(desk: Desk) -> None:
    """In the wild: a new column is invisible, or a removed one breaks the load."""
    append = options(load_mode="append")
    loads(desk, [["A", "Ada", 1]], **append)
    loads(desk, [["B", 2, True]], ["Order ID", "Units", "Paid"], **append)
    assert list(desk.columns()) == ["order_id", "customer", "units", "paid"]
    assert sorted(desk.rows()) == [("A", "Ada", 1, None), ("B", None, 2, True)]


def test_a_second_execution_of_the_attempt_appends_nothing(desk: Desk, run_id: str) -> None:
    desk.write({"Sheet1": [HEADER, ["A", "Ada", 1]]})
    first = desk.run_for(run_id, execution="job-first", **options(load_mode="append"))
    second = desk.run_for(run_id, execution="job-second", **options(load_mode="append"))
    assert (first.code, second.code, second.line) == (0, 0, first.line)
    assert desk.rows() == [("A", "Ada", 1)]


def test_merge_updates_the_rows_whose_key_is_there_and_inserts_the_others(desk: Desk) -> None:
    assert "2 rows into" in loads(desk, [["A", "Ada", 1], ["B", "Bo", 2]], **options(**MERGE))
    assert "2 rows into" in loads(desk, [["B", "Bob", 20], ["C", "Cy", 3]], **options(**MERGE))
    assert sorted(desk.rows()) == [("A", "Ada", 1), ("B", "Bob", 20), ("C", "Cy", 3)]


def test_a_merge_adds_columns_and_leaves_alone_what_the_sheet_has_not(desk: Desk) -> None:
    loads(desk, [["A", "Ada", 1], ["B", "Bo", 2]], **options(**MERGE))
    loads(desk, [["B", 20, True]], ["Order ID", "Units", "Paid"], **options(**MERGE))
    assert sorted(desk.rows()) == [("A", "Ada", 1, None), ("B", "Bo", 20, True)]


def test_merge_keys_can_be_several_and_all_there_is(desk: Desk) -> None:
    both = options(load_mode="merge", merge_keys=["day", "Shop"])
    for _ in range(2):
        rows = [[Shown(45292, "date"), "North"], [Shown(45292, "date"), "South"]]
        assert "2 rows into" in loads(desk, rows, ["Day", "Shop"], **both)
    assert sorted(desk.rows()) == [(date(2024, 1, 1), "North"), (date(2024, 1, 1), "South")]


def test_rows_that_their_keys_do_not_tell_apart_are_named_and_nothing_is_merged(desk: Desk) -> None:
    rows = [["A", "Ada", 1], [], [None, "Bo", 2], ["C", "Cy", 3], ["A", "Al", 4]]
    line = loads(desk, rows, **options(**MERGE))
    assert line.startswith("Job execution failed: KeysViolated: ")
    assert "nothing in Sheet1!A4; Sheet1!A2 and Sheet1!A6 have the same key" in line
    assert desk.columns() == {}


def test_a_merge_is_the_attempts_one_job_and_its_staging_goes(desk: Desk, run_id: str) -> None:
    desk.write({"Sheet1": [HEADER, ["A", "Ada", 1]]})
    assert desk.run_for(run_id, execution="job-first", **options(**MERGE)).code == 0
    assert desk.run_for(run_id, execution="job-second", **options(**MERGE)).code == 0
    job = desk.job(run_id)
    assert (job.job_type, job.statement_type, job.num_dml_affected_rows) == ("query", "MERGE", 1)
    seen = load_job.look(desk.bigquery, run_id, 1, "US")
    assert (seen.found, seen.verdict, seen.rows, seen.execution) == ("done", "loaded", 1, "job-first")
    tables = [table.table_id for table in desk.bigquery.list_tables(f"{PROJECT}.{DATASET}")]
    assert [name for name in tables if run_id in name] == []


def test_a_burned_attempt_merges_nothing(desk: Desk, run_id: str) -> None:
    desk.write({"Sheet1": [HEADER, ["A", "Ada", 1]]})
    load_job.burn(desk.bigquery, run_id, 1, "US")
    assert desk.run_for(run_id, **options(**MERGE)).line.startswith("Job execution failed: AttemptClosed: ")
    assert desk.rows() == []


def test_a_staged_reading_is_merged_whole_by_whichever_execution(desk: Desk, run_id: str) -> None:
    """The first execution died after staging; the second one read a sheet that was edited since."""
    desk.write({"Sheet1": [HEADER, ["A", "Ada", 1]]})
    assert desk.run_for(run_id, execution="job-first", **options(**MERGE)).code == 0
    other = str(uuid.uuid4())
    desk.bigquery.query_and_wait(f"DELETE FROM `{PROJECT}.{DATASET}.{desk.id}` WHERE true")
    staged_job = f"{load_job.job_id(other, 1)}_staging"
    _stage(desk, other, staged_job, [{"order_id": "B", "customer": "Bo", "units": 2}])
    desk.write({"Sheet1": [HEADER, ["C", "Cy", 3]]})
    assert "1 rows into" in desk.run_for(other, execution="job-second", **options(**MERGE)).line
    assert desk.rows() == [("B", "Bo", 2)]
    assert load_job.look(desk.bigquery, other, 1, "US").execution == "job-dead"


def _stage(desk: Desk, run_id: str, job_id: str, rows: list[dict[str, Any]]) -> None:
    from google.cloud import bigquery

    fields = [bigquery.SchemaField(name, kind) for name, kind in _FIELDS]
    labels = load_job.labels(run_id, 1, "job-dead", "loaded") | load_job.content_labels("c0ffee", len(rows))
    config = bigquery.LoadJobConfig(schema=fields, labels=labels)
    table = f"{PROJECT}.{DATASET}._staging_{load_job.job_id(run_id, 1)}"
    desk.bigquery.load_table_from_json(rows, table, job_id=job_id, location="US", job_config=config).result()


_FIELDS = (("order_id", "STRING"), ("customer", "STRING"), ("units", "INT64"))


def test_a_snapshot_replaces_the_partition_of_its_slots_date_alone(desk: Desk) -> None:
    snapshot = options(load_mode="snapshot")
    loads(desk, [["A", "Ada", 1]], RUN_SLOT="2026-03-01T23:30:00-02:00", **snapshot)  # 2 March, UTC
    loads(desk, [["A", "Ada", 2]], RUN_SLOT="2026-03-03T06:00:00+00:00", **snapshot)
    loads(desk, [["A", "Ada", 3], ["B", "Bo", 3]], RUN_SLOT="2026-03-03T18:00:00+00:00", **snapshot)
    counted = desk.bigquery.query_and_wait(
        f"SELECT FORMAT_DATE('%F', _PARTITIONDATE) AS day, COUNT(*) AS rows_, MAX(units) AS units"
        f" FROM `{PROJECT}.{DATASET}.{desk.id}` GROUP BY day ORDER BY day"
    )
    assert [tuple(row.values()) for row in counted] == [("2026-03-02", 1, 1), ("2026-03-03", 2, 3)]


def test_a_snapshot_does_not_go_into_a_table_that_is_not_made_for_it(desk: Desk) -> None:
    loads(desk, [["A", "Ada", 1]])
    line = loads(desk, [["B", "Bo", 2]], **options(load_mode="snapshot"))
    assert line.startswith("Job execution failed: OptionRefused: ")
    assert "the table is not partitioned" in line
    assert desk.rows() == [("A", "Ada", 1)]


def test_the_run_hears_how_the_columns_changed(desk: Desk, outcomes: Outcomes) -> None:
    loads(desk, [["A", "Ada", 1]])
    loads(desk, [["A", "x", True]], ["Order ID", "Units", "Paid"])
    first, second = outcomes.taken()
    assert first.schema_changes == ()
    changes = {change.name: (change.before, change.after) for change in second.schema_changes}
    assert changes == {
        "customer": ("STRING NULLABLE", None),
        "units": ("INT64 NULLABLE", "STRING NULLABLE"),
        "paid": (None, "BOOL NULLABLE"),
    }
