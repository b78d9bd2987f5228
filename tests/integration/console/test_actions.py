"""What people do on the console's pages is done once, by who may, the way everything goes, and written down."""

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest

from console.security import COOKIE
from shared.ledger.connection import connect
from shared.ledger.store import Store
from shared.settings import Database
from tests.integration.console.conftest import WHO, Reader, attempt_at, done, notice, text

Add = Callable[..., Any]
ReaderOf = Callable[..., Reader]
SIMPLE = ("run", "pause", "resume", "plan", "frequency")
NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def now(store: Store) -> datetime:
    return store.now()


def row(sql: Callable[..., Any], config_id: int) -> dict[str, Any]:
    return dict(sql("SELECT to_jsonb(c) FROM sheet_to_bigquery_configs c WHERE id = :id", id=config_id)[0][0])


def actions(sql: Callable[..., Any]) -> list[str]:
    return [name for (name,) in sql("SELECT action FROM sheet_to_bigquery_actions ORDER BY acted_at")]


# -- each action -------------------------------------------------------------------------------------------


def test_run_now_publishes_a_request_by_hand_and_is_written_down_with_the_message(
    reader: Reader, add_config: Add, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    config_id = add_config("Sales")
    with caplog.at_level(logging.INFO, "sheet_to_bigquery"):
        response = reader.do(f"/configs/{config_id}/run", page="/")
    assert reader.here.requested == [config_id]
    acted = done(response, store)
    assert response.headers["Location"].startswith(f"/configs/{config_id}?done=")
    assert (acted.action, acted.acted_by, acted.config_id, acted.config_name) == ("run", WHO, config_id, "Sales")
    assert acted.details == {"message_id": "message-1"}
    (line,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "acted"]
    assert line == {"action": "run", "config_id": config_id, "run_id": None, "acted_by": WHO}


def test_the_notice_follows_the_message_to_its_run_and_its_end(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, sql: Callable[..., Any]
) -> None:
    config_id = add_config("Sales")
    response = reader.do(f"/configs/{config_id}/run")
    assert notice(reader, response) == 'A run of "Sales" is asked for: the message is on its way.'
    run_id = add_run(config_id, now, why="manual", state="pending")
    sql(
        "INSERT INTO sheet_to_bigquery_messages (message_id, received_at, verdict, body, run_id)"
        " VALUES ('message-1', now(), 'accepted', '{}', :run)",
        run=run_id,
    )
    told = notice(reader, response)
    assert told.startswith('The run of "Sales" that was asked for is waiting for its turn.')
    assert f'href="/runs/{run_id}"' in told
    sql("UPDATE sheet_to_bigquery_runs SET state = 'failed', ended_at = now() WHERE id = :id", id=run_id)
    assert "has ended: failed." in notice(reader, response)


def test_a_request_that_is_refused_is_told_with_its_reason(
    reader: Reader, add_config: Add, store: Store, now: datetime
) -> None:
    response = reader.do(f"/configs/{add_config('Sales')}/run")
    store.record_poison("message-1", "there is <b>no</b> config", b"{}", now)
    assert "is refused: there is <b>no</b> config" in notice(reader, response)
    assert "<b>no" not in reader.page("/", done=response.headers["Location"].rpartition("?done=")[2])


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_that_came_to_nothing_is_asked_for_again(
    state: str, reader: Reader, add_config: Add, add_run: Add, now: datetime, store: Store
) -> None:
    config_id = add_config("Sales")
    run_id = add_run(config_id, now, state=state)
    acted = done(reader.do(f"/runs/{run_id}/retry"), store)
    assert (acted.action, acted.run_id, acted.config_id) == ("retry", run_id, config_id)
    assert reader.here.requested == [config_id]


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


def test_a_config_is_paused_with_the_reason_and_resumed(
    reader: Reader, add_config: Add, sql: Callable[..., Any], store: Store
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


def test_a_pause_without_a_reason_gives_none(reader: Reader, add_config: Add, sql: Callable[..., Any]) -> None:
    config_id = add_config()
    reader.do(f"/configs/{config_id}/pause", reason=" ")
    assert row(sql, config_id)["paused_reason"] is None


@pytest.mark.parametrize("before", [24, None, 0])
def test_the_frequency_is_changed_from_what_was_shown(
    before: int | None, reader: Reader, add_config: Add, sql: Callable[..., Any], store: Store
) -> None:
    config_id = add_config("Sales", run_frequency_hours=before)
    response = reader.do(f"/configs/{config_id}/frequency", hours="4")
    assert row(sql, config_id)["run_frequency_hours"] == 4
    assert done(response, store).details == {"before": str(24 if before is None else before), "after": "4"}
    was = "by hand" if before == 0 else "every day"
    assert notice(reader, response) == f'"Sales" runs every 4 h from now on; it was {was}.'


def test_a_frequency_that_somebody_else_changed_is_told_and_the_own_one_stays_in_the_form(
    reader: Reader, add_config: Add, sql: Callable[..., Any]
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
    hours: str, reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
    config_id = add_config(run_frequency_hours=24)
    response = reader.do(f"/configs/{config_id}/frequency", hours=hours)
    assert (response.status_code, row(sql, config_id)["run_frequency_hours"]) == (400, 24)
    assert 'aria-invalid="true" aria-describedby="problem-hours help-hours"' in text(response)
    assert "give a whole number of hours" in text(response)


def test_a_plan_of_a_config_is_noted_published_and_led_to(
    reader: Reader, add_config: Add, store: Store, sql: Callable[..., Any]
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


# -- refusals ----------------------------------------------------------------------------------------------


def test_what_pubsub_refuses_is_told_noted_nowhere_and_can_be_sent_again(
    reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
    config_id = add_config("Sales")
    reader.here.is_broken = True
    form = reader.form("/")
    refused = reader.send(f"/configs/{config_id}/run", form)
    assert (refused.status_code, actions(sql)) == (503, [])
    assert "Pub/Sub did not take the messages" in text(refused)
    reader.here.is_broken = False
    assert reader.send(f"/configs/{config_id}/run", form).status_code == 303
    assert reader.here.requested == [config_id]


def test_a_plan_that_cannot_be_published_has_failed(reader: Reader, add_config: Add, sql: Callable[..., Any]) -> None:
    reader.here.is_broken = True
    assert reader.do(f"/configs/{add_config()}/plan").status_code == 503
    assert sql("SELECT state, error FROM sheet_to_bigquery_plans") == [
        ["failed", "Pub/Sub did not take the messages: ask for the plan again"]
    ]


def test_a_paused_config_is_not_run_and_the_page_says_why(reader: Reader, add_config: Add) -> None:
    config_id = add_config("Sales", is_active=False, paused_reason="<i>moved</i>")
    response = reader.do(f"/configs/{config_id}/run", page="/")
    assert (response.status_code, reader.here.requested) == (409, [])
    assert f'config {config_id} "Sales" is paused (<i>moved</i>)' in text(response)
    assert "resume it first" in text(response)
    assert "<i>moved" not in response.get_data(as_text=True)


def test_a_config_of_the_older_services_is_not_run(reader: Reader, add_config: Add, sql: Callable[..., Any]) -> None:
    sql("ALTER TABLE sheet_to_bigquery_configs ADD COLUMN migration_status text")
    for mark in ("service", "shadow", None):
        config_id = add_config(f"c{mark}", bigquery_table_id=f"t{mark}", migration_status=mark)
        response = reader.do(f"/configs/{config_id}/run", page="/")
        assert (response.status_code, reader.here.requested) == (409, [])
        assert "the older service loads the table" in text(response)


def test_a_run_that_ended_is_not_cancelled_and_one_that_succeeded_not_tried_again(
    reader: Reader, add_config: Add, add_run: Add, now: datetime, sql: Callable[..., Any]
) -> None:
    run_id = add_run(add_config(), now, verdict="loaded")
    assert "The run is succeeded: there is nothing left to cancel." in text(reader.ask(f"/runs/{run_id}/cancel"))
    cancelled, retried = reader.do(f"/runs/{run_id}/cancel"), reader.do(f"/runs/{run_id}/retry")
    assert (cancelled.status_code, retried.status_code, actions(sql)) == (409, 409, [])
    assert "the run has ended already" in text(cancelled)
    assert "the run is succeeded" in text(retried)


def test_a_run_whose_config_is_gone_is_not_tried_again(reader: Reader, add_run: Add, now: datetime) -> None:
    run_id = add_run(404, now, state="failed")
    response = reader.do(f"/runs/{run_id}/retry")
    assert response.status_code == 404
    assert "there is no config 404" in text(response)


def test_a_config_that_is_not_paused_is_not_resumed(reader: Reader, add_config: Add, sql: Callable[..., Any]) -> None:
    response = reader.do(f"/configs/{add_config('Sales')}/resume")
    assert (response.status_code, actions(sql)) == (409, [])
    assert "is not paused" in text(response)


def test_a_config_whose_table_another_one_has_is_not_resumed(
    reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
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


@pytest.mark.parametrize(
    "path",
    [
        "/configs/9223372036854775808/run",
        "/configs/0/run",
        "/configs/x/run",
        "/configs/-1/run",
        f"/runs/{NOBODYS}/cancel",
        f"/plans/{NOBODYS}/save",
    ],
)
def test_what_is_nobodys_address_is_told(path: str, reader: Reader) -> None:
    assert reader.do(path, page="/add").status_code == 404


# -- once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", SIMPLE)
def test_a_form_that_is_sent_twice_acts_once_and_leads_to_the_same(
    action: str, reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
    config_id = add_config(run_frequency_hours=24, is_active=action != "resume")
    address = f"/configs/{config_id}/{action}"
    form = reader.form(address)
    sent = [reader.send(address, form, hours="4", reason="why") for _ in range(2)]
    assert [each.status_code for each in sent] == [303, 303]
    assert len({each.headers["Location"] for each in sent}) == 1
    assert actions(sql) == [action]
    assert len(reader.here.requested) + len(reader.here.planned) == (action in ("run", "plan"))


def test_two_clicks_at_the_same_moment_ask_for_one_run(reader: Reader, add_config: Add) -> None:
    form, config_id = reader.form("/"), add_config()
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: reader.send(f"/configs/{config_id}/run", form), range(4)))
    assert [each.status_code for each in sent] == [303] * 4
    assert reader.here.requested == [config_id]


def test_the_page_opened_again_acts_again_and_so_does_another_row_of_the_same_page(
    reader: Reader, add_config: Add
) -> None:
    one, other = add_config("one"), add_config("other")
    form = reader.form("/")
    reader.send(f"/configs/{one}/run", form)
    reader.send(f"/configs/{other}/run", form)
    reader.send(f"/configs/{one}/run", reader.form("/"))
    assert reader.here.requested == [one, other, one]


def test_a_form_without_its_once_only_mark_does_nothing(reader: Reader, add_config: Add) -> None:
    form, config_id = reader.form("/"), add_config()
    response = reader.send(f"/configs/{config_id}/run", {**form, "once": ""})
    assert (response.status_code, reader.here.requested) == (400, [])


def test_an_action_is_done_with_its_row_or_not_at_all(
    reader: Reader, add_config: Add, sql: Callable[..., Any], migrated: Database
) -> None:
    config_id = add_config()
    sql("ALTER TABLE sheet_to_bigquery_actions ADD CONSTRAINT closed CHECK (action <> 'pause')")
    assert reader.do(f"/configs/{config_id}/pause").status_code == 503
    assert row(sql, config_id)["is_active"] is True
    with connect(migrated):  # the connection was let go of
        pass


# -- who, and from where -----------------------------------------------------------------------------------


def test_a_form_has_to_come_from_our_own_page_in_the_browser_that_got_it(
    reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
    path = f"/configs/{add_config()}/pause"
    form = reader.form(path)
    fields = {name: value for name, value in form.items() if name != "cookie"}
    cookie = {"Cookie": f"{COOKIE}={form['cookie']}"}
    another = {"Cookie": f"{COOKIE}=another"}
    for data, headers in (
        (fields, {}),
        (fields, another),
        ({"once": fields["once"]}, cookie),
        (fields | {"form_token": "another"}, cookie),
        (fields, cookie | {"Sec-Fetch-Site": "cross-site"}),
        (fields, cookie | {"Sec-Fetch-Site": "same-site"}),
        (fields, cookie | {"Origin": "https://evil.example.com"}),
        (fields, cookie | {"Origin": "null"}),
    ):
        response = reader.ask(path, "POST", data=data, headers=headers)
        assert response.status_code == 403, (data, headers)
    json_body = {"headers": cookie | {"Content-Type": "application/json"}, "data": json.dumps(fields)}
    assert reader.ask(path, "POST", **json_body).status_code == 403
    assert reader.ask(path, "POST", query_string=fields, headers=cookie).status_code == 403
    assert actions(sql) == []


@pytest.mark.parametrize("who", ["ann@example.com", "ANN@Example.com", "bob@team.example.org"])
def test_who_is_named_as_editor_may_act(who: str, reader_of: ReaderOf, add_config: Add) -> None:
    config_id = add_config()
    editor = reader_of(who, CONSOLE_EDITORS="Ann@example.com, *@team.example.org")
    assert editor.do(f"/configs/{config_id}/run", page="/").status_code == 303
    assert "Run now" in editor.page("/")


@pytest.mark.parametrize(
    "who", ["bob@example.com", "eve@example.org", "x@team.example.org.evil.com", "ann@example.com@evil.com", "*@x.com"]
)
def test_everybody_else_may_only_look(
    who: str, reader: Reader, reader_of: ReaderOf, add_config: Add, sql: Callable[..., Any]
) -> None:
    config_id = add_config()
    viewer = reader_of(who, CONSOLE_EDITORS="ann@example.com,*@team.example.org")
    page = viewer.page("/")
    assert "Run now" not in page
    assert "/add" not in page
    assert "<form id" not in page
    for path in (f"/configs/{config_id}/pause", "/add"):
        assert viewer.ask(path).status_code == 403
    refused = viewer.send(f"/configs/{config_id}/pause", reader.form(f"/configs/{config_id}/pause"))
    assert (refused.status_code, row(sql, config_id)["is_active"], actions(sql)) == (403, True, [])
    assert "may look, and not act" in text(refused)


def test_nobody_acts_without_a_name(reader: Reader, reader_of: ReaderOf, add_config: Add) -> None:
    form = reader.form("/")
    nobody = reader_of(None)
    assert nobody.send(f"/configs/{add_config()}/run", form).status_code == 401
    assert nobody.here.requested == []


@pytest.mark.parametrize("editors", ["ann", "a b@example.com", "*", "*@", "ann@example.com,", "a*@example.com"])
def test_editors_that_are_no_addresses_let_nobody_in(editors: str, reader_of: ReaderOf) -> None:
    response = reader_of(CONSOLE_EDITORS=editors).ask("/")
    assert response.status_code == 500
    assert "CONSOLE_EDITORS is not a list of addresses" in text(response)


# -- what people may send ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["a\0b", "x" * 501])
def test_a_reason_that_cannot_be_kept_is_told(
    reason: str, reader: Reader, add_config: Add, sql: Callable[..., Any]
) -> None:
    config_id = add_config()
    assert reader.do(f"/configs/{config_id}/pause", reason=reason).status_code == 400
    assert (row(sql, config_id)["is_active"], actions(sql)) == (True, [])


def test_a_form_of_megabytes_is_told_so(reader: Reader, add_config: Add, sql: Callable[..., Any]) -> None:
    response = reader.do(f"/configs/{add_config()}/pause", reason="x" * 3_000_000)
    assert (response.status_code, actions(sql)) == (400, [])
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_hostile_reasons_and_names_are_text_on_every_form(reader: Reader, add_config: Add) -> None:
    hostile = "\"'><script>alert(1)</script>{{ 7*7 }}"
    config_id = add_config(hostile, is_active=False, paused_reason=hostile, bigquery_table_id="t")
    for action in SIMPLE:
        html = reader.ask(f"/configs/{config_id}/{action}").get_data(as_text=True)
        assert html.count("<script") == 1
        assert hostile in unescape(html)
    response = reader.do(f"/configs/{config_id}/frequency", hours='"><script>')
    assert 'value="&#34;&gt;&lt;script&gt;"' in response.get_data(as_text=True)


@pytest.mark.parametrize("done", ["", "x", NOBODYS, "<script>", "a\0b"])
def test_a_notice_is_never_made_of_the_address(done: str, reader: Reader) -> None:
    html = reader.page("/", done=done)
    assert 'class="notice' not in html.replace('class="notices"', "")
    assert "<script>" not in html


# -- what is kept ------------------------------------------------------------------------------------------


def test_actions_go_by_their_age(reader: Reader, add_config: Add, store: Store, sql: Callable[..., Any]) -> None:
    config_id = add_config()
    for name in ("pause", "resume"):
        reader.do(f"/configs/{config_id}/{name}")
    assert [each.action for each in store.actions_of(config_id, 5)] == ["resume", "pause"]
    sql("UPDATE sheet_to_bigquery_actions SET acted_at = acted_at - interval '100 days' WHERE action = 'pause'")
    assert store.clean(store.now() - timedelta(days=90)) == 1
    assert actions(sql) == ["resume"]
