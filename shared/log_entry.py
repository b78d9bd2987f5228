"""Cloud Logging's execution-ended entry, of which Knative's v1 Execution is a part (log `system_event`)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.errors import InvalidInput

SUBJECT = "the execution-ended log entry"
SINK = "route only Cloud Run's execution-ended entries to the completion topic"


class LoggedEnd(msgspec.Struct, frozen=True):
    """An execution that ended: Cloud Run's short name, the variables that it had, whether it succeeded, and Cloud
    Run's own sentence about its end."""

    execution: str
    variables: Mapping[str, str | None]
    succeeded: bool
    message: str


class _Variable(msgspec.Struct):
    name: str
    value: str | None = None


class _Container(msgspec.Struct):
    env: list[_Variable] | None = None


class _Template(msgspec.Struct):
    containers: list[_Container]


class _Task(msgspec.Struct):
    spec: _Template


class _Spec(msgspec.Struct):
    template: _Task


class _Metadata(msgspec.Struct):
    name: str


class _Condition(msgspec.Struct):
    type: str = ""
    status: str = ""


class _Status(msgspec.Struct):
    conditions: list[_Condition] = []


class _Execution(msgspec.Struct):
    """What is needed of the Execution: the container's variables tell whose it is."""

    metadata: _Metadata
    spec: _Spec
    status: _Status = msgspec.field(default_factory=_Status)


class _Said(msgspec.Struct):
    message: str = ""


class _Payload(msgspec.Struct):
    response: _Execution
    status: _Said = msgspec.field(default_factory=_Said)


class _LogEntry(msgspec.Struct):
    proto_payload: _Payload = msgspec.field(name="protoPayload")


def parse_log_entry(raw: Mapping[str, Any]) -> LoggedEnd:
    """The execution in an entry. Raises `InvalidInput` for an entry of another shape."""
    try:
        payload = msgspec.convert(raw, _LogEntry).proto_payload
    except msgspec.ValidationError as problem:  # its sentences here name fields, kinds and places, never values
        raise InvalidInput(f"{SUBJECT}: {problem}", SINK) from None
    execution = payload.response
    variables = {
        each.name: each.value
        for container in execution.spec.template.spec.containers[:1]
        for each in container.env or ()
    }
    # Only this condition decides: exit codes and counts have been seen to tell something else.
    succeeded = any(each.type == "Completed" and each.status == "True" for each in execution.status.conditions)
    return LoggedEnd(execution.metadata.name, variables, succeeded, payload.status.message)
