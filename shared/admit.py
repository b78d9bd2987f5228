"""Admission: queue and publish the pending runs that fit the cap and the Sheets quota now."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

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
    with admitting(store, publish, settings) as admitted:
        return admitted


@contextmanager
def admitting(store: Store, publish: Publish, settings: Settings) -> Iterator[int]:
    """As `admit`, but the last messages may be on their way while the block runs; leaving it waits for them.

    `publish` runs in a thread of its own, so that PostgreSQL queues the next runs meanwhile: those, and no more.
    """
    admitted = 0
    on_their_way: Future[None] | None = None
    with ThreadPoolExecutor(1) as thread:
        while True:
            now = store.now()
            run_ids = store.admit(now, settings.max_running, settings.sheets_reads_per_minute)
            if run_ids:
                failpoint("admit.after_queue")
                if on_their_way:
                    on_their_way.result()
                on_their_way = thread.submit(_publish, publish, run_ids)
            admitted += len(run_ids)
            if len(run_ids) < ADMITTED:
                break
        yield admitted
        if on_their_way:
            on_their_way.result()


def _publish(publish: Publish, run_ids: Sequence[str]) -> None:
    publish(run_ids)
    failpoint("admit.after_publish")
    for start in range(0, len(run_ids), CHUNK):  # a line has its limit, too
        log.info("admitted", run_ids=run_ids[start : start + CHUNK])
