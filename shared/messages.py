"""The Pub/Sub payloads, versioned and read leniently: an old launch meets a new job, and the reverse."""

from typing import Any, Literal

import msgspec

from shared.errors import InvalidInput
from shared.parse import parse, parse_object


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


def decode_request(data: bytes) -> RunRequested | ManualRequest:
    """The request in a message's data. Raises `InvalidInput` that says what is wrong with it."""
    raw = parse_object(data, "the request message")
    if raw.get("run_id") is not None:
        return parse(RunRequested, raw, "the request message")
    return parse(
        ManualRequest, raw, "the request message", remedy='send {"config_id": 7} or {"name": "sales"}'
    )


def decode_completed(raw: dict[str, Any]) -> RunCompleted:
    """A `RunCompleted` of a message's JSON object. Raises `InvalidInput` that says what is wrong with it."""
    return parse(RunCompleted, raw, "the completion message", error=InvalidInput)
