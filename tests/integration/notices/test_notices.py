"""What people are told of runs' ends, by a real server that listens, refuses, hangs or drips."""

import json

import pytest

from shared.channels import Slack, Webhook
from shared.notify import notify
from shared.run import Failure
from tests.integration.notices.conftest import LINK, NOON, timed


@pytest.fixture
def slack(listener):
    return Slack("xoxb-secret", "dev_alerts", listener.url)


@pytest.fixture
def webhook(listener):
    return Webhook(f"{listener.url}/hook?key=secret")


def waiting(sql) -> int:
    return sql("SELECT count(*) FROM sheet_to_bigquery_notices WHERE closed_at IS NULL")[0][0]


def let_time_pass(sql) -> None:
    sql("UPDATE sheet_to_bigquery_notices SET not_before = now() WHERE closed_at IS NULL")


def test_a_failure_is_told_once_with_config_error_link_and_remedy(store, slack, listener, end, sql) -> None:
    run_id = end()
    assert notify(store, [slack]) == 1
    assert notify(store, [slack]) == 0
    [told] = listener.heard
    assert (told["channel"], listener.paths) == ("dev_alerts", ["/chat.postMessage"])
    assert listener.headers[0]["Authorization"] == "Bearer xoxb-secret"
    lines = told["text"].splitlines()
    assert lines[0].startswith('"sales" (config ')
    assert "SchemaViolated: config 1: Sales!C17 is no number" in lines[1]
    assert lines[1].endswith("correct the cells")
    assert run_id in lines[2]
    assert lines[3] == f"<{LINK.replace('&', '&amp;')}|open the sheet>"


def test_the_webhook_gets_the_same_as_json(store, webhook, listener, end) -> None:
    run_id = end()
    notify(store, [webhook])
    [told] = listener.heard
    assert listener.paths == ["/hook?key=secret"]
    assert listener.headers[0]["Content-Type"].startswith("application/json")
    expected = {"version": 1, "kind": "failed", "config": "sales", "run_id": run_id, "attempt": 1, "link": LINK}
    assert told | expected == told
    assert (told["error_class"], told["why"], told["table"]) == (
        "SchemaViolated",
        "schedule",
        "test-project.reports.t0",
    )
    assert (told["error"].endswith(": correct the cells"), told["remedy"]) == (True, "correct the cells")
    assert "rows" not in told


def test_a_recovery_and_a_wanted_success_are_told_with_their_rows(store, webhook, listener, end) -> None:
    end()
    end("succeeded")
    end("succeeded")
    end("told")
    notify(store, [webhook])
    assert [each["kind"] for each in listener.heard] == ["failed", "recovered", "succeeded"]
    assert {each.get("rows") for each in listener.heard} == {None, 1234}
    assert listener.heard[1]["link"] == "https://docs.google.com/spreadsheets/d/abcdefghij/edit#gid=0"


def test_a_pause_is_told_with_the_failure_that_led_to_it_and_what_resumes_it(
    store, slack, webhook, listener, end
) -> None:
    end(pause_after=1)
    notify(store, [slack, webhook])
    text, told = listener.heard[0]["text"], listener.heard[1]
    assert "failed, and is paused" in text
    assert "job_helper.py resume sales`" in text
    assert told["kind"] == "paused"
    assert told["paused_reason"].startswith("1 runs in a row failed for good")


HOSTILE = "<!channel> *bold* <https://evil.example|click> `x`\n@here &amp; \x1b[31m"


def test_a_hostile_name_is_text_and_nothing_else(store, slack, listener, end) -> None:
    end(name=HOSTILE)
    notify(store, [slack])
    [told] = listener.heard
    assert told["text"].count("<") == 1  # the link's
    assert "&lt;!channel&gt; *bold* &lt;https://evil.example|click&gt; `x` @here &amp;amp;" in told["text"]
    assert "\x1b" not in told["text"]
    assert (told["mrkdwn"], told["parse"], told["link_names"]) == (False, "none", False)


