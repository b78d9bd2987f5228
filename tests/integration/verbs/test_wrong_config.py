"""A config that is wrong: it fails its own runs, permanently, until the row changes, and in the end it is paused."""

from datetime import timedelta

import pytest

from shared.errors import InvalidConfig
from shared.launch import launch
from shared.ledger.store import Store
from shared.notify import notify
from shared.run import Failure
from shared.settle import fail


class Chat:
    name = "chat"

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def tell(self, notice) -> None:
        self.kinds.append(notice.kind)


@pytest.fixture
def slot(bench, add_run, sql):
    """The config's next slot: a queued run of it, launched; how its run stands then."""
    slots = iter(range(1, 100))

    def come(config_id: int):
        at = bench.store.now() + timedelta(hours=next(slots))
        run_id = add_run(config_id, at, state="queued", destination="p.d.t")
        settings = bench.with_settings(pause_after_failures=3)
        launch(run_id, bench.store, bench.wiring.location_of, bench.executions(), settings)
        return bench.run(run_id)

    return come


def test_its_run_fails_at_once_and_says_what_to_change(bench, add_config, slot) -> None:
    run = slot(add_config(schema_handling="guess", google_sheet_url="https://example.com/x"))
    assert (run.state, run.attempt, run.failures, run.permanent) == ("failed", 0, 0, True)
    assert "schema_handling" in run.error
    assert "google_sheet_url" in run.error


def test_it_is_paused_after_so_many_slots_and_everybody_is_told_once_a_run(bench, add_config, slot, sql) -> None:
    config_id, chat = add_config(schema_handling="guess"), Chat()
    for _ in range(3):
        slot(config_id)
        notify(bench.store, [chat])
    assert chat.kinds == ["failed", "failed", "paused"]
    [[active, reason]] = sql("SELECT is_active, paused_reason FROM sheet_to_bigquery_configs")
    assert (active, "InvalidConfig" in reason, "schema_handling" in reason) == (False, True, True)
    [verdict] = bench.store.judge(bench.store.now(), due=False, most=10)
    assert "schema_handling" in verdict.reason
    assert f"job_helper.py resume {verdict.name}`" in verdict.reason


def test_a_row_that_changed_runs_at_once(bench, add_config, slot, sql) -> None:
    config_id = add_config(schema_handling="guess")
    slot(config_id)
    sql("UPDATE sheet_to_bigquery_configs SET schema_handling = 'auto_detect'")
    assert slot(config_id).state == "running"


def test_a_row_that_was_mended_and_resumed_runs_at_once_and_its_failures_are_forgotten(
    bench, store: Store, add_config, slot, sql
) -> None:
    config_id = add_config(schema_handling="guess")
    for _ in range(3):
        slot(config_id)
    sql("UPDATE sheet_to_bigquery_configs SET schema_handling = 'auto_detect'")
    store.resume_config(config_id)
    run = slot(config_id)
    assert run.state == "running"
    failure = Failure.of(InvalidConfig("config 1: the tab is gone", "name another"))
    assert fail(run, failure, store, bench.with_settings(pause_after_failures=3)) == "failed"
    assert sql("SELECT is_active FROM sheet_to_bigquery_configs") == [[True]]


def test_other_configs_are_not_kept_by_it(bench, add_config, slot) -> None:
    slot(add_config("wrong", schema_handling="guess"))
    assert slot(add_config("right")).state == "running"
