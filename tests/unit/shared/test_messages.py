"""Messages and envelopes: what the product sends comes back, and what anybody else sends is understood or poison."""

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.loaded import ColumnLoaded
from shared.messages import (
    Ended,
    Envelope,
    ManualRequest,
    RunCompleted,
    RunRequested,
    decode_ended,
    decode_envelope,
    decode_request,
)

RUN_ID = "7b6d2f0e-58a5-4a6e-9b7c-3f8a12345678"
COMPLETED = {"run_id": RUN_ID, "attempt": 1, "execution": "job-abc", "outcome": "succeeded"}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_request_comes_back_as_it_was_sent() -> None:
    assert decode_request(RunRequested(RUN_ID).encode()) == RunRequested(RUN_ID)


@pytest.mark.parametrize(
    "text",
    [RUN_ID.upper(), RUN_ID.replace("-", ""), f"urn:uuid:{RUN_ID}", f"{{{RUN_ID}}}"],
)
def test_a_run_id_is_spelled_as_postgresql_spells_it(text: str) -> None:
    assert decode_request(encoded({"run_id": text})) == RunRequested(RUN_ID)
    ended = decode_ended(encoded(COMPLETED | {"run_id": text}))
    assert ended is not None
    assert ended.run_id == RUN_ID
    assert ended.completed is not None
    assert ended.completed.run_id == RUN_ID


def test_a_request_of_a_later_version_is_read_for_what_it_has() -> None:
    body = {"run_id": RUN_ID, "version": 2, "priority": {"high": True}, "config_id": "whatever"}
    assert decode_request(encoded(body)) == RunRequested(RUN_ID, version=2)


