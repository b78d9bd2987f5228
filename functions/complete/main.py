"""complete: takes the job's own word, or Cloud Logging's execution-ended entry, and settles the run or the plan."""

import functools
from contextlib import nullcontext

import functions_framework
from cloudevents.http import CloudEvent

from shared.complete import complete as complete_run
from shared.ledger.store import Store
from shared.messages import COMPLETIONS, Envelope, PlanEnded, decode_ended
from shared.planning import complete_plan
from shared.receive import receive
from shared.wiring import wiring


@functions_framework.cloud_event
def complete(event: CloudEvent) -> None:
    """Acks by returning, nacks by raising."""
    with wiring().store() as store:
        receive(event.data, lambda: nullcontext(store), functools.partial(_act, store), topic=COMPLETIONS)


def _act(store: Store, envelope: Envelope) -> str:
    ended = decode_ended(envelope.data)
    if ended is None:
        return "not_a_run"
    here = wiring()
    if isinstance(ended, PlanEnded):
        return complete_plan(ended, store, here.executions)
    return complete_run(ended, store, here.bigquery, here.executions, here.publish, here.settings)
