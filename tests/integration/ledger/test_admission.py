"""Admission: which pending runs are queued now, under the cap, a batch's cap and the Sheets quota."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.connection import Session, connect
from shared.ledger.store import ADMITTED, Store
from shared.settings import Database

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PLENTY = 100_000


@pytest.fixture
def add_pending(add_run):
    def add(config_id: int, hours_overdue: float = 0, **values) -> str:
        return add_run(config_id, NOON - timedelta(hours=hours_overdue), state="pending", **values)

    return add


def test_the_most_overdue_runs_are_admitted_first(store: Store, add_pending) -> None:
    runs = {config: add_pending(config, hours_overdue=config) for config in range(1, 6)}
    assert set(store.admit(NOON, cap=2, reads_per_minute=PLENTY)) == {runs[5], runs[4]}


def test_admitted_runs_never_exceed_the_cap(store: Store, add_pending) -> None:
    for config in range(5):
        add_pending(config)
    assert len(store.admit(NOON, cap=3, reads_per_minute=PLENTY)) == 3
    assert store.admit(NOON, cap=3, reads_per_minute=PLENTY) == []


def test_concurrent_admissions_share_one_cap(migrated: Database, store: Store, add_pending) -> None:
    for config in range(40):
        add_pending(config)

    def admit_on_its_own(_number: int) -> list[str]:
        with connect(migrated) as connection:
            return Store(Session(connection, migrated.configs_table)).admit(NOON, cap=10, reads_per_minute=PLENTY)

    with ThreadPoolExecutor(8) as pool:
        admitted = [run for runs in pool.map(admit_on_its_own, range(8)) for run in runs]
    assert len(admitted) == len(set(admitted)) == 10


def test_reads_reserved_within_a_minute_never_exceed_the_quota(store: Store, add_pending) -> None:
    for config in range(10):
        add_pending(config, reads=15)
    assert len(store.admit(NOON, cap=100, reads_per_minute=60)) == 4
    assert store.admit(NOON + timedelta(seconds=59), cap=100, reads_per_minute=60) == []
    assert len(store.admit(NOON + timedelta(seconds=61), cap=100, reads_per_minute=60)) == 4


def test_a_run_that_needs_more_than_the_quota_goes_alone(store: Store, add_pending) -> None:
    big = add_pending(1, hours_overdue=2, reads=500)
    small = add_pending(2, reads=4)
    assert store.admit(NOON, cap=100, reads_per_minute=60) == [big]
    assert store.admit(NOON + timedelta(seconds=61), cap=100, reads_per_minute=60) == [small]


def test_a_batch_keeps_its_own_cap(store: Store, add_pending, sql) -> None:
    batch = "00000000-0000-0000-0000-00000000000b"
    for config in range(5):
        add_pending(config, batch=batch, batch_cap=2, hours_overdue=5)
    other = add_pending(9)
    admitted = store.admit(NOON, cap=100, reads_per_minute=PLENTY)
    assert len(admitted) == 3
    assert other in admitted
    assert store.admit(NOON, cap=100, reads_per_minute=PLENTY) == []
    sql(
        "UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now() WHERE id = "
        "(SELECT id FROM sheet_to_bigquery_runs WHERE state = 'queued' AND batch IS NOT NULL LIMIT 1)"
    )
    assert len(store.admit(NOON, cap=100, reads_per_minute=PLENTY)) == 1


def test_one_config_and_one_table_have_one_active_run(store: Store, add_pending) -> None:
    first = add_pending(1, hours_overdue=3)
    add_pending(1, hours_overdue=2, why="manual")
    add_pending(2, hours_overdue=1, destination="p.d.t1")
    assert store.admit(NOON, cap=100, reads_per_minute=PLENTY) == [first]
    assert store.admit(NOON, cap=100, reads_per_minute=PLENTY) == []


def test_a_run_that_tries_again_goes_before_the_request_that_waits_behind_it(store: Store, add_run) -> None:
    add_run(1, NOON, state="pending", why="manual")
    later = NOON + timedelta(minutes=5)
    retried = add_run(1, NOON + timedelta(hours=1), state="pending", attempt=1, failures=1, not_before=later)
    assert store.admit(NOON, cap=100, reads_per_minute=PLENTY) == []
    assert store.admit(later, cap=100, reads_per_minute=PLENTY) == [retried]


def test_a_run_is_not_admitted_before_its_time(store: Store, add_pending) -> None:
    run = add_pending(1, not_before=NOON + timedelta(minutes=1))
    assert store.admit(NOON, cap=100, reads_per_minute=PLENTY) == []
    assert store.admit(NOON + timedelta(minutes=1), cap=100, reads_per_minute=PLENTY) == [run]


def test_queued_runs_that_nobody_heard_of_are_published_again_once_a_lease(store: Store, add_pending) -> None:
    run = add_pending(1)
    store.admit(NOON, cap=10, reads_per_minute=PLENTY)
    lease = timedelta(minutes=2)
    assert store.unpublished(NOON + lease / 2, NOON - lease / 2) == []
    later = NOON + 2 * lease
    assert store.unpublished(later, later - lease) == [run]
    assert store.unpublished(later, later - lease) == []


def test_an_empty_ledger_admits_nothing(store: Store) -> None:
    assert store.admit(NOON, cap=10, reads_per_minute=60) == []


def test_a_waiting_run_goes_where_its_config_says_now(store: Store, add_pending, add_config, sql) -> None:
    busy = add_pending(999, hours_overdue=1, destination="test-project.reports.b")
    store.admit(NOON, cap=10, reads_per_minute=PLENTY)
    config_id = add_config("moved", bigquery_table_id="a")
    moved = add_pending(config_id, destination="test-project.reports.b")
    assert store.admit(NOON, cap=10, reads_per_minute=PLENTY) == [moved]
    assert busy != moved
    assert sql("SELECT destination FROM sheet_to_bigquery_runs WHERE config_id = :id", id=config_id) == [
        ["test-project.reports.a"]
    ]


def test_a_run_that_ends_while_admission_waits_for_it_stays_ended(
    migrated: Database, store: Store, add_pending, sql
) -> None:
    run = add_pending(1, attempt=1, failures=1)
    with connect(migrated) as other:
        other.cursor().execute("BEGIN")
        other.cursor().execute("UPDATE sheet_to_bigquery_runs SET state = 'failed', ended_at = now()")
        with ThreadPoolExecutor(1) as pool:
            admitting = pool.submit(store.admit, NOON, 10, PLENTY)
            time.sleep(0.3)  # for admission to reach the row's lock
            other.cursor().execute("COMMIT")
            assert admitting.result() == []
    assert sql("SELECT state FROM sheet_to_bigquery_runs WHERE id = :id", id=run) == [["failed"]]


def test_what_waits_for_a_table_leaves_its_room_to_the_others(store: Store, add_pending) -> None:
    """As where a hundred configs were edited to one table: it must not keep the rest of the ledger."""
    same = [add_pending(config, hours_overdue=10 + config, destination="p.d.same") for config in range(1, 6)]
    others = [add_pending(config) for config in range(10, 13)]
    assert set(store.admit(NOON, cap=3, reads_per_minute=PLENTY)) == {same[-1], *sorted(others)[:2]}


def test_a_capped_batch_with_many_runs_keeps_nobody_behind_it(store: Store, add_pending) -> None:
    first, second = "00000000-0000-0000-0000-00000000000b", "00000000-0000-0000-0000-00000000000c"
    for config in range(1, 8):
        add_pending(config, batch=first, batch_cap=1, hours_overdue=50 - config)
    later = [add_pending(config, batch=second, batch_cap=5, hours_overdue=9) for config in range(20, 23)]
    last = add_pending(30)
    admitted = store.admit(NOON, cap=5, reads_per_minute=PLENTY)
    assert len(admitted) == 5
    assert {*later, last} < set(admitted)


def test_more_runs_than_one_statement_admits_are_admitted_one_after_another(store: Store, sql) -> None:
    sql(
        "INSERT INTO sheet_to_bigquery_runs (id, config_id, config_name, destination, slot, why, created_at, "
        "not_before, reads) SELECT gen_random_uuid(), n, 'c', 'p.d.t' || n, :now, 'schedule', :now, :now, 1 "
        "FROM generate_series(1, :runs) n",
        now=NOON,
        runs=ADMITTED + 10,
    )
    assert len(store.admit(NOON, cap=PLENTY, reads_per_minute=PLENTY)) == ADMITTED
    assert len(store.admit(NOON, cap=PLENTY, reads_per_minute=PLENTY)) == 10
