"""Shadow runs: recorded for shadow configs alone, as often as their schedule asks, and never the due rule's."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import NotOurs, TableConflict
from shared.ledger.connection import connect
from shared.ledger.store import Store
from shared.run import Failure, Run
from shared.settings import Database
from sql.tracking import start

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BATCH = "00000000-0000-0000-0000-000000000001"
RUNS = "SELECT why, slot, destination FROM sheet_to_bigquery_runs ORDER BY slot"


@pytest.fixture
def shadowed(add_config, migrated: Database) -> int:
    """The number of a config that is the older service's, and shadowed by the job."""
    with connect(migrated) as connection:
        list(start(connection, migrated.configs_table))
    return add_config("sales", migration_status="shadow")


def recorded(store: Store, now: datetime = NOON, names: list[str] | None = None) -> int:
    told = store.count_shadows(now, names)
    assert store.record_shadows(now, BATCH, None, "_beside", names) == told
    return told


def claim(store: Store, run: Run, now: datetime = NOON) -> Run | None:
    standing = store.find_run(run.id)
    return store.claim(standing, standing.config(), "p", "US", now, MINUTE, MINUTE)


def test_a_shadow_config_gets_a_run_into_the_dataset_beside_its_own(store: Store, shadowed: int, sql) -> None:
    assert recorded(store) == 1
    assert sql(RUNS) == [["shadow", NOON, "test-project.reports_beside.sales"]]
    # One that is open is enough.
    assert recorded(store, NOON + 99 * HOUR) == 0


def test_the_schedule_counts_from_the_newest_shadow_run_whoever_asked_for_it(
    store: Store, shadowed: int, add_run, sql
) -> None:
    sql("UPDATE sheet_to_bigquery_configs SET run_frequency_hours = 2")
    add_run(shadowed, NOON, "shadow", "failed")
    add_run(shadowed, NOON + HOUR, "schedule")
    assert recorded(store, NOON + 2 * HOUR - MINUTE) == 0
    assert recorded(store, NOON + 7 * HOUR) == 1
    assert sql(f"{RUNS} DESC LIMIT 1")[0][:2] == ["shadow", NOON + 6 * HOUR]


@pytest.mark.parametrize(
    "change",
    [
        "migration_status = 'service'",
        "migration_status = NULL",
        "migration_status = 'job_ready'",
        "is_active = false",
        "is_active = NULL",
        "run_frequency_hours = 0",
        "run_frequency_hours = -1",
        "run_frequency_hours = 2147483647",
    ],
)
def test_no_other_config_gets_one(change: str, store: Store, shadowed: int, sql) -> None:
    sql(f"UPDATE sheet_to_bigquery_configs SET {change}")
    assert recorded(store) == 0


def test_without_the_column_there_are_none(store: Store, add_config) -> None:
    config_id = add_config()
    assert recorded(store) == 0
    assert store.record_shadow(config_id, NOON) is None


def test_those_that_are_named_alone_get_one(store: Store, shadowed: int, add_config) -> None:
    add_config("stock", migration_status="shadow")
    assert recorded(store, names=["stock", "nobody"]) == 1


def test_a_shadow_config_is_not_due_itself(store: Store, shadowed: int) -> None:
    recorded(store)
    assert store.record_due(NOON, BATCH, None).count == 0
    # Although the call recorded its shadow's run.
    assert store.tell(NOON, 9, recorded_by=BATCH).counts == {"not_ours": 1}


def test_one_that_is_asked_for_is_recorded_once_until_it_begins(store: Store, shadowed: int, sql) -> None:
    first = store.record_shadow(shadowed, NOON, "_beside")
    assert first is not None
    assert store.record_shadow(shadowed, NOON + MINUTE, "_beside") == first
    assert store.admit(NOON, 9, 99) == [first]
    second = store.record_shadow(shadowed, NOON + MINUTE, "_beside")
    assert second not in (first, None)
    assert sql(RUNS) == [["shadow", NOON + each, "test-project.reports_beside.sales"] for each in (0 * HOUR, MINUTE)]


