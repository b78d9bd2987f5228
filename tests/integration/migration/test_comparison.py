"""Comparing a config's two tables: what is noticed, how it is judged, and what is refused."""

from datetime import timedelta

import pytest
from google.cloud import bigquery

from migration.checksums import measure
from migration.errors import NotComparable
from migration.tables import look
from shared.loaded import ColumnChange

NAMES = ("id", "city")
ROWS = (("1", "Oslo"), ("2", "Rome"), ("3", None))


def test_tables_that_hold_the_same_match(desk):
    written = desk.service_loads(NAMES, ROWS)
    run_id = desk.shadow_loads(NAMES, ROWS[::-1])
    found = desk.compare()
    assert (found.verdict, found.service_rows, found.job_rows, found.sample) == ("MATCH", 3, 3, None)
    assert (found.run_id, found.service_loaded_at) == (run_id, written)
    assert (found.service_table, found.job_table) == (desk.config.destination, desk.shadow.destination)
    assert found.bytes_processed > 0
    assert not found.notes


def test_a_value_that_differs_is_told_by_the_key_of_its_row(desk, long_ago):
    desk.service_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES, (*ROWS[:2], ("3", "")), {"sheet_modified_at": long_ago})
    found = desk.compare()
    assert found.verdict == "MISMATCH"
    (column,) = found.differences.columns
    assert (column.name, column.service_nulls, column.job_nulls, column.values_differ) == ("city", 1, 0, True)
    (row,) = found.sample.rows
    assert (found.sample.key, row.key, row.service, row.job) == ("id", '"3"', {"city": None}, {"city": ""})


def test_rows_that_one_side_lacks_are_told_whole(desk):
    desk.service_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES, (*ROWS[1:], ("4", "Bern")))
    by_key = {row.key: (row.service, row.job) for row in desk.compare().sample.rows}
    assert by_key == {'"1"': ({"id": "1", "city": "Oslo"}, None), '"4"': (None, {"id": "4", "city": "Bern"})}


def test_without_a_key_rows_are_told_by_how_often_they_are_there(desk):
    twice = (("a", None), ("a", None), ("b", None))
    desk.service_loads(NAMES, twice)
    desk.shadow_loads(NAMES, (*twice[:1], *twice[2:], twice[2]))
    sample = desk.compare().sample
    assert sample.key is None
    assert [(row.service or row.job, row.service_times, row.job_times) for row in sample.rows] == [
        ({"id": "a", "city": None}, 2, 1),
        ({"id": "b", "city": None}, 1, 2),
    ]


def test_values_that_moved_to_another_row_are_noticed(desk):
    desk.service_loads(NAMES, (("1", "Oslo"), ("2", "Rome")))
    desk.shadow_loads(NAMES, (("1", "Rome"), ("2", "Oslo")))
    differences = desk.compare().differences
    assert (differences.columns, differences.rows_differ) == ((), True)


def test_a_key_can_be_given(desk):
    desk.service_loads(NAMES, (("1", "Oslo"), ("2", "Rome")))
    desk.shadow_loads(NAMES, (("1", "Oslo"), ("3", "Rome")))
    sample = desk.compare(key="CITY").sample
    assert [(row.key, row.service, row.job) for row in sample.rows] == [('"Rome"', {"id": "2"}, {"id": "3"})]
    desk.service_loads(NAMES, (("1", "Oslo"), ("2", "Oslo")))
    with pytest.raises(NotComparable, match="has a value twice, or NULL"):
        desk.compare(key="city")
    with pytest.raises(NotComparable, match="is no column of both tables"):
        desk.compare(key="town")


def test_columns_of_one_side_and_of_another_type_are_told(desk):
    desk.service_loads(("id", "City", "n"), (("1", "Oslo", "5"),))
    desk.shadow_loads(("id", "city", "n", "more"), (("1", "Oslo", 5, "x"),), n="INT64")
    differences = desk.compare().differences
    assert set(differences.schema) == {
        ColumnChange("City", "STRING", None),
        ColumnChange("city", None, "STRING"),
        ColumnChange("n", "STRING", "INT64"),
        ColumnChange("more", None, "STRING"),
    }
    assert [column.name for column in differences.columns] == ["n"]


