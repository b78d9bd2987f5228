"""Dispatch: find due configs, record one run each, admit what fits."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared import log
from shared.admit import Publish, admitting
from shared.errors import DatabaseUnavailable
from shared.failpoints import failpoint
from shared.ledger.store import CHUNK, FIRST, Store
from shared.run import Place, Told, Verdict
from shared.settings import Settings

# The answer names so many of the configs that were due, and of those that were not; the counts cover all of them.
_NAMED = 200
# What a person has to mend: said in the log at every dispatch.
_REPORTED = ("bad_frequency", "bad_last_run", "table_conflict")


class DispatchRequest(msgspec.Struct, frozen=True):
    """The body of `POST /run`: only tell (`dry_run`), at most so many of this call's runs in flight, only these."""

    dry_run: bool = False
    max_parallel_jobs: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    config_names: list[str] | None = None


class Dispatched(msgspec.Struct, frozen=True):
    """What dispatch did: how many runs it recorded and admitted, the first of the due configs with their runs' slots,
    the first of those that were not due, and how many have which verdict; and how many shadow runs of a migration it
    recorded beside them. `not_told` says why it tells nothing of
    those that were not due, where it does not.
    """

    batch: str
    at: datetime
    dry_run: bool
    due: list[Verdict]
    recorded: int
    admitted: int
    skipped: list[Verdict]
    unknown: list[str]
    counts: dict[str, int]
    shadows: int = 0
    not_told: str | None = None

    def answer(self) -> dict[str, Any]:
        """The HTTP answer: per config what was done, or why not."""
        return {
            "batch": self.batch,
            "at": self.at.isoformat(),
            "dry_run": self.dry_run,
            "recorded": self.recorded,
            "admitted": self.admitted,
            "counts": self.counts,
            **({"shadows": self.shadows} if self.shadows else {}),
            **({"not_told": self.not_told} if self.not_told else {}),
            "due": [_told(each, done="would run" if self.dry_run else "run recorded") for each in self.due],
            "skipped": [_told(each, done=each.reason) for each in self.skipped]
            + [{"name": name, "verdict": "unknown", "told": "no config has this name"} for name in self.unknown],
        }


def dispatch(request: DispatchRequest, store: Store, publish: Publish, settings: Settings) -> Dispatched:
    """Records a run for every due config and admits what fits; with `dry_run`, only tells what it would do."""
    now = store.now()
    batch = str(uuid.uuid4())
    names = request.config_names
    unknown = _unknown(store, names)
    if request.dry_run:
        told = store.tell(now, _NAMED, names)
        _report(told.skipped)
        due = store.judge(now, due=True, most=CHUNK, names=names)
        shadows = store.count_shadows(now, names)
        return Dispatched(batch, now, True, due, 0, 0, told.skipped, unknown, told.counts, shadows)
    due, recorded = _record(now, batch, request, store)
    shadows = store.record_shadows(now, batch, request.max_parallel_jobs, settings.shadow_suffix, names)
    # All are recorded before one is admitted: the most overdue of all go first. What is told is found out meanwhile.
    with admitting(store, publish, settings) as admitted:
        told, not_told = _tell_others(now, batch, names, store)
    counts = told.counts | ({"due": told.counts.get("due", 0) + recorded} if recorded else {})
    beside = {"shadows": shadows} if shadows else {}
    log.info("dispatched", batch=batch, recorded=recorded, admitted=admitted, counts=counts, **beside)
    return Dispatched(batch, now, False, due, recorded, admitted, told.skipped, unknown, counts, shadows, not_told)


def _record(now: datetime, batch: str, request: DispatchRequest, store: Store) -> tuple[list[Verdict], int]:
    """Records a run for every due config; tells the first of them, and how many there were."""
    due: list[Verdict] = []
    recorded = 0
    place: Place | None = FIRST
    while place is not None:
        found = store.record_due(now, batch, request.max_parallel_jobs, request.config_names, _NAMED - len(due), place)
        failpoint("dispatch.after_record")
        due += found.named
        recorded += found.count
        if found.count:
            log.info("recorded", batch=batch, runs=found.count)
        place = found.rest
    return due, recorded


def _tell_others(now: datetime, batch: str, names: Sequence[str] | None, store: Store) -> tuple[Told, str | None]:
    """What the due rule says of the configs for which no run was recorded; or nothing of them, and why.

    It looks at every config, which may take too long where there are millions: what was done is done all the same.
    """
    try:
        told = store.tell(now, _NAMED, names, recorded_by=batch)
    except DatabaseUnavailable as error:
        log.warning("not_told", batch=batch, error_class=error.name, error=str(error))
        return Told({}, []), f"why the others are not due is not told: {error.what}"
    _report(told.skipped)
    return told, None


def _unknown(store: Store, names: Sequence[str] | None) -> list[str]:
    return sorted(set(names) - store.known_names(names)) if names else []


def _report(skipped: list[Verdict]) -> None:
    for each in skipped:
        if each.verdict in _REPORTED:
            log.warning("not_dispatched", config_id=each.config_id, verdict=each.verdict, reason=each.reason)


def _told(verdict: Verdict, done: str) -> dict[str, Any]:
    return {
        "config_id": verdict.config_id,
        "name": verdict.name,
        "verdict": verdict.verdict,
        "told": done,
        "why": verdict.why if verdict.verdict == "due" else None,
        "slot": verdict.slot.isoformat() if verdict.verdict == "due" and verdict.slot else None,
    }
