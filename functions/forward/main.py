"""forward: takes the portal's messages, and hands each to the owner of its config's table: the older service, or us."""

import functools
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.forward import forward as forward_message
from shared.ledger.store import Store
from shared.messages import PORTAL, Envelope
from shared.receive import receive
from shared.wiring import wiring

# What functions-framework adds to a message that Pub/Sub pushed.
_ADDED = "@type"


@functions_framework.cloud_event
def forward(event: CloudEvent) -> None:
    """Acks by returning, nacks by raising."""
    with wiring().store() as store:
        receive(event.data, store, functools.partial(_act, event.data, store), topic=PORTAL)


def _act(data: Any, store: Store, envelope: Envelope) -> str:
    message = {name: value for name, value in data["message"].items() if name != _ADDED}
    here = wiring()
    return forward_message(envelope, message, store, here.older_service, here.publish, here.settings)