def test_the_order_of_columns_is_a_note_and_no_mismatch(desk):
    desk.service_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES[::-1], [row[::-1] for row in ROWS])
    found = desk.compare()
    assert (found.verdict, found.differences.order_differs) == ("MATCH", True)


def test_empty_tables_match_and_an_empty_one_differs_from_a_filled_one(desk):
    desk.service_loads(NAMES, ())
    desk.shadow_loads(NAMES, ())
    assert desk.compare().verdict == "MATCH"
    desk.shadow_loads(NAMES, ROWS)
    found = desk.compare()
    assert (found.verdict, found.service_rows, found.job_rows) == ("MISMATCH", 0, 3)


def test_names_that_no_other_database_would_take_are_compared(desk):
    names = ("Größe & Maß", "100 %", "select", "a'b", "名前", "c0", "t")
    row = ("1", "2", "3", "4", "5", "6", "7")
    desk.service_loads(names, (row,))
    desk.shadow_loads(names, (row,))
    assert desk.compare().verdict == "MATCH"
    desk.shadow_loads(names, ((*row[:-1], "8"),))
    found = desk.compare()
    assert [column.name for column in found.differences.columns] == ["t"]
    assert found.sample.key == "Größe & Maß"


def test_many_columns_are_asked_for_in_parts_and_give_the_same_numbers(desk):
    names = [f"column_{number}" for number in range(7)]
    desk.service_loads(names, [[f"{number}{letter}" for number in range(7)] for letter in "abc"])
    path = tuple(desk.config.destination.split("."))
    table = look(desk.client, path, "the table", "load it")
    whole, parts = measure(desk.client, table, names), measure(desk.client, table, names, columns_a_query=3)
    assert (parts.rows, parts.checksum, parts.columns) == (3, whole.checksum, whole.columns)
    assert len(set(whole.columns)) == 7


def test_the_shadow_is_older_where_the_service_loaded_after_it_began_to_read(desk):
    desk.shadow_loads(NAMES, ROWS)
    desk.service_loads(NAMES, ROWS[:2])
    found = desk.compare()
    assert found.verdict == "SHADOW_OLDER"
    assert "run the shadow again" in found.why


def test_the_sheet_changed_where_it_was_edited_after_the_service_may_have_read_it(desk):
    written = desk.service_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES, ROWS[:2], {"sheet_modified_at": written})
    assert desk.compare().verdict == "SHEET_CHANGED"


def test_a_forwarded_message_tells_when_the_service_was_asked(desk):
    """An edit just before it is no excuse; without it, the margin would make one."""
    asked = desk.store.now()
    edited = asked - timedelta(seconds=1)
    written = desk.service_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES, ROWS[:2], {"sheet_modified_at": edited})
    assert desk.compare().verdict == "SHEET_CHANGED"
    forward(desk, asked, written)
    found = desk.compare()
    assert (found.verdict, found.why) == ("MISMATCH", "both read the same sheet, and the tables differ")


def forward(desk, begun, ended):
    """A message that the service was handed, and answered."""
    desk.sql(
        "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until, ended_at, status)"
        " VALUES ('1', :config_id, :begun, :until, :ended, 200)",
        config_id=desk.config.id,
        begun=begun,
        ended=ended,
        until=begun + timedelta(seconds=300),
    )


@pytest.mark.parametrize(("shadow_first", "verdict"), [(True, "SHADOW_OLDER"), (False, "MISMATCH")])
def test_who_changed_the_services_table_when_no_message_was_there_is_told(desk, long_ago, shadow_first, verdict):
    written = desk.service_loads(NAMES, ROWS)
    if shadow_first:
        desk.shadow_loads(NAMES, ROWS, {"sheet_modified_at": long_ago})
    job = desk.client.query(f"UPDATE `{desk.config.destination}` SET city = 'Bern' WHERE id = '1'")
    job.result()
    if not shadow_first:
        desk.shadow_loads(NAMES, ROWS, {"sheet_modified_at": long_ago})
    pushed = desk.compare()
    assert (pushed.verdict, job.job_id in pushed.why) == (verdict, False)  # the portal pushes: nobody can tell
    hour = timedelta(hours=1)
    forward(desk, written - hour, written - hour / 2)
    found = desk.compare()
    assert found.verdict == verdict
    assert f"{job.user_email} (BigQuery job {job.job_id}, UPDATE) wrote the service's table at" in found.why
    assert "have the portal publish the config once" in found.why
    assert "the service wrote" not in found.why


