"""Admission: queue and publish the pending runs that fit the cap and the Sheets quota now."""

from collections.abc import Callable, Sequence

from shared import log
from shared.failpoints import failpoint
from shared.ledger.store import ADMITTED, CHUNK, Store
from shared.settings import Settings

Publish = Callable[[Sequence[str]], None]


def admit(store: Store, publish: Publish, settings: Settings) -> int:
    """Publishes `RunRequested` for every run that fits, most overdue first, and tells how many.

    Queued first, published then: a crash between loses nothing, the sweep publishes what stays queued for a lease,
    and a message too many finds its run claimed.
    """
    admitted = 0
    while True:
        now = store.now()
        run_ids = store.admit(now, settings.max_running, settings.sheets_reads_per_minute)
        if run_ids:
            failpoint("admit.after_queue")
            publish(run_ids)
            failpoint("admit.after_publish")
            for start in range(0, len(run_ids), CHUNK):  # a line has its limit, too
                log.info("admitted", run_ids=run_ids[start : start + CHUNK])
        admitted += len(run_ids)
        if len(run_ids) < ADMITTED:
            return admitted