def test_one_that_is_asked_for_stands_for_no_instant_before_another_runs(
    store: Store, shadowed: int, add_run, sql
) -> None:
    add_run(shadowed, NOON + HOUR)
    store.record_shadow(shadowed, NOON)
    assert sql("SELECT slot > :then FROM sheet_to_bigquery_runs WHERE why = 'shadow'", then=NOON + HOUR) == [[True]]


@pytest.mark.parametrize("change", ["migration_status = 'service'", "is_active = false"])
def test_none_is_recorded_for_a_config_that_is_no_active_shadow(change: str, store: Store, shadowed: int, sql) -> None:
    sql(f"UPDATE sheet_to_bigquery_configs SET {change}")
    assert store.record_shadow(shadowed, NOON) is None
    assert store.record_shadow(404, NOON) is None
    assert sql(RUNS) == []


def test_admission_leaves_it_beside_the_table(store: Store, shadowed: int, sql) -> None:
    store.record_shadow(shadowed, NOON, "_beside")
    assert len(store.admit(NOON, 9, 99)) == 1
    assert sql("SELECT destination FROM sheet_to_bigquery_runs") == [["test-project.reports_beside.sales"]]


def test_its_claim_takes_the_table_that_it_is_given(store: Store, shadowed: int) -> None:
    run_id = store.record_shadow(shadowed, NOON)
    store.admit(NOON, 9, 99)
    standing = store.find_run(run_id)
    claimed = store.claim(standing, standing.config().shadow("_other"), "p", "US", NOON, MINUTE, MINUTE)
    assert claimed is not None
    assert store.find_run(run_id).run.destination == "test-project.reports_other.sales"


@pytest.mark.parametrize("mark", ["service", "job_ready"])
@pytest.mark.parametrize("read_before", [True, False])
def test_one_of_a_config_that_is_no_shadow_any_more_is_not_claimed(
    mark: str, read_before: bool, store: Store, shadowed: int, sql
) -> None:
    run_id = store.record_shadow(shadowed, NOON)
    store.admit(NOON, 9, 99)
    standing = store.find_run(run_id)
    config = standing.config()
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = :mark", mark=mark)
    if read_before:
        assert store.claim(standing, config, "p", "US", NOON, MINUTE, MINUTE) is None
    else:
        with pytest.raises(NotOurs, match="its migration_status has to be shadow for that"):
            store.find_run(run_id).config()


def test_a_run_by_hand_of_a_shadow_config_is_not_ours_to_load_its_table(store: Store, shadowed: int, add_run) -> None:
    standing = store.find_run(add_run(shadowed, NOON, "manual", "queued"))
    with pytest.raises(NotOurs, match="has to be job_ready"):
        standing.config()


def test_two_shadows_of_one_table_are_a_conflict_and_a_job_beside_one_is_none(
    store: Store, shadowed: int, add_config, add_run, sql
) -> None:
    other = add_config("other", bigquery_table_id="sales", migration_status="job_ready")
    run_id = add_run(shadowed, NOON, "shadow", "queued")
    assert store.find_run(run_id).config().id == shadowed
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = 'shadow' WHERE id = :id", id=other)
    with pytest.raises(TableConflict, match='"other"'):
        store.find_run(run_id).config()


def test_its_end_tells_nobody_and_pauses_nothing(store: Store, shadowed: int, add_run, sql) -> None:
    run = store.find_run(add_run(shadowed, NOON, "shadow", "queued")).run
    store.end_unclaimed(run, "failed", Failure("InvalidConfig", "wrong", False), NOON, pause_after=1)
    assert sql("SELECT count(*) FROM sheet_to_bigquery_notices") == [[0]]
    assert sql("SELECT is_active FROM sheet_to_bigquery_configs") == [[True]]


