"""Writes by others to a table that the job owns, as BigQuery's jobs tell them."""

from datetime import timedelta

import pytest

from migration.foreign_writes import Owning, foreign_writes, last_write_is_foreign
from shared import load_job

NAMES = ("id",)


@pytest.fixture
def owned(desk):
    """A config whose table a run of the job loads: here the shadow's, which the desk loads as a run does."""
    desk.service_loads(NAMES, ())  # a write from before
    return desk


def found(desk, since):
    return foreign_writes({7: Owning(desk.shadow, since)}, "US", desk.client)


def test_the_jobs_own_loads_are_not_foreign(owned):
    since = owned.store.now()
    owned.shadow_loads(NAMES, [("1",)])
    assert found(owned, since) == []
    assert last_write_is_foreign(owned.shadow, owned.client, owned.store) is None


def test_a_load_by_somebody_else_is_told_with_who_and_what_to_stop(owned):
    owned.shadow_loads(NAMES, [("1",)])
    since = owned.store.now() + timedelta(seconds=1)
    owned.sql("SELECT pg_sleep(1.1)")
    table = owned.shadow.destination
    job = owned.client.query(f"INSERT INTO `{table}` (id) VALUES ('2')")
    job.result()
    (write,) = found(owned, since)
    assert (write.job_id, write.user, write.kind, write.table) == (job.job_id, job.user_email, "INSERT", table)
    assert write.user in write.told
    assert "stop what runs as that identity" in write.told
    assert "was changed at" in last_write_is_foreign(owned.shadow, owned.client, owned.store)


def test_labels_alone_make_no_job_ours(owned):
    since = owned.store.now() - timedelta(seconds=1)
    run_id = owned.shadow_loads(NAMES, [("1",)])
    labels = load_job.labels(run_id, 1, "job-abcde", "loaded")
    owned._load(owned.shadow, NAMES, [("2",)], {}, "a-job-that-pretends", labels)
    assert [write.job_id for write in found(owned, since)] == ["a-job-that-pretends"]


def test_a_run_by_hand_is_told_as_one(owned):
    since = owned.store.now() - timedelta(seconds=1)
    owned._load(owned.shadow, NAMES, [("2",)], {}, "sheet_to_bigquery_job-abcde_0", {})
    (write,) = found(owned, since)
    assert "`job_helper.py execute` wrote it by hand" in write.told


def test_what_failed_and_what_was_written_before_is_no_foreign_write(owned):
    owned.shadow_loads(NAMES, [("1",)])
    table = owned.shadow.destination
    with pytest.raises(Exception, match="Could not convert"):
        owned.client.query_and_wait(f"INSERT INTO `{table}` (id) SELECT CAST(CAST('x' AS INT64) AS STRING)")
    owned.client.query_and_wait(f"INSERT INTO `{table}` (id) VALUES ('2')")
    assert found(owned, owned.store.now() + timedelta(seconds=5)) == []
    assert len(found(owned, owned.store.now() - timedelta(minutes=5))) == 1


def test_many_tables_are_asked_for_at_once_each_since_its_own_moment(owned, new_desk):
    other = new_desk()
    other.make_datasets()
    past = owned.store.now() - timedelta(minutes=5)
    owning = {7: Owning(owned.shadow, past), 8: Owning(other.shadow, owned.store.now() + timedelta(minutes=5))}
    for desk in (owned, other):
        desk.shadow_loads(NAMES, [("1",)])
        desk.client.query_and_wait(f"INSERT INTO `{desk.shadow.destination}` (id) VALUES ('2')")
    (write,) = foreign_writes(owning, "US", owned.client)
    assert (write.config_id, write.table) == (owned.shadow.id, owned.shadow.destination)
    owning[8] = Owning(other.shadow, past)
    assert {each.table for each in foreign_writes(owning, "US", owned.client)} == {
        owned.shadow.destination,
        other.shadow.destination,
    }


def test_nothing_is_asked_where_no_table_is_the_jobs(owned):
    assert foreign_writes({}, "US", owned.client) == []


def test_a_table_that_is_not_there_is_written_by_nobody(owned):
    assert found(owned, owned.store.now()) == []
    assert last_write_is_foreign(owned.shadow, owned.client, owned.store) is None
