"""`job_helper.py cancel`: what waits ends at once, what is in flight is left to settling, what has ended stays so."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
IN_FLIGHT = {
    "attempt": 1,
    "claimed_at": NOON,
    "had_last_run": False,
    "job_project": "p",
    "job_location": "US",
    "execution": "jobs/j/executions/e",
    "lease_until": NOON + timedelta(days=9999),
    "deadline": NOON + timedelta(days=9999),
}


@pytest.mark.parametrize("state", ["pending", "queued"])
def test_a_run_that_waits_is_cancelled_at_once(state, helper, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state=state)
    done = helper("cancel", run_id[:8], "--json")
    assert done.returncode == 0
    assert (json.loads(done.stdout)["state"], json.loads(done.stdout)["error_class"]) == ("cancelled", "Cancelled")


@pytest.mark.parametrize("state", ["launching", "running"])
def test_the_wish_for_a_run_in_flight_is_kept_and_looked_at_now(state, helper, add_config, add_run, sql) -> None:
    run_id = add_run(add_config(), NOON, state=state, **IN_FLIGHT)
    done = helper("cancel", run_id, "--no-wait")
    assert (done.returncode, "the next sweep ends it" in done.stderr) == (0, True)
    assert sql("SELECT state, cancel_requested_at IS NOT NULL, lease_until <= now() FROM sheet_to_bigquery_runs") == [
        [state, True, True]
    ]


def test_who_waits_longer_than_they_want_is_told_that_the_wish_stays(helper, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state="running", **IN_FLIGHT)
    done = helper("cancel", run_id, "--timeout", "1")
    assert (done.returncode, "the wish stays" in done.stderr) == (124, True)


def test_who_cancelled_is_told_wherever_the_run_is(helper, add_config, add_run) -> None:
    run_id = add_run(add_config(), NOON, state="running", **IN_FLIGHT)
    helper("cancel", run_id, "--no-wait")
    told = json.loads(helper("show", run_id, "--json").stdout)
    assert re.fullmatch(r"[^@]+@[^@]+", told["cancelled_by"])


@pytest.mark.parametrize(("state", "code"), [("succeeded", 1), ("failed", 1), ("cancelled", 0)])
def test_a_run_that_has_ended_stays_as_it_is(state, code, helper, add_config, add_run, sql) -> None:
    run_id = add_run(add_config(), NOON, state=state)
    done = helper("cancel", run_id)
    assert done.returncode == code
    assert (f"it had {state} first" in done.stderr) == (state != "cancelled")
    assert sql("SELECT state, cancel_requested_at FROM sheet_to_bigquery_runs") == [[state, None]]
    assert sql("SELECT action FROM sheet_to_bigquery_actions") == []


@pytest.mark.parametrize("named", ["", "1234567", "sales", "g" * 32, "0" * 33, "00000000"])
def test_what_names_no_run_is_one_clear_line(named, helper) -> None:
    done = helper("cancel", "--", named)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_the_beginning_of_two_ids_is_refused(helper, add_config, add_run, sql) -> None:
    add_run(add_config("a"), NOON, state="pending")
    add_run(add_config("b"), NOON, state="pending")
    ids = "('12345678-0000-0000-0000-000000000001', '12345678-0000-0000-0000-000000000002')"
    sql(
        f"UPDATE sheet_to_bigquery_runs SET id = (ARRAY{ids.replace('(', '[').replace(')', ']')}::uuid[])[n]"
        " FROM (SELECT id AS old, row_number() OVER () AS n FROM sheet_to_bigquery_runs) o WHERE o.old = id"
    )
    done = helper("cancel", "12345678")
    assert (done.returncode, "more than one" in done.stderr) == (2, True)
    assert sql("SELECT DISTINCT state FROM sheet_to_bigquery_runs") == [["pending"]]