# -- the older service's messages ----------------------------------------------------------------------------


@pytest.fixture
def forward(sql):
    """Hands a message to the older service, which has not answered."""

    def make(config_id: int | None, destination: str | None, open_until: datetime, status: int | None = None) -> None:
        sql(
            "INSERT INTO sheet_to_bigquery_forwards (message_id, config_id, destination, begun_at, open_until,"
            " ended_at, status) VALUES (gen_random_uuid()::text, :config_id, :destination, :then, :open_until,"
            " CASE WHEN CAST(:status AS integer) IS NULL THEN NULL ELSE CAST(:then AS timestamptz) END, :status)",
            config_id=config_id,
            destination=destination,
            then=NOON - HOUR,
            open_until=open_until,
            status=status,
        )

    return make


@pytest.mark.parametrize("of", ["config", "table"])
def test_a_run_waits_while_the_older_service_may_write_its_table(
    of: str, store: Store, add_config, add_run, forward
) -> None:
    config_id = add_config("sales")
    run = store.find_run(add_run(config_id, NOON, state="queued")).run
    named = (config_id, None) if of == "config" else (None, "test-project.reports.sales")
    forward(*named, NOON + HOUR)
    assert claim(store, run) is None
    waiting = store.find_run(run.id).run
    assert (waiting.state, waiting.not_before, waiting.failures) == ("pending", NOON + MINUTE, 0)
    assert store.admit(NOON + MINUTE, 9, 99) == [run.id]
    # By then it has given up, whatever it answered.
    assert claim(store, run, NOON + HOUR).attempt == 1


def test_a_run_does_not_wait_for_a_message_that_was_answered_or_is_of_another_config(
    store: Store, add_config, add_run, forward
) -> None:
    config_id = add_config("sales")
    run = store.find_run(add_run(config_id, NOON, state="queued")).run
    forward(config_id, "test-project.reports.sales", NOON + HOUR, status=200)
    forward(config_id + 1, "test-project.reports.stock", NOON + HOUR)
    assert claim(store, run).attempt == 1


def test_a_shadow_run_does_not_wait_for_the_older_service(store: Store, shadowed: int, add_run, forward) -> None:
    forward(shadowed, "test-project.reports.sales", NOON + HOUR)
    run = store.find_run(add_run(shadowed, NOON, "shadow", "queued")).run
    standing = store.find_run(run.id)
    assert store.claim(standing, standing.config().shadow("_s"), "p", "US", NOON, MINUTE, MINUTE) is not None


def test_a_shadow_run_waits_where_the_older_service_writes_its_very_table(
    store: Store, shadowed: int, add_run, forward
) -> None:
    """A message of a config that Postgres does not know may name any table."""
    forward(None, "test-project.reports_s.sales", NOON + HOUR)
    run = store.find_run(add_run(shadowed, NOON, "shadow", "queued")).run
    standing = store.find_run(run.id)
    assert store.claim(standing, standing.config().shadow("_s"), "p", "US", NOON, MINUTE, MINUTE) is None
    assert store.find_run(run.id).run.state == "pending"


def test_a_claim_notes_what_the_config_reads(store: Store, shadowed: int, sql) -> None:
    """So that a comparison can tell whether the config was edited since."""
    sources = []
    for edit in ("name = name", "name = 'renamed', options = '{\"parity\": true}'", "google_sheet_tab_name = 'other'"):
        sql(f"UPDATE sheet_to_bigquery_configs SET {edit}")
        store.record_shadow(shadowed, store.now())
        store.admit(store.now(), 10, 1000)
        [(run_id,)] = sql("SELECT id FROM sheet_to_bigquery_runs WHERE state = 'queued'")
        assert claim(store, store.find_run(str(run_id)).run)
        sources += sql("SELECT source FROM sheet_to_bigquery_runs WHERE state = 'launching'")
        sql("UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now() WHERE state = 'launching'")
    assert sources[0] == sources[1] != sources[2]
