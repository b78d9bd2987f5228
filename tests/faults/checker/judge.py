"""The judge: reads what happened and says which promises were broken. Imports nothing of the product."""

from collections.abc import Callable, Iterator

from tests.faults.checker import cleaning, limits, messages, notices, runs, secrets, tables, wishes
from tests.faults.checker.history import History, Violation

Check = Callable[[History], Iterator[Violation]]

CHECKS: tuple[Check, ...] = (
    runs.every_run_ends_in_one_terminal_state,
    runs.no_run_stands_for_what_is_to_come,
    runs.one_run_is_active_per_config_and_table,
    runs.one_attempt_is_open_per_table,
    runs.an_attempt_has_one_job,
    runs.a_load_that_is_done_ends_as_succeeded,
    runs.a_success_has_its_load,
    tables.a_load_is_one_complete_reading,
    tables.what_is_unchanged_is_there,
    tables.a_table_holds_what_was_loaded,
    tables.slots_of_a_table_never_go_backwards,
    tables.last_run_never_goes_backwards,
    tables.a_persons_null_stays,
    tables.last_run_stands_for_a_load_that_is_done,
    messages.every_message_that_came_was_acked,
    messages.a_request_by_hand_has_its_run,
    messages.requests_make_no_run_twice,
    messages.poison_is_kept_with_its_reason,
    messages.no_run_is_launched_that_was_not_asked_for,
    limits.admitted_runs_never_exceed_the_cap,
    limits.reserved_reads_never_exceed_the_quota,
    limits.an_attempt_is_started_once,
    limits.a_run_fails_only_so_often,
    wishes.a_cancelled_run_ends_without_another_attempt,
    wishes.a_paused_config_begins_nothing,
    wishes.a_config_is_paused_after_so_many_permanent_failures,
    cleaning.cleaning_deletes_nothing_that_is_asked_for,
    cleaning.cleaning_deletes_the_rest,
    notices.people_hear_of_every_bad_end_and_recovery,
    notices.people_hear_of_nothing_twice,
    notices.people_hear_only_what_happened,
    secrets.nothing_secret_is_written,
)


def judge(history: History) -> list[Violation]:
    """Every broken promise; none where all were kept."""
    return [violation for check in CHECKS for violation in check(history)]
