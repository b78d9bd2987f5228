"""What a Pub/Sub function does with a message: act on it, or record it as poison; both are an ack."""

from collections.abc import Callable
from typing import Any

from shared import log
from shared.errors import InvalidInput, SyncError, TableBusy
from shared.ledger.store import Stores
from shared.messages import Envelope, content_id, decode_envelope

# Characters of a reason in the log: it may tell of a long field.
_TOLD = 2000


def receive(data: Any, stores: Stores, act: Callable[[Envelope], str], topic: str = "") -> None:
    """Calls `act` with the message in a CloudEvent's data, and logs the verdict that it returns.

    What nobody can understand is recorded as poison with its reason; anything else that `act` raises goes up,
    which is the only way to nack: functions-framework answers 200 to whatever a function returns. `topic` goes
    before the message's id where it is kept, since ids are unique within a topic only.
    """
    try:
        envelope = decode_envelope(data)
    except InvalidInput as problem:
        body = repr(data).encode()
        _keep(stores, Envelope(content_id(body), body), problem, topic)
        return
    try:
        verdict = act(envelope)
    except InvalidInput as problem:
        _keep(stores, envelope, problem, topic)
        return
    except SyncError as error:
        # One that waits for its table is no failure.
        tell = log.warning if isinstance(error, TableBusy) else log.error
        tell("nacked", message_id=envelope.message_id, error_class=error.name, error=str(error))
        raise
    log.info("received", message_id=envelope.message_id, verdict=verdict)


def _keep(stores: Stores, envelope: Envelope, problem: InvalidInput, topic: str) -> None:
    message_id = f"{topic}/{envelope.message_id}" if topic else envelope.message_id
    with stores() as store:
        store.record_poison(message_id, str(problem), envelope.data, store.now())
    log.error("poison", message_id=message_id, error_class=problem.name, error=str(problem)[:_TOLD])
