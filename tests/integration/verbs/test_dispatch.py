"""Dispatch and sweep: what is recorded, admitted and published, and what the answer says."""

import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.dispatch import DispatchRequest, dispatch
from shared.errors import ServiceUnavailable
from shared.launch import launch
from shared.ledger.connection import Session, connect
from shared.ledger.store import ADMITTED, Store
from shared.run import Told
from shared.sweep import sweep


def dispatched(bench, **request):
    return dispatch(DispatchRequest(**request), bench.store, bench.publish, bench.settings)


def states(sql) -> list[str]:
    return [state for (state,) in sql("SELECT state FROM sheet_to_bigquery_runs ORDER BY config_id")]


def test_due_configs_are_recorded_admitted_and_published_once(bench, add_config, sql) -> None:
    for name in ("a", "b", "c"):
        add_config(name)
    first = dispatched(bench)
    assert (len(first.due), first.recorded, first.admitted, len(bench.published)) == (3, 3, 3, 3)
    assert states(sql) == ["queued"] * 3
    assert first.counts == {"due": 3}
    second = dispatched(bench)
    assert (second.due, len(bench.published)) == ([], 3)
    assert second.counts == {"open_run": 3}


def test_a_dry_run_tells_and_changes_nothing(bench, add_config, sql) -> None:
    add_config("due")
    add_config("manual", run_frequency_hours=0)
    answer = dispatched(bench, dry_run=True).answer()
    assert [(each["name"], each["told"]) for each in answer["due"]] == [("due", "would run")]
    assert answer["skipped"][0]["verdict"] == "manual_only"
    assert states(sql) == []
    assert bench.published == []


def test_max_parallel_jobs_holds_back_the_rest_of_this_call(bench, add_config, sql) -> None:
    for number in range(5):
        add_config(f"c{number}")
    told = dispatched(bench, max_parallel_jobs=2)
    assert (len(told.due), told.admitted) == (5, 2)
    assert sorted(states(sql)) == ["pending"] * 3 + ["queued"] * 2


def test_named_configs_alone_are_dispatched_and_unknown_names_are_told(bench, add_config) -> None:
    add_config("wanted")
    add_config("other")
    answer = dispatched(bench, config_names=["wanted", "nobody"]).answer()
    assert [each["name"] for each in answer["due"]] == ["wanted"]
    assert [(each["name"], each["verdict"]) for each in answer["skipped"]] == [("nobody", "unknown")]


def test_a_config_that_is_wrong_does_not_keep_the_others(bench, add_config) -> None:
    add_config("wrong", run_frequency_hours=-3)
    add_config("twin_1", bigquery_table_id="twin")
    add_config("twin_2", bigquery_table_id="twin")
    add_config("right")
    answer = dispatched(bench).answer()
    assert [each["name"] for each in answer["due"]] == ["right"]
    assert {each["verdict"] for each in answer["skipped"]} == {"bad_frequency", "table_conflict"}


def test_more_configs_than_fit_one_statement_are_all_recorded(bench, sql) -> None:
    sql(
        "INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, "
        "bigquery_table_id) SELECT 'c' || n, 'u', 'p', 'd', 't' || n FROM generate_series(1, 2345) n"
    )
    settings = bench.with_settings(sheets_reads_per_minute=100_000)
    told = dispatch(DispatchRequest(max_parallel_jobs=3000), bench.store, bench.publish, settings)
    assert (told.recorded, told.answer()["recorded"], len(told.due)) == (2345, 2345, 200)
    assert told.admitted == bench.settings.max_running
    assert len(set(bench.published)) == len(bench.published) == bench.settings.max_running


def test_dispatch_holds_no_more_for_many_due_configs_than_for_a_thousand(bench, sql) -> None:
    add = (
        "INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, "
        "bigquery_table_id) SELECT 'c' || n, 'u', 'p', 'd', 't' || n "
        "FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n"
    )
    held = []
    # The first one loads what the others find loaded, and has nobody to tell of that is not due.
    for first, last in ((1, 300), (301, 1_300), (1_301, 22_300)):
        sql(add, first=first, last=last)
        tracemalloc.start()
        told = dispatched(bench)
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (told.recorded, len(told.due)) == (last - first + 1, 200)
    assert held[2] < 1.5 * held[1]


class Impatient(Store):
    """A ledger that gives telling a thousandth of a second."""

    def tell(self, *asked: Any, **limits: Any) -> Told:
        self._run("SET statement_timeout = '1ms'")
        try:
            return super().tell(*asked, **limits)
        finally:
            self._run("SET statement_timeout = '20s'")


def test_what_was_done_is_answered_where_telling_of_the_others_takes_too_long(bench, migrated, add_config, sql) -> None:
    sql(
        "INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, "
        "bigquery_table_id, is_active) SELECT 'c' || n, 'u', 'p', 'd', 't' || n, false FROM generate_series(1, 5000) n"
    )
    add_config("due")
    with connect(migrated) as connection:
        store = Impatient(Session(connection, migrated.configs_table))
        answer = dispatch(DispatchRequest(), store, bench.publish, bench.settings).answer()
    assert (answer["recorded"], answer["admitted"], len(bench.published)) == (1, 1, 1)
    assert (answer["counts"], answer["skipped"], [each["name"] for each in answer["due"]]) == ({"due": 1}, [], ["due"])
    assert "statement timeout" in answer["not_told"]
    assert "not_told" not in dispatched(bench).answer()


