"""launch: takes `RunRequested`, or a request by hand, from Pub/Sub and starts the run's execution."""

import functools

import functions_framework
from cloudevents.http import CloudEvent

from shared.admit import admit
from shared.launch import launch as launch_run
from shared.messages import Envelope, RunRequested, decode_request
from shared.receive import receive
from shared.store import Store
from shared.wiring import wiring


@functions_framework.cloud_event
def launch(event: CloudEvent) -> None:
    """Acks by returning, nacks by raising."""
    with wiring().store() as store:
        receive(event.data, store, functools.partial(_act, store))


def _act(store: Store, envelope: Envelope) -> str:
    request = decode_request(envelope.data)
    if isinstance(request, RunRequested):
        return launch_run(request.run_id, store, wiring().location_of, wiring().executions, wiring().settings)
    recorded = store.record_request(envelope.message_id, request, envelope.data, store.now())
    admit(store, wiring().publish, wiring().settings)
    return recorded
