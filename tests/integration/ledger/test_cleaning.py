"""Cleaning by age: what ended long ago goes, bit by bit; what somebody still asks for stays."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.store import CHUNK, Store
from shared.run import Failure

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
BEFORE = NOON - 90 * DAY


@pytest.fixture
def old(add_run):
    """A run of a config that ended so many days before the limit."""

    def make(config_id: int, days: int, why: str = "schedule", state: str = "succeeded", **values) -> str:
        return add_run(config_id, BEFORE - days * DAY, why, state, **values)

    return make


def left(sql) -> set[str]:
    return {str(run_id) for (run_id,) in sql("SELECT id FROM sheet_to_bigquery_runs")}


def test_what_ended_before_goes_and_what_ended_after_stays(store: Store, add_config, add_run, old, sql) -> None:
    config_id = add_config()
    for days in (1, 2, 3):
        old(config_id, days)
    stays = add_run(config_id, BEFORE + DAY)
    assert store.clean(BEFORE) == 3
    assert left(sql) == {stays}


def test_of_each_config_the_newest_the_newest_scheduled_and_the_newest_load_stay(
    store: Store, add_config, old, sql
) -> None:
    config_id = add_config()
    old(config_id, 9, verdict="loaded")
    loaded = old(config_id, 8, verdict="loaded")
    old(config_id, 7, state="failed")
    scheduled = old(config_id, 6, verdict="unchanged")
    old(config_id, 5, why="manual", state="failed")
    newest = old(config_id, 4, why="manual", state="cancelled")
    old(config_id, 3, why="shadow")
    assert store.clean(BEFORE) == 4
    assert left(sql) == {loaded, scheduled, newest}


def test_the_newest_load_of_a_shadow_stays_beside_that_of_the_table(store: Store, add_config, old, sql) -> None:
    config_id = add_config()
    loaded = old(config_id, 9, verdict="loaded")
    old(config_id, 8, why="shadow", verdict="loaded")
    shadow = old(config_id, 7, why="shadow", verdict="loaded")
    old(config_id, 6, why="shadow", state="failed")
    assert store.clean(BEFORE) == 2
    assert left(sql) == {loaded, shadow}


def test_of_a_config_that_is_gone_nothing_stays(store: Store, old, sql) -> None:
    old(404, 1)
    assert store.clean(BEFORE) == 1
    assert left(sql) == set()


@pytest.mark.parametrize("state", ["pending", "queued"])
def test_an_open_run_stays_however_old_it_is(state, store: Store, add_config, old, sql) -> None:
    run_id = old(add_config(), 99, state=state)
    assert store.clean(BEFORE) == 0
    assert left(sql) == {run_id}


def test_a_config_is_as_due_after_cleaning_as_it_was_before(store: Store, add_config, old) -> None:
    for number, hours in enumerate((24, 0, 1000)):
        config_id = add_config(f"c{number}", bigquery_table_id=f"t{number}", run_frequency_hours=hours)
        for days in (1, 2, 3):
            old(config_id, days, state="failed" if number == 2 else "succeeded")
    before = [store.judge(NOON, due=due, most=10) for due in (True, False)]
    assert store.clean(BEFORE) == 6
    assert [store.judge(NOON, due=due, most=10) for due in (True, False)] == before


def test_one_call_deletes_no_more_than_it_should(store: Store, sql) -> None:
    sql(
        "INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, state, created_at,"
        " not_before, reads, ended_at)"
        " SELECT gen_random_uuid(), 404, 'gone', 'p.d.t', CAST(:then AS timestamptz) + n * interval '1 s',"
        " 'schedule', 'failed', :then, :then, 4, :then FROM generate_series(1, :rows) n",
        then=BEFORE - DAY,
        rows=CHUNK + 1,
    )
    assert [store.clean(BEFORE), store.clean(BEFORE), store.clean(BEFORE)] == [CHUNK, 1, 0]


def test_a_runs_notice_goes_with_it(store: Store, old, add_run, sql) -> None:
    run = store.find_run(add_run(404, BEFORE - DAY, state="queued")).run
    store.end_unclaimed(run, "failed", Failure("X", "y", False), BEFORE - DAY, pause_after=0)
    assert sql("SELECT count(*) FROM sheet_to_bigquery_notices") == [[1]]
    store.clean(BEFORE)
    assert sql("SELECT count(*) FROM sheet_to_bigquery_notices") == [[0]]


def test_messages_go_by_their_age_whatever_became_of_them(store: Store, sql) -> None:
    for number, age in enumerate((-1, 1, 2)):
        store.record_poison(f"m{number}", "no object", b"[]", BEFORE - age * DAY)
    store.decide("m2", "dropped")
    assert store.clean(BEFORE) == 2
    assert sql("SELECT message_id FROM sheet_to_bigquery_messages") == [["m0"]]


def test_an_empty_ledger_has_nothing_to_clean(store: Store) -> None:
    assert store.clean(BEFORE) == 0


def test_forwards_go_by_their_age_but_each_configs_newest_answer(store: Store, sql) -> None:
    forwarded = [
        ("old", 1, 9, 200),
        ("newest answer", 1, 8, 500),
        ("never answered", 1, 7, None),
        ("another's", 2, 9, 200),
        ("nobody's", None, 9, 200),
        ("young", 2, -1, None),
        ("nobody's, young", None, -1, 200),
    ]
    for message_id, config_id, days, status in forwarded:
        begun = BEFORE - days * DAY
        sql(
            "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, begun_at, open_until, ended_at, status)"
            " VALUES (:message_id, :config_id, :begun, :until, :ended, :status)",
            message_id=message_id,
            config_id=config_id,
            begun=begun,
            until=begun + timedelta(minutes=5),
            ended=begun + timedelta(minutes=1) if status else None,
            status=status,
        )
    assert store.clean(BEFORE) == 3
    left = {message_id for (message_id,) in sql("SELECT message_id FROM sheet_to_bigquery_forwards")}
    assert left == {"newest answer", "another's", "young", "nobody's, young"}
