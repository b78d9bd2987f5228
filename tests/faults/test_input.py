"""Whatever arrives is answered: kept as poison and acked, or refused with a reason; nothing nacks it for ever."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.ports import direct
from tests.faults.arena import Arena

# Of a config that there is, a request would be answered by a run.
NUMBERS = st.integers().map(lambda number: number + 10**9 if number > 0 else number) | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("run_id", "config_id", "id", "name", "version", "attempt", "execution", "outcome", "rows", "columns")
NEARLY = st.dictionaries(st.sampled_from([*FIELDS, "seconds", "warnings", "error", "protoPayload"]), JSON, max_size=6)
DATA = st.binary(max_size=300) | (JSON | NEARLY).map(lambda value: json.dumps(value).encode())
ENVELOPES = JSON | st.fixed_dictionaries({"message": JSON | st.fixed_dictionaries({"data": JSON, "messageId": JSON})})
tried = settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
FUNCTIONS = pytest.mark.parametrize("function", ["launch", "complete"])


def post(arena: Arena, function: str, body: bytes, path: str = "/") -> int:
    """The status that the function answers with."""
    request = urllib.request.Request(  # noqa: S310
        f"{arena.system.addresses[function]}{path}", data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with direct.open(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def push(arena: Arena, function: str, data: bytes, message_id: str) -> int:
    """As Pub/Sub delivers a message."""
    message: dict[str, Any] = {"data": base64.b64encode(data).decode(), "messageId": message_id}
    body = {"subscription": f"projects/p/subscriptions/{function}", "message": message}
    return post(arena, function, json.dumps(body).encode(), "/projects/p/topics/t")


@FUNCTIONS
@tried
@given(data=DATA)
def test_a_message_of_any_content_is_acked(arena: Arena, function: str, data: bytes) -> None:
    assert push(arena, function, data, "any") in (200, 204)


@FUNCTIONS
@tried
@given(body=st.binary(max_size=300) | ENVELOPES.map(lambda value: json.dumps(value).encode()))
def test_a_function_lives_on_after_any_body(arena: Arena, function: str, body: bytes) -> None:
    """What is not Pub/Sub's, functions-framework answers by itself, some of it with 500: only IAM lets it come."""
    assert post(arena, function, body, "/projects/p/topics/t") in (200, 204, 400, 500)
    assert push(arena, function, b"", "after") in (200, 204)


@tried
@given(body=st.binary(min_size=1, max_size=300) | (JSON | NEARLY).map(lambda value: json.dumps(value).encode()))
def test_dispatch_answers_any_body(arena: Arena, body: bytes) -> None:
    assert post(arena, "dispatch", body, "/run") < 500


@FUNCTIONS
def test_a_message_of_nine_megabytes_is_acked_and_kept_in_part(arena: Arena, function: str) -> None:
    assert push(arena, function, b"x" * 9_000_000, f"large-{function}") in (200, 204)
    rows = arena.sql(
        "SELECT length(body) FROM sheet_to_bigquery_messages WHERE message_id LIKE :id", id=f"%large-{function}"
    )
    assert 0 < rows[0][0] < 10_000


@FUNCTIONS
def test_deep_nesting_is_acked(arena: Arena, function: str) -> None:
    assert push(arena, function, b"[" * 100_000, f"deep-{function}") in (200, 204)
