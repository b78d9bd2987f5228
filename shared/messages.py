"""The Pub/Sub payloads, versioned and read leniently: an old launch meets a new job, and the reverse."""

import base64
import builtins
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeGuard, TypeVar

import msgspec
from msgspec import Meta

from shared.errors import InvalidInput
from shared.loaded import ColumnChange, ColumnLoaded
from shared.log_entry import SINK, SUBJECT, parse_log_entry
from shared.parse import Checked, Problem, parse, parse_object
from shared.plan import NO_RUN, Plan

# PostgreSQL's bigint and integer: a number beyond would break the statement, at every delivery again.
Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Amount = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
# Cloud Run's short name of an execution; as part of a resource name it must not be anything else.
ExecutionName = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,62}$")]
# Pub/Sub's are digits; longer ones are nobody's, and PostgreSQL could not index them.
_LONGEST_MESSAGE_ID = 255
# What goes before the ids of messages where they are kept: of those to the completion topic, and to the portal's; and
# before those of requests at the console, which are none.
COMPLETIONS, PORTAL, CONSOLE = "completions", "portal", "console"
# Bytes of a message's body that are kept: enough to see what it was, too few to fill the disk.
LONGEST_KEPT = 4096
_HasRunId = TypeVar("_HasRunId", "RunRequested", "RunCompleted", "Ended")
_HasPlanId = TypeVar("_HasPlanId", "PlanRequested", "PlanCompleted", "PlanEnded")


class RunRequested(msgspec.Struct, frozen=True, omit_defaults=True):
    """Launch this run. Everything else is read from Postgres, so a forged message can only run what is configured."""

    run_id: str
    version: int = 1

    def encode(self) -> bytes:
        return msgspec.json.encode(self)


class PlanRequested(msgspec.Struct, frozen=True, omit_defaults=True):
    """Have this plan made. What to plan is in Postgres, so a forged message can only plan what somebody asked."""

    plan_id: str
    version: int = 1

    def encode(self) -> bytes:
        return msgspec.json.encode(self)


class ManualRequest(Checked, frozen=True):
    """A message by hand: `{"config_id": 7}`, `{"name": "sales"}` or the older service's message, whose `id` counts."""

    config_id: Id | None = None
    id: Id | None = None
    name: Annotated[str, Meta(max_length=255)] | None = None
    # For this run alone, the option max_shrink holds nothing back.
    allow_shrink: bool = False

    @classmethod
    def problems(cls, values: Mapping[str, Any]) -> Iterable[Problem]:
        if len(values) == len(cls.__struct_fields__) and not any(values[each] for each in ("config_id", "id", "name")):
            yield "config_id", "is missing, and so are run_id, id and name"

    @property
    def wanted_id(self) -> int | None:
        return self.config_id if self.config_id is not None else self.id


class RunCompleted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the job's execution says it did; a hint that settling checks. No cell values.

    `verdict` is `loaded`, `unchanged` or `kept`, as the attempt's BigQuery job is labelled. `rows` are the sheet's,
    `bytes` those uploaded, `requests` those sent to Sheets and Drive, `sheet_reads` those of them that the Sheets
    quota counts, `seconds` wall time by stage (`read`, `load`), `warnings` sentences with cell addresses,
    `schema_changes` how the table's columns differ from before, `remedy` how its `error` ends (older jobs do not tell
    it by itself), `sheet_modified_at` when the spreadsheet was edited last, as Drive told the reading.
    """

    run_id: str
    attempt: Number
    execution: ExecutionName
    outcome: Literal["succeeded", "failed"]
    version: int = 1
    verdict: str = "loaded"
    rows: Amount | None = None
    bytes: Amount | None = None
    requests: Number | None = None
    sheet_reads: Number | None = None
    columns: tuple[ColumnLoaded, ...] = ()
    schema_changes: tuple[ColumnChange, ...] = ()
    content_hash: Annotated[str, Meta(pattern="^[0-9a-f]{1,63}$")] | None = None
    sheet_modified_at: Annotated[datetime, Meta(tz=True)] | None = None
    seconds: dict[str, float] = {}
    warnings: tuple[str, ...] = ()
    error_class: str | None = None
    error: str | None = None
    remedy: str | None = None
    retryable: bool = False

    @property
    def explains(self) -> bool:
        """Whether it says why nothing was loaded. That the attempt was closed already is no reason of its own."""
        return self.error_class not in (None, "AttemptClosed")

    def encode(self) -> builtins.bytes:
        return msgspec.json.encode(self)


class PlanCompleted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an execution found that was started for a plan. It loaded nothing. No cell values."""

    plan_id: str
    execution: ExecutionName
    plan: Plan
    version: int = 1

    def encode(self) -> builtins.bytes:
        return msgspec.json.encode(self)


class Envelope(msgspec.Struct, frozen=True):
    """A Pub/Sub message as a function gets it, pushed or through Eventarc."""

    message_id: str
    data: bytes


