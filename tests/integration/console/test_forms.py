"""A form is taken once, from our own pages, of who may act, and no longer than its fields are."""

import json
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from console.security import COOKIE
from shared.ledger.connection import connect
from shared.ledger.store import Store
from shared.settings import Database
from tests.integration.console.conftest import NOBODYS, SIMPLE, Reader, actions, asked_for, row, text

Add = Callable[..., Any]
Sql = Callable[..., Any]
ReaderOf = Callable[..., Reader]


# -- once ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", SIMPLE)
def test_a_form_that_is_sent_twice_acts_once_and_leads_to_the_same(
    action: str, reader: Reader, add_config: Add, sql: Sql
) -> None:
    config_id = add_config(run_frequency_hours=24, is_active=action != "resume")
    address = f"/configs/{config_id}/{action}"
    form = reader.form(address)
    sent = [reader.send(address, form, hours="4", reason="why") for _ in range(2)]
    assert [each.status_code for each in sent] == [303, 303]
    assert len({each.headers["Location"] for each in sent}) == 1
    assert actions(sql) == [action]
    assert len(asked_for(sql)) + len(set(reader.here.planned)) == (action in ("run", "plan"))


def test_the_page_opened_again_acts_again_and_so_does_another_row_of_the_same_page(
    reader: Reader, add_config: Add, sql: Sql
) -> None:
    one, other = add_config("one"), add_config("other")
    form = reader.form("/")
    reader.send(f"/configs/{one}/run", form)
    reader.send(f"/configs/{other}/run", form)
    reader.send(f"/configs/{one}/run", reader.form("/"))
    assert asked_for(sql) == [one, other, one]


def test_a_form_without_its_once_only_mark_does_nothing(reader: Reader, add_config: Add, sql: Sql) -> None:
    form, config_id = reader.form("/"), add_config()
    response = reader.send(f"/configs/{config_id}/run", {**form, "once": ""})
    assert (response.status_code, asked_for(sql)) == (400, [])


def test_an_action_is_done_with_its_row_or_not_at_all(
    reader: Reader, add_config: Add, sql: Sql, migrated: Database
) -> None:
    config_id = add_config()
    sql("ALTER TABLE sheet_to_bigquery_actions ADD CONSTRAINT closed CHECK (action <> 'pause')")
    assert reader.do(f"/configs/{config_id}/pause").status_code == 503
    assert row(sql, config_id)["is_active"] is True
    with connect(migrated):  # the connection was let go of
        pass


# -- who, and from where -------------------------------------------------------------------------------------------


def test_a_form_has_to_come_from_our_own_page_in_the_browser_that_got_it(
    reader: Reader, add_config: Add, sql: Sql
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
def test_everybody_else_may_only_look(who: str, reader: Reader, reader_of: ReaderOf, add_config: Add, sql: Sql) -> None:
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


def test_nobody_acts_without_a_name(reader: Reader, reader_of: ReaderOf, add_config: Add, sql: Sql) -> None:
    form = reader.form("/")
    nobody = reader_of(None)
    assert nobody.send(f"/configs/{add_config()}/run", form).status_code == 401
    assert asked_for(sql) == []


@pytest.mark.parametrize("editors", ["ann", "a b@example.com", "*", "*@", "ann@example.com,", "a*@example.com"])
def test_editors_that_are_no_addresses_let_nobody_in_and_the_log_says_why(
    editors: str, reader_of: ReaderOf, caplog: pytest.LogCaptureFixture
) -> None:
    response = reader_of(CONSOLE_EDITORS=editors).ask("/")
    assert (response.status_code, "CONSOLE_EDITORS" in text(response)) == (500, False)
    (line,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "refused"]
    assert "CONSOLE_EDITORS is not a list of addresses" in line["error"]


# -- what people may send ------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("reason", ["a\0b", "x" * 501])
def test_a_reason_that_cannot_be_kept_is_told(reason: str, reader: Reader, add_config: Add, sql: Sql) -> None:
    config_id = add_config()
    assert reader.do(f"/configs/{config_id}/pause", reason=reason).status_code == 400
    assert (row(sql, config_id)["is_active"], actions(sql)) == (True, [])


def test_a_reason_that_is_too_long_is_told_beside_its_field(reader: Reader, add_config: Add) -> None:
    response = reader.do(f"/configs/{add_config()}/pause", reason="x" * 501)
    assert '<p class="wrong" id="problem-reason">is text of 501 characters, and 500 is the most</p>' in text(response)
    assert "shorten what is marked" in text(response)


@pytest.mark.parametrize("body", ["more=1&" * 60, "%F0%9F%98%80" * 90_000], ids=["fields", "bytes"])
def test_more_than_any_form_holds_is_refused(body: str, reader: Reader, add_config: Add, sql: Sql) -> None:
    path = f"/configs/{add_config()}/pause"
    form = reader.form(path)
    sent = f"form_token={form['form_token']}&once={form['once']}&reason={body}"
    headers = {"Cookie": f"{COOKIE}={form['cookie']}", "Content-Type": "application/x-www-form-urlencoded"}
    response = reader.ask(path, "POST", data=sent, headers=headers)
    assert (response.status_code, actions(sql)) == (413, [])
    assert "more was sent than any form here holds" in text(response)


def test_a_form_of_megabytes_is_told_so(reader: Reader, add_config: Add, sql: Sql) -> None:
    response = reader.do(f"/configs/{add_config()}/pause", reason="x" * 3_000_000)
    assert (response.status_code, actions(sql)) == (413, [])
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


def test_a_name_turns_nothing_around_in_a_sentence_and_stays_as_it_is_in_a_field(
    reader: Reader, add_config: Add, sql: Sql
) -> None:
    name = "a\u202eb\u2067c"
    config_id = add_config(name, bigquery_table_id="t", is_active=False)
    told = text(reader.do(f"/configs/{config_id}/run", page="/"))
    assert f'config {config_id} "a\ufffdb\ufffdc" is paused' in told
    again = text(reader.do(f"/configs/{config_id}/pause", reason=name + "x" * 500))
    assert f'name="reason" value="{name}' in again
    reader.do(f"/configs/{config_id}/pause", reason=name)
    assert row(sql, config_id)["paused_reason"] == name


@pytest.mark.parametrize("done", ["", "x", NOBODYS, "<script>", "a\0b"])
def test_a_notice_is_never_made_of_the_address(done: str, reader: Reader) -> None:
    html = reader.page("/", done=done)
    assert 'class="notice' not in html.replace('class="notices"', "")
    assert "<script>" not in html


# -- what is kept --------------------------------------------------------------------------------------------------


def test_actions_go_by_their_age(reader: Reader, add_config: Add, store: Store, sql: Sql) -> None:
    config_id = add_config()
    for name in ("pause", "resume"):
        reader.do(f"/configs/{config_id}/{name}")
    assert [each.action for each in store.actions_of(config_id, 5)] == ["resume", "pause"]
    sql("UPDATE sheet_to_bigquery_actions SET acted_at = acted_at - interval '100 days' WHERE action = 'pause'")
    assert store.clean(store.now() - timedelta(days=90)) == 1
    assert actions(sql) == ["resume"]
