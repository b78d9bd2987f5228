"""forward: takes the portal's messages, and hands each to the owner of its config's table: the older service, or us."""

import functools
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent

from shared.forward import forward as forward_message
from shared.messages import PORTAL, Envelope
from shared.receive import receive
from shared.wiring import wiring

# What functions-framework adds to a message that Pub/Sub pushed.
_ADDED = "@type"


@functions_framework.cloud_event
def forward(event: CloudEvent) -> None:
    """Acks by returning, nacks by raising."""
    receive(event.data, wiring().store, functools.partial(_act, event.data), topic=PORTAL)


def _act(data: Any, envelope: Envelope) -> str:
    message = {name: value for name, value in data["message"].items() if name != _ADDED}
    here = wiring()
    return forward_message(envelope, message, here.store, here.older_service, here.publish, here.settings)