@pytest.mark.parametrize(
    ("body", "wanted_id", "name"),
    [
        ({"config_id": 7}, 7, None),
        ({"config_id": "7"}, 7, None),
        ({"config_id": 7.0}, 7, None),
        ({"config_id": 2**63 - 1}, 2**63 - 1, None),
        ({"name": "sales"}, None, "sales"),
        ({"name": "Umsätze 😀"}, None, "Umsätze 😀"),
        ({"run_id": None, "config_id": 7}, 7, None),
        ({"config_id": None, "id": 8, "name": "sales"}, 8, "sales"),
        ({"config_id": 7, "id": 8}, 7, None),
        (
            {"id": 8, "name": "sales", "google_sheet_url": "x", "custom_schema": [["x"]], "bigquery_table_id": 5},
            8,
            "sales",
        ),
    ],
)
def test_a_request_by_hand_names_a_config(body: dict[str, Any], wanted_id: int | None, name: str | None) -> None:
    request = decode_request(encoded(body))
    assert isinstance(request, ManualRequest)
    assert (request.wanted_id, request.name) == (wanted_id, name)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is empty"),
        (b"\xff", "is not JSON"),
        (b'{"config_id": NaN}', "is not JSON"),
        (b"7", "a number, not an object"),
        (b'[{"config_id": 7}]', "a list of 1, not an object"),
        (b"null", "null, not an object"),
        (encoded("secret"), "text of 6 characters, not an object"),
        (encoded({}), "config_id is missing, and so are run_id, id and name"),
        (encoded({"config": 7}), "config_id is missing"),
        (encoded({"name": ""}), "config_id is missing"),
        (encoded({"config_id": None}), "config_id is missing"),
        (encoded({"config_id": True}), "config_id is true or false, not a whole number"),
        (encoded({"config_id": 7.5}), "config_id is a number, not a whole number"),
        (encoded({"config_id": -1}), "config_id is a number, not a whole number from 1"),
        (encoded({"config_id": 0}), "config_id is a number"),
        (encoded({"config_id": 2**63}), "config_id is a number"),
        (encoded({"config_id": 10**400}), ""),
        (encoded({"config_id": "secret"}), "config_id is text of 6 characters"),
        (encoded({"config_id": [7]}), "config_id is a list of 1"),
        (encoded({"config_id": {"id": 7}}), "config_id is an object with 1 keys"),
        (encoded({"id": "secret", "name": "sales"}), "id is text of 6 characters"),
        (encoded({"name": ["secret"]}), "name is a list of 1, not text"),
        (encoded({"name": "sec\0ret"}), "NUL"),
        (encoded({"run_id": "secret"}), "run_id is not a UUID"),
        (encoded({"run_id": ""}), "run_id is not a UUID"),
        (encoded({"run_id": 7}), "run_id is a number, not text"),
        (encoded({"run_id": RUN_ID, "version": "secret"}), "version is text of 6 characters"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_a_request_that_nobody_can_understand_is_poison_with_its_reason(body: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_request(body)
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_completion_comes_back_as_it_was_sent() -> None:
    completed = RunCompleted(
        RUN_ID,
        attempt=2,
        execution="job-abc",
        outcome="failed",
        rows=10_000_000,
        bytes=2**40,
        requests=4,
        columns=(ColumnLoaded("id", "INT64", "REQUIRED"),),
        seconds={"read": 1.5},
        sheet_modified_at=datetime(2026, 5, 4, 12, 0, 0, 123000, tzinfo=UTC),
        warnings=("Sheet1!C17: an error value became NULL",),
        error_class="SheetNotShared",
        error="config 7: share it",
        retryable=True,
    )
    assert decode_ended(completed.encode()) == Ended(RUN_ID, 2, "job-abc", completed)


def test_what_a_newer_job_tells_beside_is_left_alone_and_what_an_older_one_does_not_is_unknown() -> None:
    told = {"run_id": RUN_ID, "attempt": 1, "execution": "job-abc", "outcome": "succeeded", "of_tomorrow": [1]}
    ended = decode_ended(encoded(told))
    assert ended is not None
    assert ended.completed == RunCompleted(RUN_ID, 1, "job-abc", "succeeded", sheet_modified_at=None)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"run_id": None}, "run_id is missing"),
        ({"run_id": "secret"}, "run_id is not a UUID"),
        ({"attempt": None, "execution": None, "outcome": None}, "attempt is missing; execution is missing; outcome"),
        ({"attempt": 2**31}, "attempt is a number"),
        ({"attempt": -1}, "attempt is a number"),
        ({"outcome": "secret"}, "outcome is text of 6 characters, not one of failed, succeeded"),
        ({"rows": 2**63}, "rows is a number"),
        ({"rows": -1}, "rows is a number"),
        ({"requests": 2**31}, "requests is a number"),
        ({"columns": [{"name": "secret"}]}, "columns is a list of 1, and wrong at `$[0]`"),
        ({"columns": "secret"}, "columns is text of 6 characters, not a list"),
        ({"seconds": {"secret": "secret"}}, "seconds is an object with 1 keys, and wrong at"),
        ({"warnings": [7]}, "warnings is a list of 1, and wrong at `$[0]`"),
        ({"error": "a\0b"}, "NUL"),
    ],
)
def test_a_completion_that_the_ledger_cannot_keep_is_poison_with_its_reason(
    values: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_ended(encoded(COMPLETED | values))
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)


def entry(*variables: dict[str, Any], **containers: Any) -> dict[str, Any]:
    """Cloud Logging's execution-ended entry, trimmed to what stays the same between executions."""
    container = {"image": "i", "env": list(variables)} | containers
    return {
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "methodName": "/Jobs.RunJob",
            "status": {"code": 10, "message": "Execution job-abc has failed to complete"},
            "response": {
                "kind": "Execution",
                "metadata": {"name": "job-abc", "namespace": "1"},
                "spec": {"template": {"spec": {"containers": [container]}}},
                "status": {"succeededCount": 1.0},
            },
        },
        "resource": {"type": "cloud_run_job"},
    }


def test_cloud_loggings_entry_tells_the_run_by_the_containers_variables() -> None:
    variables = [
        {"name": "RUN_ID", "value": RUN_ID},
        {"name": "RUN_ATTEMPT", "value": "2"},
        {"name": "POSTGRES_PASSWORD", "valueFrom": {"secretKeyRef": {"key": "latest"}}},
        {"name": "EMPTY"},
        {"name": "NOTHING", "value": None},
    ]
    assert decode_ended(encoded(entry(*variables))) == Ended(RUN_ID, 2, "job-abc")


