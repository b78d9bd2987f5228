"""People run a config now, try a run again, and cancel one: recorded with who did it, or refused with the reason."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from shared.ledger.store import Store
from tests.integration.console.conftest import (
    WHO,
    Reader,
    actions,
    asked_for,
    attempt_at,
    done,
    notice,
    refused,
    text,
)

Add = Callable[..., Any]
Sql = Callable[..., Any]
ReaderOf = Callable[..., Reader]


def test_run_now_records_a_run_by_hand_which_begins_and_is_written_down_with_it(
    reader: Reader, add_config: Add, store: Store, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    config_id = add_config("Sales")
    with caplog.at_level(logging.INFO, "sheet_to_bigquery"):
        response = reader.do(f"/configs/{config_id}/run", page="/")
    ((run_id, state, why),) = sql("SELECT id::text, state, why FROM sheet_to_bigquery_runs")
    assert (state, why, reader.here.published) == ("queued", "manual", [run_id])
    acted = done(response, store)
    assert response.headers["Location"].startswith(f"/configs/{config_id}?done=")
    assert (acted.action, acted.acted_by, acted.config_id, acted.config_name) == ("run", WHO, config_id, "Sales")
    assert acted.details == {"asked_run_id": run_id}
    (line,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "acted"]
    assert line == {"action": "run", "config_id": config_id, "run_id": None, "acted_by": WHO}


def test_the_notice_follows_the_run_to_its_end(reader: Reader, add_config: Add, sql: Sql) -> None:
    response = reader.do(f"/configs/{add_config('Sales')}/run")
    (run_id,) = reader.here.published
    told = notice(reader, response)
    assert told.startswith('The run of "Sales" that was asked for is waiting.')
    assert f'href="/runs/{run_id}"' in told
    sql("UPDATE sheet_to_bigquery_runs SET state = 'failed', ended_at = now() WHERE id = :id", id=run_id)
    assert "has ended: failed." in notice(reader, response)
    sql("DELETE FROM sheet_to_bigquery_runs")
    assert "was cleaned away" in notice(reader, response)


def test_a_run_that_waits_by_hand_already_is_the_one_that_was_asked_for(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, store: Store, sql: Sql
) -> None:
    config_id = add_config("Sales")
    add_run(config_id, now, state="running", **attempt_at(now))
    asked = [done(reader.do(f"/configs/{config_id}/run"), store).details["asked_run_id"] for _ in range(2)]
    assert (len(set(asked)), asked_for(sql), actions(sql)) == (1, [config_id], ["run", "run"])


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_that_came_to_nothing_is_asked_for_again(
    state: str, reader: Reader, add_config: Add, add_run: Add, now: datetime, store: Store, sql: Sql
) -> None:
    config_id = add_config("Sales")
    run_id = add_run(config_id, now, state=state)
    acted = done(reader.do(f"/runs/{run_id}/retry"), store)
    assert (acted.action, acted.run_id, acted.config_id) == ("retry", run_id, config_id)
    assert (asked_for(sql), [acted.details["asked_run_id"]]) == ([config_id], reader.here.published)


def test_a_run_that_waits_is_cancelled_at_once_and_one_in_flight_by_a_wish(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, store: Store
) -> None:
    waiting = add_run(add_config("a"), now, state="pending")
    flying = add_run(add_config("b"), now, state="running", **attempt_at(now))
    asked = text(reader.ask(f"/runs/{flying}/cancel"))
    assert "This cannot be undone." in asked
    assert "The next sweep closes its attempt" in asked
    answers = {run_id: reader.do(f"/runs/{run_id}/cancel") for run_id in (waiting, flying)}
    assert [done(each, store).details for each in answers.values()] == [{"state": "cancelled"}, {"state": "running"}]
    standing = store.find_run(flying)
    assert standing is not None
    assert standing.run.cancel_requested_at is not None
    assert answers[waiting].headers["Location"].startswith(f"/runs/{waiting}?done=")
    assert notice(reader, answers[waiting]).startswith("The run is cancelled: it loads nothing.")
    assert "the next sweep closes it" in notice(reader, answers[flying])


def test_a_run_that_pubsub_does_not_take_waits_for_the_sweep(
    reader: Reader, add_config: Add, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    config_id = add_config("Sales")
    reader.here.is_broken = True
    response = reader.do(f"/configs/{config_id}/run", page="/")
    assert (asked_for(sql), actions(sql)) == ([config_id], ["run"])
    assert "is waiting." in notice(reader, response)
    (line,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "not_admitted"]
    assert line["error_class"] == "ServiceUnavailable"


def test_a_paused_config_is_not_run_and_the_page_says_why(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config("Sales", is_active=False, paused_reason="<i>moved</i>")
    response = reader.do(f"/configs/{config_id}/run", page="/")
    assert (response.status_code, asked_for(sql)) == (409, [])
    assert f'config {config_id} "Sales" is paused (<i>moved</i>)' in text(response)
    assert "resume it first" in text(response)
    assert "<i>moved" not in response.get_data(as_text=True)


def test_a_config_of_the_older_services_is_not_run(reader: Reader, add_config: Add, sql: Sql) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    for mark in ("service", "shadow", None):
        config_id = add_config(f"c{mark}", bigquery_table_id=f"t{mark}", migration_status=mark)
        response = reader.do(f"/configs/{config_id}/run", page="/")
        assert (response.status_code, asked_for(sql)) == (409, [])
        assert "the older service loads the table" in text(response)


def test_a_run_that_ended_is_not_cancelled_and_one_that_succeeded_not_tried_again(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, sql: Sql
) -> None:
    run_id = add_run(add_config(), now, verdict="loaded")
    for action, told in (("cancel", "the run has ended already"), ("retry", "the run is succeeded")):
        address = f"/runs/{run_id}/{action}"
        assert told in refused(reader, address)
        response = reader.do(address, page="/add")
        assert (response.status_code, actions(sql)) == (409, [])
        assert told in text(response)


def test_a_run_whose_config_is_gone_is_not_tried_again(reader: Reader, add_run: Add, now: datetime) -> None:
    run_id = add_run(404, now, state="failed")
    assert "there is no config 404" in refused(reader, f"/runs/{run_id}/retry")
    response = reader.do(f"/runs/{run_id}/retry", page="/add")
    assert response.status_code == 404
    assert "there is no config 404" in text(response)


def test_two_clicks_at_the_same_moment_ask_for_one_run(reader: Reader, add_config: Add, sql: Sql) -> None:
    form, config_id = reader.form("/"), add_config()
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: reader.send(f"/configs/{config_id}/run", form), range(4)))
    assert [each.status_code for each in sent] == [303] * 4
    assert asked_for(sql) == [config_id]
