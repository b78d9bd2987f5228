"""Sweep: settle runs that no message settled, publish what was never heard, admit in time, tell people."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from shared import log
from shared.admit import Publish, admit
from shared.channels import Channel
from shared.errors import DatabaseUnavailable, SyncError
from shared.executions import Executions
from shared.failpoints import failpoint
from shared.ledger.store import Store
from shared.notify import notify
from shared.planning import give_up_plans
from shared.settings import Settings
from shared.settle import BigQuery, settle

# Looking at a run takes a few calls to Google; a function's default time is 60 s. The next sweep goes on.
_SECONDS = 40
# Reads come free one by one: less often than this, admission is worth its while.
_SHORTEST_PAUSE = 1.0


def sweep(
    store: Store,
    bigquery_of: BigQuery,
    executions: Executions,
    publish: Publish,
    settings: Settings,
    channels: Sequence[Channel] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, int]:
    """Looks at every active run whose lease is over, and tells how many there were of each outcome.

    While runs wait for nothing but time (the quota's next minute, their next attempt), it stays for
    `sweep_seconds` and admits them when it comes: a sweep a minute would leave half of a quota unused. People are
    told last, so that who does not listen delays nothing.
    """
    started = store.now()
    # First, so that a sweep which does not get to its end is heard of, too.
    log.info("measured", **store.measure(started))
    counts: Counter[str] = Counter(published_again=0, admitted=0)
    looked_at: set[str] = set()
    while True:
        for run_id in store.lease_over(store.now()):
            if run_id in looked_at or store.now() - started > timedelta(seconds=_SECONDS):
                continue
            looked_at.add(run_id)
            counts[_settle(run_id, store, bigquery_of, executions, settings)] += 1
            failpoint("sweep.after_settle")
        counts["published_again"] += _publish_unheard(store, publish, settings)
        # From before admission: what comes free after it looked must not be taken for what it has seen.
        looked = store.now()
        counts["admitted"] += admit(store, publish, settings)
        pause = _pause(store, settings, started, looked)
        if pause is None:
            break
        sleep(pause)
    counts["plans_given_up"] = give_up_plans(store, settings)
    counts["cleaned"] = _clean(store, settings)
    counts["told"] = notify(store, channels)
    log.info("swept", **counts)
    return dict(counts)


def _settle(run_id: str, store: Store, bigquery_of: BigQuery, executions: Executions, settings: Settings) -> str:
    """One run that cannot be looked at now (its project's permission is missing, say) does not keep the others."""
    standing = store.find_run(run_id)
    if standing is None:
        return "settled_before"
    try:
        return settle(standing.run, store, bigquery_of, executions, settings)
    except DatabaseUnavailable:
        raise
    except Exception as error:
        # Whatever it is, it is this run's: the others must not wait for it, and it goes behind them.
        log.error("not_settled", run_id=run_id, error_class=type(error).__name__, error=_told(error))
        store.put_back(run_id, store.now() + timedelta(seconds=settings.lease_seconds))
        return "unreachable"


def _publish_unheard(store: Store, publish: Publish, settings: Settings) -> int:
    now = store.now()
    unheard = store.unpublished(now, now - timedelta(seconds=settings.lease_seconds))
    if unheard:
        failpoint("sweep.before_publish")
        publish(unheard)
    return len(unheard)


def _clean(store: Store, settings: Settings) -> int:
    try:
        return store.clean(store.now() - timedelta(days=settings.runs_kept_days))
    except SyncError as error:  # people are told all the same: a role without DELETE serves for all the rest
        log.error("not_cleaned", error=str(error))
        return 0


def _pause(store: Store, settings: Settings, started: datetime, looked: datetime) -> float | None:
    """Seconds until admission may go on; None where nothing waits for time, or not for so short a time."""
    coming = store.next_admission(looked, settings.max_running)
    if coming is None or coming > started + timedelta(seconds=settings.sweep_seconds):
        return None
    return max((coming - store.now()).total_seconds(), _SHORTEST_PAUSE)


def _told(error: Exception) -> str:
    """Of the product's own errors the message; another's may quote anything."""
    return str(error) if isinstance(error, SyncError) else "unforeseen"
