"""Sweep: settle runs that no message settled, publish what was never heard, admit again."""

from datetime import timedelta

from shared import log
from shared.admit import Publish, admit
from shared.errors import DatabaseUnavailable, SyncError
from shared.executions import Executions
from shared.settings import Settings
from shared.settle import BigQuery, settle
from shared.store import Store

# Looking at a run takes a few calls to Google; a function's default time is 60 s. The next sweep goes on.
_SECONDS = 40


def sweep(
    store: Store, bigquery_of: BigQuery, executions: Executions, publish: Publish, settings: Settings
) -> dict[str, int]:
    """Looks at every active run whose lease is over, and tells how many there were of each outcome.

    One run that cannot be looked at now (its project's permission is missing, say) does not keep the others.
    """
    started = store.now()
    counts: dict[str, int] = {}
    for run_id in store.lease_over(started):
        if store.now() - started > timedelta(seconds=_SECONDS):
            break
        standing = store.find_run(run_id)
        if standing is None:
            continue
        outcome: str
        try:
            outcome = settle(standing.run, store, bigquery_of, executions, settings)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            # Whatever it is, it is this run's: the others must not wait for it, and it goes behind them.
            log.error("not_settled", run_id=run_id, error_class=type(error).__name__, error=_told(error))
            store.put_back(run_id, store.now() + timedelta(seconds=settings.lease_seconds))
            outcome = "unreachable"
        counts[outcome] = counts.get(outcome, 0) + 1
    now = store.now()
    unheard = store.unpublished(now, now - timedelta(seconds=settings.lease_seconds))
    if unheard:
        publish(unheard)
    counts["published_again"] = len(unheard)
    counts["admitted"] = len(admit(store, publish, settings))
    log.info("swept", **counts)
    return counts


def _told(error: Exception) -> str:
    """Of the product's own errors the message; another's may quote anything."""
    return str(error) if isinstance(error, SyncError) else "unforeseen"
