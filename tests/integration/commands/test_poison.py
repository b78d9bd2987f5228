"""`job_helper.py poison`: what nobody could understand is listed with its reason until somebody decides on it."""

import json
from datetime import UTC, datetime

import pytest

from shared.messages import LONGEST_KEPT

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.fixture
def poison(store):
    """Keeps a message that was not understood, and gives its id."""

    def keep(message_id: str = "17", body: bytes = b'{"nme": "sales"}', reason: str = "name is missing") -> str:
        store.record_poison(message_id, reason, body, NOON)
        return message_id

    return keep


def test_without_poison_it_says_so(helper) -> None:
    assert "All messages were understood" in helper("poison").stdout
    assert json.loads(helper("poison", "--json").stdout) == []


def test_poison_is_listed_with_its_reason_and_counted_in_status(helper, poison) -> None:
    poison("17")
    poison("completions/18", reason="run_id is not a UUID")
    lines = helper("poison", "list").stdout.splitlines()
    assert ["17" in lines[1], "name is missing" in lines[1], "completions/18" in lines[2]] == [True, True, True]
    assert "2 were not understood" in helper("status").stdout


def test_show_has_the_body_and_nothing_that_steers_the_terminal(helper, poison) -> None:
    poison(body=b'{"nme": "\x1b[31msales"}')
    out = helper("poison", "show", "17").stdout
    assert '{"nme": "' in out
    assert "\x1b" not in out
    assert json.loads(helper("poison", "show", "17", "--json").stdout)[0]["body"] == '{"nme": "\x1b[31msales"}'


def test_what_is_dropped_is_listed_no_more_and_does_nothing_when_it_comes_again(helper, poison, sql) -> None:
    poison()
    assert helper("poison", "drop", "17").returncode == 0
    poison()
    assert json.loads(helper("poison", "--json").stdout) == []
    assert sql("SELECT verdict, reason FROM sheet_to_bigquery_messages") == [["dropped", "name is missing"]]


@pytest.mark.parametrize("body", [b"x" * LONGEST_KEPT, "é".encode() * 3000, b"\xff\xfe", b'{"name": "a\0"}'])
def test_a_message_that_was_not_kept_whole_cannot_be_published_again(body, helper, poison, sql) -> None:
    poison("16")
    poison(body=body)
    done = helper("poison", "retry", "16", "17")
    assert (done.returncode, "only a part was kept" in done.stderr) == (2, True)
    assert sql("SELECT DISTINCT verdict FROM sheet_to_bigquery_messages") == [["poison"]]


def test_a_retry_that_cannot_be_published_leaves_the_message_as_it_was(helper, poison, environment, sql) -> None:
    poison()
    done = helper("poison", "retry", "17", env=environment | {"PUBSUB_EMULATOR_HOST": "127.0.0.1:9"})
    assert (done.returncode, "ServiceUnavailable" in done.stderr) == (1, True)
    assert sql("SELECT verdict FROM sheet_to_bigquery_messages") == [["poison"]]


@pytest.mark.parametrize("action", ["retry", "drop"])
def test_only_poison_is_decided_on_and_only_once(action, helper, poison, sql) -> None:
    poison()
    helper("poison", "drop", "17")
    for message_id, told in (("17", "dropped, not poison"), ("404", "no message has this id")):
        done = helper("poison", action, message_id)
        assert (done.returncode, told in done.stderr, len(done.stderr.splitlines())) == (2, True, 1)
