"""Runs by hand: once per message, one follow-up behind an open run, poison for what nobody can run."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import AmbiguousName, UnknownConfig
from shared.ledger import statements
from shared.ledger.connection import Session, connect
from shared.ledger.store import Store
from shared.messages import ManualRequest
from shared.settings import Database

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BODY = b'{"config_id": 1}'


def test_a_request_records_one_run_for_the_moment_it_came(store: Store, sql, add_config) -> None:
    config_id = add_config()
    assert store.record_request("m1", ManualRequest(config_id=config_id), BODY, NOON) == "accepted"
    rows = sql("SELECT config_id, why, slot, state, destination FROM sheet_to_bigquery_runs")
    assert rows == [[config_id, "manual", NOON, "pending", "test-project.reports.sales"]]


def test_the_message_remembers_its_run(store: Store, sql, add_config) -> None:
    store.record_request("m1", ManualRequest(config_id=add_config()), BODY, NOON)
    assert sql(
        "SELECT count(*) FROM sheet_to_bigquery_messages m JOIN sheet_to_bigquery_runs r ON r.id = m.run_id"
    ) == [[1]]


def test_a_redelivered_request_does_nothing(store: Store, sql, add_config) -> None:
    request = ManualRequest(config_id=add_config())
    store.record_request("m1", request, BODY, NOON)
    sql("UPDATE sheet_to_bigquery_runs SET state = 'cancelled', ended_at = now()")
    assert store.record_request("m1", request, BODY, NOON) == "duplicate"
    assert sql("SELECT count(*) FROM sheet_to_bigquery_runs") == [[1]]


def test_a_request_that_was_slow_to_be_recorded_stands_for_no_instant_before_a_run_that_is_there(
    store: Store, sql, add_config, add_run
) -> None:
    config_id = add_config()
    add_run(config_id, NOON, state="queued")
    store.record_request("m1", ManualRequest(config_id=config_id), BODY, NOON - timedelta(seconds=3))
    slots = "SELECT why, slot - CAST(:noon AS timestamptz) FROM sheet_to_bigquery_runs ORDER BY slot"
    assert sql(slots, noon=NOON) == [["schedule", timedelta(0)], ["manual", timedelta(microseconds=1)]]


def test_a_request_waits_for_a_dispatch_that_is_recording(migrated: Database, store: Store, sql, add_config) -> None:
    request = ManualRequest(config_id=add_config())

    def deliver() -> str:
        with connect(migrated) as connection:
            return Store(Session(connection, migrated.configs_table)).record_request("m1", request, BODY, NOON)

    with ThreadPoolExecutor(1) as pool:
        sql("BEGIN")
        sql(statements.LOCK_DISPATCH)
        delivered = pool.submit(deliver)
        with pytest.raises(TimeoutError):
            delivered.result(timeout=0.5)
        sql("COMMIT")
        assert delivered.result(timeout=10) == "accepted"


def test_concurrent_deliveries_of_one_request_record_one_run(migrated: Database, store: Store, sql, add_config) -> None:
    request = ManualRequest(config_id=add_config())

    def deliver(_number: int) -> str:
        with connect(migrated) as connection:
            return Store(Session(connection, migrated.configs_table)).record_request("m1", request, BODY, NOON)

    with ThreadPoolExecutor(6) as pool:
        verdicts = sorted(pool.map(deliver, range(6)))
    assert verdicts == ["accepted"] + ["duplicate"] * 5
    assert sql("SELECT count(*) FROM sheet_to_bigquery_runs") == [[1]]


def test_requests_during_an_open_run_make_exactly_one_follow_up(store: Store, sql, add_config, add_run) -> None:
    config_id = add_config()
    add_run(config_id, NOON, state="queued")
    request = ManualRequest(config_id=config_id)
    assert store.record_request("m1", request, BODY, NOON) == "accepted"
    assert store.record_request("m2", request, BODY, NOON) == "merged"
    assert sql("SELECT count(*) FROM sheet_to_bigquery_runs WHERE why = 'manual'") == [[1]]
    assert sql("SELECT count(DISTINCT run_id) FROM sheet_to_bigquery_messages") == [[1]]


def test_a_run_that_waits_may_shrink_as_soon_as_one_of_its_requests_says_so(store: Store, sql, add_config) -> None:
    config_id = add_config()
    for number, allowed in enumerate((False, True, False)):
        store.record_request(f"m{number}", ManualRequest(config_id=config_id, allow_shrink=allowed), BODY, NOON)
    assert sql("SELECT allow_shrink FROM sheet_to_bigquery_runs") == [[True]]


def test_the_older_services_message_counts_by_its_id(store: Store, sql, add_config) -> None:
    add_config("sales")
    second = add_config("renamed")
    store.record_request("m1", ManualRequest(id=second, name="sales"), BODY, NOON)
    assert sql("SELECT config_id FROM sheet_to_bigquery_runs") == [[second]]


@pytest.mark.parametrize("request_", [ManualRequest(config_id=404), ManualRequest(name="nobody")])
def test_an_unknown_config_records_nothing(request_, store: Store, sql) -> None:
    with pytest.raises(UnknownConfig):
        store.record_request("m1", request_, BODY, NOON)
    assert sql("SELECT count(*) FROM sheet_to_bigquery_messages") == [[0]]


def test_an_ambiguous_name_records_nothing(store: Store, sql, add_config) -> None:
    add_config("sales")
    add_config("sales", bigquery_table_id="elsewhere")
    with pytest.raises(AmbiguousName):
        store.record_request("m1", ManualRequest(name="sales"), BODY, NOON)
    assert sql("SELECT count(*) FROM sheet_to_bigquery_runs") == [[0]]


def test_poison_is_kept_once_with_its_reason_and_a_short_body(store: Store, sql) -> None:
    body = b"\x00\xff" + b"x" * 100_000
    store.record_poison("m1", "it is not JSON", body, NOON)
    store.record_poison("m1", "it is not JSON", body, NOON)
    [[verdict, reason, length]] = sql("SELECT verdict, reason, length(body) FROM sheet_to_bigquery_messages")
    assert (verdict, reason, length) == ("poison", "it is not JSON", 4096)
