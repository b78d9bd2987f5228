"""Forward: a message of the portal's goes to whoever owns its config's table, the older service or the job."""

import time
from collections.abc import Mapping
from typing import Any, Literal

from shared import log
from shared.admit import Publish, admit
from shared.errors import PermissionMissing, ServiceFailed, SyncError, TableBusy
from shared.failpoints import failpoint
from shared.ledger.forward_queries import Forward
from shared.ledger.message_queries import Recorded
from shared.ledger.store import Store, Stores
from shared.messages import PORTAL, Envelope
from shared.older_service import OlderService, Unanswered
from shared.portal import decode_portal
from shared.record import record
from shared.settings import Settings

Done = Literal["forwarded", "forwarded_before", "recorded_before"] | Recorded
# What Cloud Run's front end answers for a service that it lost touch with, or ended the request of: its code may go on.
_UNKNOWN = (502, 503, 504)
_REFUSED = (401, 403)


def forward(
    envelope: Envelope,
    message: Mapping[str, Any],
    stores: Stores,
    service: OlderService,
    publish: Publish,
    settings: Settings,
) -> Done:
    """Has the message acted on once by the owner of its config's table, and tells how.

    `message` is Pub/Sub's own, which the older service gets as it is. No connection to PostgreSQL is held while that
    is at work, for minutes maybe. Raises what nacks it: `TableBusy` while another writes the table, or the message may
    be at the older service still, `ServiceFailed` where that did not load it, `PermissionMissing` where it refuses us;
    and `InvalidInput` for a message that nobody can act on.
    """
    wanted = decode_portal(envelope.data)
    # Ids are unique within a topic only, and those of requests by hand are in the same table.
    envelope = Envelope(f"{PORTAL}/{envelope.message_id}", envelope.data)
    begun = time.monotonic()
    with stores() as store:
        found = store.begin_forward(envelope.message_id, wanted, settings.service_timeout_seconds)
        if found.verdict == "recorded_before":
            return "recorded_before"
        if found.verdict in ("busy", "unanswered"):
            raise TableBusy(f"{found.subject}: {found.reason}", "the message is delivered again")
        if found.verdict != "forward":
            done: Done = "forwarded_before"
            if found.verdict == "job":
                done = record(envelope, wanted.request, store, if_ours=True)
            _follow_up(found, store, publish, settings)
            return done
    failpoint("forward.after_begin")
    status = _post(envelope.message_id, found, message, stores, service, begun)
    with stores() as store:
        _note(envelope.message_id, found, status, store)
        _follow_up(found, store, publish, settings)
    return "forwarded"


def _follow_up(found: Forward, store: Store, publish: Publish, settings: Settings) -> None:
    if found.wants_shadow and found.config_id is not None:
        # Now, so that both read the same sheet, if nobody edits it in between.
        store.record_shadow(found.config_id, store.now(), settings.shadow_suffix)
    failpoint("forward.before_admit")
    admit(store, publish, settings)


def _post(
    message_id: str, found: Forward, message: Mapping[str, Any], stores: Stores, service: OlderService, begun: float
) -> int:
    """The older service's answer. Raises where there is none."""
    try:
        return service.post(message, begun)
    except Unanswered:
        raise
    except SyncError:  # nothing was sent
        with stores() as store:
            store.withdraw_forward(message_id, found.attempt)
        raise


def _note(message_id: str, found: Forward, status: int, store: Store) -> None:
    """That the older service is done with the message. Raises where it did not load it, or where nobody knows."""
    failpoint("forward.after_answer")
    if status in _UNKNOWN:
        raise ServiceFailed(
            f"{found.subject}: the older service answers {status}, and may be at work still",
            "the message is delivered again",
        )
    store.end_forward(message_id, found.attempt, status)
    failpoint("forward.after_end")
    if status in _REFUSED:
        raise PermissionMissing(
            f"the older service refuses us ({status})",
            "grant this function's service account roles/run.invoker on it, and check that SERVICE_URL is its address",
        )
    if not 200 <= status < 300:
        raise ServiceFailed(
            f"{found.subject}: the older service answers {status}",
            "its own log says why; the message is delivered again",
        )
    log.info("forwarded", message_id=message_id, config_id=found.config_id, attempt=found.attempt, status=status)
