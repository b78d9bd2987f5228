"""A config that keeps failing for good is paused, and what resumes it; what people are told is noted with the end."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.store import Store
from shared.messages import RunCompleted
from shared.run import Closed, Failure, Run

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PERMANENT = Failure("EmptySheet", "config 7: the sheet has no rows: fill it", retryable=False, remedy="fill it")
PASSING = Failure("ServiceUnavailable", "it did not answer", retryable=True)


@pytest.fixture
def config(add_config) -> int:
    return add_config("sales", last_run=NOON)


@pytest.fixture
def claimed(store: Store, config: int, add_run):
    """A run of the config, `hours` after noon, that is in flight."""

    def make(hours: int, why: str = "schedule") -> Run:
        run_id = add_run(config, NOON + hours * HOUR, why, state="queued")
        standing = store.find_run(run_id)
        return store.claim(standing, standing.config(), "p", "US", NOON + hours * HOUR, MINUTE, HOUR)

    return make


@pytest.fixture
def failed(store: Store, claimed):
    """Fails a run for good, and tells what became of it."""

    def make(hours: int, failure: Failure = PERMANENT, after: int = 3, why: str = "schedule") -> Closed | None:
        ended_at = NOON + hours * HOUR + MINUTE
        return store.fail(claimed(hours, why), failure, ended_at, None, None, pause_after=after)

    return make


def noted(sql) -> list[str]:
    return [
        kind
        for (kind,) in sql(
            "SELECT n.kind FROM sheet_to_bigquery_notices n JOIN sheet_to_bigquery_runs r ON r.id = n.run_id"
            " ORDER BY r.created_at"
        )
    ]


def standing_of(sql) -> list:
    return sql("SELECT is_active, paused_at, paused_reason FROM sheet_to_bigquery_configs")[0]


def succeed(store: Store, run: Run, *, tell: bool = False) -> bool:
    outcome = {"execution": None, "verdict": "loaded", "rows": 1, "columns": [], "content_hash": None, "details": None}
    return store.succeed(run, NOON + 90 * HOUR, **outcome, tell=tell)


def test_so_many_permanent_failures_in_a_row_pause_a_config_with_the_reason(failed, sql) -> None:
    assert [failed(hours) for hours in (1, 2, 3)] == [
        Closed("failed", False),
        Closed("failed", False),
        Closed("failed", True),
    ]
    active, paused_at, reason = standing_of(sql)
    assert (active, paused_at) == (False, NOON + 3 * HOUR + MINUTE)
    assert (
        reason
        == "3 runs in a row failed for good, the last one with EmptySheet: config 7: the sheet has no rows: fill it"
    )
    assert noted(sql) == ["failed", "failed", "paused"]


@pytest.mark.parametrize("after", [0, 4])
def test_fewer_failures_than_that_pause_nothing(after, failed, sql) -> None:
    assert [failed(hours, after=after).paused for hours in (1, 2, 3)] == [False, False, False]
    assert standing_of(sql)[0] is True


def test_one_failure_is_enough_where_one_is_the_setting(failed) -> None:
    assert failed(1, after=1) == Closed("failed", True)


def test_a_failure_that_may_pass_breaks_the_row(failed) -> None:
    assert not failed(1).paused
    assert not failed(2, PASSING).paused
    assert [failed(hours).paused for hours in (3, 4, 5)] == [False, False, True]


def test_a_success_breaks_the_row(store: Store, failed, claimed) -> None:
    failed(1)
    failed(2)
    succeed(store, claimed(3))
    assert [failed(hours).paused for hours in (4, 5, 6)] == [False, False, True]


def test_a_cancelled_run_and_a_shadow_run_neither_count_nor_break_the_row(failed, config, add_run, sql) -> None:
    failed(1)
    failed(2)
    add_run(config, NOON + 3 * HOUR, state="cancelled")
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text DEFAULT 'shadow'")
    assert not failed(4, why="shadow").paused
    sql("UPDATE sheet_to_bigquery_configs SET migration_status = 'job_ready'")
    assert failed(5).paused
    assert noted(sql) == ["failed", "failed", "paused"]


def test_failures_from_before_the_last_pause_do_not_count(failed, sql) -> None:
    for hours in (1, 2, 3):
        failed(hours)
    sql("UPDATE sheet_to_bigquery_configs SET is_active = true")  # as the portal does
    assert [failed(hours).paused for hours in (4, 5, 6)] == [False, False, True]


def test_a_success_forgets_why_the_config_was_paused_once(store: Store, failed, claimed, sql) -> None:
    failed(1, after=1)
    sql("UPDATE sheet_to_bigquery_configs SET is_active = true")
    succeed(store, claimed(2))
    assert standing_of(sql)[2] is None


def test_another_config_is_not_paused(failed, add_config, sql) -> None:
    other = add_config("other")
    failed(1, after=1)
    assert sql("SELECT is_active FROM sheet_to_bigquery_configs WHERE id = :id", id=other) == [[True]]


def test_a_row_that_cannot_be_run_counts_as_well(store: Store, config, add_run, sql) -> None:
    for hours in (1, 2):
        run = store.find_run(add_run(config, NOON + hours * HOUR, state="queued")).run
        closed = store.end_unclaimed(run, "failed", PERMANENT, NOON + hours * HOUR, pause_after=2)
        assert closed == Closed("failed", hours == 2)
        assert store.find_run(run.id).run.remedy == "fill it"


def test_a_permanent_failure_that_is_told_late_counts_and_is_told_once(store: Store, claimed, sql) -> None:
    run = claimed(1)
    store.note_execution(run.id, 1, "jobs/j/executions/e")
    shown = Failure("ExecutionFailed", "it ended", retryable=True)
    assert store.fail(run, shown, NOON + HOUR, NOON + 2 * HOUR, None, pause_after=1) == Closed("pending", False)
    assert noted(sql) == []
    said = RunCompleted(run.id, 1, "e", "failed", error_class="EmptySheet", error="no rows")
    ran = store.find_run(run.id).run
    corrected = store.correct_failure(ran, PERMANENT, NOON + HOUR, said, pause_after=1)
    assert corrected == Closed("failed", True)
    assert store.find_run(run.id).run.remedy == PERMANENT.remedy == "fill it"
    assert noted(sql) == ["paused"]
    assert store.correct_failure(ran, PERMANENT, NOON + HOUR, said, pause_after=1) is None


def test_a_failure_that_turns_out_to_be_permanent_is_told_again_as_the_pause_that_it_led_to(
    store: Store, claimed, sql
) -> None:
    run = claimed(1)
    store.note_execution(run.id, 1, "jobs/j/executions/e")
    shown = Failure("ExecutionFailed", "it ended", retryable=True)
    assert store.fail(run, shown, NOON + HOUR, None, None, pause_after=1) == Closed("failed", False)
    told = store.take_notice(NOON + HOUR, NOON + 2 * HOUR)
    said = RunCompleted(run.id, 1, "e", "failed", error_class="EmptySheet", error="no rows")
    ran = store.find_run(run.id).run
    assert store.correct_failure(ran, PERMANENT, NOON + HOUR, said, pause_after=1) == Closed("failed", True)
    # What the first one was told as has nothing to do with the second.
    store.note_notice(told, ["slack"], NOON + 2 * HOUR, NOON + HOUR)
    again = store.take_notice(NOON + HOUR, NOON + 2 * HOUR)
    assert (told.kind, again.kind, again.heard, again.attempts) == ("failed", "paused", (), 1)


def test_a_success_is_news_after_a_failure_or_where_it_is_wanted(store: Store, failed, claimed, sql) -> None:
    succeed(store, claimed(1))
    failed(2)
    succeed(store, claimed(3))
    succeed(store, claimed(4))
    succeed(store, claimed(5), tell=True)
    assert noted(sql) == ["failed", "recovered", "succeeded"]


def test_a_run_that_is_tried_again_is_no_news(store: Store, claimed, sql) -> None:
    store.fail(claimed(1), PASSING, NOON + HOUR, NOON + 2 * HOUR, None, pause_after=1)
    assert noted(sql) == []


def test_a_run_that_succeeds_after_all_does_not_forget_why_its_config_was_paused_meanwhile(
    store: Store, config, claimed, sql
) -> None:
    run = claimed(1)
    store.pause_config(config, "the sheet is being rebuilt", NOON + HOUR)
    succeed(store, run)
    assert standing_of(sql) == [False, NOON + HOUR, "the sheet is being rebuilt"]


def test_words_that_come_after_the_next_success_pause_nothing(store: Store, claimed, sql) -> None:
    run = claimed(1)
    store.note_execution(run.id, 1, "jobs/j/executions/e")
    shown = Failure("ExecutionFailed", "it ended", retryable=True)
    assert store.fail(run, shown, NOON + HOUR, None, None, pause_after=1) == Closed("failed", False)
    succeed(store, claimed(2))
    said = RunCompleted(run.id, 1, "e", "failed", error_class="EmptySheet", error="no rows")
    ran = store.find_run(run.id).run
    assert store.correct_failure(ran, PERMANENT, NOON + 3 * HOUR, said, pause_after=1) == Closed("failed", False)
    assert standing_of(sql)[0] is True
