"""A sweep stays while runs wait for nothing but time, and tells people last."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.run import Failure
from shared.settings import Database
from shared.sweep import sweep


@pytest.fixture
def waiting(bench, add_config, add_run):
    """A run whose next attempt comes so many seconds from now."""

    def make(seconds: float, name: str = "sales") -> str:
        now = datetime.now(UTC)
        return add_run(add_config(name), now, state="pending", not_before=now + timedelta(seconds=seconds))

    return make


def swept(bench, channels=(), slept: list | None = None, **changes) -> dict[str, int]:
    settings = bench.with_settings(**changes)
    more = {} if slept is None else {"sleep": slept.append}
    return sweep(bench.store, bench.bigquery_of, bench.executions(), bench.publish, settings, channels, **more)


def test_a_run_whose_time_comes_soon_is_admitted_by_the_sweep_that_is_there(bench, waiting) -> None:
    run_id = waiting(1.5)
    assert swept(bench, sweep_seconds=10)["admitted"] == 1
    assert bench.published == [run_id]


@pytest.mark.parametrize(("seconds", "stays"), [(1.5, 0), (30, 10)])
def test_what_comes_later_than_the_sweep_stays_is_left_to_the_next(seconds, stays, bench, waiting) -> None:
    waiting(seconds)
    slept: list[float] = []
    assert swept(bench, slept=slept, sweep_seconds=stays)["admitted"] == 0
    assert slept == []


def test_nobody_is_waited_for_while_the_cap_is_reached(bench, waiting, queue) -> None:
    waiting(2)
    queue("busy")
    slept: list[float] = []
    swept(bench, slept=slept, sweep_seconds=10, max_running=1)
    assert slept == []


def test_a_sweep_waits_for_the_quotas_next_minute_where_reads_are_what_lacks(bench, waiting, sql) -> None:
    for number in range(3):
        waiting(0, f"c{number}")
    assert swept(bench, sheets_reads_per_minute=8)["admitted"] == 2
    sql("UPDATE sheet_to_bigquery_runs SET admitted_at = now() - interval '58 seconds' WHERE state = 'queued'")
    assert swept(bench, sheets_reads_per_minute=8, sweep_seconds=10)["admitted"] == 1


class Ticking(Store):
    """The ledger with a clock that goes on by twenty milliseconds whenever somebody looks."""

    clock: datetime

    def now(self) -> datetime:
        self.clock += timedelta(milliseconds=20)
        return self.clock


@pytest.mark.parametrize("milliseconds", range(10, 200, 20))
def test_reads_that_come_free_while_the_sweep_looks_are_not_left_to_the_next_sweep(
    milliseconds: int, migrated: Database, bench, waiting, sql
) -> None:
    for number in range(3):
        waiting(0, f"c{number}")
    assert swept(bench, sheets_reads_per_minute=8)["admitted"] == 2
    with connect(migrated) as connection:
        store = Ticking(Session(connection, migrated.configs_table))
        store.clock = datetime.now(UTC) + timedelta(seconds=1)
        free = store.clock + timedelta(milliseconds=milliseconds)
        sql(
            "UPDATE sheet_to_bigquery_runs SET admitted_at = :at WHERE state = 'queued'",
            at=free - timedelta(seconds=60),
        )
        settings = bench.with_settings(sheets_reads_per_minute=8, sweep_seconds=10)
        executions = bench.executions()
        counts = sweep(store, bench.bigquery_of, executions, bench.publish, settings, sleep=lambda _: None)
    assert counts["admitted"] == 1


def test_people_are_told_after_everything_else_is_done(bench, waiting, queue) -> None:
    told: list[list[str]] = []

    class Chat:
        name = "chat"

        def tell(self, _notice) -> None:
            told.append(list(bench.published))

    run = bench.run(queue("failing"))
    failure = Failure("InvalidConfig", "correct it", retryable=False)
    bench.store.end_unclaimed(run, "failed", failure, bench.store.now(), pause_after=0)
    run_id = waiting(1)
    assert swept(bench, channels=[Chat()], sweep_seconds=10)["told"] == 1
    assert told == [[run_id]]
