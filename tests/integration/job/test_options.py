"""What a config's options make of a load: layout, drifting columns, empty and shrunken sheets, unchanged content."""

import json
import uuid
from typing import Any

import pytest
from google.cloud import bigquery

from local.environment import PROJECT
from shared import load_job
from tests.integration.job.conftest import DATASET, Desk, Ended, Outcomes, Shown

HEADER = ["Day", "Shop", "Units"]
ROWS = [[Shown(45292, "date"), "North", 3], [Shown(45293, "date"), "South", 4]]


def options(**given: Any) -> dict[str, str]:
    return {"OPTIONS": json.dumps(given)}


class Runs:
    """One config's runs, one after another, as launch starts them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ids: list[str] = []

    def next(self, rows: list[list[Any]], header: list[Any] = HEADER, **settings: str) -> Ended:
        self.desk.write({"Sheet1": [header, *rows]})
        previous = {"PREVIOUS_JOB": load_job.job_id(self.ids[-1], 1)} if self.ids else {}
        self.ids.append(str(uuid.uuid4()))
        return self.desk.run_for(self.ids[-1], **previous | settings)


@pytest.fixture
def runs(desk: Desk) -> Runs:
    return Runs(desk)


def table(desk: Desk) -> bigquery.Table:
    return desk.bigquery.get_table(f"{PROJECT}.{DATASET}.{desk.id}")


def refused(ended: Ended, error: str) -> bool:
    return ended.line.startswith(f"Job execution failed: {error}: ")


# -- layout ------------------------------------------------------------------------------------------------------


def test_a_table_is_partitioned_and_clustered_as_asked_and_stays_so(desk: Desk, runs: Runs) -> None:
    laid = options(partition_by="Day", partition_type="MONTH", cluster_by=["shop", "Units"])
    for rows in (ROWS, ROWS[:1]):
        assert runs.next(rows, **laid).code == 0
        made = table(desk)
        assert (made.time_partitioning.field, made.time_partitioning.type_) == ("day", "MONTH")
        assert made.clustering_fields == ["shop", "units"]
        assert made.num_rows == len(rows)
    assert runs.next(ROWS).code == 0, "without the options, the layout stays what it is"
    assert table(desk).clustering_fields == ["shop", "units"]


@pytest.mark.parametrize("more", [{}, {"load_mode": "append"}, {"schema_drift": "keep"}, {"on_empty": "empty"}])
def test_a_layout_by_headers_is_found_again_in_the_table_that_has_it(
    more: dict[str, Any], desk: Desk, runs: Runs
) -> None:
    laid = options(partition_by="Order Day", cluster_by=["Shop (Name)", "shop_name"], **more)
    header = ["Order Day", "Shop (Name)", "Units"]
    assert runs.next(ROWS, header, **laid).code == 0
    assert table(desk).clustering_fields == ["shop_name"]
    assert runs.next([] if "on_empty" in more else ROWS, header, **laid).line.startswith("Job completed")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"partition_by": "Shop"}, "partition_by names a column of STRING"),
        ({"partition_by": "Day", "partition_type": "HOUR"}, "only DATETIME or TIMESTAMP can be partitioned by"),
        ({"partition_by": "Month"}, "partition_by names a column that the table does not get"),
        ({"cluster_by": ["Shop", "Price"]}, "cluster_by names a column that the table does not get"),
        ({"load_mode": "merge", "merge_keys": ["Shop", "Nope"]}, "merge_keys names, as number 2, a column"),
    ],
)
def test_an_option_that_does_not_fit_the_sheet_is_refused_and_nothing_is_made(
    asked: dict[str, Any], told: str, desk: Desk, runs: Runs
) -> None:
    ended = runs.next(ROWS, **options(**asked))
    assert refused(ended, "OptionRefused")
    assert told in ended.line
    assert desk.columns() == {}


@pytest.mark.parametrize("laid", [{"partition_by": "Day"}, {"cluster_by": ["Day"]}])
def test_a_column_that_a_table_is_laid_out_by_is_missed_in_words(laid: dict[str, Any], desk: Desk, runs: Runs) -> None:
    runs.next(ROWS, **options(**laid))
    ended = runs.next([["North", 3]], ["Shop", "Units"])
    assert refused(ended, "OptionRefused")
    assert "ed by a column that the tab has no more" in ended.line
    assert table(desk).num_rows == 2


def test_a_table_that_has_another_layout_is_left_as_it_is(desk: Desk, runs: Runs) -> None:
    runs.next(ROWS)
    for asked, told in (({"partition_by": "Day"}, "cannot change that"), ({"cluster_by": ["Shop"]}, "bq update")):
        ended = runs.next(ROWS[:1], **options(**asked))
        assert refused(ended, "OptionRefused")
        assert told in ended.line
    assert table(desk).num_rows == 2


# -- drift -------------------------------------------------------------------------------------------------------


def test_what_people_added_to_columns_stays_when_the_sheet_gets_more(desk: Desk, runs: Runs) -> None:
    """In the wild: WRITE_TRUNCATE drops column descriptions, policy tags, constraints."""
    runs.next(ROWS)
    described = table(desk)
    tags = {"names": ["projects/p/locations/us/taxonomies/1/policyTags/2"]}
    described.schema = [
        bigquery.SchemaField.from_api_repr(
            field.to_api_repr() | {"description": f"What {field.name} means", "policyTags": tags}
        )
        for field in described.schema
    ]
    desk.bigquery.update_table(described, ["schema"])
    assert runs.next([[*ROWS[0], True]], [*HEADER, "Paid"]).code == 0
    schema = {field.name: field for field in table(desk).schema}
    assert [schema[name].description for name in ("day", "paid")] == ["What day means", "Paid"]
    assert schema["shop"].policy_tags.names == tuple(tags["names"])


def test_columns_stay_protected_when_others_change(desk: Desk, runs: Runs) -> None:
    """In the wild: WRITE_TRUNCATE drops column descriptions, policy tags, constraints."""
    runs.next(ROWS)
    protected = table(desk)
    tags = {"names": ["projects/p/locations/us/taxonomies/1/policyTags/2"]}
    protected.schema = [
        bigquery.SchemaField.from_api_repr(field.to_api_repr() | {"policyTags": tags}) for field in protected.schema
    ]
    desk.bigquery.update_table(protected, ["schema"])
    assert runs.next([["x", "North", True]], ["Units", "Shop", "Paid"]).code == 0
    found = {field.name: field.policy_tags for field in table(desk).schema}
    assert {name: tuple(each.names) if each else () for name, each in found.items()} == {
        "units": tuple(tags["names"]),
        "shop": tuple(tags["names"]),
        "paid": (),
    }


def test_a_column_without_a_value_keeps_its_type(desk: Desk, runs: Runs) -> None:
    """In the wild: types drift between loads; a blank first data row loses columns."""
    runs.next(ROWS)
    assert runs.next([[None, "North", None]]).code == 0
    assert desk.columns() == {"day": "DATE", "shop": "STRING", "units": "INT64"}
    assert desk.rows() == [(None, "North", None)]


def test_follow_takes_the_columns_as_the_sheet_has_them(desk: Desk, runs: Runs) -> None:
    runs.next(ROWS)
    assert runs.next([["x", None]], ["Units", "Shop"]).code == 0
    assert desk.columns() == {"units": "STRING", "shop": "STRING"}


def test_keep_leaves_the_tables_columns_and_says_what_is_not_loaded(desk: Desk, runs: Runs, outcomes: Outcomes) -> None:
    runs.next(ROWS)
    assert runs.next([["7", True, "North"]], ["Units", "Paid", "Shop"], **options(schema_drift="keep")).code == 0
    assert desk.columns() == {"day": "DATE", "shop": "STRING", "units": "INT64"}
    assert desk.rows() == [(None, "North", 7)]
    completed = outcomes.taken()[-1]
    assert completed.warnings == ("not loaded, since the table has no such column: the tab's column B",)
    assert {change.name for change in completed.schema_changes} == {"day", "paid"}


@pytest.mark.parametrize("asked", [{"schema_drift": "keep"}, {"load_mode": "append"}])
def test_columns_that_no_sheet_can_fill_stay_in_a_table_whose_columns_stay(
    asked: dict[str, str], desk: Desk, runs: Runs
) -> None:
    desk.bigquery.create_dataset(f"{PROJECT}.{DATASET}", exists_ok=True)
    extra = "extra STRUCT<x INT64, y STRING>, tags ARRAY<STRING>"
    desk.bigquery.query_and_wait(f"CREATE TABLE `{PROJECT}.{DATASET}.{desk.id}` (units INT64, {extra})")
    assert runs.next([[3]], ["Units"], **options(**asked)).code == 0
    assert desk.rows() == [(3, None, [])]
    assert desk.columns()["extra"] == "STRUCT<x INT64, y STRING>"


def test_fail_stops_at_any_other_column_and_names_none_in_the_log(desk: Desk, runs: Runs, outcomes: Outcomes) -> None:
    runs.next(ROWS)
    ended = runs.next([["x", "North", True]], ["Units", "Shop", "Paid"], **options(schema_drift="fail"))
    assert refused(ended, "SchemaDrifted")
    assert "column A is STRING NULLABLE where the table has INT64 NULLABLE" in ended.line
    assert "column C (BOOL NULLABLE) is not in the table" in ended.line
    assert "the table's column number 1 (DATE NULLABLE) is not in the tab" in ended.line
    assert "paid" not in (ended.line + ended.log).lower()
    assert [change.name for change in outcomes.taken()[-1].schema_changes] == ["units", "paid", "day"]
    assert len(desk.rows()) == 2


def test_fail_lets_swapped_columns_pass(desk: Desk, runs: Runs) -> None:
    runs.next(ROWS)
    swapped = [[row[1], row[2], row[0]] for row in ROWS]
    assert runs.next(swapped, ["Shop", "Units", "Day"], **options(schema_drift="fail")).code == 0
    assert [row[1:] for row in desk.rows("ORDER BY units")] == [("North", 3), ("South", 4)]


# -- empty and shrunken ------------------------------------------------------------------------------------------


def test_an_empty_sheet_keeps_or_empties_the_table_as_the_config_says(desk: Desk, runs: Runs) -> None:
    """In the wild: a tab was cleared: table emptied, or sync fails for ever."""
    runs.next(ROWS)
    assert refused(runs.next([]), "EmptySheet")
    kept = runs.next([], **options(on_empty="keep"))
    assert (kept.code, "nothing changed in" in kept.line) == (0, True)
    assert load_job.look(desk.bigquery, runs.ids[-1], 1, "US").verdict == "kept"
    assert len(desk.rows()) == 2
    emptied = runs.next([], [], **options(on_empty="empty"))
    assert (emptied.code, "0 rows into" in emptied.line) == (0, True)
    assert desk.rows() == []
    assert desk.columns() == {"day": "DATE", "shop": "STRING", "units": "INT64"}


def test_an_empty_sheet_makes_an_empty_table_where_it_has_headers(desk: Desk, runs: Runs) -> None:
    assert refused(runs.next([], [], **options(on_empty="empty")), "EmptySheet")
    assert runs.next([], **options(on_empty="empty")).code == 0
    assert desk.columns() == {"day": "STRING", "shop": "STRING", "units": "STRING"}


def test_an_empty_snapshot_empties_its_date_alone(desk: Desk, runs: Runs) -> None:
    snapshot = options(load_mode="snapshot", on_empty="empty")
    for day, rows in (("01", ROWS), ("02", ROWS), ("02", [])):
        assert runs.next(rows, RUN_SLOT=f"2026-03-{day}T06:00:00+00:00", **snapshot).code == 0
    assert table(desk).num_rows == 2


def test_a_sheet_that_lost_too_many_rows_is_not_loaded_unless_allowed_once(desk: Desk, runs: Runs) -> None:
    """In the wild: a paste accident halves a sheet and the table with it."""
    guarded = options(max_shrink=0.5)
    runs.next([["x", "y", number] for number in range(10)], **guarded)
    ended = runs.next([["x", "y", number] for number in range(4)], **guarded)
    assert refused(ended, "SheetShrank")
    assert "the table has 10 rows and the sheet 4" in ended.line
    assert "--allow-shrink" in ended.line
    assert len(desk.rows()) == 10
    assert runs.next([["x", "y", number] for number in range(5)], **guarded).code == 0
    assert runs.next([["x", "y", 1]], ALLOW_SHRINK="true", **guarded).code == 0
    assert refused(runs.next([], **guarded), "EmptySheet"), "no rows at all is on_empty's matter"


# -- unchanged ---------------------------------------------------------------------------------------------------


def test_unchanged_content_is_not_loaded_again(desk: Desk, runs: Runs, outcomes: Outcomes) -> None:
    skip = options(skip_unchanged=True)
    runs.next(ROWS, **skip)
    before = table(desk).modified
    again = runs.next(ROWS, **skip)
    assert (again.code, "2 rows are unchanged in" in again.line) == (0, True)
    assert table(desk).modified == before
    seen = load_job.look(desk.bigquery, runs.ids[-1], 1, "US")
    assert (seen.found, seen.verdict, seen.rows) == ("done", "unchanged", 2)
    first, second = outcomes.taken()
    assert (second.verdict, second.bytes, second.rows) == ("unchanged", 0, 2)
    assert first.content_hash == second.content_hash == seen.content_hash


@pytest.mark.parametrize(
    "write",
    [
        "UPDATE `{table}` SET units = 0 WHERE true",
        "INSERT INTO `{table}` (shop) VALUES ('East')",
        "ALTER TABLE `{table}` ADD COLUMN remark STRING",
    ],
)
def test_a_table_that_somebody_has_written_since_is_loaded_again(write: str, desk: Desk, runs: Runs) -> None:
    skip = options(skip_unchanged=True)
    runs.next(ROWS, **skip)
    desk.bigquery.query_and_wait(write.format(table=f"{PROJECT}.{DATASET}.{desk.id}"))
    assert "2 rows into" in runs.next(ROWS, **skip).line
    assert [row[2] for row in desk.rows("ORDER BY units")] == [3, 4]


def test_only_a_load_is_what_later_content_is_held_against(desk: Desk, runs: Runs) -> None:
    """Between the look of a run that found nothing new and its end, somebody may have written the table."""
    skip = options(skip_unchanged=True)
    runs.next(ROWS, **skip)
    load = load_job.job_id(runs.ids[-1], 1)
    assert "unchanged" in runs.next(ROWS, **skip).line
    assert "2 rows into" in runs.next(ROWS, **skip).line
    assert "2 rows into" in runs.next(ROWS, PREVIOUS_JOB=load, **skip).line


@pytest.mark.parametrize(
    ("rows", "header", "asked"),
    [
        ([[*ROWS[0][:2], 4], ROWS[1]], HEADER, {}),
        (ROWS[::-1], HEADER, {}),
        (ROWS, ["Day", "Shop", "Pieces"], {}),
        (ROWS, HEADER, {"load_mode": "append"}),
    ],
    ids=["a cell", "the order", "a header", "the way"],
)
def test_other_content_is_loaded(rows: Any, header: Any, asked: dict[str, Any], runs: Runs) -> None:
    runs.next(ROWS, **options(skip_unchanged=True))
    assert "2 rows into" in runs.next(rows, header, **options(skip_unchanged=True, **asked)).line


def test_a_missing_table_or_an_unknown_former_job_is_no_reason_to_skip(desk: Desk, runs: Runs) -> None:
    skip = options(skip_unchanged=True)
    runs.next(ROWS, **skip)
    desk.bigquery.delete_table(f"{PROJECT}.{DATASET}.{desk.id}")
    assert "2 rows into" in runs.next(ROWS, **skip).line
    assert "2 rows into" in runs.next(ROWS, PREVIOUS_JOB="sheet_to_bigquery_nobody_1", **skip).line


def test_a_snapshot_of_another_date_is_no_repetition(desk: Desk, runs: Runs) -> None:
    snapshot = options(load_mode="snapshot", skip_unchanged=True)
    said = [
        runs.next(ROWS, RUN_SLOT=f"2026-03-{day}T06:00:00+00:00", **snapshot).line.partition("rows ")[2][:4]
        for day in ("01", "01", "02")
    ]
    assert said == ["into", "are ", "into"]
    assert table(desk).num_rows == 4
