"""launch: takes `RunRequested`, `PlanRequested` or a request by hand from Pub/Sub and starts the execution for it."""

import functools
from contextlib import nullcontext

import functions_framework
from cloudevents.http import CloudEvent

from shared.admit import admit
from shared.failpoints import failpoint
from shared.launch import launch as launch_run
from shared.ledger.store import Store
from shared.messages import Envelope, PlanRequested, RunRequested, decode_request
from shared.planning import launch_plan
from shared.receive import receive
from shared.record import record
from shared.wiring import wiring


@functions_framework.cloud_event
def launch(event: CloudEvent) -> None:
    """Acks by returning, nacks by raising."""
    with wiring().store() as store:
        receive(event.data, lambda: nullcontext(store), functools.partial(_act, store))


def _act(store: Store, envelope: Envelope) -> str:
    request = decode_request(envelope.data)
    here = wiring()
    done: str
    if isinstance(request, PlanRequested):
        return launch_plan(request.plan_id, store, here.executions, here.settings)
    if isinstance(request, RunRequested):
        done = launch_run(request.run_id, store, here.location_of, here.executions, here.settings)
        if done in ("launched", "claimed_before"):
            return done
    else:
        done = record(envelope, request, store)
    failpoint("launch.before_admit")
    # There is a run more, or a place more.
    admit(store, here.publish, here.settings)
    return done
