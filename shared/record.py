"""Record: a request by hand becomes a run, once per message."""

from shared import log
from shared.ledger.message_queries import Recorded
from shared.ledger.store import Store
from shared.messages import Envelope, ManualRequest


def record(envelope: Envelope, request: ManualRequest, store: Store, *, if_ours: bool = False) -> Recorded:
    """Records what the request asks for, and tells whether it did; raises what `Store.record_request` does."""
    recorded = store.record_request(envelope.message_id, request, envelope.data, store.now(), if_ours=if_ours)
    heard = store.find_message(envelope.message_id) if recorded == "accepted" else None
    if heard:
        log.info("recorded", run_ids=[heard.run_id], why="manual", message_id=envelope.message_id)
    return recorded
