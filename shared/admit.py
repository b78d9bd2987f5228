"""Admission: queue and publish the pending runs that fit the cap and the Sheets quota now."""

from collections.abc import Callable, Sequence

from shared import log
from shared.settings import Settings
from shared.store import CHUNK, Store

Publish = Callable[[Sequence[str]], None]


def admit(store: Store, publish: Publish, settings: Settings) -> list[str]:
    """Publishes `RunRequested` for every run that fits, most overdue first, and tells their ids.

    Queued first, published then, noted last: a crash between loses nothing, the sweep publishes what was not
    noted, and a message too many finds its run claimed.
    """
    admitted: list[str] = []
    while True:
        now = store.now()
        run_ids = store.admit(now, settings.max_running, settings.sheets_reads_per_minute)
        if run_ids:
            publish(run_ids)
            store.note_published(run_ids, now)
            log.info("admitted", run_ids=run_ids)
        admitted += run_ids
        if len(run_ids) < CHUNK:
            return admitted
