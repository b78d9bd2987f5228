"""What a Pub/Sub function does with a message: act on it, or record it as poison; both are an ack."""

from collections.abc import Callable
from typing import Any

from shared import log
from shared.errors import InvalidInput, InvalidSettings, SyncError
from shared.messages import Envelope, content_id, decode_envelope
from shared.store import Store


def receive(data: Any, store: Store, act: Callable[[Envelope], str]) -> None:
    """Calls `act` with the message in a CloudEvent's data, and logs the verdict that it returns.

    What nobody can understand is recorded as poison with its reason; anything else that `act` raises goes up,
    which is the only way to nack: functions-framework answers 200 to whatever a function returns.
    """
    try:
        envelope = decode_envelope(data)
    except InvalidInput as problem:
        body = repr(data).encode()
        _keep(store, Envelope(content_id(body), body), problem)
        return
    try:
        verdict = act(envelope)
    except SyncError as error:
        # Our own settings are no fault of the message's, which is to be tried again when they are mended.
        if isinstance(error, InvalidInput) and not isinstance(error, InvalidSettings):
            _keep(store, envelope, error)
            return
        log.error("nacked", message_id=envelope.message_id, error_class=error.name, error=str(error))
        raise
    log.info("received", message_id=envelope.message_id, verdict=verdict)


def _keep(store: Store, envelope: Envelope, problem: InvalidInput) -> None:
    store.record_poison(envelope.message_id, str(problem), envelope.data, store.now())
    log.error("poison", message_id=envelope.message_id, error_class=problem.name, error=str(problem))
