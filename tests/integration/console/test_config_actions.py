"""People pause a config, resume it, have it planned, and change how often it runs; what does not go is told."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.ledger.store import Store
from tests.integration.console.conftest import SIMPLE, WHO, Reader, actions, done, notice, refused, row, text

Add = Callable[..., Any]
Sql = Callable[..., Any]
ReaderOf = Callable[..., Reader]


def test_a_config_is_paused_with_the_reason_and_resumed(
    reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    config_id = add_config("Sales")
    acted = done(reader.do(f"/configs/{config_id}/pause", reason="  the sheet moves "), store)
    paused = row(sql, config_id)
    assert (paused["is_active"], paused["paused_reason"]) == (False, "the sheet moves")
    assert acted.details == {"reason": "the sheet moves"}
    again = reader.do(f"/configs/{config_id}/resume", page=f"/configs/{config_id}/pause")
    assert "is resumed" in notice(reader, again)
    assert (row(sql, config_id)["is_active"], row(sql, config_id)["paused_reason"]) == (True, None)
    assert actions(sql) == ["pause", "resume"]


def test_a_pause_without_a_reason_gives_none(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config()
    reader.do(f"/configs/{config_id}/pause", reason=" ")
    assert row(sql, config_id)["paused_reason"] is None


@pytest.mark.parametrize("before", [24, None, 0])
def test_the_frequency_is_changed_from_what_was_shown(
    before: int | None, reader: Reader, add_config: Add, sql: Sql, store: Store
) -> None:
    config_id = add_config("Sales", run_frequency_hours=before)
    response = reader.do(f"/configs/{config_id}/frequency", hours="4")
    assert row(sql, config_id)["run_frequency_hours"] == 4
    assert done(response, store).details == {"before": str(24 if before is None else before), "after": "4"}
    was = "manual only" if before == 0 else "every day"
    assert notice(reader, response) == f'The frequency of "Sales" is changed: every 4 h; before: {was}.'


def test_a_frequency_that_somebody_else_changed_is_told_and_the_own_one_stays_in_the_form(
    reader: Reader, add_config: Add, sql: Sql
) -> None:
    config_id = add_config("Sales", run_frequency_hours=24)
    form = reader.form(f"/configs/{config_id}/frequency")
    sql("UPDATE sheet_to_bigquery_configs SET run_frequency_hours = 12 WHERE id = :id", id=config_id)
    response = reader.send(f"/configs/{config_id}/frequency", form, hours="4")
    assert (response.status_code, row(sql, config_id)["run_frequency_hours"], actions(sql)) == (409, 12, [])
    assert "it is every 12 h now" in text(response)
    assert 'name="hours" value="4"' in text(response)
    assert 'name="shown" value="12"' in text(response)


@pytest.mark.parametrize(("before", "hours"), [(24, "24"), (None, "24"), (0, " 0 ")])
def test_a_frequency_that_is_so_already_is_no_action(
    before: int | None, hours: str, reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
    config_id = add_config(run_frequency_hours=before)
    response = reader.do(f"/configs/{config_id}/frequency", hours=hours)
    assert (response.status_code, row(sql, config_id)["run_frequency_hours"], actions(sql)) == (409, before, [])
    assert "there is nothing to change" in text(response)


@pytest.mark.parametrize("hours", ["", " ", "-1", "1.5", "x", "876001", "9" * 5000, "٣"])
def test_a_frequency_that_is_none_is_told_beside_its_field(
    hours: str, reader: Reader, add_config: Add, sql: Sql
) -> None:
    config_id = add_config(run_frequency_hours=24)
    response = reader.do(f"/configs/{config_id}/frequency", hours=hours)
    assert (response.status_code, row(sql, config_id)["run_frequency_hours"]) == (400, 24)
    assert 'aria-invalid="true" aria-describedby="problem-hours help-hours"' in text(response)
    assert "give a whole number of hours" in text(response)


def test_a_plan_of_a_config_is_noted_published_and_led_to(
    reader: Reader, add_config: Add, store: Store, sql: Sql
) -> None:
    config_id = add_config("Sales")
    response = reader.do(f"/configs/{config_id}/plan")
    (plan_id,) = reader.here.planned
    assert (response.status_code, response.headers["Location"]) == (303, f"/plans/{plan_id}")
    plan = store.find_plan(plan_id)
    assert plan is not None
    assert (plan.config_id, plan.requested_by, plan.state) == (config_id, WHO, "requested")
    ((told, of_config),) = sql("SELECT details, config_id FROM sheet_to_bigquery_actions")
    assert (told, of_config) == ({"plan_id": plan_id}, config_id)


def test_a_plan_is_committed_before_its_message_goes(reader: Reader, add_config: Add, store: Store) -> None:
    def publish(plan_id: str) -> None:
        found.append(store.find_plan(plan_id))

    found: list[Any] = []
    reader.here.publish_plan = publish  # type: ignore[method-assign]
    reader.do(f"/configs/{add_config()}/plan")
    assert found[0] is not None


def test_a_plan_that_cannot_be_published_has_failed(reader: Reader, add_config: Add, sql: Sql) -> None:
    reader.here.is_broken = True
    assert reader.do(f"/configs/{add_config()}/plan").status_code == 503
    assert sql("SELECT state, error FROM sheet_to_bigquery_plans") == [
        ["failed", "Pub/Sub did not take the messages: ask for the plan again"]
    ]


def test_a_config_that_is_not_paused_is_not_resumed(reader: Reader, add_config: Add, sql: Sql) -> None:
    address = f"/configs/{add_config('Sales')}/resume"
    assert "is not paused" in refused(reader, address)
    response = reader.do(address, page="/add")
    assert (response.status_code, actions(sql)) == (409, [])
    assert "is not paused" in text(response)


def test_a_config_whose_table_another_one_has_is_not_resumed(reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config("old", bigquery_table_id="same", is_active=False)
    add_config("new", bigquery_table_id="same")
    response = reader.do(f"/configs/{config_id}/resume")
    assert (response.status_code, row(sql, config_id)["is_active"], actions(sql)) == (400, False, [])
    assert '"new"' in text(response)


@pytest.mark.parametrize("config_id", ["404", "9223372036854775807"])
@pytest.mark.parametrize("action", SIMPLE)
def test_a_config_that_is_not_there_is_told(config_id: str, action: str, reader: Reader) -> None:
    assert reader.ask(f"/configs/{config_id}/{action}").status_code == 404
    response = reader.do(f"/configs/{config_id}/{action}", page="/add", hours="4")
    assert response.status_code == 404
    assert "there is no config" in text(response)