def test_without_a_shadow_run_the_command_that_makes_one_is_told(desk):
    desk.service_loads(NAMES, ROWS)
    with pytest.raises(NotComparable, match=f"no shadow run has loaded .*`migrate.py shadow {desk.config.id}`"):
        desk.compare()


def test_a_shadow_run_that_is_under_way_is_waited_for(desk):
    desk.service_loads(NAMES, ROWS)
    lease = desk.store.now() + timedelta(minutes=5)
    desk.shadow_loads(
        NAMES,
        ROWS,
        {
            "state": "launching",
            "ended_at": None,
            "lease_until": lease,
            "deadline": lease,
            "had_last_run": True,
            "verdict": None,
        },
    )
    with pytest.raises(NotComparable, match="is under way"):
        desk.compare()


def test_a_missing_dataset_or_table_is_told_with_what_helps(new_desk):
    desk = new_desk()
    desk.make_datasets()
    desk.shadow_loads(NAMES, ROWS)
    with pytest.raises(NotComparable, match=r"the service's table .* is not there: let the service load it first"):
        desk.compare()
    desk.service_loads(NAMES, ROWS)
    desk.client.delete_table(desk.shadow.destination)
    with pytest.raises(NotComparable, match=r"the shadow table .* is not there: `migrate.py shadow"):
        desk.compare()


def test_a_shadow_table_that_somebody_else_wrote_proves_nothing(desk):
    desk.service_loads(NAMES, ROWS)
    run_id = desk.shadow_loads(NAMES, ROWS[:1])
    desk.sql("SELECT pg_sleep(1.1)")
    replacing = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
    desk.client.copy_table(desk.config.destination, desk.shadow.destination, job_config=replacing).result()
    with pytest.raises(NotComparable, match=f"by somebody else, after shadow run {run_id} had ended"):
        desk.compare()


def test_the_jobs_own_load_is_not_compared_with_the_job(desk):
    """A config that was the job's and went back: the service has loaded nothing since."""
    desk.service_loads(NAMES, ROWS)
    run_id = desk.job_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES, ROWS)
    told = f"by the job itself \\(run {run_id}\\), not by the service: have the portal publish the config once"
    with pytest.raises(NotComparable, match=told):
        desk.compare()
    desk.sql("SELECT pg_sleep(1.1)")
    desk.service_loads(NAMES, ROWS)
    assert desk.compare().verdict == "MATCH"


def test_where_the_jobs_own_load_cannot_be_seen_any_more_it_is_told(desk):
    run_id = desk.job_loads(NAMES, ROWS)
    desk.sql("UPDATE sheet_to_bigquery_runs SET attempt = 2 WHERE id = :id", id=run_id)
    desk.service_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES, ROWS)
    (note,) = desk.compare().notes
    assert f"run {run_id} cannot be seen" in note


def test_tables_in_two_locations_are_compared_without_rows(new_desk):
    desk = new_desk()
    desk.make_datasets(shadow_location="EU")
    desk.service_loads(NAMES, ROWS)
    desk.shadow_loads(NAMES, ROWS[:2])
    found = desk.compare()
    assert (found.verdict, found.sample) == ("MISMATCH", None)
    assert "bq mk --dataset --location=US" in found.notes[0]


def test_a_view_is_no_table(desk):
    desk.service_loads(("id",), (("1",),))
    desk.shadow_loads(("id",), (("1",),))
    table = desk.config.destination
    desk.client.query_and_wait(f"CREATE TABLE `{table}_kept` AS SELECT * FROM `{table}`")
    desk.client.delete_table(table)
    desk.client.query_and_wait(f"CREATE VIEW `{table}` AS SELECT * FROM `{table}_kept`")
    with pytest.raises(NotComparable, match="is no table"):
        desk.compare()


def test_a_load_by_hand_over_the_services_table_is_no_proof(desk):
    desk.shadow_loads(("id",), [("1",)])
    desk._load(desk.config, ("id",), [("1",)], {}, f"sheet_to_bigquery_{desk.config.name}_0", {})
    with pytest.raises(NotComparable, match="by the job itself, by hand"):
        desk.compare()
