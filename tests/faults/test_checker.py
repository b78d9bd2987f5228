"""Every check of the judge can fail: a history in which one promise is broken is judged so."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker.history import Change, History, Message, Request, SheetVersion, Start, Telling
from tests.faults.checker.judge import CHECKS, judge
from tests.faults.histories import OLD, OTHER, ROWS, RUN, TABLE, at, config, failure, kept, life, load, row


def test_a_history_without_faults_breaks_no_promise() -> None:
    assert judge(kept()) == []


def ended_twice(history: History) -> None:
    history.changes.append(Change(2000, 200, "run", "", row(state="failed", attempt=1)))


def never_ended(history: History) -> None:
    history.changes.append(Change(2000, 200, "run", "", row(OTHER, state="queued", config_id=8, destination="x")))


def recorded_an_hour_early(history: History) -> None:
    history.changes = [replace(each, row={**each.row, "slot": at(3700)}) for each in history.changes[:1]]


def two_active(history: History) -> None:
    history.changes += life(OTHER, 100.2, destination="another")
    history.requests.append(Request("3", 7, 100))


def two_open(history: History) -> None:
    """The second attempt begins before a job closes the first."""
    again = [("pending", 1, 102.6), ("queued", 1, 102.7), ("launching", 2, 102.8)]
    for number, (state, attempt, when) in enumerate(again):
        history.changes.insert(3, Change(1100 + number, when, "run", "", row(state=state, attempt=attempt)))


def two_locations(history: History) -> None:
    history.jobs.append(load(location="EU"))


def load_forgotten(history: History) -> None:
    history.changes = [change for change in history.changes if change.row.get("state") != "succeeded"]
    history.changes.append(Change(2000, 200, "run", "", row(state="failed", attempt=1)))


def success_without_load(history: History) -> None:
    history.jobs = [load(error="invalid")]
    history.tables = {}


def mixed_reading(history: History) -> None:
    history.sheets.append(SheetVersion("sales", 40, 50, OLD))
    history.jobs = [load(content=[ROWS[0], OLD[1]])]


def partial_reading(history: History) -> None:
    history.jobs = [replace(load(), content=ROWS[:1])]


def stale_reading(history: History) -> None:
    """The load is a version that was gone before the attempt began."""
    history.sheets = [SheetVersion("sales", 50, 60, ROWS), SheetVersion("sales", 60, None, OLD)]


def emptied(history: History) -> None:
    history.sheets.append(SheetVersion("sales", 90, None, []))
    history.jobs = [replace(load(), content=[])]


def changed_behind(history: History) -> None:
    history.tables[TABLE] = OLD


def appended_twice(history: History) -> None:
    history.modes[TABLE] = "append"
    history.tables[TABLE] = ROWS + ROWS


def merged_in_part(history: History) -> None:
    history.modes[TABLE] = "merge"
    history.jobs.append(replace(load(OTHER, 200), type="QUERY", content=OLD))
    history.tables[TABLE] = [OLD[0], ROWS[1]]


def unchanged_on_hearsay(history: History) -> None:
    """The sheet was edited before the attempt that says that nothing has changed."""
    history.sheets = [SheetVersion("sales", 50, 150, ROWS), SheetVersion("sales", 150, None, OLD)]
    said = load(OTHER, 200)
    history.changes += life(OTHER, 200)
    history.jobs.append(replace(said, labels={**said.labels, "verdict": "unchanged"}, type="QUERY", content=None))


def older_slot(history: History) -> None:
    history.changes += life(OTHER, 200)
    history.changes[-1].row["slot"] = at(60)
    history.jobs.append(load(OTHER, 200))
    history.requests.append(Request("3", 7, 150))


def last_run_back(history: History) -> None:
    history.changes.append(config(3000, 300, 80))


def null_overwritten(history: History) -> None:
    """A person nulls it while the run goes on that was claimed before."""
    history.changes += [config(985, 85, 80, "person"), config(1003, 103, None, "person")]
    history.changes = [change for change in history.changes if change.seq != 990]


def last_run_before_load(history: History) -> None:
    history.changes = [*life(), config(1003, 103, 100)]


def never_acked(history: History) -> None:
    history.messages.append(Message("requests", "3", b"{}", nacked=True))


def request_lost(history: History) -> None:
    history.heard = history.heard[1:]


def request_merged_into_a_run_that_had_begun(history: History) -> None:
    history.requests[0] = Request("1", 7, 103)


def one_request_two_runs(history: History) -> None:
    history.changes += life(OTHER, 200)
    history.jobs.append(load(OTHER, 200))


def poison_forgotten(history: History) -> None:
    history.heard = history.heard[:1]


def unclaimed_start(history: History) -> None:
    history.starts.append(Start(150, RUN, 2, 200, 1, "job-fghij"))


def over_the_cap(history: History) -> None:
    history.changes.append(Change(1002, 102, "run", "", row(OTHER, state="queued", config_id=8, destination="x")))
    history.changes.append(Change(1010, 110, "run", "", row(OTHER, state="failed", config_id=8, destination="x")))


def over_the_quota(history: History) -> None:
    other = row(OTHER, state="queued", config_id=8, destination="x", admitted_at=at(130))
    history.changes += [Change(1300, 130, "run", "", other), Change(1301, 131, "run", "", {**other, "state": "failed"})]


def started_twice(history: History) -> None:
    history.starts.append(Start(103, RUN, 1, 200, 1, "job-fghij"))


def retried_without_end(history: History) -> None:
    history.changes[4] = replace(history.changes[4], row={**history.changes[4].row, "failures": 6})


def leaked(history: History) -> None:
    history.texts["job.log"] = "read s3cret"


def failure_untold(history: History) -> None:
    history.changes += failure(OTHER, 200, config_id=8)


def recovery_untold(history: History) -> None:
    history.changes += failure(OTHER, 50)
    history.told.append(Telling(55, "webhook", OTHER, "failed", heard=True))


def pause_untold(history: History) -> None:
    """People hear of the failure, and not that its config is paused with it."""
    told = [config(1900, 190, 100, "person", is_active=True), config(2002, 201, 100, is_active=False)]
    history.changes += [*failure(OTHER, 200), told[0], replace(told[1], transaction=2000)]
    history.told.append(Telling(205, "webhook", OTHER, "failed", heard=True))


def told_twice(history: History) -> None:
    history.changes += failure(OTHER, 200, config_id=8)
    history.told += [Telling(when, "webhook", OTHER, "failed", heard=True) for when in (202, 300)]
    history.troubles = [(100, 150), (301.5, 302)]


def told_what_was_not(history: History) -> None:
    history.told.append(Telling(110, "webhook", RUN, "failed", heard=True))


def told_too_early(history: History) -> None:
    history.told.append(Telling(102, "webhook", RUN, "succeeded", heard=True))


def cancelled_and_failed(history: History) -> None:
    history.changes += failure(OTHER, 200, config_id=8, cancel_requested_at=at(200))


def cancelled_and_tried_again(history: History) -> None:
    wished = {"config_id": 8, "cancel_requested_at": at(200)}
    history.changes.append(Change(2000, 200, "run", "person", row(OTHER, **wished)))
    history.changes = [Change(1999, 199, "run", "", row(OTHER, config_id=8)), *history.changes]
    for number, state in enumerate(("launching", "cancelled")):
        history.changes.append(
            Change(2001 + number, 201, "run", "", row(OTHER, state=state, attempt=1, **wished)),
        )


def begun_while_paused(history: History) -> None:
    history.changes.append(config(995, 99.5, None, "person", is_active=False))


def recorded_while_paused(history: History) -> None:
    history.changes.append(config(2000, 200, 100, "person", is_active=False))
    history.changes += failure(OTHER, 210, why="schedule")


def never_paused(history: History) -> None:
    history.pause_after = 2
    history.changes.append(config(991, 91, None, "person", is_active=True))
    for number in (1, 2):
        history.changes += failure(OTHER[:-1] + str(number), 200 + 10 * number)


def paused_early(history: History) -> None:
    history.pause_after = 2
    history.changes += [config(991, 91, None, "person", is_active=True), *failure(OTHER, 200)]
    history.changes.append(replace(config(2002, 201, 100, is_active=False), transaction=2000))


def deleted_young(history: History) -> None:
    history.changes += failure(OTHER, 200)
    history.changes.append(replace(history.changes[-1], seq=3000, at=300, kind="run gone"))


def message_deleted_young(history: History) -> None:
    history.changes.append(Change(3000, 300, "message gone", "", {"message_id": "1", "received_at": at(290)}))


def deleted_newest(history: History) -> None:
    history.kept_days = 0
    history.changes.append(replace(history.changes[4], seq=3000, at=300, kind="run gone"))


def old_run_kept(history: History) -> None:
    history.kept_days = 0
    history.changes += failure(OTHER, 50)


def old_message_kept(history: History) -> None:
    history.kept_days = 0
    history.heard[0] = replace(history.heard[0], at=99)


BROKEN: dict[str, tuple[Callable[[History], None], ...]] = {
    "every_run_ends_in_one_terminal_state": (ended_twice, never_ended),
    "no_run_stands_for_what_is_to_come": (recorded_an_hour_early,),
    "one_run_is_active_per_config_and_table": (two_active,),
    "one_attempt_is_open_per_table": (two_open,),
    "an_attempt_has_one_job": (two_locations,),
    "a_load_that_is_done_ends_as_succeeded": (load_forgotten,),
    "a_success_has_its_load": (success_without_load,),
    "a_load_is_one_complete_reading": (mixed_reading, partial_reading, stale_reading, emptied),
    "what_is_unchanged_is_there": (unchanged_on_hearsay,),
    "a_table_holds_what_was_loaded": (changed_behind, appended_twice, merged_in_part),
    "slots_of_a_table_never_go_backwards": (older_slot,),
    "last_run_never_goes_backwards": (last_run_back,),
    "a_persons_null_stays": (null_overwritten,),
    "last_run_stands_for_a_load_that_is_done": (last_run_before_load,),
    "every_message_that_came_was_acked": (never_acked,),
    "a_request_by_hand_has_its_run": (request_lost, request_merged_into_a_run_that_had_begun),
    "requests_make_no_run_twice": (one_request_two_runs,),
    "poison_is_kept_with_its_reason": (poison_forgotten,),
    "no_run_is_launched_that_was_not_asked_for": (unclaimed_start,),
    "admitted_runs_never_exceed_the_cap": (over_the_cap,),
    "reserved_reads_never_exceed_the_quota": (over_the_quota,),
    "an_attempt_is_started_once": (started_twice,),
    "a_run_fails_only_so_often": (retried_without_end,),
    "people_hear_of_every_bad_end_and_recovery": (failure_untold, recovery_untold, pause_untold),
    "people_hear_of_nothing_twice": (told_twice,),
    "people_hear_only_what_happened": (told_what_was_not, told_too_early),
    "a_cancelled_run_ends_without_another_attempt": (cancelled_and_failed, cancelled_and_tried_again),
    "a_paused_config_begins_nothing": (begun_while_paused, recorded_while_paused),
    "a_config_is_paused_after_so_many_permanent_failures": (never_paused, paused_early),
    "cleaning_deletes_nothing_that_is_asked_for": (deleted_young, message_deleted_young, deleted_newest),
    "cleaning_deletes_the_rest": (old_run_kept, old_message_kept),
    "nothing_secret_is_written": (leaked,),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_broken_promise_is_seen(check: Any) -> None:
    for breaks in BROKEN[check.__name__]:
        history = kept()
        assert list(check(history)) == []
        breaks(history)
        assert list(check(history)), breaks.__name__


def test_the_judge_imports_nothing_of_the_product() -> None:
    for path in Path(__file__).with_name("checker").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.partition(".")[0] not in ("shared", "job", "functions", "commands", "sql", "main"), path