def test_a_message_that_is_not_taken_is_told_although_it_was_on_its_way_in_a_thread(bench, add_config, sql) -> None:
    add_config("due")

    def publish(_run_ids) -> None:
        raise ServiceUnavailable("Pub/Sub did not take the messages")

    with pytest.raises(ServiceUnavailable):
        dispatch(DispatchRequest(), bench.store, publish, bench.settings)
    assert states(sql) == ["queued"]  # the sweep publishes it again


def test_publishing_is_one_call_behind_admission_at_most_and_keeps_its_order(bench, sql) -> None:
    sql(
        "INSERT INTO sheet_to_bigquery_configs (name, google_sheet_url, google_cloud_project_id, bigquery_dataset_id, "
        "bigquery_table_id) SELECT 'c' || n, 'u', 'p', 'd', 't' || n FROM generate_series(1, :configs) n",
        configs=3 * ADMITTED + 1,
    )
    settings = bench.with_settings(max_running=1_000_000, sheets_reads_per_minute=1_000_000)
    ahead = []

    def publish(run_ids) -> None:
        time.sleep(0.5)  # for admission to go as far as it may
        ((queued,),) = sql("SELECT count(*) FROM sheet_to_bigquery_runs WHERE state = 'queued'")
        ahead.append(queued - len(bench.published) - len(run_ids))
        bench.publish(run_ids)

    told = dispatch(DispatchRequest(), bench.store, publish, settings)
    assert told.admitted == len(set(bench.published)) == 3 * ADMITTED + 1
    assert max(ahead) == ADMITTED
    turns = dict(sql("SELECT id::text, row_number() OVER (ORDER BY turn, id) FROM sheet_to_bigquery_runs"))
    parts = [bench.published[start : start + ADMITTED] for start in range(0, len(bench.published), ADMITTED)]
    assert [max(turns[run_id] for run_id in part) for part in parts] == [
        ADMITTED,
        2 * ADMITTED,
        3 * ADMITTED,
        len(turns),
    ]


def test_an_empty_store_dispatches_and_sweeps_nothing(bench) -> None:
    assert dispatched(bench).answer()["recorded"] == 0
    counts = sweep(bench.store, bench.bigquery_of, bench.executions(), bench.publish, bench.settings)
    assert counts == {"published_again": 0, "admitted": 0, "cleaned": 0, "told": 0, "plans_given_up": 0}


def test_sweep_publishes_again_what_nobody_heard(bench, queue, sql) -> None:
    run_id = queue()
    sql("UPDATE sheet_to_bigquery_runs SET admitted_at = :then", then=datetime.now(UTC) - timedelta(hours=1))
    sweep(bench.store, bench.bigquery_of, bench.executions(), bench.publish, bench.settings)
    assert bench.published == [run_id]


def test_sweep_admits_what_waits(bench, add_config, add_run) -> None:
    run_id = add_run(add_config(), datetime.now(UTC), state="pending")
    counts = sweep(bench.store, bench.bigquery_of, bench.executions(), bench.publish, bench.settings)
    assert counts["admitted"] == 1
    assert bench.published == [run_id]


def swept(bench, bigquery_of=None) -> dict[str, int]:
    return sweep(bench.store, bigquery_of or bench.bigquery_of, bench.executions(), bench.publish, bench.settings)


@pytest.fixture
def add_silent(add_config, add_run):
    """A run in flight that nobody has heard of for an hour."""
    then = datetime.now(UTC) - timedelta(hours=1)

    def add(name: str, project: str = "local-project") -> str:
        flight = {"attempt": 1, "claimed_at": then, "had_last_run": False, "lease_until": then, "deadline": then}
        place = {"job_project": project, "job_location": "US"}
        return add_run(add_config(name), then, state="launching", **place, **flight)

    return add


def test_whatever_one_run_meets_the_others_are_settled(bench, add_silent) -> None:
    bad, good = add_silent("bad", "bad-project"), add_silent("good")

    def bigquery_of(project: str):
        return {"local-project": bench.bigquery_of(project)}[project]  # a KeyError, which nobody foresaw

    assert swept(bench, bigquery_of)["unreachable"] == 1
    assert (bench.run(bad).state, bench.run(good).failures) == ("launching", 1)


def test_a_run_that_cannot_be_looked_at_goes_behind_the_others(bench, add_silent) -> None:
    bad = add_silent("bad", "bad-project")
    add_silent("good")

    def bigquery_of(project: str):
        return {"local-project": bench.bigquery_of(project)}[project]

    swept(bench, bigquery_of)
    assert bench.run(bad).lease_until > bench.store.now()
    waiting = add_silent("later")
    assert bench.store.lease_over(bench.store.now()) == [waiting, bad]


def test_a_lost_execution_that_crashed_is_found_and_named(bench, queue, sql) -> None:
    run_id, deaf = queue(), bench.reply_lost()
    launch(run_id, bench.store, bench.wiring.location_of, deaf, bench.settings)
    name = deaf.started
    sql("UPDATE sheet_to_bigquery_runs SET deadline = now(), lease_until = now()")
    assert swept(bench)["retried"] == 1
    run = bench.run(run_id)
    assert run.execution == name
    assert name.rsplit("/", 1)[-1] in run.error
    deadline = time.monotonic() + 20
    while not bench.executions().look(name).ended:  # it was cancelled
        assert time.monotonic() < deadline
        time.sleep(0.05)
