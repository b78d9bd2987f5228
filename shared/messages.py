"""The Pub/Sub payloads, versioned and read leniently: an old launch meets a new job, and the reverse."""

import base64
import hashlib
import uuid
from typing import Any, Literal, TypeVar

import msgspec

from shared.errors import InvalidInput
from shared.parse import parse, parse_object

_HasRunId = TypeVar("_HasRunId", "RunRequested", "RunCompleted", "Ended")


class RunRequested(msgspec.Struct, frozen=True, omit_defaults=True):
    """Launch this run. Everything else is read from Postgres, so a forged message can only run what is configured."""

    run_id: str
    version: int = 1

    def encode(self) -> bytes:
        return msgspec.json.encode(self)


class ManualRequest(msgspec.Struct, frozen=True):
    """A message by hand: `{"config_id": 7}`, `{"name": "sales"}` or the older service's message, whose `id` counts."""

    config_id: int | None = None
    id: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.config_id is None and self.id is None and not self.name:
            raise ValueError("it has none of run_id, config_id, id and name")

    @property
    def wanted_id(self) -> int | None:
        return self.config_id if self.config_id is not None else self.id


class ColumnLoaded(msgspec.Struct, frozen=True):
    """A column of the loaded table: BigQuery's name, type and mode."""

    name: str
    type: str
    mode: str = "NULLABLE"


class RunCompleted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the job's execution says it did; a hint that settling checks. No cell values.

    `bytes` are those uploaded, `requests` those sent to Sheets and Drive, `seconds` wall time by stage
    (`read`, `infer`, `load`), `warnings` sentences with cell addresses.
    """

    run_id: str
    attempt: int
    execution: str
    outcome: Literal["succeeded", "failed"]
    version: int = 1
    rows: int | None = None
    bytes: int | None = None
    requests: int | None = None
    columns: tuple[ColumnLoaded, ...] = ()
    seconds: dict[str, float] = {}
    warnings: tuple[str, ...] = ()
    error_class: str | None = None
    error: str | None = None
    retryable: bool = False

    def encode(self) -> bytes:
        return msgspec.json.encode(self)


class Envelope(msgspec.Struct, frozen=True):
    """A Pub/Sub message as a function gets it, pushed or through Eventarc."""

    message_id: str
    data: bytes


class Ended(msgspec.Struct, frozen=True):
    """A hint that an execution of a run's attempt ended: the job's own message, or Cloud Logging's entry.

    `execution` is Cloud Run's short name; `completed` is absent in Cloud Logging's.
    """

    run_id: str
    attempt: int
    execution: str
    completed: RunCompleted | None = None


def decode_envelope(data: Any) -> Envelope:
    """The message in a CloudEvent's data: `message` is what raw pushes and Eventarc have in common.

    A message without an id gets one made of its content. Raises `InvalidInput` for data of another shape.
    """
    message = data.get("message") if isinstance(data, dict) else None
    if not isinstance(message, dict):
        raise InvalidInput(
            "the event has no Pub/Sub message", "publish to the topic instead of posting to the function"
        )
    encoded = message.get("data") or ""
    try:
        body = base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise InvalidInput("the message's data is not base64") from None
    identity = message.get("messageId") or message.get("message_id")
    return Envelope(str(identity) if identity else content_id(body), body)


def content_id(body: bytes) -> str:
    """An id for a message that has none: the same content gets the same one."""
    return f"content-{hashlib.sha256(body).hexdigest()[:32]}"


def decode_request(data: bytes) -> RunRequested | ManualRequest:
    """The request in a message's data. Raises `InvalidInput` that says what is wrong with it."""
    raw = parse_object(data, "the request message")
    if raw.get("run_id") is not None:
        return _with_valid_run_id(parse(RunRequested, raw, "the request message"))
    return parse(ManualRequest, raw, "the request message", remedy='send {"config_id": 7} or {"name": "sales"}')


def decode_ended(data: bytes) -> Ended | None:
    """The hint in a completion message's data; None for an execution that is not a run's (started by hand).

    Raises `InvalidInput` that says what is wrong with it.
    """
    raw = parse_object(data, "the completion message")
    if "protoPayload" in raw:
        return _of_log_entry(raw)
    completed = _with_valid_run_id(parse(RunCompleted, raw, "the completion message"))
    return Ended(completed.run_id, completed.attempt, completed.execution, completed)


def _of_log_entry(entry: dict[str, Any]) -> Ended | None:
    """The run in Cloud Logging's execution-ended entry, whose `response` is a Knative v1 Execution."""
    try:
        response = entry["protoPayload"]["response"]
        containers = response["spec"]["template"]["spec"]["containers"]
        variables = {each["name"]: each.get("value", "") for each in containers[0].get("env", [])}
        execution = response["metadata"]["name"]
    except (KeyError, TypeError, IndexError) as problem:
        raise InvalidInput(f"the execution-ended log entry lacks {problem}") from None
    if "RUN_ID" not in variables:
        return None
    raw = {"run_id": variables["RUN_ID"], "attempt": variables.get("RUN_ATTEMPT"), "execution": execution}
    return _with_valid_run_id(parse(Ended, raw, "the execution-ended log entry"))


def _with_valid_run_id(message: _HasRunId) -> _HasRunId:
    try:
        uuid.UUID(message.run_id)
    except ValueError:
        raise InvalidInput("run_id is not a UUID", 'send {"config_id": 7} or {"name": "sales"}') from None
    return message