@pytest.mark.parametrize("env", [[], None, [{"name": "CONFIG_ID", "value": "7"}]])
def test_an_execution_that_somebody_started_by_hand_is_nobodys_run(env: Any) -> None:
    assert decode_ended(encoded(entry(env=env))) is None


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"protoPayload": None}, "$.protoPayload"),
        ({"protoPayload": []}, "$.protoPayload"),
        ({"protoPayload": {"methodName": "google.cloud.run.v2.Jobs.RunJob"}}, "`response`"),
        ({"protoPayload": {"response": "secret"}}, "$.protoPayload.response"),
        ({"protoPayload": {"response": {"metadata": {"name": "x"}}}}, "`spec`"),
        (entry(env="secret"), "env"),
        (entry("secret"), "env"),  # type: ignore[arg-type]
        (entry({"name": "RUN_ID"}), "run_id is missing"),
        (entry({"name": "RUN_ID", "value": "secret"}, {"name": "RUN_ATTEMPT", "value": "1"}), "run_id is not a UUID"),
        (entry({"name": "RUN_ID", "value": RUN_ID}), "attempt is missing"),
        (
            entry({"name": "RUN_ID", "value": RUN_ID}, {"name": "RUN_ATTEMPT", "value": "secret"}),
            "attempt is text of 6",
        ),
    ],
)
def test_an_entry_of_another_shape_is_poison_with_its_reason(raw: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode_ended(encoded(raw))
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)


def enveloped(body: bytes, **values: Any) -> dict[str, Any]:
    return {"message": {"data": base64.b64encode(body).decode(), **values}, "subscription": "s"}


@pytest.mark.parametrize("key", ["messageId", "message_id"])
def test_an_envelope_gives_the_messages_id_and_bytes(key: str) -> None:
    assert decode_envelope(enveloped(b"\x00\xff", **{key: "123"})) == Envelope("123", b"\x00\xff")


@pytest.mark.parametrize("identity", [None, "", 7, True, ["x"], {"x": 1}, "x" * 256, "a\0b", "a\nb"])
def test_a_message_without_a_usable_id_gets_one_made_of_its_content(identity: Any) -> None:
    first, again = (decode_envelope(enveloped(b"same", messageId=identity)) for _ in range(2))
    other = decode_envelope(enveloped(b"other", messageId=identity))
    assert first.message_id == again.message_id != other.message_id
    assert first.message_id.startswith("content-")


@pytest.mark.parametrize("data", [None, "", [], {}])
def test_a_message_without_data_is_empty(data: Any) -> None:
    assert decode_envelope({"message": {"messageId": "1", "data": data}}) == Envelope("1", b"")


@pytest.mark.parametrize(
    "event",
    [None, b"", b"{", "text", 7, [], {}, {"message": None}, {"message": "text"}, {"message": []}, {"data": "e30="}],
)
def test_an_event_without_a_message_is_poison(event: Any) -> None:
    with pytest.raises(InvalidInput, match="no Pub/Sub message: publish to the topic"):
        decode_envelope(event)


@pytest.mark.parametrize("data", ["{}", "e30", "e30=\n", "é", 7, ["e30="], {"a": 1}, True])
def test_data_that_is_not_base64_is_poison(data: Any) -> None:
    with pytest.raises(InvalidInput, match="not base64"):
        decode_envelope({"message": {"messageId": "1", "data": data}})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["run_id", "config_id", "id", "name", "version", "attempt", "execution", "outcome", "columns", "protoPayload"]


@given(st.dictionaries(st.sampled_from(NAMES), json_values) | json_values)
def test_no_json_does_anything_but_decode_or_be_poison(value: Any) -> None:
    body = msgspec.json.encode(value)
    for decode in (decode_request, decode_ended):
        try:
            message = decode(body)
        except InvalidInput:
            continue
        if isinstance(message, RunRequested | Ended):
            assert str(uuid.UUID(message.run_id)) == message.run_id


@given(json_values | st.fixed_dictionaries({"message": json_values}) | st.binary())
def test_no_event_does_anything_but_decode_or_be_poison(event: Any) -> None:
    try:
        envelope = decode_envelope(event)
    except InvalidInput:
        return
    assert envelope.message_id