def test_a_link_is_to_google_sheets_or_there_is_none(store, webhook, listener, end, sql) -> None:
    end(failure=Failure("X", "see https://evil.example/d/abc/edit", False))
    sql("UPDATE sheet_to_bigquery_configs SET google_sheet_url = 'https://evil.example/spreadsheets/d/abc/edit'")
    notify(store, [webhook])
    assert "link" not in listener.heard[0]


@pytest.mark.parametrize("answer", [(500, b""), (302, b""), (404, b"no such hook")])
def test_a_webhook_that_refuses_is_asked_again_later_and_not_at_once(
    answer, store, webhook, listener, end, sql
) -> None:
    end()
    end()
    listener.answer = answer
    assert notify(store, [webhook]) == 0
    assert (len(listener.heard), listener.paths[-1]) == (1, "/hook?key=secret")
    listener.answer = (204, b"")
    assert notify(store, [webhook]) == 1  # the second; the first waits for its time
    let_time_pass(sql)
    assert notify(store, [webhook]) == 1
    assert waiting(sql) == 0


@pytest.mark.parametrize("body", [b'{"ok": false, "error": "channel_not_found"}', b"<html>", b"[]", b""])
def test_slack_that_answers_200_without_ok_has_not_taken_it(body, store, slack, listener, end, sql) -> None:
    end()
    listener.answer = (200, body)
    assert notify(store, [slack]) == 0
    assert waiting(sql) == 1


@pytest.mark.parametrize("slowly", ["hangs", "drips"])
def test_who_hangs_is_left_after_seconds_however_much_waits(slowly, store, slack, listener, end, sql) -> None:
    for _ in range(3):
        end()
    listener.slowly = slowly
    listener.answer = (200, b" " * 60 + b'{"ok": true}')
    told, seconds = timed(lambda: notify(store, [slack]))
    assert (told, len(listener.heard), waiting(sql)) == (0, 1, 3)
    assert seconds < 10


def test_a_channel_that_is_silent_keeps_nothing_from_the_other_and_hears_nothing_twice(
    store, webhook, listener, end, sql
) -> None:
    end()
    end()
    deaf = Slack("xoxb-secret", "dev_alerts", "http://127.0.0.1:9")  # where nobody listens
    notify(store, [deaf, webhook])
    assert len(listener.heard) == 2
    let_time_pass(sql)
    notify(store, [deaf, webhook])
    assert (len(listener.heard), waiting(sql)) == (2, 2)


def test_a_notice_is_given_up_after_so_many_attempts(store, listener, end, sql) -> None:
    end()
    deaf = Webhook("http://127.0.0.1:9")
    for attempt in range(1, 12):
        let_time_pass(sql)
        notify(store, [deaf])
        assert waiting(sql) == (1 if attempt < 10 else 0)
    assert sql("SELECT attempts, heard FROM sheet_to_bigquery_notices") == [[10, []]]


def test_without_a_channel_nothing_is_kept_for_one_that_comes_later(store, webhook, listener, end, sql) -> None:
    end()
    assert notify(store, []) == 0
    assert notify(store, [webhook]) == 0
    assert (listener.heard, waiting(sql)) == ([], 0)


def test_no_log_line_of_it_has_a_token_or_an_address(store, listener, end, caplog) -> None:
    end()
    listener.answer = (500, b"")
    with caplog.at_level("INFO", logger="sheet_to_bigquery"):
        notify(store, [Slack("xoxb-secret", "c", listener.url), Webhook(f"{listener.url}/hook?key=secret")])
    said = json.dumps([record.__dict__ for record in caplog.records], default=str)
    assert "not_told" in said
    assert "secret" not in said
    assert listener.url not in said


def test_an_empty_ledger_tells_nothing(store, webhook, listener) -> None:
    assert notify(store, [webhook]) == 0
    assert listener.heard == []


def test_two_at_once_tell_a_notice_once(store, end, sql) -> None:
    end()
    now = store.now()
    assert store.take_notice(now, NOON.replace(year=2100)) is not None
    assert store.take_notice(now, NOON.replace(year=2100)) is None
