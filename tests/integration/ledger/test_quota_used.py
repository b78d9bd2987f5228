"""Hundreds of configs due at once and one call of dispatch: how much of the quota and of the cap is used, in simulated
time over the real ledger. Sweeps come a minute apart, not to the second; each run starts and reads in its own time."""

import heapq
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest

from shared.admit import admit
from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.settings import Database, Settings
from shared.sweep import sweep

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
# A third of the thousand that README.md tells of: twenty minutes and more, in a third of the time.
RUNS = 333
SETTINGS = Settings("test-project", sheets_reads_per_minute=60, max_running=100)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


class Simulated(Store):
    """The ledger with the test's clock instead of PostgreSQL's."""

    clock = NOON

    def now(self) -> datetime:
        return self.clock


class Simulation:
    """What happens besides the sweeps: admitted runs start, read, end, and their completion admits."""

    def __init__(self, store: Simulated, settings: Settings, sql: Callable, seed: int) -> None:
        self.store, self.settings, self.sql = store, settings, sql
        self.random = random.Random(seed)
        self.admitted: list[tuple[datetime, str]] = []
        self._ends: list[tuple[datetime, int, str]] = []
        self._numbers = count()

    def publish(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            self.admitted.append((self.store.clock, run_id))
            takes = self.random.uniform(1, 4) + self.random.uniform(1, 15)
            heapq.heappush(self._ends, (self.store.clock + seconds(takes), next(self._numbers), run_id))

    def sleep(self, pause: float) -> None:
        """Time passes, and runs that end meanwhile are completed."""
        until = self.store.clock + seconds(pause)
        while self._ends and self._ends[0][0] <= until:
            self.store.clock, _, run_id = heapq.heappop(self._ends)
            self.sql(
                "UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now() WHERE id = :id", id=run_id
            )
            admit(self.store, self.publish, self.settings)
        self.store.clock = until

    def run(self, runs: int) -> None:
        """Sweeps once a minute until all runs were admitted."""
        nobody: list = []  # no run's lease ends here, so that no cloud is asked
        planned = self.store.clock
        while len(self.admitted) < runs:
            planned += seconds(60)
            late = planned + seconds(self.random.uniform(0, 2)) - self.store.clock
            self.sleep(max(late.total_seconds(), 0))
            sweep(self.store, nobody.append, nobody, self.publish, self.settings, sleep=self.sleep)


@pytest.fixture
def simulation(migrated: Database, sql):
    with connect(migrated) as connection:
        store = Simulated(Session(connection, migrated.configs_table))

        def make(seed: int, **changes: int) -> Simulation:
            return Simulation(store, msgspec.structs.replace(SETTINGS, **changes), sql, seed)

        yield make


def record(sql, runs: int, reads: str) -> None:
    sql(
        "INSERT INTO sheet_to_bigquery_runs"
        " (id, config_id, config_name, destination, slot, why, created_at, not_before, reads)"
        " SELECT CAST(md5(CAST(n AS text)) AS uuid), n, 'sales', 'p.d.t' || n,"
        f" :slot, 'schedule', :slot, :slot, {reads}"
        " FROM generate_series(1, :runs) n",
        slot=NOON,
        runs=runs,
    )


@pytest.mark.parametrize(("reads", "seed"), [("4", 1), ("3 + n % 7", 2)])
def test_nine_tenths_of_the_quota_are_used_and_never_more_than_all_of_it(reads, seed, simulation, sql) -> None:
    record(sql, RUNS, reads)
    simulated = simulation(seed)
    admit(simulated.store, simulated.publish, simulated.settings)
    simulated.run(RUNS)
    needed = {str(run_id): number for run_id, number in sql("SELECT id, reads FROM sheet_to_bigquery_runs")}
    at = [(moment, needed[run_id]) for moment, run_id in simulated.admitted]
    for moment, _ in at:
        assert sum(number for other, number in at if moment <= other < moment + seconds(60)) <= 60
    minutes = (at[-1][0] - at[0][0] + seconds(60)) / seconds(60)
    used = sum(needed.values()) / (60 * minutes)
    assert used >= 0.9


def test_the_cap_is_used_where_the_quota_is_not_what_binds(simulation, sql) -> None:
    record(sql, 200, "4")
    simulated = simulation(3, sheets_reads_per_minute=100_000, max_running=20)
    admit(simulated.store, simulated.publish, simulated.settings)
    simulated.run(200)
    taken = (simulated.admitted[-1][0] - NOON) / seconds(1)
    mean = (1 + 4) / 2 + (1 + 15) / 2
    assert (200 - 20) * mean / 20 / taken >= 0.9
    assert taken > 100
