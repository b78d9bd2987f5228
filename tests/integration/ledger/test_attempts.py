"""A run's attempt in the ledger: claimed once, given back, failed, succeeded, and what `last_run` does with it."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.store import Store
from shared.loaded import ColumnLoaded
from shared.messages import RunCompleted
from shared.run import Failure, Run

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAILURE = Failure("ServiceUnavailable", "it did not answer: wait", retryable=True, remedy="wait")
COLUMNS = [ColumnLoaded("order_id", "INT64")]


@pytest.fixture
def queued(store: Store, add_config, add_run):
    """A queued run of a config with this `last_run`, as `find_run` gives it."""

    def make(last_run: datetime | None = None, why: str = "schedule", slot: datetime = NOON) -> Run:
        config_id = add_config(last_run=last_run)
        return store.find_run(add_run(config_id, slot, why, state="queued")).run

    return make


def claim(store: Store, run: Run, now: datetime = NOON) -> Run:
    standing = store.find_run(run.id)
    claimed = store.claim(standing, standing.config(), "billing-project", "EU", now, 2 * MINUTE, 30 * MINUTE)
    assert claimed is not None
    after = store.find_run(run.id).run
    assert (claimed.state, claimed.attempt) == (after.state, after.attempt)
    return after


def succeed(store: Store, run: Run, details: RunCompleted | None = None) -> bool:
    return store.succeed(
        run,
        NOON,
        execution="jobs/j/executions/e",
        verdict="loaded",
        rows=3,
        columns=COLUMNS,
        content_hash="c0ffee",
        details=details,
    )


def last_run(sql) -> datetime | None:
    return sql("SELECT last_run FROM sheet_to_bigquery_configs")[0][0]


def test_a_queued_run_is_claimed_once(store: Store, queued) -> None:
    run = queued()
    standing = store.find_run(run.id)
    assert store.claim(standing, standing.config(), "p", "US", NOON, MINUTE, MINUTE).attempt == 1
    assert store.claim(standing, standing.config(), "p", "US", NOON, MINUTE, MINUTE) is None


def test_a_claim_keeps_where_the_job_goes_and_when_to_look(store: Store, queued) -> None:
    run = claim(store, queued())
    assert (run.state, run.job_project, run.job_location) == ("launching", "billing-project", "EU")
    assert (run.lease_until, run.deadline) == (NOON + 2 * MINUTE, NOON + 30 * MINUTE)


@pytest.mark.parametrize("change", ["is_active = false", "is_active = NULL"])
def test_a_config_paused_since_it_was_read_is_not_claimed(change: str, store: Store, sql, queued) -> None:
    run = queued()
    standing = store.find_run(run.id)
    sql(f"UPDATE sheet_to_bigquery_configs SET {change}")
    assert store.claim(standing, standing.config(), "p", "US", NOON, MINUTE, MINUTE) is None


def test_a_config_taken_over_by_the_older_service_is_not_claimed(store: Store, sql, queued) -> None:
    run = queued()
    standing = store.find_run(run.id)
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text DEFAULT 'service'")
    assert store.claim(standing, standing.config(), "p", "US", NOON, MINUTE, MINUTE) is None


def test_success_moves_last_run_to_the_slot(store: Store, sql, queued) -> None:
    assert succeed(store, claim(store, queued(last_run=NOON - 60 * MINUTE)))
    assert last_run(sql) == NOON


def test_success_sets_the_first_last_run(store: Store, sql, queued) -> None:
    succeed(store, claim(store, queued(last_run=None)))
    assert last_run(sql) == NOON


@pytest.mark.parametrize(("why", "slot"), [("schedule", NOON), ("manual", None), ("reset", None)])
def test_success_tells_by_whom_last_run_was_moved(why: str, slot: datetime | None, store: Store, sql, queued) -> None:
    """Where it was not a scheduled run, the due rule asks the ledger where the schedule stands."""
    succeed(store, claim(store, queued(last_run=None, why=why)))
    assert sql("SELECT last_run, scheduled_run FROM sheet_to_bigquery_configs") == [[NOON, slot]]


def test_last_run_never_moves_backwards(store: Store, sql, queued) -> None:
    succeed(store, claim(store, queued(last_run=NOON + MINUTE)))
    assert last_run(sql) == NOON + MINUTE


def test_a_last_run_nulled_after_the_claim_stays_null(store: Store, sql, queued) -> None:
    run = claim(store, queued(last_run=NOON - MINUTE))
    sql("UPDATE sheet_to_bigquery_configs SET last_run = NULL")
    succeed(store, run)
    assert last_run(sql) is None
    assert store.find_run(run.id).run.state == "succeeded"


def test_a_shadow_run_never_touches_last_run(store: Store, sql, queued) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text DEFAULT 'shadow'")
    succeed(store, claim(store, queued(last_run=None, why="shadow")))
    assert last_run(sql) is None


def test_a_run_whose_config_is_gone_still_ends(store: Store, sql, queued) -> None:
    run = claim(store, queued())
    sql("DELETE FROM sheet_to_bigquery_configs")
    assert succeed(store, run)


def test_a_run_ends_once(store: Store, queued) -> None:
    run = claim(store, queued())
    assert succeed(store, run)
    assert not succeed(store, run)
    assert not store.fail(run, FAILURE, NOON, None, None)


def test_an_older_attempts_end_does_not_end_a_newer_attempt(store: Store, queued, sql) -> None:
    first = claim(store, queued())
    store.fail(first, FAILURE, NOON, NOON + MINUTE, None)
    sql("UPDATE sheet_to_bigquery_runs SET state = 'queued'")
    second = claim(store, first)
    assert second.attempt == 2
    assert not succeed(store, first)
    assert store.find_run(first.id).run.state == "launching"


def test_a_failure_that_can_be_mended_waits_for_its_time(store: Store, queued, sql) -> None:
    run = claim(store, queued(last_run=NOON - MINUTE))
    assert store.fail(run, FAILURE, NOON, NOON + MINUTE, None)
    after = store.find_run(run.id).run
    assert (after.state, after.failures, after.not_before) == ("pending", 1, NOON + MINUTE)
    assert (after.error_class, after.error) == (FAILURE.error_class, FAILURE.error)
    assert last_run(sql) == NOON - MINUTE


def test_a_failure_for_good_ends_the_run_and_does_not_move_last_run(store: Store, queued, sql) -> None:
    run = claim(store, queued())
    store.fail(run, FAILURE, NOON, None, None)
    after = store.find_run(run.id).run
    assert (after.state, after.ended_at) == ("failed", NOON)
    assert last_run(sql) is None


def test_congestion_gives_a_run_back_without_a_failure(store: Store, queued) -> None:
    run = claim(store, queued())
    store.give_back(run, NOON, NOON + MINUTE, FAILURE)
    after = store.find_run(run.id).run
    assert (after.state, after.failures, after.not_before) == ("pending", 0, NOON + MINUTE)


def test_the_remedy_of_a_failure_stands_by_itself_until_the_run_is_no_failure_any_more(
    store: Store, queued, sql
) -> None:
    def remedy() -> str | None:
        return store.find_run(run.id).run.remedy

    run = claim(store, queued())
    store.give_back(run, NOON, NOON, FAILURE)
    assert remedy() == "wait"
    sql("UPDATE sheet_to_bigquery_runs SET state = 'queued', remedy = NULL")
    run = claim(store, run)
    store.fail(run, FAILURE, NOON, NOON, None)
    assert remedy() == "wait"
    sql("UPDATE sheet_to_bigquery_runs SET state = 'queued'")
    run = claim(store, run)
    assert succeed(store, run)
    assert remedy() is None


def test_a_cancelled_run_has_no_remedy_of_what_it_failed_with_before(store: Store, queued) -> None:
    run = claim(store, queued())
    store.fail(run, FAILURE, NOON, NOON + MINUTE, None)
    store.cancel(run.id, NOON)
    after = store.find_run(run.id).run
    assert (after.state, after.error_class, after.remedy) == ("cancelled", "Cancelled", None)


def test_leases_that_are_over_are_found(store: Store, queued) -> None:
    run = claim(store, queued())
    store.note_execution(run.id, run.attempt, "jobs/j/executions/e")
    assert store.lease_over(NOON + MINUTE) == []
    assert store.lease_over(NOON + 2 * MINUTE) == [run.id]
    store.extend_lease(run, NOON + 99 * MINUTE)
    assert store.lease_over(NOON + 29 * MINUTE) == []
    assert store.lease_over(NOON + 30 * MINUTE) == [run.id]  # the deadline


def test_details_that_come_late_are_added_once(store: Store, queued) -> None:
    run = claim(store, queued())
    succeed(store, run)
    late = RunCompleted(run.id, 1, "e", "succeeded", requests=7, seconds={"read": 1.5}, warnings=("Sales!C7: …",))
    store.add_details(late, "jobs/j/executions/e")
    after = store.find_run(run.id).run
    assert (after.requests, after.seconds, after.warnings) == (7, {"read": 1.5}, ["Sales!C7: …"])
    assert (after.rows, after.columns) == (3, [{"name": "order_id", "type": "INT64", "mode": "NULLABLE"}])


@pytest.mark.parametrize("late", [False, True])
def test_when_the_sheet_was_edited_last_is_kept_whenever_it_is_told(late: bool, store: Store, queued) -> None:
    run = claim(store, queued())
    details = RunCompleted(run.id, 1, "e", "succeeded", requests=7, sheet_modified_at=NOON - MINUTE)
    succeed(store, run, None if late else details)
    if late:
        store.add_details(details, "jobs/j/executions/e")
    assert store.find_run(run.id).run.sheet_modified_at == NOON - MINUTE


def test_an_older_jobs_message_does_not_tell_when_and_is_taken_all_the_same(store: Store, queued) -> None:
    run = claim(store, queued())
    assert succeed(store, run, RunCompleted(run.id, 1, "e", "succeeded", requests=7))
    assert store.find_run(run.id).run.sheet_modified_at is None


def test_a_reset_between_the_reading_of_the_config_and_the_claim_is_kept(store: Store, sql, queued) -> None:
    run = queued(last_run=NOON - MINUTE)
    standing = store.find_run(run.id)
    sql("UPDATE sheet_to_bigquery_configs SET google_sheet_tab_name = 'New', last_run = NULL")
    claimed = store.claim(standing, standing.config(), "p", "US", NOON, MINUTE, MINUTE)
    succeed(store, claimed)
    assert last_run(sql) is None


def test_a_run_edited_onto_a_busy_table_waits_for_it(store: Store, sql, add_config, add_run) -> None:
    busy = store.find_run(add_run(add_config("busy"), NOON, state="queued", destination="test-project.reports.busy"))
    store.claim(busy, busy.config(), "p", "US", NOON, MINUTE, MINUTE)
    sql("UPDATE sheet_to_bigquery_configs SET is_active = false")
    moved_id = add_run(add_config("moved", bigquery_table_id="busy"), NOON, state="queued", destination="elsewhere")
    moved = store.find_run(moved_id)
    assert store.claim(moved, moved.config(), "p", "US", NOON, MINUTE, MINUTE) is None
    after = store.find_run(moved_id).run
    assert (after.state, after.destination, after.attempt) == ("pending", "test-project.reports.busy", 0)
    assert after.not_before > NOON


def test_a_run_that_did_not_start_gives_its_reads_back(store: Store, sql, queued) -> None:
    run = queued()
    sql("UPDATE sheet_to_bigquery_runs SET admitted_at = now(), reads_reserved = reads + 3")
    store.end_unclaimed(run, "cancelled", FAILURE, NOON, pause_after=0)
    assert sql("SELECT reads_reserved FROM sheet_to_bigquery_runs") == [[3]]  # an earlier attempt's, which did read


@pytest.mark.parametrize(("reads", "held"), [(2, 5), (9, 12), (None, 7)])
@pytest.mark.parametrize("ends", ["succeeded", "failed", "told late"])
def test_a_run_that_ended_holds_the_reads_that_it_made(
    ends: str, reads: int | None, held: int, store: Store, sql, queued
) -> None:
    """What it did not read is free for the next at once; an earlier attempt's reads count on."""
    run = claim(store, queued())
    sql("UPDATE sheet_to_bigquery_runs SET admitted_at = now(), reads_reserved = reads + 3")
    details = RunCompleted(run.id, 1, "e", "succeeded", requests=reads, sheet_reads=reads)
    if ends == "succeeded":
        assert succeed(store, run, details)
    elif ends == "failed":
        assert store.fail(run, FAILURE, NOON, NOON, details)
    else:
        assert succeed(store, run)
        store.add_details(details, "jobs/j/executions/e")
    assert sql("SELECT reads_reserved, reads FROM sheet_to_bigquery_runs") == [[held, 4]]
