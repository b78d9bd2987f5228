"""What becomes of a message: acted on, kept as poison, or given back; nothing is acked for nothing."""

import base64
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import (
    AmbiguousName,
    DatabaseUnavailable,
    InvalidConfig,
    InvalidInput,
    InvalidSettings,
    PermissionMissing,
    ServiceFailed,
    SyncError,
    TableBusy,
    UnknownConfig,
)
from shared.messages import Envelope
from shared.receive import receive

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EVENT = {"message": {"messageId": "1", "data": base64.b64encode(b"hello").decode()}}


class PoisonKept:
    """The part of the ledger that keeps poison: once per message, as the real one does."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, bytes]] = {}

    def now(self) -> datetime:
        return NOON

    def record_poison(self, message_id: str, reason: str, body: bytes, now: datetime) -> None:
        assert now == NOON
        self.kept.setdefault(message_id, (reason, body))


def received(event: Any, act: Callable[[Envelope], str]) -> dict[str, tuple[str, bytes]]:
    store: Any = PoisonKept()
    receive(event, lambda: nullcontext(store), act)
    return store.kept


def failing(error: Exception) -> Callable[[Envelope], str]:
    def act(_envelope: Envelope) -> str:
        raise error

    return act


def test_a_message_is_acted_on_once_with_its_id_and_bytes() -> None:
    seen: list[Envelope] = []
    assert received(EVENT, lambda envelope: seen.append(envelope) or "accepted") == {}
    assert seen == [Envelope("1", b"hello")]


@pytest.mark.parametrize("error", [InvalidInput, UnknownConfig, AmbiguousName, InvalidConfig])
def test_what_nobody_can_understand_is_kept_with_its_reason_and_acked(error: type[SyncError]) -> None:
    assert received(EVENT, failing(error("it is nonsense", "mend it"))) == {"1": ("it is nonsense: mend it", b"hello")}


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("gone"),
        PermissionMissing("no"),
        InvalidSettings("the database lacks a table", "run `python -m sql up` against it"),
        RuntimeError("a mistake of ours"),
    ],
)
def test_what_is_no_fault_of_the_messages_goes_up_so_that_it_comes_again(error: Exception) -> None:
    store: Any = PoisonKept()
    with pytest.raises(type(error)):
        receive(EVENT, lambda: nullcontext(store), failing(error))
    assert store.kept == {}


@pytest.mark.parametrize(("error", "level"), [(TableBusy("it waits"), "WARNING"), (ServiceFailed("no"), "ERROR")])
def test_a_message_that_merely_waits_for_its_table_is_no_error(error: SyncError, level: str, caplog) -> None:
    with pytest.raises(type(error)):
        received(EVENT, failing(error))
    assert [(each.msg, each.levelname) for each in caplog.records] == [("nacked", level)]


@pytest.mark.parametrize(
    "event",
    [
        None,
        b"\xff{",
        "text",
        [],
        {"message": None},
        {"message": {"data": "not base64"}},
        {"message": {"data": "\ud800"}},
    ],
)
def test_an_event_that_is_no_message_is_kept_once_however_often_it_comes(event: Any) -> None:
    store: Any = PoisonKept()
    for _ in range(3):
        receive(event, lambda: nullcontext(store), failing(AssertionError("nothing is acted on")))
    [(message_id, (reason, body))] = store.kept.items()
    assert message_id.startswith("content-")
    assert "message" in reason
    assert body == repr(event).encode()
