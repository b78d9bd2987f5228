"""Cancelling a run in flight: settling closes the attempt by its job id, and then ends the execution."""

from typing import Any

import pytest
from google.api_core.exceptions import Conflict

from shared.executions import Congested
from shared.launch import launch
from shared.messages import RunCompleted
from shared.run import Run
from shared.settle import settle
from shared.sweep import sweep
from tests.integration.verbs.conftest import wait_for_end


@pytest.fixture
def running(bench, queue) -> Run:
    """A run whose execution goes on for minutes."""
    run_id = queue()
    launch(run_id, bench.store, bench.wiring.location_of, bench.executions(), bench.settings)
    return bench.run(run_id)


def wish(bench, run: Run) -> str | None:
    return bench.store.cancel(run.id, bench.store.now())


def swept(bench) -> dict[str, int]:
    return sweep(bench.store, bench.bigquery_of, bench.executions(), bench.publish, bench.settings)


def settled(bench, run: Run, completed: RunCompleted | None = None) -> Any:
    return settle(run, bench.store, bench.bigquery_of, bench.executions(), bench.settings, completed)


def test_the_next_sweep_ends_the_run_and_its_execution(bench, running: Run) -> None:
    assert wish(bench, running) == "running"
    assert swept(bench)["cancelled"] == 1
    after = bench.run(running.id)
    assert (after.state, after.error_class, after.permanent) == ("cancelled", "Cancelled", False)
    wait_for_end(bench, running, "sleeps")


def test_what_a_cancelled_runs_execution_still_does_loads_nothing(bench, running: Run) -> None:
    wish(bench, running)
    swept(bench)
    with pytest.raises(Conflict):
        bench.load(running)


def test_a_load_that_was_faster_wins(bench, running: Run, sql) -> None:
    bench.load(running)
    wish(bench, running)
    assert swept(bench)["succeeded"] == 1
    assert bench.run(running.id).state == "succeeded"
    assert sql("SELECT last_run FROM sheet_to_bigquery_configs") == [[running.slot]]


def test_a_failure_that_would_be_tried_again_is_cancelled_instead(bench, running: Run) -> None:
    wish(bench, running)
    said = RunCompleted(
        running.id, 1, running.execution.rsplit("/", 1)[-1], "failed", error_class="X", error="y", retryable=True
    )
    # `running` was read before the wish: the database's word counts.
    assert settled(bench, running, said) == "cancelled"


def test_a_wish_that_comes_while_somebody_looks_is_looked_at_at_once(bench, running: Run) -> None:
    wish(bench, running)
    assert settled(bench, running) == "open"  # by what was read before the wish
    assert bench.store.lease_over(bench.store.now()) == [running.id]
    assert swept(bench)["cancelled"] == 1


def test_a_launch_whose_reply_was_lost_can_be_cancelled(bench, queue) -> None:
    run_id, deaf = queue(), bench.reply_lost()
    launch(run_id, bench.store, bench.wiring.location_of, deaf, bench.settings)
    wish(bench, bench.run(run_id))
    assert swept(bench)["cancelled"] == 1
    after = bench.run(run_id)
    assert (after.state, after.execution) == ("cancelled", deaf.started)
    wait_for_end(bench, after, "sleeps")


def test_a_run_that_cloud_run_has_no_room_for_is_not_put_back_if_cancelled(bench, queue) -> None:
    class Full:
        def start(self, *_: object) -> str:
            wish(bench, bench.run(run_id))
            raise Congested("Cloud Run is at its limit", "the run waits and tries again")

    run_id = queue()
    full: Any = Full()
    assert launch(run_id, bench.store, bench.wiring.location_of, full, bench.settings) == "refused"
    assert bench.run(run_id).state == "cancelled"


def test_a_cancelled_run_is_not_launched(bench, queue) -> None:
    run_id = queue()
    wish(bench, bench.run(run_id))
    assert launch(run_id, bench.store, bench.wiring.location_of, bench.executions(), bench.settings) == "claimed_before"
    assert bench.run(run_id).state == "cancelled"


def test_the_next_run_of_the_config_comes_as_ever(bench, running: Run, add_run) -> None:
    following = add_run(running.config_id, running.slot, "manual", state="pending", destination=running.destination)
    wish(bench, running)
    swept(bench)
    assert bench.published == [following]