class Kept(msgspec.Struct, frozen=True):
    """A message as the ledger keeps it: of its body the first `LONGEST_KEPT` bytes, as text."""

    message_id: str
    received_at: datetime
    verdict: Literal["accepted", "poison", "retried", "dropped"]
    reason: str | None
    body: str

    @property
    def topic(self) -> Literal["completions", "portal", "requests"]:
        """The topic that it came to; ids are unique within a topic only."""
        if self.message_id.startswith(f"{COMPLETIONS}/"):
            return "completions"
        return "portal" if self.message_id.startswith(f"{PORTAL}/") else "requests"

    @property
    def is_whole(self) -> bool:
        """Whether the body is all of what was sent: not cut off, and nothing in it that is no text."""
        return len(self.body.encode()) < LONGEST_KEPT and "\N{REPLACEMENT CHARACTER}" not in self.body


class Ended(msgspec.Struct, frozen=True):
    """A hint that an execution of a run's attempt ended: the job's own message, or Cloud Logging's entry.

    `execution` is Cloud Run's short name; `completed` is absent in Cloud Logging's.
    """

    run_id: str
    attempt: Number
    execution: ExecutionName
    completed: RunCompleted | None = None


class PlanEnded(msgspec.Struct, frozen=True):
    """A hint that an execution for a plan ended: the job's own message, or Cloud Logging's entry.

    `completed` is absent in Cloud Logging's, which has Cloud Run's words: whether it `succeeded`, and its sentence.
    """

    plan_id: str
    execution: ExecutionName
    succeeded: bool = True
    message: str = ""
    completed: PlanCompleted | None = None


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
    return Envelope(identity if _is_message_id(identity) else content_id(body), body)


def _is_message_id(identity: Any) -> TypeGuard[str]:
    return isinstance(identity, str) and identity.isprintable() and len(identity) <= _LONGEST_MESSAGE_ID


def content_id(body: bytes) -> str:
    """An id for a message that has none: the same content gets the same one."""
    return f"content-{hashlib.sha256(body).hexdigest()[:32]}"


def decode_request(data: bytes) -> RunRequested | PlanRequested | ManualRequest:
    """The request in a message's data. Raises `InvalidInput` that says what is wrong with it."""
    raw = parse_object(data, "the request message")
    if raw.get("run_id") is not None:
        return _with_valid_run_id(parse(RunRequested, raw, "the request message"))
    if raw.get("plan_id") is not None:
        return _with_valid_plan_id(parse(PlanRequested, raw, "the request message"))
    return parse(ManualRequest, raw, "the request message", remedy='send {"config_id": 7} or {"name": "sales"}')


def decode_ended(data: bytes) -> Ended | PlanEnded | None:
    """The hint in a completion message's data; None for an execution that is nobody's (started by hand).

    Raises `InvalidInput` that says what is wrong with it.
    """
    raw = parse_object(data, "the completion message")
    if "protoPayload" in raw:
        return _of_log_entry(raw)
    if raw.get("plan_id") is not None:
        made = _with_valid_plan_id(parse(PlanCompleted, raw, "the completion message"))
        return PlanEnded(made.plan_id, made.execution, completed=made)
    completed = _with_valid_run_id(parse(RunCompleted, raw, "the completion message"))
    return Ended(completed.run_id, completed.attempt, completed.execution, completed)


def _of_log_entry(raw: dict[str, Any]) -> Ended | PlanEnded | None:
    """The run, or the plan, in Cloud Logging's execution-ended entry."""
    logged = parse_log_entry(raw)
    variables = logged.variables
    if "PLAN_ID" in variables and variables.get("RUN_ID") == NO_RUN:
        plan = {"plan_id": variables["PLAN_ID"], "execution": logged.execution}
        told = {"succeeded": logged.succeeded, "message": logged.message}
        return _with_valid_plan_id(parse(PlanEnded, plan | told, SUBJECT, remedy=SINK))
    if "RUN_ID" not in variables:
        return None
    ended = {"run_id": variables["RUN_ID"], "attempt": variables.get("RUN_ATTEMPT"), "execution": logged.execution}
    return _with_valid_run_id(parse(Ended, ended, SUBJECT, remedy=SINK))


def _with_valid_run_id(message: _HasRunId) -> _HasRunId:
    """The message with its run id as PostgreSQL and the labels have it."""
    return msgspec.structs.replace(message, run_id=_uuid(message.run_id, "run_id"))


def _with_valid_plan_id(message: _HasPlanId) -> _HasPlanId:
    return msgspec.structs.replace(message, plan_id=_uuid(message.plan_id, "plan_id"))


def _uuid(text: str, field: str) -> str:
    """As PostgreSQL spells it: `urn:uuid:…` is a UUID too."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InvalidInput(f"{field} is not a UUID", 'send {"config_id": 7} or {"name": "sales"}') from None
